"""SQLite: whole transactions on aiosqlite's threads, one writer that commits many together, a few readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from fediblog.errors import Unavailable
from fediblog.store.engine import sqlite_connection
from fediblog.store.engine.sqlite_connection import (
    TICK,
    SqliteConnection,
    SqliteTx,
    Stopwatch,
    error_code,
    explain,
    is_busy,
    quick_check,
    roll_back,
)
from fediblog.store.engine.sqlite_writer import Writer
from fediblog.store.ids import IdMaker
from fediblog.store.tx import Clock, DatabaseEngine, Tx

T = TypeVar("T")

FOLD_AFTER = 10.0  # seconds after a commit
FOLD_COMMITS = 256  # commits, if these come sooner


class _TooLong(Exception):
    """A read takes longer than the event loop can wait."""


class SqliteEngine(DatabaseEngine):
    """One writer and a few readers on one file.

    Most reads take some microseconds, less than it costs to hand them to a thread: they run where they are asked for.
    One that turns out to be long is broken off there, and run again on a reader's thread; reads change nothing.
    """

    name = "sqlite"

    def __init__(
        self,
        writer: SqliteConnection,
        reader: Callable[[], SqliteConnection],
        readers: int,
        here: sqlite3.Connection,
        clock: Clock,
        ids: IdMaker,
        wake: Callable[[str], None],
    ) -> None:
        self._here = here
        self._watch = Stopwatch()
        self._here.set_progress_handler(self._watch.tick, TICK)
        self._writer = Writer(writer, clock, ids, wake, self._count)
        self._connections = [writer]  # closed last one first: the writer folds the log into the file
        self._reader = reader  # makes one, to be opened
        self._unopened = readers
        self._clock = clock
        self._ids = ids
        self._closed = False
        self._commits = 0  # since the log was folded into the file
        self._due: asyncio.TimerHandle | None = None  # when it is next
        self._folding: asyncio.Task[None] | None = None
        self._idle: asyncio.LifoQueue[SqliteConnection] = asyncio.LifoQueue()

    async def read(self, work: Callable[[Tx], T]) -> T:
        self._refuse_closed()
        self._watch.restart()
        started = monotonic()
        try:
            result = self._snapshot(self._here, work, self._watch)
        except _TooLong:
            return await self.scan(work)
        if monotonic() - started > sqlite_connection.MOST_SECONDS:  # before its reader goes on with so much
            await asyncio.sleep(0)
        return result

    async def scan(self, work: Callable[[Tx], T]) -> T:
        return await self._perform(lambda db: self._snapshot(db, work))

    async def write(self, work: Callable[[Tx], T]) -> T:
        self._refuse_closed()
        return await self._writer.write(work)

    async def write_here(self, work: Callable[[Tx], T]) -> T:
        self._refuse_closed()
        return await self._writer.write(work, here=True)

    async def foreign_version(self) -> int:
        self._refuse_closed()
        return await self._writer.foreign_version()

    async def check(self) -> list[str]:
        return await self._perform(quick_check)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._writer.finish()
        if self._due is not None:
            self._due.cancel()
        if self._folding is not None:
            await self._folding
        self._here.close()
        for connection in reversed(self._connections):
            await connection.close()

    def _count(self) -> None:
        """Something was committed."""
        self._commits += 1
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(FOLD_AFTER, self._begin_to_fold)
        elif self._commits == FOLD_COMMITS:
            self._due.cancel()
            self._begin_to_fold()

    def _begin_to_fold(self) -> None:
        self._commits, self._due = 0, None
        if not self._closed and (self._folding is None or self._folding.done()):
            self._folding = asyncio.create_task(self._fold())

    async def _fold(self) -> None:
        """Copy the log into the file, beside those who write: a commit that had to do it would keep the next waiting.

        Only where the log grows faster than this, a commit does it (`wal_autocheckpoint`).
        """
        with suppress(sqlite3.Error, Unavailable):  # it is tried again after the next commit
            await self._perform(lambda db: db.execute("pragma wal_checkpoint(passive)").fetchall())

    async def _perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._refuse_closed()
        reader = await (self._open() if self._idle.empty() and self._unopened else self._idle.get())
        try:
            return await reader.perform(work)
        finally:
            self._idle.put_nowait(reader)

    async def _open(self) -> SqliteConnection:
        """One more reader: each has a thread and a cache, and most servers never need the last."""
        self._unopened -= 1
        try:
            reader: SqliteConnection = await self._reader()  # type: ignore[assignment]
        except BaseException as error:
            self._unopened += 1
            raise explain(error) from error
        if self._closed:
            await reader.close()
            self._refuse_closed()
        self._connections.append(reader)
        return reader

    def _snapshot(self, db: sqlite3.Connection, work: Callable[[Tx], T], watch: Stopwatch | None = None) -> T:
        try:
            db.execute("begin")
            return work(SqliteTx(db, self._clock(), self._ids, watch))
        except sqlite3.Error as error:
            if watch is not None and (error_code(error) == sqlite3.SQLITE_INTERRUPT or is_busy(error)):
                raise _TooLong from None
            raise explain(error) from error
        finally:
            if watch is not None:
                watch.stop()
            roll_back(db)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise Unavailable("database-closed")
