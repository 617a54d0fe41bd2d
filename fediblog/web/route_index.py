"""The routes of the application, found by how an address begins and ends and how many parts it has.

Most addresses are near the end of a table of a hundred routes, and each try is an expression that is matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from starlette.requests import Request
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Receive, Scope, Send

_NAMED = (1, -1)  # the places of parts by which routes are told apart: the second and the last one


class RouteIndex(BaseRoute):
    """All routes as one, which tries only those that can be meant; among these the first that matches, as ever."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._shapes = [(parts, _beginning(parts[0]), route) for route in routes for parts in (_parts(route),)]
        self._beginnings = {beginning for _, beginning, _ in self._shapes}
        self._named = {
            (beginning, at, parts[at]) for parts, beginning, _ in self._shapes for at in _NAMED if len(parts) > 1
        }
        self._most = max(len(parts) for parts, _, _ in self._shapes) + 1  # parts; longer addresses are all alike
        self._found: dict[tuple[str | None, str, str, int], list[BaseRoute]] = {}  # of those that were asked for

    @property
    def first_words(self) -> AbstractSet[str]:
        """The words with which addresses begin."""
        return frozenset(each for each in self._beginnings if each)

    def tried(self, path: str) -> Sequence[BaseRoute]:
        """The routes that may match, in their order."""
        parts = path.split("/", self._most)[1:] or [""]
        beginning = _beginning(parts[0]) if _beginning(parts[0]) in self._beginnings else None
        second, last = (self._name(beginning, at, parts) for at in _NAMED)
        asked = beginning, second, last, len(parts)
        found = self._found.get(asked)
        if found is None:
            found = self._found[asked] = [
                route
                for parts, beginning, route in self._shapes
                if beginning in (None, asked[0])
                and _may_have(parts, asked[3])
                and _goes_on(parts, 1, second)
                and _goes_on(parts, -1, last)
            ]
        return found

    def _name(self, beginning: str | None, at: int, parts: Sequence[str]) -> str:
        """The part of an address in that place if a route that may be meant names it; else nothing."""
        part = parts[at] if len(parts) > 1 else ""
        return part if {(beginning, at, part), (None, at, part)} & self._named else ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        partial: tuple[Match, Scope] = (Match.NONE, {})
        for route in self.tried(scope["path"]):
            match, found = route.matches(scope)
            if match is not Match.NONE:
                found["route"] = route
                if match is Match.FULL:
                    return match, found
                if partial[0] is Match.NONE:
                    partial = match, found
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].handle(scope, receive, send)


def first_words(request: Request) -> AbstractSet[str]:
    """The words with which the addresses of the application begin: no page of the owner's may be called so."""
    return frozenset(word for each in request.app.routes if isinstance(each, RouteIndex) for word in each.first_words)


def _parts(route: BaseRoute) -> list[str]:
    """What stands between the slashes of a route's address; the last one may stand for any number of parts."""
    path: str = route.path  # type: ignore[attr-defined]
    return (path + "/{path:path}" if isinstance(route, Mount) else path).split("/")[1:]


def _beginning(part: str) -> str | None:
    """What the first part of an address is looked up by: itself, or `@` for all handles; None if it may be anything."""
    if part[:1] == "@":
        return "@"
    return None if "{" in part else part


def _goes_on(parts: Sequence[str], at: int, name: str) -> bool:
    """Whether a route's address may have that part in that place; "" stands for all that no route names."""
    return len(parts) < 2 or "{" in parts[at] or parts[at] == name


def _may_have(parts: Sequence[str], count: int) -> bool:
    """Whether an address of so many parts may be meant."""
    return len(parts) <= count if parts[-1].endswith(":path}") else len(parts) == count
