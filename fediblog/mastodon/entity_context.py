"""With what the entities of one site are made: its addresses, and what is remembered of entities made before."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from fediblog.federation.site import Site
from fediblog.memory import Memory
from fediblog.store.posts.post_extras import AccountRow, Parts

MOST_OF_POSTS = 32_000_000  # bytes, about
AVATAR = "/static/avatar.png"
HEADER = "/static/header.png"


class CachedPost(Struct, eq=False):
    """What is the same of a post for everybody, as JSON without its end, and the rows that this was made of."""

    row: tuple[Any, ...]
    parts: Parts
    above: int | None  # author of the post that it answers
    entity: dict[str, Any]
    head: bytes
    text: str | None = None  # all its words, once a filter asked for them


class EntityContext:
    """The addresses and the title of a site, and its caches of entities and totals."""

    __slots__ = ("counts", "people", "posts", "site", "trends", "urls")

    def __init__(self, site: Site) -> None:
        self.urls = site.urls
        self.site = site
        self.counts: Memory[int, tuple[int, int, int, int | None]] = Memory(20_000)
        self.people: Memory[int, tuple[AccountRow, tuple[int, int, int, int | None], bytes]] = Memory(5_000)
        self.posts: Memory[int, CachedPost] = Memory(MOST_OF_POSTS)
        self.trends: Memory[str, list[Any]] = Memory(10)

    @property
    def title(self) -> str:
        """The title of the blog."""
        return self.site.title

    @property
    def avatar(self) -> str:
        """The picture of those who have none."""
        return self.urls.origin + AVATAR

    @property
    def header(self) -> str:
        """The header of those who have none."""
        return self.urls.origin + HEADER
