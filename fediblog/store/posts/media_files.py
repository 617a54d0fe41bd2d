"""Uploaded files as the database knows them; the bytes lie in the media folder, written before the row."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TypedDict, Unpack

from msgspec import Struct

from fediblog.errors import Invalid, Refused
from fediblog.store.people import blog_settings
from fediblog.store.tx import Row, Tx

LARGE = 1280
"""Pixels of the longer side of the copy `large`, as the decoder makes it."""


class Upload(Struct, frozen=True, kw_only=True):
    """One picture of ours; `file`, `large` and `small` are names in the media folder, pixels are those of `file`.

    One that is still being worked on has no `file` yet; `problem` says why it never will.
    """

    id: int
    account: int | None
    media_type: str
    file: str
    large: str
    small: str
    width: int | None
    height: int | None
    blurhash: str
    bytes: int  # of all its files; read by nobody yet: uploads will be limited by their sum
    created: int
    alt: str = ""
    focus_x: float | None = None
    focus_y: float | None = None
    problem: str = ""
    trash: int | None = None  # of what was deleted it is a copy: then it is no upload that anything else may show

    @property
    def names(self) -> list[str]:
        """The names of all its files."""
        return [name for name in (self.file, self.large, self.small) if name]

    @property
    def focus(self) -> tuple[float, float] | None:
        """Where its centre of interest is, if that was said."""
        return None if self.focus_x is None or self.focus_y is None else (self.focus_x, self.focus_y)

    @property
    def large_size(self) -> tuple[int | None, int | None]:
        """Pixels of its `large` copy: that stands still, so it may have more of them than a `file` that moves."""
        if not self.width or not self.height:
            return None, None
        scale = LARGE / max(self.width, self.height)
        return round(self.width * scale), round(self.height * scale)


class ProcessedFile(TypedDict):
    """What is known of a picture once its files are on disk; pixels and bytes."""

    media_type: str
    file: str
    large: str
    small: str
    width: int | None
    height: int | None
    blurhash: str
    size: int


def add(tx: Tx, account: int, **made: Unpack[ProcessedFile]) -> int:
    """Store a row for files that are on disk already; returns its number."""
    number = promise(tx, account)
    finish(tx, number, **made)
    return number


def promise(tx: Tx, account: int) -> int:
    """Store a row for a picture that is still being worked on; returns its number."""
    number = tx.new_id()
    tx.run(
        "insert into media (id, account, media_type, file, created) values (:id, :account, '', '', :now)",
        id=number,
        account=account,
        now=tx.now,
    )
    return number


def finish(tx: Tx, number: int, **made: Unpack[ProcessedFile]) -> None:
    """The files of a picture that was promised are on disk."""
    tx.run(
        "update media set media_type = :media_type, file = :file, large = :large, small = :small, width = :width,"
        " height = :height, blurhash = :blurhash, bytes = :size where id = :id",
        id=number,
        **made,
    )


def give_up(tx: Tx, number: int, problem: Refused) -> None:
    """What was promised is no picture that can be shown; `problem` says why."""
    kept = json.dumps({"key": problem.key, "values": problem.values})
    tx.run("update media set problem = :problem where id = :id", problem=kept, id=number)


def refusal(upload: Upload, field: str) -> Invalid | None:
    """Why there will be no picture, as what is wrong with that field of a form; None if nothing is known to be."""
    if not upload.problem:
        return None
    if not upload.problem.startswith("{"):  # a whole sentence, as earlier versions stored it
        return Invalid(field, "media.problem", problem=upload.problem)
    problem = json.loads(upload.problem)
    return Invalid(field, problem["key"], **problem["values"])


def get(tx: Tx, number: int, account: int) -> Upload | None:
    """The upload of that number, if it is the account's own."""
    row = tx.one(
        "select * from media where id = :id and account = :account and trash is null", id=number, account=account
    )
    return _upload(row) if row else None


def many(tx: Tx, numbers: Collection[int], account: int) -> dict[int, Upload]:
    """The account's own among the uploads of these numbers."""
    rows = tx.all(
        "select * from media where id in (:ids) and account = :account and trash is null",
        ids=sorted(set(numbers)),
        account=account,
    )
    return {row.id: _upload(row) for row in rows}


def listed(tx: Tx, account: int, *, before: int, limit: int) -> list[Upload]:
    """The account's own that are ready and have a number below `before`, the newest first."""
    rows = tx.all(
        "select * from media where account = :account and file <> '' and trash is null and id < :before"
        " order by id desc limit :n",
        account=account,
        before=before,
        n=limit,
    )
    return [_upload(row) for row in rows]


def uses(tx: Tx, account: int, uploads: Sequence[Upload]) -> dict[int, list[int]]:
    """The numbers of the account's posts that carry each of these uploads, or have it above their text."""
    found: dict[int, list[int]] = {each.id: [] for each in uploads}
    rows = tx.all(
        "select distinct a.media, a.post from attachment a join post p on p.id = a.post"
        " where a.media in (:ids) and p.account = :account and p.state <> 'deleted' order by a.post desc",
        ids=sorted(found),
        account=account,
    )
    for row in rows:
        found[row.media].append(row.post)
    names = {name: each.id for each in uploads for name in _last_parts(each)}
    for row in tx.all(
        "select id, image from post where account = :account and image <> '' and state <> 'deleted'", account=account
    ):
        number = names.get(row.image.rsplit("/", 1)[-1])
        if number is not None and row.id not in found[number]:
            found[number].append(row.id)
    return found


def describe(tx: Tx, number: int, alt: str, focus: tuple[float, float] | None) -> None:
    """Keep a description and the centre of interest for the post to come."""
    x, y = focus if focus is not None else (None, None)
    tx.run("update media set alt = :alt, focus_x = :x, focus_y = :y where id = :id", alt=alt, x=x, y=y, id=number)


def is_attached(tx: Tx, number: int) -> bool:
    """Whether a post carries it."""
    return tx.one("select 1 as yes from attachment where media = :id limit 1", id=number) is not None


def let_go(tx: Tx, post: int) -> None:
    """A post is about to be deleted: its pictures are kept for a day with what was said of them, for the next one."""
    tx.run(
        "update media set created = :now,"
        " alt = (select a.alt from attachment a where a.media = media.id and a.post = :post limit 1),"
        " focus_x = (select a.focus_x from attachment a where a.media = media.id and a.post = :post limit 1),"
        " focus_y = (select a.focus_y from attachment a where a.media = media.id and a.post = :post limit 1)"
        " where id in (select a.media from attachment a where a.post = :post and a.media is not null)",
        now=tx.now,
        post=post,
    )


def by_names(tx: Tx, account: int, names: Sequence[str]) -> dict[str, Upload]:
    """Uploads of the account by the names of their files, whatever size of them those are; unknown names are left out.

    It may be shown under any of the three, so each upload is there under all that it has.
    """
    rows = tx.all(
        "select * from media where account = :account and trash is null"
        " and (file in (:names) or large in (:names) or small in (:names))",
        account=account,
        names=sorted({name for name in names if name}),
    )
    found = [_upload(row) for row in rows]
    return {name: upload for upload in found for name in (upload.file, upload.large, upload.small) if name}


def files_of(tx: Tx, account: int, after: int, limit: int) -> list[tuple[int, str]]:
    """(number, name of the file) of what an account uploaded after that number, the oldest first."""
    sql = "select id, file from media where account = :account and file <> '' and id > :after order by id limit :n"
    return [(row.id, row.file) for row in tx.all(sql, account=account, after=after, n=limit)]


def names(tx: Tx) -> set[str]:
    """Names of all files that a row speaks of."""
    found: set[str] = set()
    for row in tx.all("select file, large, small from media"):
        found.update(name for name in (row.file, row.large, row.small) if name)
    return found


def is_shown(tx: Tx, upload: Upload) -> bool:
    """Whether a post carries it, an emoji is made of it, or it stands above a post, in a profile or on the blog."""
    emoji = tx.one("select 1 as yes from custom_emoji where media = :id limit 1", id=upload.id)
    if emoji is not None or is_attached(tx, upload.id):
        return True
    return not _shown(tx).isdisjoint(_last_parts(upload))


def _shown(tx: Tx) -> set[str]:
    """Last parts of the names of files that stand above posts, in profiles and on the blog."""
    blog = {name.rsplit("/", 1)[-1] for name in blog_settings.get(tx).pictures}
    return blog | {
        row.shown.rsplit("/", 1)[-1]
        for row in tx.all(
            "select icon as shown from account where login is not null"
            " union select image from account where login is not null"
            " union select image from post where local = 1 and image <> ''"
        )
    }


def unused(tx: Tx, older_than: int) -> list[Upload]:
    """Uploads made before a time (ms) that no post, no profile, no emoji and no page shows."""
    shown = _shown(tx)
    rows = tx.all(
        "select m.* from media m where m.created < :before and m.trash is null"
        " and not exists (select 1 from attachment a where a.media = m.id)"
        " and not exists (select 1 from custom_emoji e where e.media = m.id) order by m.created",
        before=older_than,
    )
    idle = [_upload(row) for row in rows if shown.isdisjoint(_last_parts(row))][:200]
    return [each for each in idle if not is_being_written(tx, each)]


def in_trash(tx: Tx, number: int) -> list[Upload]:
    """The copies of pictures of what was deleted, by the number that this has in the trash, in their order."""
    return [_upload(row) for row in tx.all("select * from media where trash = :id order by id", id=number)]


def is_being_written(tx: Tx, upload: Upload) -> bool:
    """Whether a text that its account is writing speaks of it, by its number or by the name of its file."""
    found = tx.one(
        "select 1 as yes from autosave where account = :account and (fields like :number or fields like :file) limit 1",
        account=upload.account,
        number=f'%"{upload.id}"%',
        file=f"%{upload.file or upload.id}%",
    )
    return found is not None


def _last_parts(row: Row | Upload) -> list[str]:
    return [name.rsplit("/", 1)[-1] for name in (row.file, row.large, row.small) if name]


def remove(tx: Tx, number: int) -> None:
    """Forget the row; the file goes after the commit."""
    tx.run("delete from media where id = :id", id=number)


def _upload(row: Row) -> Upload:
    return Upload(**row._asdict())
