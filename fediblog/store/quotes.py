"""Authorizations: what we promised to posts that quote ours (FEP-044f), and what of that was taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from fediblog.domain.accounts import Account
from fediblog.store import accounts
from fediblog.store.tx import Row, Tx

MOST = 50  # posts of one account that may quote one post of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A promise that the post `quoting`, by `account`, may quote one of ours; `revoked` when it was taken back (ms)."""

    id: int
    post: int
    account: Account
    quoting: str
    revoked: int | None


def grant(tx: Tx, post: int, account: int, quoting: str) -> int | None:
    """The number of the authorization, new or standing. None if it was taken back, or that are too many."""
    standing = tx.one(
        "select id, revoked from quote_authorization where quoting = :quoting and post = :post",
        quoting=quoting,
        post=post,
    )
    if standing is not None:
        return None if standing.revoked is not None else int(standing.id)
    given = tx.one(
        "select count(*) as n from quote_authorization where post = :post and account = :account",
        post=post,
        account=account,
    )
    if given is not None and given.n >= MOST:
        return None
    number = tx.new_id()
    tx.run(
        "insert into quote_authorization (id, post, account, quoting, created)"
        " values (:id, :post, :account, :quoting, :now)",
        id=number,
        post=post,
        account=account,
        quoting=quoting,
        now=tx.now,
    )
    return number


def get(tx: Tx, number: int) -> Authorization | None:
    """The authorization of that number, also if it was taken back."""
    row = tx.one("select * from quote_authorization where id = :id", id=number)
    return next(iter(_whole(tx, [row])), None) if row else None


def standing(tx: Tx, post: int, limit: int = 100) -> list[Authorization]:
    """Those for a post that stand, oldest first."""
    rows = tx.all(
        "select * from quote_authorization where post = :post and revoked is null order by id limit :n",
        post=post,
        n=limit,
    )
    return _whole(tx, rows)


def revoke(tx: Tx, number: int) -> bool:
    """Take it back; False if it was. The row stays, so that it is not given again."""
    return (
        tx.run(
            "update quote_authorization set revoked = :now where id = :id and revoked is null", id=number, now=tx.now
        )
        > 0
    )


def forget(tx: Tx, quoting: str) -> None:
    """The post that quotes is gone."""
    tx.run("delete from quote_authorization where quoting = :quoting", quoting=quoting)


def revoked(tx: Tx, quoting: Collection[str]) -> set[tuple[str, int]]:
    """(id of the post that quotes, number of ours) where that was taken back."""
    if not quoting:
        return set()
    rows = tx.all(
        "select quoting, post from quote_authorization where quoting in (:quoting) and revoked is not null",
        quoting=sorted(set(quoting)),
    )
    return {(row.quoting, row.post) for row in rows}


def _whole(tx: Tx, rows: list[Row]) -> list[Authorization]:
    people = accounts.many(tx, {row.account for row in rows})
    return [
        Authorization(id=row.id, post=row.post, account=people[row.account], quoting=row.quoting, revoked=row.revoked)
        for row in rows
    ]
