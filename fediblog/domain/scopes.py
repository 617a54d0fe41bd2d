"""What a token of an app may do: the scopes of Mastodon's API, from wide ones down to single ones."""

from __future__ import annotations

from collections.abc import Iterable

_READ = ("accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes", "notifications")
_WRITE = (*_READ, "conversations", "media", "reports", "statuses")
_ADMIN: tuple[str, ...] = ("accounts", "reports", "domain_allows", "domain_blocks", "ip_blocks", "email_domain_blocks")
_ADMIN += ("canonical_email_blocks",)

SCOPES: tuple[str, ...] = (
    "profile",
    "read",
    *(f"read:{name}" for name in (*_READ, "search", "statuses")),
    "write",
    *(f"write:{name}" for name in _WRITE),
    "follow",
    "push",
    "admin:read",
    *(f"admin:read:{name}" for name in _ADMIN),
    "admin:write",
    *(f"admin:write:{name}" for name in _ADMIN),
)
"""All scopes there are, the wide ones before the narrow ones that they hold."""

_KNOWN = frozenset(SCOPES)
_FOLLOW = frozenset(f"{verb}:{name}" for verb in ("read", "write") for name in ("blocks", "follows", "mutes"))
DEFAULT = "read"


def parse(text: str) -> tuple[str, ...]:
    """The known scopes in a text that blanks or plus signs separate, each once, in our order."""
    asked = set(text.replace("+", " ").split())
    return tuple(scope for scope in SCOPES if scope in asked)


def unknown(text: str) -> list[str]:
    """Words of the text that are no scopes."""
    return [word for word in text.replace("+", " ").split() if word not in _KNOWN]


def covers(granted: Iterable[str], needed: str) -> bool:
    """Whether a token with these scopes may do what needs that one."""
    held = set(granted)
    return any(scope in held for scope in _holders(needed))


def is_within(asked: Iterable[str], granted: Iterable[str]) -> bool:
    """Whether everything asked for is covered by what was granted."""
    held = tuple(granted)
    return all(covers(held, scope) for scope in asked)


def _holders(needed: str) -> list[str]:
    """The scope itself and the wider ones that hold it. `profile` is a small part of `read:accounts`."""
    wider = [needed]
    if needed in _FOLLOW:
        wider.append("follow")
    if needed == "profile":
        wider += ["read:accounts", "read"]
    parts = needed.split(":")
    wider += [":".join(parts[:length]) for length in range(1, len(parts)) if ":".join(parts[:length]) in _KNOWN]
    return wider
