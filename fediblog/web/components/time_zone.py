"""The time zone in which a page says days and times: that of the blog, which is UTC until its owner chooses another."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_CHOSEN: ContextVar[str] = ContextVar("time_zone", default="")


@lru_cache(maxsize=64)
def find(name: str) -> tzinfo | None:
    """The zone of that name in the IANA database, such as Europe/Berlin; None if this machine knows none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # no such name, a path that leads elsewhere, a folder
        return None


def choose(name: str) -> None:
    """Have all pages that this request makes say their times in that zone; in UTC if there is none of that name."""
    _CHOSEN.set(name)


def chosen() -> str:
    """The name of the zone in which times are said now; empty for UTC."""
    return _CHOSEN.get()


def current() -> tzinfo:
    """The zone in which times are said now."""
    return find(_CHOSEN.get()) or UTC
