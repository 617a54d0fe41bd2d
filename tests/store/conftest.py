"""A small schema for the tests of the engines, which must not depend on ours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fediblog.store.engine.database import Database, connect
from fediblog.store.engine.migrate import Migration
from tests.conftest import ENGINES, Clock, options
from tests.postgres import Cluster

SCHEMA = """
create table thing (
  id integer primary key,
  name text unique,
  data blob,
  size real
);
create table part (
  id integer primary key,
  thing integer not null references thing(id)
);
"""
STEPS = [Migration(1, "first", SCHEMA)]


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without any schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'small.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
async def small(empty_url: str, clock: Clock) -> AsyncIterator[Database]:
    """A database with the small schema."""
    database = await connect(empty_url, migrations=STEPS, **options(clock))
    yield database
    await database.close()
