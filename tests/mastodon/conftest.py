"""A server with Alice and Bob, on SQLite; tests of new SQL ask for `both` engines."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import ENGINES, Clock
from tests.mastodon.server import HOST, Server
from tests.postgres import Cluster
from tests.world import World


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[Server]:
    """Alice (who owns the server) and Bob, on SQLite."""
    async with World(HOST, clock=clock) as world:
        yield await _inhabited(world)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> tuple[Cluster, str] | None:
    """None for SQLite, or the PostgreSQL cluster with its template: made before any event loop runs."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("cluster"), request.getfixturevalue("migrated_database")


@pytest.fixture
async def both(engine: tuple[Cluster, str] | None, clock: Clock) -> AsyncIterator[Server]:
    """The same, on SQLite and on PostgreSQL in turn."""
    async with World(HOST, clock=clock, postgres=engine) as world:
        yield await _inhabited(world)


async def _inhabited(world: World) -> Server:
    server = Server(world)
    await server.person("alice")
    await server.person("bob")
    return server
