"""What the owner of the server tells all who use it, and who has read it."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Row, Tx

MOST = 100


class Announcement(Struct, frozen=True, kw_only=True):
    """One of them. `content` is clean HTML; shown until `ends`, if that is set. Times in UTC milliseconds."""

    id: int
    content: str
    source: str
    starts: int | None
    ends: int | None
    created: int
    updated: int
    read: bool = False


def add(tx: Tx, content: str, source: str, ends: int | None) -> int:
    """A new one; returns its number."""
    number = tx.new_id()
    tx.run(
        "insert into announcement (id, content, source, ends, created, updated)"
        " values (:id, :content, :source, :ends, :now, :now)",
        id=number,
        content=content,
        source=source,
        ends=ends,
        now=tx.now,
    )
    return number


def current(tx: Tx, account: int) -> list[Announcement]:
    """Those that are shown now, newest first, and whether the account has read them."""
    rows = tx.all(
        "select n.*, r.account as reader from announcement n"
        " left join announcement_read r on r.announcement = n.id and r.account = :account"
        " where n.ends is null or n.ends > :now order by n.id desc limit :most",
        account=account,
        now=tx.now,
        most=MOST,
    )
    return [_announcement(row, row.reader is not None) for row in rows]


def everything(tx: Tx) -> list[Announcement]:
    """All of them, newest first."""
    rows = tx.all("select * from announcement order by id desc limit :most", most=MOST)
    return [_announcement(row) for row in rows]


def dismiss(tx: Tx, number: int, account: int) -> bool:
    """The account has read it; False if there is none."""
    if tx.one("select 1 as yes from announcement where id = :id", id=number) is None:
        return False
    tx.run(
        "insert into announcement_read (announcement, account) values (:id, :account) on conflict do nothing",
        id=number,
        account=account,
    )
    return True


def remove(tx: Tx, number: int) -> bool:
    """Take it away; False if there was none."""
    return tx.run("delete from announcement where id = :id", id=number) > 0


def _announcement(row: Row, read: bool = False) -> Announcement:
    return Announcement(
        id=row.id,
        content=row.content,
        source=row.source,
        starts=row.starts,
        ends=row.ends,
        created=row.created,
        updated=row.updated,
        read=read,
    )
