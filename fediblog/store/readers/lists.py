"""Lists: people whom one of our accounts follows, sorted by it into timelines of their own."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.store.id_paging import Window, both_ways
from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx

MOST = 50  # lists of one account
REPLIES = ("list", "followed", "none")
_MEMBERS = both_ways(
    "select a.* from list_member m join account a on a.id = m.account where m.list = :list and m.account < :before"
    " and m.account > :after and a.state <> 'deleted'",
    "m.account",
)


class List(Struct, frozen=True, kw_only=True):
    """One list. `replies` says which answers it shows: to its members, to all whom one follows, or none.

    What comes from members of an `exclusive` one is not in the home timeline.
    """

    id: int
    title: str
    replies: str
    exclusive: bool


def of_account(tx: Tx, account: int) -> list[List]:
    """The lists of an account, oldest first."""
    rows = tx.all("select * from user_list where account = :account order by id limit :n", account=account, n=MOST)
    return [_list(row) for row in rows]


def own(tx: Tx, account: int, number: int) -> List | None:
    """The list of that number, if it is the account's."""
    row = tx.one("select * from user_list where account = :account and id = :id", account=account, id=number)
    return _list(row) if row else None


def holding(tx: Tx, account: int, member: int) -> list[List]:
    """Those lists of the account that hold somebody."""
    rows = tx.all(
        "select l.* from list_member m join user_list l on l.id = m.list where m.account = :member"
        " and l.account = :account order by l.id",
        member=member,
        account=account,
    )
    return [_list(row) for row in rows]


def _list(row: Row) -> List:
    return List(id=row.id, title=row.title, replies=row.replies, exclusive=bool(row.exclusive))


def total(tx: Tx, account: int) -> int:
    """How many lists the account has."""
    row = tx.one("select count(*) as n from user_list where account = :account", account=account)
    return int(row.n) if row else 0


def add(tx: Tx, account: int, title: str, replies: str, *, exclusive: bool) -> int:
    """Make a list; its number."""
    number = tx.new_id()
    tx.run(
        "insert into user_list (id, account, title, replies, exclusive)"
        " values (:id, :account, :title, :replies, :exclusive)",
        id=number,
        account=account,
        title=title,
        replies=replies,
        exclusive=exclusive,
    )
    return number


def change(tx: Tx, number: int, title: str, replies: str, *, exclusive: bool) -> None:
    """Set what a list is called and what it shows."""
    tx.run(
        "update user_list set title = :title, replies = :replies, exclusive = :exclusive where id = :id",
        title=title,
        replies=replies,
        exclusive=exclusive,
        id=number,
    )


def remove(tx: Tx, account: int, number: int) -> bool:
    """Take a list away; False if the account has none of that number."""
    return tx.run("delete from user_list where account = :account and id = :id", account=account, id=number) > 0


def members(tx: Tx, number: int, window: Window | None) -> list[Account]:
    """Who is in a list, in order of their numbers; all of them without a window."""
    window = window or Window(limit=1 << 31)
    rows = tx.all(_MEMBERS[window.upwards], list=number, before=window.before, after=window.after, n=window.limit)
    return [accounts.from_row(row) for row in window.turned(rows)]


def followed(tx: Tx, account: int, people: Collection[int]) -> set[int]:
    """Those of the people whom the account follows, or has asked to; itself, if it is among them."""
    rows = tx.all(
        "select followed as id from follow where follower = :account and followed in (:people)",
        account=account,
        people=sorted(people),
    )
    return {row.id for row in rows} | ({account} & set(people))


def put(tx: Tx, number: int, people: Collection[int]) -> None:
    """Put people into a list."""
    tx.many(
        "insert into list_member (list, account) values (:list, :account) on conflict do nothing",
        [{"list": number, "account": each} for each in people],
    )


def drop(tx: Tx, number: int, people: Collection[int]) -> None:
    """Take people out of a list."""
    tx.run("delete from list_member where list = :list and account in (:people)", list=number, people=sorted(people))
