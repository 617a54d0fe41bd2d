"""A server of ours with strangers around it, and a blog with browsers: what the tests of one rule each begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.stranger import Home, Person, home
from tests.web.pages.conftest import blog, blog_folder, empty_folder

__all__ = ["at_home", "blog", "blog_folder", "bob", "empty_folder", "eve"]


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    """Somebody honest on another server."""
    return Person(at_home.web, "bob.test", "bob")


@pytest.fixture
def eve(at_home: Home) -> Person:
    """A forger, on a server of her own."""
    return Person(at_home.web, "eve.test", "eve")
