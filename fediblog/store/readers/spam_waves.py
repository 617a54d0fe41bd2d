"""Posts by which many new accounts elsewhere reach ours at once."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.posts import Post
from fediblog.store import ids
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.store.visible import VISIBLE

_REACHES_US = (
    "(exists (select 1 from mention m join account ma on ma.id = m.account where m.post = p.id and ma.local = 1)"
    " or exists (select 1 from post pp where pp.id = p.parent and pp.local = 1))"
)
_RECENT = (
    "select p.id from account a join post p on p.account = a.id where a.id >= :first and a.local = 0"
    f" and p.state = 'published' and {_REACHES_US} and {VISIBLE} order by p.id desc limit :n"
)


def recent(tx: Tx, viewer: int, since: int, limit: int) -> list[Post]:
    """Mentions of ours, and answers to ours, by accounts that came to be known after a time (ms), newest first.

    Only what the viewer may see: of what is for others alone nobody is told.
    """
    rows = tx.all(_RECENT, viewer=viewer, first=ids.first_of(since), n=limit)
    found = posts.many(tx, [row.id for row in rows], viewer)
    return [found[row.id] for row in rows]


def named(tx: Tx, viewer: int, numbers: Collection[int]) -> list[Post]:
    """Those of the posts that come from elsewhere, are published, and may be seen by the viewer."""
    found = posts.many(tx, numbers, viewer).values()
    return [each for each in found if not each.local and each.state == "published"]


def states(tx: Tx, numbers: Collection[int]) -> dict[int, str]:
    """In which state those of these posts are that are still here."""
    rows = tx.all("select id, state from post where id in (:ids)", ids=sorted(numbers)) if numbers else ()
    return {row.id: row.state for row in rows}
