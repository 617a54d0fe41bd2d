"""What an app may do, in plain words: its scopes, the wide ones as a sentence, the narrow ones together."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.messages import text

_WIDE = {
    "profile": "scope.profile",
    "read": "scope.read",
    "write": "scope.write",
    "follow": "scope.follow",
    "push": "scope.push",
    "admin:read": "scope.admin-read",
    "admin:write": "scope.admin-write",
}
_NARROW = {
    "read": "scope.read-some",
    "write": "scope.write-some",
    "admin:read": "scope.admin-read-some",
    "admin:write": "scope.admin-write-some",
}
_ORDER = ("profile", "read", "write", "follow", "push", "admin:read", "admin:write")


def said(language: str, scopes: Sequence[str]) -> list[str]:
    """One line for each kind of thing that these scopes allow, the widest words that are true."""
    lines = []
    for wide in _ORDER:
        things = [scope.removeprefix(f"{wide}:") for scope in scopes if scope.startswith(f"{wide}:")]
        if wide in scopes:
            lines.append(text(language, _WIDE[wide]))
        elif things:
            named = ", ".join(text(language, f"thing.{thing}") for thing in things)
            lines.append(text(language, _NARROW[wide], things=named))
    return lines
