"""Writes all that an account has here into one file, in formats that are open and that others read.

`actor.json`, `outbox.json` and `likes.json` are ActivityPub, and stand where archives of Mastodon have them; `posts`,
`drafts` and `trash` have each post as Markdown with front matter (YAML), `media` each picture under the name that its
address has, `relations` the files of `prepare.relation_csv`. Nothing is held in memory but a few posts at a time.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import msgspec

from fediblog.actions import draft_of_post, trash_actions
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound, Unavailable
from fediblog.federation.site import Site
from fediblog.outgoing.own_documents import actor_document, outbox_entry
from fediblog.prepare import relation_csv
from fediblog.protocol import previews
from fediblog.protocol.contexts import CONTEXT
from fediblog.store.id_paging import FAR, Window
from fediblog.store.posts import account_posts, categories, media_files
from fediblog.store.queues import account_exports
from fediblog.store.readers import relation_rows, trash
from fediblog.store.readers.trash import Trashed
from fediblog.store.tx import Tx

PAGE: Final = 20
"""Posts that are in memory at a time: an article may have a megabyte."""
FILES: Final = 200
"""Pictures whose names are read at a time."""
LEFT_OVER: Final = 86_400_000
"""ms after which a file that no row names is removed: none takes that long to be made."""

Written = tuple[str, str]
"""A name in the archive, and what stands there."""


async def make(site: Site, account: Account) -> tuple[str, int]:
    """Write the archive; its name in the folder of exports, and its bytes. Raises Unavailable if the disk is full."""
    name = f"{secrets.token_hex(16)}.zip"
    unfinished = site.settings.exports / f"{name}.unfinished"
    try:
        file = await asyncio.to_thread(_begin, unfinished)
        try:
            await _fill(site, account, file)
            size = await asyncio.to_thread(_end, file, unfinished, site.settings.exports / name)
        finally:
            await asyncio.to_thread(file.close)
    except BaseException as error:
        with suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
            raise Unavailable("disk-full", 3600, str(error)) from error
        raise
    return name, size


def _begin(place: Path) -> IO[bytes]:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    return os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb")


def _end(file: IO[bytes], unfinished: Path, place: Path) -> int:
    file.flush()
    os.fsync(file.fileno())
    unfinished.rename(place)
    return place.stat().st_size


async def _fill(site: Site, account: Account, file: IO[bytes]) -> None:
    archive = ZipFile(file, "w", ZIP_DEFLATED)
    try:
        actor = await site.db.read(actor_document, site.urls, account)
        await asyncio.to_thread(archive.writestr, "actor.json", msgspec.json.encode(actor))
        await _write_outbox(site, account, archive)
        await _write_pages(site, account, archive, _posts)
        await _write_all(archive, await site.db.scan(_drafts, account))
        await _write_pages(site, account, archive, _trash)
        await _write_all(archive, await site.db.scan(_relations, account))
        await _write_pictures(site, account, archive)
    finally:
        await asyncio.to_thread(archive.close)


async def _write_outbox(site: Site, account: Account, archive: ZipFile) -> None:
    """The outbox as one collection, whatever its length: activity by activity, without its total."""
    head = {"@context": CONTEXT, "id": "outbox.json", "type": "OrderedCollection"}
    out = await asyncio.to_thread(archive.open, "outbox.json", "w", force_zip64=True)
    try:
        await asyncio.to_thread(out.write, msgspec.json.encode(head)[:-1] + b',"orderedItems":[')
        before, first = FAR, True
        while before:
            found, before = await site.db.scan(_activities, site.urls, account, before)
            for each in found:
                await asyncio.to_thread(out.write, each if first else b"," + each)
                first = False
        await asyncio.to_thread(out.write, b"]}")
    finally:
        await asyncio.to_thread(out.close)


def _activities(tx: Tx, urls: Urls, account: Account, before: int) -> tuple[list[bytes], int]:
    """Some of what the account posted and passed on as JSON, and from where to go on; 0 if that was all."""
    items = account_posts.timeline(tx, account.id, account.id, Window(before=before, limit=PAGE))
    made = [msgspec.json.encode(outbox_entry(tx, urls, account, each)) for each in items]
    return made, items[-1].id if len(items) == PAGE else 0


async def _write_pages(
    site: Site, account: Account, archive: ZipFile, page: Callable[[Tx, Account, int], tuple[list[Written], int]]
) -> None:
    before = FAR
    while before:
        found, before = await site.db.scan(page, account, before)
        await _write_all(archive, found)


async def _write_all(archive: ZipFile, found: list[Written]) -> None:
    for name, text in found:
        await asyncio.to_thread(archive.writestr, name, text)


def _posts(tx: Tx, account: Account, before: int) -> tuple[list[Written], int]:
    items = account_posts.written(tx, account.id, account.id, Window(before=before, limit=PAGE))
    made = [(f"posts/{file_name(each)}", as_markdown(each)) for each in items]
    return made, items[-1].id if len(items) == PAGE else 0


def _drafts(tx: Tx, account: Account) -> list[Written]:
    return [(f"drafts/{file_name(each)}", as_markdown(each)) for each in account_posts.drafts(tx, account.id)]


def _trash(tx: Tx, account: Account, before: int) -> tuple[list[Written], int]:
    found = trash.listed(tx, account.id, Window(before=before, limit=PAGE), whole=True)
    made = [(f"trash/{_date(each.deleted):%Y-%m-%d}-{each.id}.md", _trashed_as_markdown(tx, each)) for each in found]
    return made, found[-1].id if len(found) == PAGE else 0


def _trashed_as_markdown(tx: Tx, trashed: Trashed) -> str:
    draft, tree = trash_actions.written(trashed), categories.tree(tx)
    shown = {each.id: each for each in trash.pictures(tx, trashed.id)}
    filed = (tree.get(each) for each in draft.categories or ())
    facts = {
        "title": draft.title,
        "deleted": _iso(trashed.deleted),
        "audience": str(draft.visibility),
        "comments": draft.comments,
        "language": draft.language,
        "summary": draft.summary,
        "warning": draft.warning,
        "sensitive": draft.sensitive,
        "categories": [each.name for each in filed if each is not None],
        "tags": list(draft.tags or ()),
        "image": f"media/{shown[draft.hero.upload].file}" if draft.hero and draft.hero.upload in shown else "",
        "pictures": [{"url": f"media/{each.file}", "shows": each.alt} for each in shown.values()],
        "poll": list(draft.poll.options) if draft.poll else [],
    }
    return _with_facts(facts, draft.source)


def _relations(tx: Tx, account: Account) -> list[Written]:
    names = {**relation_csv.FILES, "followers": "followers.csv"}
    made = [
        (f"relations/{name}", relation_csv.write(kind, relation_rows.rows(tx, account.id, kind)))
        for kind, name in names.items()
    ]
    liked = [uri for (uri,) in relation_rows.rows(tx, account.id, "liked")]
    likes = {"@context": CONTEXT, "id": "likes.json", "type": "OrderedCollection", "orderedItems": liked}
    return [*made, ("likes.json", json.dumps(likes))]


async def _write_pictures(site: Site, account: Account, archive: ZipFile) -> None:
    after, more = 0, True
    while more:
        found = await site.db.read(media_files.files_of, account.id, after, FILES)
        for _, name in found:
            with suppress(FileNotFoundError, NotFound):  # of a backup without its pictures
                await asyncio.to_thread(archive.write, site.files.path(name), f"media/{name}", ZIP_STORED)
        more = len(found) == FILES
        after = found[-1][0] if found else after


def file_name(post: Post) -> str:
    """A name that sorts by time and says what it is: `2026-11-30-the-title-5.md`."""
    at = post.published or post.scheduled
    day = f"{_date(at):%Y-%m-%d}-" if at is not None else ""
    return f"{day}{f'{post.slug}-' if post.slug else ''}{post.id}.md"


def as_markdown(post: Post) -> str:
    """The post as it was typed, below what else there is to say of it. JSON is YAML, so values are quoted as JSON."""
    picture = post.image.url if post.image else ""
    facts = {
        "title": post.title,
        "date": _iso(post.published),
        "updated": _iso(post.updated),
        "scheduled": _iso(post.scheduled),
        "id": post.uri,
        "url": post.url,
        "state": post.state if post.state != "published" else "",
        "audience": str(post.visibility),
        "comments": post.repliable,
        "language": post.language,
        "summary": post.summary if post.is_article else "",
        "warning": previews.warning(post),
        "sensitive": post.sensitive,
        "categories": [each.name for each in post.categories],
        "tags": list(post.hashtags),
        "answers": post.in_reply_to,
        "quotes": post.quote,
        "image": picture,
        "pictures": [{"url": each.url, "shows": each.alt} for each in post.attachments],
        "poll": [each.name for each in post.poll.options] if post.poll else [],
    }
    return _with_facts(facts, draft_of_post.source_of(post))


def _with_facts(facts: Mapping[str, object], source: str) -> str:
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items() if value]
    return "---\n" + "\n".join(lines) + f"\n---\n\n{source}\n"


def _iso(ms: int | None) -> str:
    return "" if ms is None else f"{_date(ms):%Y-%m-%dT%H:%M:%SZ}"


def _date(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


async def sweep(site: Site) -> list[str]:
    """Remove the files that no row names any more, and what was left unfinished; their names."""
    known = await site.db.read(account_exports.files)
    return await asyncio.to_thread(_sweep, site.settings.exports, known, site.clock() - LEFT_OVER)


def _sweep(folder: Path, known: set[str], before: int) -> list[str]:
    gone = []
    for place in folder.glob("*.zip*"):
        with suppress(FileNotFoundError):
            if place.name not in known and place.stat().st_mtime * 1000 < before:
                place.unlink()
                gone.append(place.name)
    return gone
