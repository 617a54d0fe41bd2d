"""Who is near an account and who is kept off, page by page: follows, requests, blocks, mutes, endorsements, notes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.store.id_paging import NEWEST, OLDEST, Window
from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import at_host

_LOW = (1 << 20) - 1
Queries = tuple[str, str]


class FollowsOfPlace(Struct, frozen=True):
    """Of the accounts at one place elsewhere, which has up to three hosts: how many are followed from here, and by how
    many of them our people are.
    """

    hosts: tuple[str, str, str]
    follows: int
    followers: int


class ListedAccount(Struct, frozen=True, kw_only=True):
    """Somebody in a list; `mark` is what paging goes by, `until` (ms) when a mute ends."""

    mark: int
    account: Account
    until: int | None = None


def _pages(sql: str, other: str) -> Queries:
    """The query of a page, newest first and upwards: by when it was made, and then by the lower bits of the other."""
    low = f"{other} % 1048576"
    page = (
        f"{sql} and (a.handle_key like :words escape '!' or a.domain like :words escape '!'"
        " or lower(a.name) like :words escape '!')"
        f" and x.created >= :low and x.created <= :high and x.created * 1048576 + {low} < :before"
        f" and x.created * 1048576 + {low} > :after"
    )
    return (
        f"{page} order by x.created {NEWEST}, {low} {NEWEST} limit :n",
        f"{page} order by x.created {OLDEST}, {low} {OLDEST} limit :n",
    )


_FOLLOWERS = _pages(
    "select a.*, x.created as since, null as until from follow x join account a on a.id = x.follower"
    " where x.followed = :id and x.state = 'accepted' and a.state = 'active'",
    "x.follower",
)
_REQUESTS = _pages(
    "select a.*, x.created as since, null as until from follow x join account a on a.id = x.follower"
    " where x.followed = :id and x.state = 'pending' and a.state = 'active'",
    "x.follower",
)
_FOLLOWING = _pages(
    "select a.*, x.created as since, null as until from follow x join account a on a.id = x.followed"
    " where x.follower = :id and x.state = 'accepted' and a.state = 'active'",
    "x.followed",
)
_ASKED = _pages(
    "select a.*, x.created as since, null as until from follow x join account a on a.id = x.followed"
    " where x.follower = :id and x.state = 'pending' and a.state = 'active'",
    "x.followed",
)
_BLOCKED = _pages(
    "select a.*, x.created as since, null as until from block x join account a on a.id = x.target"
    " where x.account = :id and a.state <> 'deleted'",
    "x.target",
)
_MUTED = _pages(
    "select a.*, x.created as since, x.until as until from mute x join account a on a.id = x.target"
    " where x.account = :id and a.state <> 'deleted' and (x.until is null or x.until > :now)",
    "x.target",
)
_ENDORSED = (
    "select a.*, e.id as mark from endorsement e join account a on a.id = e.target"
    " join follow f on f.follower = e.account and f.followed = e.target and f.state = 'accepted'"
    " where e.account = :id and a.state = 'active' and e.id < :before and e.id > :after order by e.id"
)
_ENDORSEMENTS: Queries = (f"{_ENDORSED} {NEWEST} limit :n", f"{_ENDORSED} {OLDEST} limit :n")
_AT_HOST = at_host("cast(:host as text)", "a")
_HOSTS = "select host, id from host_mute where account = :id and id < :before and id > :after order by id"
_BY_HOST = " where f.{} = :id and a.state <> 'deleted' group by a.host, a.domain"
_FOLLOWS_BY_HOST: Queries = (
    "select a.host, a.domain, count(*) as n from follow f join account a on a.id = f.followed"
    + _BY_HOST.format("follower"),
    "select a.host, a.domain, count(*) as n from follow f join account a on a.id = f.follower"
    + _BY_HOST.format("followed"),
)
_MUTED_HOSTS: Queries = (f"{_HOSTS} {NEWEST} limit :n", f"{_HOSTS} {OLDEST} limit :n")


def _places(tx: Tx, queries: Queries, account: int, window: Window, words: str) -> list[ListedAccount]:
    rows = tx.all(
        queries[window.upwards],
        id=account,
        low=window.after >> 20,
        high=window.before >> 20,
        before=window.before,
        after=window.after,
        words=f"%{_escaped(words.lower())}%",
        now=tx.now,
        n=window.limit,
    )
    return window.turned(
        [
            ListedAccount(mark=row.since << 20 | row.id & _LOW, account=accounts.from_row(row), until=row.until)
            for row in rows
        ]
    )


def _escaped(words: str) -> str:
    return words.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def followers(tx: Tx, account: int, window: Window, words: str = "") -> list[ListedAccount]:
    """Those who follow the account, the latest first; those whose handle, name or server has the words."""
    return _places(tx, _FOLLOWERS, account, window, words)


def following(tx: Tx, account: int, window: Window, words: str = "") -> list[ListedAccount]:
    """Those whom the account follows, the latest first; the words as for `followers`."""
    return _places(tx, _FOLLOWING, account, window, words)


def requests(tx: Tx, account: int, window: Window, words: str = "") -> list[ListedAccount]:
    """Those who wait to be let in as followers, the latest first; the words as for `followers`."""
    return _places(tx, _REQUESTS, account, window, words)


def asked(tx: Tx, account: int, window: Window) -> list[ListedAccount]:
    """Those whom the account asked to follow and who have not answered, the latest first."""
    return _places(tx, _ASKED, account, window, "")


def blocked(tx: Tx, account: int, window: Window, words: str = "") -> list[ListedAccount]:
    """Those whom the account blocks, the latest first; the words as for `followers`."""
    return _places(tx, _BLOCKED, account, window, words)


def muted(tx: Tx, account: int, window: Window, words: str = "") -> list[ListedAccount]:
    """Those whom the account mutes now, the latest first; the words as for `followers`."""
    return _places(tx, _MUTED, account, window, words)


def requests_total(tx: Tx, account: int) -> int:
    """How many wait to be let in."""
    row = tx.one(
        "select count(*) as n from follow f join account a on a.id = f.follower"
        " where f.followed = :id and f.state = 'pending' and a.state = 'active'",
        id=account,
    )
    return int(row.n) if row else 0


def set_follow(
    tx: Tx,
    follower: int,
    followed: int,
    *,
    reblogs: bool | None = None,
    notify: bool | None = None,
    languages: Sequence[str] | None = None,
) -> None:
    """Say how a follow is meant; what is None stays."""
    tx.run(
        "update follow set reblogs = coalesce(:reblogs, reblogs), notify = coalesce(:notify, notify),"
        " languages = coalesce(:languages, languages) where follower = :a and followed = :b",
        reblogs=None if reblogs is None else int(reblogs),
        notify=None if notify is None else int(notify),
        languages=None if languages is None else " ".join(languages),
        a=follower,
        b=followed,
    )


def listening(tx: Tx, account: int) -> list[int]:
    """Numbers of our accounts that want to be told of each post of the account."""
    rows = tx.all(
        "select f.follower from follow f join account a on a.id = f.follower where f.followed = :id and f.notify = 1"
        " and f.state = 'accepted' and a.local = 1 and a.state = 'active'",
        id=account,
    )
    return [row.follower for row in rows]


def mutual(tx: Tx, viewer: int, targets: Sequence[int], limit: int = 10) -> dict[int, list[Account]]:
    """For each of these accounts its followers whom the viewer follows as well."""
    rows = tx.all(
        "select x.followed as target, a.* from (select f.followed, f.follower, row_number() over"
        " (partition by f.followed order by f.created desc, f.follower) as place from follow f"
        " join follow m on m.follower = :viewer and m.followed = f.follower and m.state = 'accepted'"
        " where f.followed in (:ids) and f.state = 'accepted') x join account a on a.id = x.follower"
        " where x.place <= :n and a.state = 'active' order by x.followed, x.place",
        viewer=viewer,
        ids=list(targets),
        n=limit,
    )
    found: dict[int, list[Account]] = {}
    for row in rows:
        found.setdefault(row.target, []).append(accounts.from_row(row))
    return found


def endorse(tx: Tx, account: int, target: int) -> None:
    """Show somebody on one's profile."""
    tx.run(
        "insert into endorsement (account, target, id) values (:a, :b, :id) on conflict do nothing",
        a=account,
        b=target,
        id=tx.new_id(),
    )


def unendorse(tx: Tx, account: int, target: int) -> None:
    """Show somebody no more."""
    tx.run("delete from endorsement where account = :a and target = :b", a=account, b=target)


def endorsed(tx: Tx, account: int, window: Window) -> list[ListedAccount]:
    """Those whom the account shows on its profile, as long as it follows them."""
    rows = tx.all(_ENDORSEMENTS[window.upwards], id=account, before=window.before, after=window.after, n=window.limit)
    return window.turned([ListedAccount(mark=row.mark, account=accounts.from_row(row)) for row in rows])


def note_of(tx: Tx, account: int, target: int) -> str:
    """What the account has noted about somebody, for itself alone."""
    row = tx.one("select comment from account_note where account = :a and target = :b", a=account, b=target)
    return str(row.comment) if row else ""


def set_note(tx: Tx, account: int, target: int, comment: str) -> None:
    """Keep a private remark about somebody; an empty one is none."""
    tx.run("delete from account_note where account = :a and target = :b", a=account, b=target)
    if comment:
        tx.run(
            "insert into account_note (account, target, comment) values (:a, :b, :comment)",
            a=account,
            b=target,
            comment=comment,
        )


def mute_host(tx: Tx, account: int, host: str) -> None:
    """Hide everything of a server from one account."""
    tx.run(
        "insert into host_mute (account, host, id) values (:a, :host, :id) on conflict do nothing",
        a=account,
        host=host,
        id=tx.new_id(),
    )
    tx.run(
        f"delete from notice where account = :a and actor in (select a.id from account a where {_AT_HOST})",
        a=account,
        host=host,
    )


def unmute_host(tx: Tx, account: int, host: str) -> None:
    """Show a server's people again."""
    tx.run("delete from host_mute where account = :a and host = :host", a=account, host=host)


def unmute_host_of(tx: Tx, account: int, number: int) -> None:
    """Show the people of a server again that is hidden, by the number that `muted_hosts` gives."""
    tx.run("delete from host_mute where account = :a and id = :id", a=account, id=number)


def muted_hosts(tx: Tx, account: int, window: Window) -> list[tuple[int, str]]:
    """Hosts that the account hides, with what paging goes by, the latest first."""
    rows = tx.all(_MUTED_HOSTS[window.upwards], id=account, before=window.before, after=window.after, n=window.limit)
    return window.turned([(row.id, row.host) for row in rows])


def known_at(tx: Tx, account: int, host: str) -> tuple[list[int], list[int]]:
    """Of a server: whom the account follows there or asked to, and who there follows it or asked to."""
    out = tx.all(
        "select f.followed as id from follow f join account a on a.id = f.followed where f.follower = :id"
        f" and a.state <> 'deleted' and {_AT_HOST}",
        id=account,
        host=host,
    )
    back = tx.all(
        "select f.follower as id from follow f join account a on a.id = f.follower where f.followed = :id"
        f" and a.state <> 'deleted' and {_AT_HOST}",
        id=account,
        host=host,
    )
    return [row.id for row in out], [row.id for row in back]


def known_at_any(tx: Tx, account: int, hosts: Collection[str]) -> tuple[int, int]:
    """How many of these servers' people the account follows or asked to, and how many follow it or asked to."""
    followed, followers = (
        sum(row.n for row in tx.all(sql, id=account) if not _hosts_of(row).isdisjoint(hosts))
        for sql in _FOLLOWS_BY_HOST
    )
    return followed, followers


def _hosts_of(row: Row) -> set[str]:
    return {each for name in (row.host, row.domain) for each in (name, name.partition(":")[0])}


def follows_by_place(tx: Tx) -> list[FollowsOfPlace]:
    """With whom elsewhere our people have to do: all follows that stand, by where the other is."""
    rows = tx.all(
        "select a.host, a.domain, a.inbox_host, sum(x.follows) as follows, sum(x.followers) as followers from"
        " (select followed as other, count(*) as follows, 0 as followers from follow where state = 'accepted'"
        " group by followed union all select follower, 0, count(*) from follow where state = 'accepted'"
        " group by follower) as x join account a on a.id = x.other where a.local = 0"
        " group by a.host, a.domain, a.inbox_host"
    )
    return [
        FollowsOfPlace((row.host, row.domain, row.inbox_host), int(row.follows), int(row.followers)) for row in rows
    ]
