"""The shapes of the variable parts of our addresses: bounded, so that no handler meets a number too large for it."""

from __future__ import annotations

from typing import Any

from starlette.convertors import Convertor, register_url_convertor


class _Text(Convertor[str]):
    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Handle(_Text):
    regex = "[A-Za-z0-9_]{1,30}"


class _Slug(_Text):
    regex = "[^/.@:]+"


class _Year(_Text):
    regex = "[0-9]{4}"


class _Month(_Text):
    regex = "(?:0[1-9]|1[0-2])"


class _Feed(_Text):
    regex = "(?:atom|rss|json)"


class _Mark(_Text):
    regex = r"[A-Za-z0-9_-]{22}(?:\.small)?"


class _Owner(_Text):
    """Whose picture it is: `a`, `p` or `s` (account, post or page) and its number."""

    regex = "[aps][1-9][0-9]{0,18}"

    def convert(self, value: str) -> str:
        return f"{value[0]}{min(int(value[1:]), (1 << 63) - 1)}"


class _Encoded(_Text):
    """An address of up to 2048 bytes in URL-safe Base64."""

    regex = "[A-Za-z0-9_-]{1,2731}"


class _Number(Convertor[int]):
    """A number of ours: 63 bits, never with a sign or a leading zero."""

    regex = "[1-9][0-9]{0,18}"

    def convert(self, value: str) -> int:
        return min(int(value), (1 << 63) - 1)

    def to_string(self, value: int) -> str:
        return str(value)


def register() -> None:
    """Make `{handle:handle}`, `{n:number}` and the others known to the router."""
    made: dict[str, Convertor[Any]] = {
        "handle": _Handle(),
        "slug": _Slug(),
        "year": _Year(),
        "month": _Month(),
        "feed": _Feed(),
        "number": _Number(),
        "owner": _Owner(),
        "mark": _Mark(),
        "encoded": _Encoded(),
    }
    for name, convertor in made.items():
        register_url_convertor(name, convertor)
