"""What authors deleted: kept for them alone until they want it back, it is deleted for good, or it is swept."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.errors import NotFound
from fediblog.store.id_paging import Window
from fediblog.store.posts import media_files
from fediblog.store.posts.media_files import Upload
from fediblog.store.tx import Row, Tx

DAY = 86_400_000  # ms
KEPT = 30 * DAY  # ms after it was deleted

_FILES = "select m.file, m.large, m.small from media m join trash t on t.id = m.trash"
_OWN = "t.account = :account and (t.id = :id or :id = 0)"
_OLD = "t.deleted < :old"


class Trashed(Struct, frozen=True, kw_only=True):
    """A post that was deleted: `words` are its title, its warning, or with what it began; `draft` what was written."""

    id: int
    words: str
    visibility: str
    draft: str  # JSON
    deleted: int  # ms

    @property
    def ends(self) -> int:
        """When it will be swept (ms)."""
        return self.deleted + KEPT


def put(tx: Tx, account: int, *, words: str, visibility: str, draft: str, pictures: Sequence[int]) -> None:
    """Keep what an account deletes; `pictures` are the numbers of copies of those that the draft names."""
    number = tx.new_id()
    tx.run(
        "insert into trash (id, account, words, visibility, draft, deleted)"
        " values (:id, :account, :words, :visibility, :draft, :now)",
        id=number,
        account=account,
        words=words,
        visibility=visibility,
        draft=draft,
        now=tx.now,
    )
    tx.run("update media set trash = :number where id in (:ids)", number=number, ids=list(pictures))


def get(tx: Tx, account: int, number: int) -> Trashed | None:
    """That of the number, if the account deleted it."""
    row = tx.one(
        "select id, words, visibility, draft, deleted from trash where id = :id and account = :account",
        id=number,
        account=account,
    )
    return _trashed(row) if row else None


def listed(tx: Tx, account: int, window: Window, *, whole: bool = False) -> list[Trashed]:
    """Some of what an account deleted, the newest first; only with `whole` what was written is read."""
    rows = tx.all(
        "select id, words, visibility, case when :whole = 1 then draft else '' end as draft, deleted from trash"
        " where account = :account and id < :before order by id desc limit :n",
        whole=int(whole),
        account=account,
        before=window.before,
        n=window.limit,
    )
    return [_trashed(row) for row in rows]


def pictures(tx: Tx, number: int) -> list[Upload]:
    """The pictures of what is there."""
    return media_files.in_trash(tx, number)


def let_out(tx: Tx, number: int) -> None:
    """What was there is written anew: its pictures are uploads again, and it is in the trash no more."""
    tx.run("update media set trash = null, created = :now where trash = :id", now=tx.now, id=number)
    tx.run("delete from trash where id = :id", id=number)


def remove(tx: Tx, account: int, number: int = 0) -> list[str]:
    """Forget what the account has there under that number, or all; returns the names of files to remove afterwards.

    Raises NotFound.
    """
    if number and get(tx, account, number) is None:
        raise NotFound
    given = {"account": account, "id": number}
    rows = tx.all(f"{_FILES} where {_OWN}", **given)
    tx.run(f"delete from trash as t where {_OWN}", **given)
    return _names(rows)


def drop_all(tx: Tx, account: int) -> None:
    """Whose it was is gone; the files go with the sweep, since no row names them."""
    tx.run("delete from trash where account = :account", account=account)


def sweep(tx: Tx) -> list[str]:
    """Forget what is old enough; returns the names of files, which go after the commit."""
    rows = tx.all(f"{_FILES} where {_OLD}", old=tx.now - KEPT)
    tx.run(f"delete from trash as t where {_OLD}", old=tx.now - KEPT)
    return _names(rows)


def _names(rows: Sequence[Row]) -> list[str]:
    return [name for row in rows for name in row if name]


def _trashed(row: Row) -> Trashed:
    return Trashed(**row._asdict())
