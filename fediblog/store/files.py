"""Uploaded files as the database knows them; the bytes lie in the media folder, written before the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fediblog.store.tx import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One picture of ours; `file`, `large` and `small` are names in the media folder, pixels are those of `file`."""

    id: int
    account: int | None
    media_type: str
    file: str
    large: str
    small: str
    width: int | None
    height: int | None
    blurhash: str
    bytes: int
    created: int


def add(
    tx: Tx,
    account: int,
    *,
    media_type: str,
    file: str,
    large: str,
    small: str,
    width: int | None,
    height: int | None,
    blurhash: str,
    size: int,
) -> int:
    """Store a row for files that are on disk already; returns its number."""
    number = tx.new_id()
    tx.run(
        "insert into media (id, account, media_type, file, large, small, width, height, blurhash, bytes, created)"
        " values (:id, :account, :type, :file, :large, :small, :width, :height, :blurhash, :bytes, :now)",
        id=number,
        account=account,
        type=media_type,
        file=file,
        large=large,
        small=small,
        width=width,
        height=height,
        blurhash=blurhash,
        bytes=size,
        now=tx.now,
    )
    return number


def get(tx: Tx, number: int, account: int) -> Upload | None:
    """The upload of that number, if it is the account's own."""
    row = tx.one("select * from media where id = :id and account = :account", id=number, account=account)
    return _upload(row) if row else None


def by_names(tx: Tx, account: int, names: Sequence[str]) -> dict[str, Upload]:
    """Uploads of the account by the names of their files, whatever size of them those are; unknown names are left out.

    It may be shown under any of the three, so each upload is there under all that it has.
    """
    rows = tx.all(
        "select * from media where account = :account and (file in (:names) or large in (:names) or small in (:names))",
        account=account,
        names=sorted({name for name in names if name}),
    )
    found = [_upload(row) for row in rows]
    return {name: upload for upload in found for name in (upload.file, upload.large, upload.small) if name}


def names(tx: Tx) -> set[str]:
    """Names of all files that a row speaks of."""
    found: set[str] = set()
    for row in tx.all("select file, large, small from media"):
        found.update(name for name in (row.file, row.large, row.small) if name)
    return found


def unused(tx: Tx, older_than: int) -> list[Upload]:
    """Uploads made before a time (ms) that no post and no profile shows."""
    shown = {
        row.shown.rsplit("/", 1)[-1]
        for row in tx.all(
            "select icon as shown from account where login is not null"
            " union select image from account where login is not null"
            " union select image from post where local = 1 and image <> ''"
        )
    }
    rows = tx.all(
        "select m.* from media m where m.created < :before and not exists (select 1 from attachment a"
        " where a.media = m.id) order by m.created",
        before=older_than,
    )
    return [_upload(row) for row in rows if shown.isdisjoint(_last_parts(row))][:200]


def _last_parts(row: Row) -> list[str]:
    return [name.rsplit("/", 1)[-1] for name in (row.file, row.large, row.small) if name]


def remove(tx: Tx, number: int) -> None:
    """Forget the row; the file goes after the commit."""
    tx.run("delete from media where id = :id", id=number)


def _upload(row: Row) -> Upload:
    return Upload(**row._asdict())
