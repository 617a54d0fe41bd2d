"""What this server tells of itself in numbers: whom it knows, what its people did each week, who owns it."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from fediblog.store.tx import Tx

WEEK: Final = 7 * 86_400_000  # ms
_MONDAY: Final = 3 * 86_400_000  # ms: the first day of 1970 was a Thursday
PEERS: Final = 10_000


class Week(Struct, frozen=True, kw_only=True):
    """What happened from a Monday (UTC milliseconds) on, for seven days."""

    begins: int
    posts: int
    authors: int
    accounts: int


def weeks(tx: Tx, number: int = 12) -> list[Week]:
    """The latest weeks, the current one first."""
    this = (tx.now + _MONDAY) // WEEK
    since = (this - number + 1) * WEEK - _MONDAY
    written = {
        row.week: row
        for row in tx.all(
            "select (published + :shift) / :week as week, count(*) as posts, count(distinct account) as authors"
            " from post where local = 1 and state = 'published' and published >= :since"
            " group by (published + :shift) / :week",
            shift=_MONDAY,
            week=WEEK,
            since=since,
        )
    }
    begun = {
        row.week: row.n
        for row in tx.all(
            "select (created + :shift) / :week as week, count(*) as n from account where local = 1"
            " and login is not null and created >= :since group by (created + :shift) / :week",
            shift=_MONDAY,
            week=WEEK,
            since=since,
        )
    }
    return [
        Week(
            begins=week * WEEK - _MONDAY,
            posts=written[week].posts if week in written else 0,
            authors=written[week].authors if week in written else 0,
            accounts=begun.get(week, 0),
        )
        for week in range(this, this - number, -1)
    ]


def peers(tx: Tx) -> list[str]:
    """Servers that this one has had to do with, without those that it shuts out."""
    rows = tx.all(
        "select name from host where name not in (select host from blocked_host where severity = 'suspend')"
        " and (not exists (select 1 from setting where name = 'allow_list') or name in (select host from allowed_host))"
        " order by name limit :most",
        most=PEERS,
    )
    return [row.name for row in rows]


def peer_count(tx: Tx) -> int:
    """How many servers this one has had to do with."""
    row = tx.one("select count(name) as n from host")
    return int(row.n) if row else 0


def owner(tx: Tx) -> int | None:
    """The first account of whoever owns the server that wants to be found."""
    row = tx.one(
        "select a.id from account a join login l on l.id = a.login where l.role = 'owner' and l.disabled = 0"
        " and a.state = 'active' and a.discoverable = 1 order by l.id, a.id limit 1"
    )
    return int(row.id) if row else None
