"""The followers of one account that live on one server: what the two servers must agree on (FEP-8fcf)."""

from __future__ import annotations

from fediblog.store.tx import Tx


def followers_at(tx: Tx, account: int, host: str, limit: int) -> list[str]:
    """Ids of the followers of one of ours on another server, at most so many, in alphabetical order."""
    rows = tx.all(  # by the server, whose accounts are few, and not by the followers, who may be many
        "select a.uri from account a where a.host = :host and a.local = 0 and a.state = 'active' and exists (select 1"
        " from follow f where f.follower = a.id and f.followed = :id and f.state = 'accepted') order by a.uri limit :n",
        host=host,
        id=account,
        n=limit,
    )
    return [row.uri for row in rows]


def followers_here(tx: Tx, account: int) -> dict[str, int]:
    """Ids and numbers of our accounts that follow one of another server."""
    rows = tx.all(
        "select a.uri, a.id from follow f join account a on a.id = f.follower"
        " where f.followed = :id and f.state = 'accepted' and a.local = 1 order by a.id",
        id=account,
    )
    return {row.uri: row.id for row in rows}
