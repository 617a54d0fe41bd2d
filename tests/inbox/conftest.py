"""A server of ours, on either database, and two strangers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.stranger import Home, Person, home


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


@pytest.fixture
def carol(at_home: Home) -> Person:
    return Person(at_home.web, "carol.test", "carol")
