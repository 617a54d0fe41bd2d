"""Uploads: cleaned, on the disk, and only then known to the database."""

from __future__ import annotations

import asyncio
from typing import Any

from fediblog import log
from fediblog.errors import NotFound, Refused, Unavailable
from fediblog.federation import quotas
from fediblog.federation.site import Site
from fediblog.media import pictures
from fediblog.media.file_store import FileStore
from fediblog.media.pictures import DecodedPicture, Shape
from fediblog.store.posts import media_files
from fediblog.store.posts.media_files import ProcessedFile, Upload
from fediblog.store.tx import Tx

STOPPING = 8.0  # seconds that a site which closes waits for its pictures


async def upload(site: Site, account: int, data: bytes, *, shape: Shape = "post") -> Upload:
    """Take in a picture of one of our people. Raises Invalid that says what is wrong with it, or Unavailable."""
    quotas.use(site, account, "upload")
    return await site.db.write(_add, account, await _make(site, data, shape))


async def begin(site: Site, account: int, data: bytes, *, patience: float) -> Upload:
    """As `upload`; what takes longer than so many seconds is finished while nobody waits: then it has no `file` yet."""
    quotas.use(site, account, "upload")
    unfinished, making = site.keep(Unfinished), asyncio.create_task(_make(site, data, "post"))
    unfinished.add(making)
    await asyncio.wait({making}, timeout=patience)
    if making.done():
        return await site.db.write(_add, account, making.result())
    promised = await site.db.write(_promise, account)
    unfinished.add(asyncio.create_task(_fulfil(site, promised.id, making)))
    return promised


class Unfinished:
    """Uploads of a site whose picture is still decoded, or stored, while perhaps nobody waits for it any more."""

    def __init__(self, _site: Site) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def add(self, task: asyncio.Task[Any]) -> None:
        """Keep a task until its end: the event loop alone does not."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, patience: float = STOPPING) -> None:
        """Wait until each is done; what takes longer than so many seconds is cancelled, and its upload fails later."""
        if self._tasks:
            _, slow = await asyncio.wait(self._tasks, timeout=patience)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)


def _slots(_site: Site) -> asyncio.Semaphore:
    """For the pictures of a site that are decoded at a time."""
    return asyncio.Semaphore(pictures.AT_ONCE)


async def _make(site: Site, data: bytes, shape: Shape) -> ProcessedFile:
    picture = await pictures.process(data, shape=shape, slots=site.keep(_slots))
    return await asyncio.to_thread(_save, site.files, picture)


async def _fulfil(site: Site, number: int, making: asyncio.Future[ProcessedFile]) -> None:
    try:
        await site.db.write(_finish, number, await making)
    except Refused as error:
        await site.db.write(media_files.give_up, number, error)
    except Unavailable as error:
        await site.db.write(media_files.give_up, number, Refused(error.reason, key="error.unavailable"))
    except Exception as error:
        log.trouble("upload-failed", error)
        await site.db.write(media_files.give_up, number, Refused("bug", key="error.bug"))


def _save(store: FileStore, picture: DecodedPicture) -> ProcessedFile:
    """Write the files. If the row never follows, the sweep finds them."""
    saved = {each.name: store.save(each.data, each.suffix) for each in picture.variants}
    return ProcessedFile(
        media_type=picture.media_type,
        file=saved["full"],
        large=saved.get("large", ""),
        small=saved.get("small", ""),
        width=picture.width,
        height=picture.height,
        blurhash=picture.blurhash,
        size=sum(len(each.data) for each in picture.variants),
    )


def _promise(tx: Tx, account: int) -> Upload:
    return _required(media_files.get(tx, media_files.promise(tx, account), account))


def _add(tx: Tx, account: int, made: ProcessedFile) -> Upload:
    return _required(media_files.get(tx, media_files.add(tx, account, **made), account))


def _finish(tx: Tx, number: int, made: ProcessedFile) -> None:
    media_files.finish(tx, number, **made)


def _required(found: Upload | None) -> Upload:
    if found is None:
        raise NotFound()
    return found
