"""What everybody finds of all that our people wrote: how much in each month, the latest, and what is called alike."""

from __future__ import annotations

from msgspec import Struct

from fediblog.domain.memo import Memo
from fediblog.store.tx import Tx
from fediblog.store.visible import NOT_EXCLUDED, OURS_FOR_ALL, VISIBLE_IN_LISTS

_MONTHS = (
    f"select p.month, count(*) as n from post p where {OURS_FOR_ALL} and p.in_reply_to = '' and p.month <> ''"
    " group by p.month order by p.month desc"
)
_NEWEST = (
    "select (select max(n.id) from post n where n.local = 1) as newest,"
    " (select count(*) from post where state <> 'published' and state <> 'deleted') as withheld"
)
_ARTICLES = (
    f"select p.title, p.slug, p.url from post p where {OURS_FOR_ALL} and p.kind = 'Article'"
    f" and (:viewer = 0 or ({VISIBLE_IN_LISTS} and {NOT_EXCLUDED})) order by p.id desc limit :n"
)
_KEPT: Memo[int, list[tuple[str, int]]] = Memo(8)


class ArticleLink(Struct, frozen=True, kw_only=True):
    """What an article is called, and where it is."""

    title: str
    slug: str
    url: str


def months(tx: Tx) -> list[tuple[str, int]]:
    """(YYYY/MM, number of posts that begin a thread) for each month in which there are any, newest first.

    Counted again when our people have posted or a post was withheld, and else once in a minute.
    """
    made_of = totals_made_of(tx)
    kept = _KEPT.get(made_of[0], made_of)
    if kept is None:
        kept = [(row.month, row.n) for row in tx.all(_MONTHS)]
        _KEPT.put(made_of[0], made_of, kept)
    return kept


def totals_made_of(tx: Tx) -> tuple[int, int, int]:
    """What totals over all that our people wrote are kept with: its newest post, how many are withheld, the minute.

    No other server has a post of that number: what several of one process keep is told apart by it.
    """
    row = tx.one(_NEWEST)
    return (row.newest or 0, row.withheld, tx.now // 60_000) if row else (0, 0, 0)


def first_year(tx: Tx) -> int | None:
    """The year of the earliest of these months; None if there is none yet."""
    found = months(tx)
    return int(found[-1][0][:4]) if found else None


def latest_articles(tx: Tx, viewer: int, limit: int) -> list[ArticleLink]:
    """The newest articles, for whoever asks without those of people who block them or whom they block or mute."""
    return [ArticleLink(**row._asdict()) for row in tx.all(_ARTICLES, viewer=viewer, now=tx.now, n=limit)]
