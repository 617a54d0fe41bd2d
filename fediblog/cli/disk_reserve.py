"""Spare room on the disk: a file that is given up when the disk is full, so that the server can finish and tell."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fediblog import log
from fediblog.errors import Unavailable
from fediblog.messages.stored import pack
from fediblog.store.engine.database import Database
from fediblog.store.people import operator_alerts

NAME = "spare-room"
FULL = 4_000_000  # bytes that are free; with less a commit may not find the room that it needs
EVERY = 1.0  # seconds
_LEFT = pack("trouble.disk-nothing-left")
_ALSO_LEFT = "nothing is left"  # as earlier versions stored it
_BLOCK = b"\0" * 1_000_000


class Reserve:
    """The file in one data folder. Several processes may look after it: what one has done the others find done."""

    def __init__(self, folder: Path, size: int) -> None:
        self.path = folder / NAME
        self.size = size

    @property
    def free(self) -> int:
        """Bytes that are free on its disk."""
        return shutil.disk_usage(self.path.parent).free

    @property
    def is_full(self) -> bool:
        """Whether the disk has no room, nor the file that could make some."""
        return self.free < FULL and not self.path.exists()

    def give_up(self) -> bool:
        """Delete the file if the disk is full; whether that was so."""
        if self.free >= FULL or not self.path.exists():
            return False
        self.path.unlink(missing_ok=True)
        return True

    def lay_by(self) -> bool:
        """Make the file where it is not, if that leaves as much again; whether it is there now."""
        with suppress(FileNotFoundError):
            if self.path.stat().st_size == self.size:
                return True
            self.path.unlink()
        if self.size == 0 or self.free < 2 * self.size + FULL:
            return False
        unfinished = self.path.with_name(f".{NAME}.{os.getpid()}")
        try:
            _fill(unfinished, self.size)
            unfinished.rename(self.path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            return False
        return True


def _fill(path: Path, size: int) -> None:
    """A file that really takes that much room."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
            return
        for at in range(0, size, len(_BLOCK)):
            file.write(_BLOCK[: size - at])


class ReserveMonitor:
    """Looks after the reserve of a running server, and tells the owner what became of it.

    `used`: it was given up just now, so that the server could start at all.
    """

    def __init__(self, reserve: Reserve, db: Database, *, used: bool = False) -> None:
        self._reserve = reserve
        self._db = db
        self._looked = False
        self._untold: bool | None = True if used else None  # that the disk is full, or is not any more
        self._used = used
        self._full = False  # with no spare room to give up
        if used:
            self._warn(reserve.size)

    def _warn(self, freed: int) -> None:
        log.event("disk-full", logging.ERROR, freed=freed, advice="make room at once")

    async def look(self) -> None:
        """Give the file up if the disk is full, make it where it is missing and there is room."""
        if await asyncio.to_thread(self._reserve.give_up):
            self._untold, self._used = True, True
            self._warn(self._reserve.size)
        elif not self._reserve.path.exists() and await asyncio.to_thread(self._reserve.lay_by):
            self._untold, self._used, self._full = False, False, False
            log.event("spare-room-made", bytes=self._reserve.size)
        elif not self._looked and self._reserve.path.exists():  # whatever an earlier process could not tell any more
            self._untold = False
        else:
            await self._look_without()
        self._looked = True
        if self._untold is not None:
            await self.tell(self._untold)

    async def _look_without(self) -> None:
        """On a disk that is too small for spare room, or where none is wanted."""
        if self._reserve.is_full and not self._full:
            self._full, self._untold = True, True
            self._warn(0)
        elif self._full:
            self._untold = None if self._reserve.free < 2 * FULL else False
            self._full = self._untold is None
        elif not (self._looked or self._used or self._reserve.path.exists()) and self._reserve.free >= FULL:
            self._untold = False if await self._is_reported_without() else None

    async def _is_reported_without(self) -> bool:
        """Whether an earlier process said so of a disk without spare room."""
        standing = await self._db.read(operator_alerts.standing)
        return any(
            each.kind == operator_alerts.DISK and (each.detail in (_LEFT, _ALSO_LEFT) or not self._reserve.size)
            for each in standing
        )

    async def tell(self, full: bool) -> None:
        """Note that the disk is full, or that it is not."""
        with suppress(Unavailable):  # then the next look reports it
            if full:
                detail = _LEFT if self._full else pack("trouble.disk-spare-used", n=self._reserve.size)
                await self._db.write(operator_alerts.note, operator_alerts.DISK, detail)
            else:
                await self._db.write(operator_alerts.clear, operator_alerts.DISK)
            self._untold = None

    async def look_safely(self) -> None:
        """Look at the disk; what goes wrong with that is logged and no reason to stop serving."""
        try:
            await self.look()
        except Exception as error:
            log.trouble("spare-room-failed", error)

    async def run(self) -> None:
        """Look every second."""
        while True:
            await asyncio.sleep(EVERY)
            await self.look_safely()


@asynccontextmanager
async def watched(folder: Path, db: Database, size: int, *, used: bool = False) -> AsyncIterator[None]:
    """Watch the disk while the server runs; with a size of 0 without spare room."""
    monitor = ReserveMonitor(Reserve(folder, size), db, used=used)
    if size == 0:
        (folder / NAME).unlink(missing_ok=True)
    await monitor.look_safely()
    task = asyncio.create_task(monitor.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
