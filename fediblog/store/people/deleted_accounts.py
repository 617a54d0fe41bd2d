"""What remains to be done here when accounts elsewhere are no more."""

from __future__ import annotations

from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx


def reached_at(tx: Tx, inbox: str, *, after: int = 0, limit: int = 20) -> list[Row]:
    """Number and id of the remote accounts that are reached through an inbox, in order of their numbers."""
    return tx.all(
        "select id, uri from account where local = 0 and state = 'active' and (inbox = :inbox or shared_inbox = :inbox)"
        " and id > :after order by id limit :n",
        inbox=inbox,
        after=after,
        n=limit,
    )


def forget(tx: Tx, account: int) -> None:
    """The account is gone at its origin: it follows nobody any more, and nobody follows it."""
    tx.run(
        "delete from follow where (follower = :id or followed = :id)"
        " and exists (select 1 from account where id = :id and local = 0)",
        id=account,
    )
    accounts.set_state(tx, account, "deleted")
