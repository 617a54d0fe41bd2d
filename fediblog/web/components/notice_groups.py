"""Notices as pages show them: those of one kind about one post, or new followers, make one line."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Notice, Post

_JOINED = frozenset({"like", "boost", "follow"})


class NoticeGroup(Struct, frozen=True, kw_only=True):
    """Notices of one kind about one post; the newest first, each person once."""

    notices: tuple[Notice, ...]

    @property
    def first(self) -> Notice:
        """The newest of them."""
        return self.notices[0]

    @property
    def kind(self) -> str:
        """What happened, as `Notice.kind` says it."""
        return self.first.kind

    @property
    def post(self) -> Post | None:
        """What it happened to."""
        return self.first.post

    @property
    def people(self) -> tuple[Account, ...]:
        """Who did it."""
        return tuple({each.actor.id: each.actor for each in self.notices}.values())

    @property
    def emoji(self) -> tuple[str, ...]:
        """With which emoji they did it."""
        return tuple(dict.fromkeys(each.content for each in self.notices if each.kind == "like" and each.content))

    @property
    def read(self) -> bool:
        """Whether all were looked at."""
        return all(each.read for each in self.notices)


def grouped(found: Iterable[Notice]) -> list[NoticeGroup]:
    """The groups in the order of their newest notices. Only likes, boosts and follows are joined."""
    made: dict[tuple[str, int], list[Notice]] = {}
    for each in found:
        about = each.post.id if each.post else 0
        made.setdefault((each.kind, about) if each.kind in _JOINED else ("", each.id), []).append(each)
    return [NoticeGroup(notices=tuple(notices)) for notices in made.values()]
