"""What remains to be done here when accounts elsewhere are no more."""

from __future__ import annotations

from typing import NamedTuple

from fediblog.store.people import accounts
from fediblog.store.tx import Tx


class Reached(NamedTuple):
    """The number and the id of an account."""

    id: int
    uri: str


def reached_at(tx: Tx, inbox: str, *, after: int = 0, limit: int = 20) -> list[Reached]:
    """The remote accounts that are reached through an inbox, in order of their numbers."""
    rows = tx.all(
        "select id, uri from account where local = 0 and state = 'active' and (inbox = :inbox or shared_inbox = :inbox)"
        " and id > :after order by id limit :n",
        inbox=inbox,
        after=after,
        n=limit,
    )
    return [Reached._make(row) for row in rows]


def forget(tx: Tx, account: int) -> None:
    """The account is gone at its origin: it follows nobody any more, and nobody follows it."""
    tx.run(
        "delete from follow where (follower = :id or followed = :id)"
        " and exists (select 1 from account where id = :id and local = 0)",
        id=account,
    )
    accounts.set_state(tx, account, "deleted")
