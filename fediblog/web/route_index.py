"""The routes of the application, found by how an address begins and how many parts it has.

Most addresses are near the end of a table of a hundred routes, and each try is an expression that is matched.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Receive, Scope, Send


class RouteIndex(BaseRoute):
    """All routes as one, which tries only those that can be meant; among these the first that matches, as ever."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        shapes = [(_parts(route), route) for route in routes]
        beginnings = {_beginning(parts[0]) for parts, _ in shapes} - {None}
        self._most = max(len(parts) for parts, _ in shapes) + 1  # parts of an address; longer ones are all alike
        self._found = {
            (beginning, count): [route for parts, route in shapes if _may_match(parts, beginning, count)]
            for beginning in (None, *beginnings)
            for count in range(1, self._most + 1)
        }

    def tried(self, path: str) -> Sequence[BaseRoute]:
        """The routes that may match, in their order."""
        parts = path.split("/", self._most)[1:]
        count = len(parts) or 1
        return self._found.get((_beginning(parts[0]) if parts else None, count)) or self._found[None, count]

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


def _parts(route: BaseRoute) -> list[str]:
    """What stands between the slashes of a route's address; the last one may stand for any number of parts."""
    path: str = route.path  # type: ignore[attr-defined]
    return (path + "/{path:path}" if isinstance(route, Mount) else path).split("/")[1:]


def _beginning(part: str) -> str | None:
    """What the first part of an address is looked up by: itself, or `@` for all handles; None if it may be anything."""
    if part[:1] == "@":
        return "@"
    return None if "{" in part else part


def _may_match(parts: Sequence[str], beginning: str | None, count: int) -> bool:
    if _beginning(parts[0]) not in (None, beginning):
        return False
    return len(parts) <= count if parts[-1].endswith(":path}") else len(parts) == count
