"""What an account takes with it: one file that a job makes, kept for some days."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

DAY = 86_400_000  # ms
KEPT = 7 * DAY
PAUSE = DAY
"""Between two exports of one account."""


class AccountExport(Struct, frozen=True, kw_only=True):
    """`file` is its name in the folder of exports; empty and `made` (ms) None while the job is at work."""

    asked: int
    file: str = ""
    bytes: int = 0
    made: int | None = None
    may_ask: bool = True  # for another one


def get(tx: Tx, account: int) -> AccountExport | None:
    """The latest that was asked for, None if it is gone or was never made."""
    row = tx.one("select asked, file, bytes, made from account_export where account = :id", id=account)
    if row is None:
        return None
    under_way = row.made is None and job_queue.is_open(tx, job_kinds.EXPORT, str(account))
    if row.made is None and not under_way:
        return None
    return AccountExport(**row._asdict(), may_ask=not under_way and tx.now - row.asked >= PAUSE)


def ask(tx: Tx, account: int) -> None:
    """Have one made, which takes the place of the last; not while one is made or was made lately."""
    standing = get(tx, account)
    if standing is not None and not standing.may_ask:
        return
    tx.run("delete from account_export where account = :id", id=account)
    tx.run("insert into account_export (account, asked) values (:id, :now)", id=account, now=tx.now)
    job_queue.add(tx, job_kinds.EXPORT, str(account))


def put(tx: Tx, account: int, file: str, size: int) -> bool:
    """It is made; False if nobody wants it any more."""
    sql = "update account_export set file = :file, bytes = :size, made = :now where account = :id"
    return tx.run(sql, file=file, size=size, now=tx.now, id=account) > 0


def drop(tx: Tx, account: int) -> None:
    """Whose it is is gone."""
    job_queue.drop(tx, job_kinds.EXPORT, str(account))
    tx.run("delete from account_export where account = :id", id=account)


def sweep(tx: Tx) -> int:
    """Forget those that were kept long enough; returns how many."""
    return tx.run("delete from account_export where asked < :old", old=tx.now - KEPT)


def files(tx: Tx) -> set[str]:
    """The names of all files that are kept."""
    return {row.file for row in tx.all("select file from account_export where file <> ''")}
