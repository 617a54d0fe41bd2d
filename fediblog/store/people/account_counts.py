"""People in numbers, many at a time: what they wrote, who follows them, and what they are to one of our accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from fediblog.store.tx import Tx
from fediblog.store.visible import OPEN_TO_ALL, at_host

Totals: TypeAlias = tuple[int, int, int, int | None]
"""Followers, followed, posts and boosts without private messages, and when the last public post was published."""


_AT_HOST = at_host("h.host", "a")
_KNOWN = (
    "select a.id, coalesce(t.followers, (select count(*) from follow f where f.followed = a.id"
    " and f.state = 'accepted')) as followers, coalesce(t.following, (select count(*) from follow g"
    " where g.follower = a.id and g.state = 'accepted')) as following, t.posts as told,"
    " (select count(*) from boost b where b.account = a.id) as boosts from account a"
    " left join profile_totals t on t.account = a.id where a.id in (:ids)"
)
_WRITTEN = (
    "select account as id, count(*) as n,"
    f" max(case when visibility in {OPEN_TO_ALL} then published end) as latest from post"
    " where account in (:ids) and state = 'published' and visibility <> 'direct' group by account"
)


class AccountRelation(Struct, frozen=True, kw_only=True):
    """What one of our accounts is to another account, with all that it has said about it."""

    following: bool = False
    requested: bool = False
    reblogs: bool = True
    notify: bool = False
    languages: str = ""
    followed_by: bool = False
    requested_by: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
    muting_notices: bool = False
    muted_until: int | None = None  # ms
    host_muted: bool = False
    endorsed: bool = False
    note: str = ""


def totals(tx: Tx, numbers: Sequence[int]) -> dict[int, Totals]:
    """The totals of each of these accounts: what its own server says, or else what is known here, never both added."""
    ids = list(numbers)
    known = {row.id: row for row in tx.all(_KNOWN, ids=ids)}
    written = {row.id: (row.n, row.latest) for row in tx.all(_WRITTEN, ids=ids)}
    found: dict[int, Totals] = {}
    for number in ids:
        posts, latest = written.get(number, (0, None))
        row = known.get(number)
        if row is None:
            found[number] = (0, 0, posts, latest)
        else:
            total = row.told if row.told is not None else posts + row.boosts
            found[number] = (row.followers, row.following, total, latest)
    return found


def bonds(tx: Tx, viewer: int, numbers: Sequence[int]) -> dict[int, AccountRelation]:
    """What `viewer` is to each of these accounts, those that are not there left out."""
    rows = tx.all(
        "select a.id, o.state as out_state, o.reblogs, o.notify, o.languages, i.state as in_state,"
        " b.target as blocking, bb.account as blocked_by, m.target as muting, m.notices, m.until, h.host as host_muted,"
        " e.target as endorsed, n.comment from account a"
        " left join follow o on o.follower = :viewer and o.followed = a.id"
        " left join follow i on i.follower = a.id and i.followed = :viewer"
        " left join block b on b.account = :viewer and b.target = a.id"
        " left join block bb on bb.account = a.id and bb.target = :viewer"
        " left join mute m on m.account = :viewer and m.target = a.id and (m.until is null or m.until > :now)"
        f" left join host_mute h on h.account = :viewer and {_AT_HOST}"
        " left join endorsement e on e.account = :viewer and e.target = a.id"
        " left join account_note n on n.account = :viewer and n.target = a.id where a.id in (:ids)",
        viewer=viewer,
        now=tx.now,
        ids=list(numbers),
    )
    return {
        row.id: AccountRelation(
            following=row.out_state == "accepted",
            requested=row.out_state == "pending",
            reblogs=bool(row.reblogs),
            notify=bool(row.notify),
            languages=row.languages or "",
            followed_by=row.in_state == "accepted",
            requested_by=row.in_state == "pending",
            blocking=row.blocking is not None,
            blocked_by=row.blocked_by is not None,
            muting=row.muting is not None,
            muting_notices=bool(row.notices),
            muted_until=row.until,
            host_muted=row.host_muted is not None,
            endorsed=row.endorsed is not None,
            note=row.comment or "",
        )
        for row in rows
    }
