"""The index finds for every address what trying all routes one after another finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match

from fediblog.app import ROUTES
from fediblog.web.route_index import RouteIndex

INDEX = RouteIndex(ROUTES)
MOST = 12  # routes that are tried for an address
_FILLED = {"handle": "ann", "number": "7", "year": "2024", "month": "07", "feed": "atom", "path": "a/b/c.css"}
_PLACE = re.compile(r"\{\w+(?::(\w+))?\}")


def _address(route: BaseRoute) -> str:
    path: str = route.path + ("/{path:path}" if type(route).__name__ == "Mount" else "")  # type: ignore[attr-defined]
    return _PLACE.sub(lambda found: _FILLED.get(found[1], "word"), path)


ADDRESSES = sorted({_address(route) for route in ROUTES})
PARTS = st.sampled_from(
    sorted({part for each in ADDRESSES for part in each.split("/")} | {"@", "@a b", "", "feed.xml"})
)
PATHS = st.sampled_from(ADDRESSES) | st.lists(PARTS | st.text(max_size=4), max_size=9).map(
    lambda parts: "/" + "/".join(parts)
)


def _one_after_another(scope: dict[str, object]) -> tuple[Match, dict[str, object]]:
    partial: tuple[Match, dict[str, object]] = (Match.NONE, {})
    for route in ROUTES:
        match, found = route.matches(scope)
        if match is Match.FULL:
            return match, {**found, "route": route}
        if match is Match.PARTIAL and partial[0] is Match.NONE:
            partial = match, {**found, "route": route}
    return partial


@given(PATHS, st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE"]), st.sampled_from(["http", "websocket"]))
@example("", "GET", "http")
@example("*", "OPTIONS", "http")
@example("/" * 50, "GET", "http")
def test_the_same_is_found(path: str, method: str, kind: str) -> None:
    if path.endswith("\n"):
        return  # `$` in the expressions of routes lets one pass
    scope: dict[str, object] = {"type": kind, "path": path, "method": method, "headers": []}
    assert INDEX.matches(scope) == _one_after_another(scope)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_route_is_found_after_few_tries(address: str) -> None:
    found = INDEX.tried(address)
    assert any(_address(route) == address for route in found)
    assert len(found) <= MOST
