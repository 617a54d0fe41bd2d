"""What everybody finds of all that our people wrote: how much in each month, the latest, and what is called alike."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Tx
from fediblog.store.visible import OURS_FOR_ALL

_MONTHS = (
    f"select p.month, count(*) as n from post p where {OURS_FOR_ALL} and p.in_reply_to = '' and p.month <> ''"
    " group by p.month order by p.month desc"
)
_FIRST = f"select p.month from post p where {OURS_FOR_ALL} and p.month <> '' order by p.month limit 1"
_ARTICLES = (
    f"select p.title, p.slug, p.url from post p where {OURS_FOR_ALL} and p.kind = 'Article' order by p.id desc limit :n"
)


class ArticleLink(Struct, frozen=True, kw_only=True):
    """What an article is called, and where it is."""

    title: str
    slug: str
    url: str


def months(tx: Tx) -> list[tuple[str, int]]:
    """(YYYY/MM, number of posts that begin a thread) for each month in which there are any, newest first."""
    return [(row.month, row.n) for row in tx.all(_MONTHS)]


def first_year(tx: Tx) -> int | None:
    """The year of the earliest month in which our people wrote; None if they have not yet."""
    row = tx.one(_FIRST)
    return int(row.month[:4]) if row else None


def latest_articles(tx: Tx, limit: int) -> list[ArticleLink]:
    """The newest articles."""
    return [ArticleLink(**row._asdict()) for row in tx.all(_ARTICLES, n=limit)]
