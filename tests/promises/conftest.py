"""Two servers of a world in which time stands still, with people who follow each other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.federation.pair import Pair
from tests.postgres import Cluster
from tests.world import World


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest) -> tuple[Cluster, str] | None:
    """What the servers of a world store in."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("cluster"), request.getfixturevalue("migrated_database")


@pytest.fixture
async def pair(databases: tuple[Cluster, str] | None) -> AsyncIterator[Pair]:
    """Ann and Ben, who follow each other, and nothing is on the way."""
    async with World("one.test", "two.test", postgres=databases) as world:
        made = Pair(
            world,
            "one.test",
            "two.test",
            await world.person("one.test", "ann"),
            await world.person("two.test", "ben"),
        )
        await made.follow()
        await made.follow_back()
        world.network.sent.clear()
        yield made
