"""Copies of other servers' pictures and files: fetched by the worker when somebody looks at them, and let go again.

Pictures are decoded and written anew as uploads are; what is played is kept as it is, if it is of a kind that browsers
play. A file is on the disk before its row says so, and its row is gone before it is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from fediblog import log
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.media import formats, pictures
from fediblog.media.pictures import DecodedPicture
from fediblog.store.people.accounts import host_of
from fediblog.store.people.hosts import media_rejected_among
from fediblog.store.posts import remote_media
from fediblog.store.posts.remote_media import MadeCopy, Wanted
from fediblog.store.tx import Tx

AT_ONCE, PER_HOST = 6, 2  # that are fetched side by side
MOST = 60  # of one run: then there is a look at how much room all copies take
LIMIT = pictures.UPLOAD_LIMIT  # bytes of one file
DEADLINE = 15.0  # seconds for one file
SPAN, SPANS = 200, 40  # copies of which one look asks who shows them, and how many looks there are in an hour
YOUNG = 86_400_000  # ms in which a file may be without a row
DAY = 86_400_000  # ms
PARTS = [f"{n:02x}" for n in range(256)]  # of the folder: one after another is compared with its rows
OURS = frozenset({"budget-spent", "busy", "disk-full", "pictures-busy"})  # failures that say nothing of the other side
UNSHOWN = frozenset({"host-blocked", "media-not-shown"})  # so it may be another time


class MediaFetcher:
    """Fetches what is wanted, for a whole process: whoever asks while it runs is served by that run."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._wake = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], str] = {}  # and the host that each asks
        self._runs = False
        self._slots = asyncio.Semaphore(pictures.AT_ONCE)

    async def run(self) -> bool:
        """Fetch until nothing is wanted, or `MOST` were fetched; whether there may be more."""
        self._wake.set()
        if self._runs:
            return False
        self._runs, left = True, MOST
        try:
            while self._tasks or (left and self._wake.is_set()):
                await self._wake.wait()
                self._wake.clear()
                if room := min(AT_ONCE - len(self._tasks), left):
                    busy = Counter(self._tasks.values())
                    taken = await self._site.db.write(remote_media.take, room, PER_HOST, busy)
                    left -= len(taken)
                    for each in taken:
                        self._begin(each)
            return not left
        finally:
            self._runs = False
            for task in self._tasks:
                task.cancel()

    def _begin(self, wanted: Wanted) -> None:
        task = asyncio.create_task(self._fetch(wanted))
        self._tasks[task] = wanted.host

        def end(done: asyncio.Task[None]) -> None:
            del self._tasks[done]
            self._wake.set()

        task.add_done_callback(end)

    async def _fetch(self, wanted: Wanted) -> None:
        site = self._site
        try:
            try:
                made = await self._made(wanted)
            except Refused as error:
                log.event("media-refused", url=wanted.url, reason=error.reason)
                if error.reason in UNSHOWN:
                    await _remove_files(site, await site.db.write(remote_media.give_up, wanted))
                else:  # a decoder that took too long may have had too little of the processor
                    await site.db.write(remote_media.fail, wanted, final=error.key != "media.too-slow")
            except Unavailable as error:
                log.event("media-failed", url=wanted.url, reason=error.reason)
                if error.reason in OURS:
                    await site.db.write(remote_media.put_off, wanted)
                else:
                    await site.db.write(remote_media.fail, wanted, final=False)
            else:
                await _remove_files(site, await site.db.write(remote_media.keep, wanted, made))
        except Unavailable as error:  # the database; the claim runs out
            log.event("media-waits", reason=error.reason)
        except Exception as error:
            log.trouble("media-failed", error, url=wanted.url)

    async def _made(self, wanted: Wanted) -> MadeCopy:
        """The files of a copy, on the disk. Raises Refused where trying again cannot help, else Unavailable."""
        site = self._site
        if not await site.db.read(_is_shown, wanted):
            raise Refused("media-not-shown")
        accept = "video/*, audio/*" if wanted.shape == "played" else "image/webp, image/png, image/jpeg, image/*;q=0.8"
        # Failures are remembered in the row, with pauses of their own.
        answer = await site.client.fetch(
            wanted.url,
            accept=accept,
            limit=LIMIT,
            deadline=DEADLINE,
            fresh=True,
            before_redirect=self._refuse_blocked,
        )
        if answer.status != 200:
            raise Unavailable("media-status", detail=str(answer.status))
        if wanted.shape == "played":
            suffix = formats.played_suffix(answer.body)
            if suffix is None:
                raise Refused("media-not-played")
            file = await asyncio.to_thread(site.copies.save, answer.body, suffix)
            return MadeCopy(file=file, small="", media_type=formats.PLAYED[suffix], bytes=len(answer.body))
        picture = await pictures.process(answer.body, shape=wanted.shape, limit=LIMIT, slots=self._slots)
        names = await asyncio.to_thread(_save, site, picture)
        return MadeCopy(
            file=names["full"],
            small=names.get("small", ""),
            media_type=picture.media_type,
            bytes=sum(len(each.data) for each in picture.variants),
            width=picture.width,
            height=picture.height,
            blurhash=picture.blurhash,
        )

    async def _refuse_blocked(self, url: str) -> None:
        if await self._site.db.read(media_rejected_among, [host_of(url)]):
            raise Refused("host-blocked", url)


def _save(site: Site, picture: DecodedPicture) -> dict[str, str]:
    """Write the files; their names by those of the sizes."""
    return {each.name: site.copies.save(each.data, each.suffix) for each in picture.variants}


def _is_shown(tx: Tx, wanted: Wanted) -> bool:
    return bool(remote_media.shown_among(tx, wanted.owner, {wanted.url}))


async def trim(site: Site) -> int:
    """Let go of what was looked at longest ago, until the rest has its size; how many."""
    return await _forget(site, await site.db.scan(remote_media.beyond, site.settings.media_cache_bytes))


async def sweep(site: Site, after: int) -> tuple[int, int]:
    """Let go of what is too old, too much, or shown by nobody any more, the last from a number on.

    How many these were, and the number to go on from.
    """
    before = site.clock() - site.settings.media_cache_days * DAY
    removed = 0
    while found := await site.db.scan(remote_media.old, before, SPAN):
        removed += await _forget(site, found)
    for _ in range(SPANS):
        found, after = await site.db.scan(remote_media.unshown, after, SPAN)
        removed += await _forget(site, found)
        if not after:
            break
    removed += await trim(site)
    for part in PARTS:
        removed += await _compare(site, part)
    return removed, after


async def _compare(site: Site, part: str) -> int:
    """In one part of the folder, let go of copies whose files are gone, and of files of no copy; how many the former.

    So it is where the folder was emptied, or the database comes from a backup.
    """
    known = await site.db.scan(remote_media.names, part)
    present = await asyncio.to_thread(_present, site, part)  # after them: a file comes before its row
    removed = await _forget(site, sorted({known[name] for name in known.keys() - present}))
    await asyncio.to_thread(site.copies.sweep, known.__contains__, site.clock() - YOUNG, part)
    return removed


def _present(site: Site, part: str) -> set[str]:
    return set(site.copies.names(part))


async def _forget(site: Site, numbers: list[int]) -> int:
    for at in range(0, len(numbers), SPAN):
        await _remove_files(site, await site.db.write(remote_media.remove, numbers[at : at + SPAN]))
    return len(numbers)


async def _remove_files(site: Site, names: Iterable[str]) -> None:
    for name in names:
        await asyncio.to_thread(site.copies.remove, name)
