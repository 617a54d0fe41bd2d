"""What the owner chose for the blog: one value, kept whole."""

from __future__ import annotations

from functools import lru_cache

from msgspec import DecodeError, ValidationError
from msgspec.json import decode, encode

from fediblog.domain.blog import Blog
from fediblog.store.people import server_state
from fediblog.store.tx import Tx

_NAME = "blog"


def get(tx: Tx) -> Blog:
    """The blog's settings; their defaults where nobody has chosen any."""
    return _read(server_state.get(tx, _NAME) or "")


def put(tx: Tx, blog: Blog) -> None:
    """Keep them, in place of the earlier ones."""
    server_state.put(tx, _NAME, encode(blog).decode())


@lru_cache(maxsize=4)
def _read(stored: str) -> Blog:
    try:
        return decode(stored, type=Blog) if stored else Blog()
    except (DecodeError, ValidationError):  # of a later version
        return Blog()
