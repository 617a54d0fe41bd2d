"""SQLite: whole transactions on aiosqlite's threads, one writer that commits many together, a few readers."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from fediblog.errors import Unavailable
from fediblog.store.engine.sqlite_connection import (
    TICK,
    Connection,
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
from fediblog.store.tx import Clock, Engine, Tx

T = TypeVar("T")


class _TooLong(Exception):
    """A read takes longer than the event loop can wait."""


class SqliteEngine(Engine):
    """One writer and a few readers on one file.

    Most reads take some microseconds, less than it costs to hand them to a thread: they run where they are asked for.
    One that turns out to be long is broken off there, and run again on a reader's thread; reads change nothing.
    """

    name = "sqlite"

    def __init__(
        self,
        writer: Connection,
        readers: list[Connection],
        here: sqlite3.Connection,
        clock: Clock,
        ids: IdMaker,
        wake: Callable[[str], None],
    ) -> None:
        self._here = here
        self._watch = Stopwatch()
        self._here.set_progress_handler(self._watch.tick, TICK)
        self._writer = Writer(writer, clock, ids, wake)
        self._connections = [*readers, writer]  # closed in this order: the last one folds the log into the file
        self._clock = clock
        self._ids = ids
        self._closed = False
        self._idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for reader in readers:
            self._idle.put_nowait(reader)

    async def read(self, work: Callable[[Tx], T]) -> T:
        self._refuse_closed()
        self._watch.restart()
        try:
            return self._snapshot(self._here, work, self._watch)
        except _TooLong:
            return await self.scan(work)

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
        self._here.close()
        for connection in self._connections:
            await connection.close()

    async def _perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._refuse_closed()
        reader = await self._idle.get()
        try:
            return await reader.perform(work)
        finally:
            self._idle.put_nowait(reader)

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
