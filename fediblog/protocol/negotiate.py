"""Media types: whether a client wants ActivityPub or a page, and whether an answer is ActivityPub."""

from __future__ import annotations

import re

from msgspec import Struct

ACTIVITY_TYPE = "application/activity+json; charset=utf-8"
LD_JSON_TYPE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
ACCEPT = f"application/activity+json, {LD_JSON_TYPE}"
_PROFILE = "https://www.w3.org/ns/activitystreams"
_LIMIT = 2000
# Commas and semicolons may stand inside quotes; possessive, so linear.
_RANGES = re.compile(r'(?:[^,"]++|"[^"]*+(?:"|\Z))++')
_PARTS = re.compile(r'(?:[^;"]++|"[^"]*+(?:"|\Z))++')
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\Z")
_USUAL = frozenset({"application/activity+json", ACTIVITY_TYPE, LD_JSON_TYPE})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})


class _Range(Struct, frozen=True):
    kind: str
    parameters: dict[str, str]

    @property
    def quality(self) -> float:
        value = self.parameters.get("q", "1")
        return float(value) if _QUALITY.match(value) else 1.0

    @property
    def is_activity(self) -> bool:
        if self.kind == "application/activity+json":
            return True
        # Mastodon asks for ld+json without the profile
        profiles = self.parameters.get("profile", _PROFILE).split()
        return self.kind == "application/ld+json" and _PROFILE in profiles


def wants_activity(accept: str) -> bool:
    """Whether an Accept header asks for ActivityPub, and does not ask more for a page (RFC 9110 §12.5.1)."""
    ranges = [_range(part) for part in _RANGES.findall(accept[:_LIMIT])]
    activity = max((found.quality for found in ranges if found.is_activity), default=0.0)
    page = max((found.quality for found in ranges if found.kind in _PAGES), default=0.0)
    return activity > 0 and activity >= page


def is_activity_type(content_type: str) -> bool:
    """Whether a Content-Type is one of the two that ActivityPub §3.2 names.

    Anything looser would let an uploaded file speak for the server it lies on.
    """
    if content_type in _USUAL:
        return True
    found = _range(content_type[:_LIMIT])
    if found.kind == "application/activity+json":
        return True
    return found.kind == "application/ld+json" and _PROFILE in found.parameters.get("profile", "").split()


def _range(text: str) -> _Range:
    kind, *rest = _PARTS.findall(text) or [""]
    parameters: dict[str, str] = {}
    for part in rest:
        key, _, value = part.partition("=")
        parameters.setdefault(key.strip().lower(), value.strip().strip('"'))
    return _Range(kind.strip().lower(), parameters)
