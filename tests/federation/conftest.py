"""Two servers on either database, with somebody on each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.federation.pair import Pair
from tests.postgres import Cluster
from tests.world import World


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("sqlite-backwards", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ]
)
def ground(request: pytest.FixtureRequest) -> tuple[bool, tuple[Cluster, str] | None]:
    """Whether the servers change their parts, and what their databases are."""
    if request.param != "postgres":
        return request.param == "sqlite-backwards", None
    return False, (request.getfixturevalue("cluster"), request.getfixturevalue("migrated_database"))


@pytest.fixture
async def pair(ground: tuple[bool, tuple[Cluster, str] | None]) -> AsyncIterator[Pair]:
    backwards, postgres = ground
    async with World("one.test", "two.test", postgres=postgres) as world:
        near, far = ("two.test", "one.test") if backwards else ("one.test", "two.test")
        yield Pair(world, near, far, await world.person(near, "ann"), await world.person(far, "ben"))
