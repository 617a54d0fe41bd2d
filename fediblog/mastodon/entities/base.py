"""Small things of which entities are made: times, emoji, words for who may see a post."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fediblog.domain.documents import Emoji, Visibility
from fediblog.domain.urls import Urls

Json = dict[str, Any]
MOST = 2**31 - 1
"""No number is larger: many apps read 32 bits, and none of a list that holds one with more."""
_BASE_83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

VISIBILITIES: dict[Visibility, str] = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
}
NAMED: dict[str, Visibility] = {name: each for each, name in VISIBILITIES.items()}


@lru_cache(maxsize=4096)
def moment(ms: int) -> str:
    """A time in UTC milliseconds as the API writes it."""
    minute, rest = divmod(ms, 60_000)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


@lru_cache(maxsize=4096)
def _minute(minutes: int) -> str:
    """A time in whole minutes up to where its seconds follow."""
    day, rest = divmod(minutes, 1440)
    return f"{_date(day)}T{rest // 60:02d}:{rest % 60:02d}:"


@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    """A day since 1970 as it is written."""
    return datetime.fromtimestamp(days * 86_400, UTC).date().isoformat()


def maybe_moment(ms: int | None) -> str | None:
    """A time, where there is one."""
    return None if ms is None else moment(ms)


def day(ms: int | None) -> str | None:
    """The day of a time, where there is one."""
    return None if ms is None else moment(ms)[:10]


def midnight(ms: int) -> str:
    """The beginning of a time's day."""
    return f"{moment(ms)[:10]}T00:00:00.000Z"


def blurhash(text: str) -> str | None:
    """A BlurHash, if it is one: apps fail on what they cannot decode. Its first character says how long it is."""
    size = _BASE_83.find(text[:1]) if text else -1
    length = 4 + 2 * (size % 9 + 1) * (size // 9 + 1)
    return text if size >= 0 and len(text) == length and all(each in _BASE_83 for each in text) else None


def emojis(found: tuple[Emoji, ...], urls: Urls) -> list[Json]:
    """CustomEmoji of a post or a profile, see `Urls.emoji_copy`; none of those that were taken away since."""
    return [
        {
            "shortcode": each.name,
            "url": (here := urls.emoji_copy(each.url)),
            "static_url": here,
            "visible_in_picker": False,
        }
        for each in found
        if each.url
    ]
