"""Who is what to whom: follows, blocks, mutes."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from msgspec import Struct

from fediblog.domain.accounts import Relation
from fediblog.domain.rules import Viewer
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import at_host

_KEEPS_OFF = (
    "(exists (select 1 from block where account = :account and target = :other)"
    " or exists (select 1 from host_mute h cross join account a where h.account = :account and a.id = :other"
    f" and {at_host('h.host', 'a')}))"
)


class Follow(Struct, frozen=True, kw_only=True):
    """One follow; `state` is pending or accepted, `uri` the id of the Follow that stands.

    `reblogs` and `languages` (separated by blanks; all, if there are none) say what of the other is shown, `notify`
    whether each post is told.
    """

    follower: int
    followed: int
    uri: str
    state: str
    created: int
    reblogs: bool = True
    notify: bool = False
    languages: str = ""


def put_follow(tx: Tx, follower: int, followed: int, uri: str, state: str) -> None:
    """Store a follow; one with a new id replaces the old."""
    tx.run(
        "insert into follow (follower, followed, uri, state, created) values (:a, :b, :uri, :state, :now)"
        " on conflict (follower, followed) do update set uri = excluded.uri, state = excluded.state",
        a=follower,
        b=followed,
        uri=uri,
        state=state,
        now=tx.now,
    )


def follow(tx: Tx, follower: int, followed: int) -> Follow | None:
    """The follow between the two, pending or accepted."""
    row = tx.one("select * from follow where follower = :a and followed = :b", a=follower, b=followed)
    return _follow(row) if row else None


def follows_of(tx: Tx, follower: int, others: Collection[int]) -> dict[int, Follow]:
    """The follows of one account to those of these whom it follows or asked to, by the number of the other."""
    rows = tx.all(
        "select * from follow where follower = :a and followed in (:others)", a=follower, others=sorted(others)
    )
    return {row.followed: _follow(row) for row in rows}


def follow_by_uri(tx: Tx, uri: str) -> Follow | None:
    """The follow that this Follow activity asked for."""
    row = tx.one("select * from follow where uri = :uri", uri=uri)
    return _follow(row) if row else None


def _follow(row: Row) -> Follow:
    return Follow(
        follower=row.follower,
        followed=row.followed,
        uri=row.uri,
        state=row.state,
        created=row.created,
        reblogs=bool(row.reblogs),
        notify=bool(row.notify),
        languages=row.languages,
    )


def accept(tx: Tx, follower: int, followed: int) -> bool:
    """Mark a pending follow as accepted; False if there is none to accept."""
    return (
        tx.run(
            "update follow set state = 'accepted' where follower = :a and followed = :b and state <> 'accepted'",
            a=follower,
            b=followed,
        )
        > 0
    )


def unfollow(tx: Tx, follower: int, followed: int) -> bool:
    """Take a follow away, in whatever state; False if there was none."""
    gone = tx.run("delete from follow where follower = :a and followed = :b", a=follower, b=followed) > 0
    if gone:
        tx.run(
            "delete from stream where account = :a and boost is null"
            " and post in (select id from post where account = :b)",
            a=follower,
            b=followed,
        )
        tx.run(
            "delete from stream where account = :a and boost in (select id from boost where account = :b)",
            a=follower,
            b=followed,
        )
        tx.run(
            "delete from list_member where account = :b and list in (select id from user_list where account = :a)",
            a=follower,
            b=followed,
        )
    return gone


def is_following(tx: Tx, follower: int, followed: int) -> bool:
    """Whether an accepted follow stands."""
    found = follow(tx, follower, followed)
    return found is not None and found.state == "accepted"


def following_among(tx: Tx, account: int, others: Collection[int]) -> set[int]:
    """Those of these whom the account follows."""
    if not others:
        return set()
    rows = tx.all(
        "select followed from follow where follower = :account and followed in (:others) and state = 'accepted'",
        account=account,
        others=sorted(others),
    )
    return {row.followed for row in rows}


def counts(tx: Tx, account: int) -> tuple[int, int]:
    """How many follow the account, and how many it follows."""
    row = tx.one(
        "select (select count(*) from follow where followed = :id and state = 'accepted') as followers,"
        " (select count(*) from follow where follower = :id and state = 'accepted') as following",
        id=account,
    )
    return (row.followers, row.following) if row else (0, 0)


def local_followers(tx: Tx, account: int) -> list[int]:
    """Numbers of our accounts that follow it."""
    rows = tx.all(
        "select f.follower as id from follow f join account a on a.id = f.follower"
        " where f.followed = :id and f.state = 'accepted' and a.local = 1",
        id=account,
    )
    return [row.id for row in rows]


def block(tx: Tx, account: int, target: int, uri: str) -> None:
    """Block, and end the follows between the two."""
    tx.run(
        "insert into block (account, target, uri, created) values (:a, :b, :uri, :now) on conflict do nothing",
        a=account,
        b=target,
        uri=uri,
        now=tx.now,
    )
    unfollow(tx, account, target)
    unfollow(tx, target, account)
    tx.run(
        "delete from stream where account = :a and post in (select id from post where account = :b)",
        a=account,
        b=target,
    )


def unblock(tx: Tx, account: int, target: int) -> str | None:
    """Lift a block; returns the id of the Block that stood."""
    row = tx.one("select uri from block where account = :a and target = :b", a=account, b=target)
    tx.run("delete from block where account = :a and target = :b", a=account, b=target)
    return row.uri if row else None


def block_by_uri(tx: Tx, uri: str) -> tuple[int, int] | None:
    """Who blocks whom by the Block of that id."""
    row = tx.one("select account, target from block where uri = :uri", uri=uri)
    return (row.account, row.target) if row else None


def blocks(tx: Tx, account: int, target: int) -> bool:
    """Whether `account` blocks `target`."""
    return tx.one("select 1 as yes from block where account = :a and target = :b", a=account, b=target) is not None


def keeps_off(tx: Tx, account: int, other: int) -> bool:
    """Whether the account blocks the other one or the whole server of that."""
    row = tx.one(f"select {_KEEPS_OFF} as yes", account=account, other=other)
    return row is not None and bool(row.yes)


class FollowAttempt(NamedTuple):
    """Who wants to follow: the state of that account now (None: it is gone), and whether the followed blocks it."""

    state: str | None
    blocked: bool


def before_follow(tx: Tx, follower: int, followed: int) -> FollowAttempt:
    """Whether an account may ask to follow another."""
    row = tx.one(
        f"select (select state from account where id = :other) as state, {_KEEPS_OFF} as blocked",
        other=follower,
        account=followed,
    )
    assert row is not None  # it asks for one row
    return FollowAttempt(row.state, bool(row.blocked))


def mute(tx: Tx, account: int, target: int, until: int | None = None, *, notices: bool = True) -> None:
    """Hide `target` from `account`, until a time (ms) or for good; without `notices` it is still told of."""
    tx.run(
        "insert into mute (account, target, until, created, notices) values (:a, :b, :until, :now, :notices)"
        " on conflict (account, target) do update set until = excluded.until, notices = excluded.notices",
        a=account,
        b=target,
        until=until,
        now=tx.now,
        notices=notices,
    )


def set_mute_notices(tx: Tx, account: int, target: int, *, notices: bool) -> None:
    """Say whether a mute that stands hides notices too."""
    tx.run(
        "update mute set notices = :notices where account = :a and target = :b", a=account, b=target, notices=notices
    )


def unmute(tx: Tx, account: int, target: int) -> None:
    """Show `target` again."""
    tx.run("delete from mute where account = :a and target = :b", a=account, b=target)


def mutes(tx: Tx, account: int, target: int) -> bool:
    """Whether `account` has muted `target` now."""
    row = tx.one(
        "select 1 as yes from mute where account = :a and target = :b and (until is null or until > :now)",
        a=account,
        b=target,
        now=tx.now,
    )
    return row is not None


def between(tx: Tx, account: int, other: int) -> Relation:
    """What the two are to each other."""
    out = follow(tx, account, other)
    back = follow(tx, other, account)
    return Relation(
        following=out is not None and out.state == "accepted",
        requested=out is not None and out.state == "pending",
        followed_by=back is not None and back.state == "accepted",
        blocking=blocks(tx, account, other),
        blocked_by=blocks(tx, other, account),
        muting=mutes(tx, account, other),
    )


def viewer(tx: Tx, account: int, author: int, root: int | None = None) -> Viewer:
    """The viewer as the rule wants it: what the account is to the author and to the thread that `root` began."""
    began = "select 1 as yes from post where id = :root and account = :account"
    return Viewer(
        account=account,
        follows_author=is_following(tx, account, author),
        blocked_by_author=blocks(tx, author, account),
        began_thread=root is not None and tx.one(began, root=root, account=account) is not None,
    )


def inboxes_of_followers(tx: Tx, account: int, *, after: int = 0, limit: int = 1000) -> list[tuple[int, str]]:
    """(number, inbox) of remote followers in order of their numbers, those above `after`.

    The inbox is the shared one where there is one, and so the same for many of them.
    """
    rows = tx.all(
        "select f.follower, case when a.shared_inbox <> '' then a.shared_inbox else a.inbox end as inbox"
        " from follow f join account a on a.id = f.follower"
        " where f.followed = :id and f.state = 'accepted' and f.follower > :after and a.local = 0"
        " and a.state = 'active' order by f.follower limit :n",
        id=account,
        after=after,
        n=limit,
    )
    return [(row.follower, row.inbox) for row in rows]


def inboxes_of_followed(tx: Tx, account: int, *, after: int = 0, limit: int = 1000) -> list[tuple[int, str]]:
    """The same of those whom the account follows."""
    rows = tx.all(
        "select f.followed, case when a.shared_inbox <> '' then a.shared_inbox else a.inbox end as inbox"
        " from follow f join account a on a.id = f.followed"
        " where f.follower = :id and f.state = 'accepted' and f.followed > :after and a.local = 0"
        " and a.state = 'active' order by f.followed limit :n",
        id=account,
        after=after,
        n=limit,
    )
    return [(row.followed, row.inbox) for row in rows]


def followed_here(tx: Tx, account: int) -> bool:
    """Whether anybody here follows the account."""
    row = tx.one(
        "select 1 as yes from follow f join account a on a.id = f.follower"
        " where f.followed = :id and f.state = 'accepted' and a.local = 1 limit 1",
        id=account,
    )
    return row is not None
