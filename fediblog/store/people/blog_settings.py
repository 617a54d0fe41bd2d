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


def only_writer(tx: Tx) -> str:
    """The handle of the one of our people who wants to be found; nothing if there are several, or none."""
    rows = tx.all(
        "select handle from account where local = 1 and login is not null and state = 'active' and discoverable = 1"
        " and limited = 0"
        " order by +id limit 2"
    )
    return str(rows[0].handle) if len(rows) == 1 else ""


@lru_cache(maxsize=4)
def _read(stored: str) -> Blog:
    try:
        return decode(stored, type=Blog) if stored else Blog()
    except (DecodeError, ValidationError):  # of a later version
        return Blog()
