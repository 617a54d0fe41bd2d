"""SQLite: whole transactions on aiosqlite's threads, one writer that commits many together, a few readers."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import aiosqlite

from fediblog.counters import COMMITS
from fediblog.errors import Unavailable
from fediblog.store.ids import IdMaker
from fediblog.store.sql import bind, bind_row, questioned
from fediblog.store.tx import CONTENT, Clock, Conflict, Engine, Param, Row, Scalar, Tx, changes_content, row_maker

T = TypeVar("T")

MOST_JOBS = 64  # functions in one commit
MOST_SECONDS = 0.05  # after which a commit takes no further function
MOST_COMMITS = 4  # in one go on the thread
ATTEMPTS = 4
TICK = 10_000  # steps of SQLite's machine, about 0.1 ms
MOST_TICKS = 20  # of a read on the event loop

_REASONS = {
    sqlite3.SQLITE_BUSY: "database-busy",
    sqlite3.SQLITE_LOCKED: "database-busy",
    sqlite3.SQLITE_FULL: "disk-full",
    sqlite3.SQLITE_IOERR: "disk-error",
    sqlite3.SQLITE_READONLY: "database-read-only",
    sqlite3.SQLITE_CANTOPEN: "database-unreachable",
    sqlite3.SQLITE_CORRUPT: "database-damaged",
    sqlite3.SQLITE_NOTADB: "database-damaged",
}
_DELAYS = {"database-busy": 5.0, "disk-full": 300.0}  # seconds


class _TooLong(Exception):
    """A read takes longer than the event loop can wait."""


class SqliteTx(Tx):
    """A transaction on a connection of this thread."""

    __slots__ = ("_db",)
    engine = "sqlite"
    skip_locked = ""  # there is but one writer

    def __init__(self, db: sqlite3.Connection, now: int, ids: IdMaker) -> None:
        super().__init__(now, ids)
        self._db = db

    def _execute(self, sql: str, params: Mapping[str, Param]) -> sqlite3.Cursor:
        if changes_content(sql):  # asked here at once: this is done for every statement
            self.channels[CONTENT] = None
        try:
            return self._db.execute(*bind(sql, params))
        except sqlite3.IntegrityError as error:
            raise Conflict(str(error)) from error

    def all(self, sql: str, /, **params: Param) -> list[Row]:
        cursor = self._execute(sql, params)
        return list(map(_maker(cursor), cursor)) if cursor.description else []

    def each(self, sql: str, /, **params: Param) -> Iterator[Row]:
        cursor = self._execute(sql, params)
        return map(_maker(cursor), cursor)

    def one(self, sql: str, /, **params: Param) -> Row | None:
        cursor = self._execute(sql, params)
        row = cursor.fetchone()
        if row is None:
            return None
        made = _maker(cursor)(row)
        cursor.close()  # else `returning` keeps the statement open
        return made

    def run(self, sql: str, /, **params: Param) -> int:
        return max(self._execute(sql, params).rowcount, 0)

    def many(self, sql: str, rows: Iterable[Mapping[str, Scalar]], /) -> None:
        self._note(sql)
        try:
            text, in_order = questioned(sql)
            self._db.executemany(text, map(in_order, map(bind_row, rows)))
        except sqlite3.IntegrityError as error:
            raise Conflict(str(error)) from error


def _maker(cursor: sqlite3.Cursor) -> Callable[[Iterable[Any]], Row]:
    return row_maker(tuple([column[0] for column in cursor.description]))


class Connection(aiosqlite.Connection):
    """An aiosqlite connection that can run a whole function on its thread."""

    async def perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One hop: `work` gets the connection of the standard library."""
        result: T = await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]
        return result


class _Job:
    """A function that waits to be committed, and what came of it."""

    __slots__ = ("channels", "error", "future", "result", "work")

    def __init__(self, work: Callable[[Tx], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.channels: Iterable[str] = ()

    def fail(self, error: BaseException) -> None:
        self.result, self.error, self.channels = None, error, ()

    def tell(self) -> None:
        """Called on the event loop; a caller that was cancelled meanwhile does not listen any more."""
        if self.future.done():
            return
        if isinstance(self.error, StopIteration):  # which a future cannot carry
            self.error = RuntimeError("a transaction raised StopIteration")
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """Commits all functions that wait together: one BEGIN IMMEDIATE … COMMIT, a savepoint for all but the first."""

    def __init__(self, connection: Connection, clock: Clock, ids: IdMaker, wake: Callable[[str], None]) -> None:
        self._connection = connection
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._drain: asyncio.Task[None] | None = None

    async def write(self, work: Callable[[Tx], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Job(work, future))
        if self._drain is None or self._drain.done():
            self._drain = self._loop.create_task(self._work_off())
        return await future

    async def foreign_version(self) -> int:
        """A number that changes when another connection has written; nobody writes here but this one."""
        return await self._connection.perform(lambda db: int(db.execute("pragma data_version").fetchone()[0]))

    async def finish(self) -> None:
        """Waits until all that was asked for is committed."""
        while self._drain is not None and not self._drain.done():
            await asyncio.wait([self._drain])

    async def _work_off(self) -> None:
        # Nothing awaits between the last look at the queue and the end, so no job can be left behind.
        while self._waiting:
            try:
                self._deliver(await self._connection.perform(self._commit_all))
            except Exception as error:  # else the callers would wait for ever
                self._deliver(self._fail_waiting([], explain(error)))

    # Below: on the connection's thread, but for `_deliver`.

    def _commit_all(self, db: sqlite3.Connection) -> list[_Job]:
        """Returns what was committed last: that wakes the event loop anyway."""
        # Not for ever: somebody may wait for the thread, to ask whether another process has written.
        jobs = self._commit_some(db)
        for _ in range(1, MOST_COMMITS):
            if not self._waiting:
                break
            self._loop.call_soon_threadsafe(self._deliver, jobs)
            jobs = self._commit_some(db)
        return jobs

    def _deliver(self, jobs: Sequence[_Job]) -> None:
        COMMITS.add(len(jobs))
        # Listeners first: whoever hears that it is done must not find what somebody remembers from before.
        for channel in {channel: None for job in jobs for channel in job.channels}:
            self._wake(channel)
        for job in jobs:
            job.tell()

    def _commit_some(self, db: sqlite3.Connection) -> list[_Job]:
        jobs: list[_Job] = []
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._transact(db, jobs)
            except BaseException as error:
                roll_back(db)
                if not is_busy(error):
                    return self._fail(db, jobs, error)
                if attempt == ATTEMPTS:
                    return self._fail_waiting(jobs, explain(error))
                time.sleep(random.uniform(0.5, 1.5) * 0.02 * attempt)  # noqa: S311 - jitter, so that two part
            else:
                return jobs
        return jobs

    def _transact(self, db: sqlite3.Connection, jobs: list[_Job]) -> None:
        db.execute("begin immediate")
        first = True
        for job in self._turn(jobs):
            self._run(db, job, first=first)
            first = first and job.error is not None
        db.execute("commit")

    def _turn(self, jobs: list[_Job]) -> Generator[_Job]:
        """The jobs of an earlier attempt, then such as wait, as long as there is room and time for them."""
        yield from tuple(jobs)
        end = time.monotonic() + MOST_SECONDS
        while len(jobs) < MOST_JOBS and time.monotonic() < end:
            try:
                job = self._waiting.popleft()
            except IndexError:
                return
            if not job.future.cancelled():
                jobs.append(job)
                yield job

    def _run(self, db: sqlite3.Connection, job: _Job, *, first: bool) -> None:
        """`first`: nothing was done before it in this transaction, so that its failure may take everything back."""
        tx = SqliteTx(db, self._clock(), self._ids)
        if not first:
            db.execute("savepoint job")
        try:
            job.result = job.work(tx)
        except BaseException as error:
            if is_busy(error) or not db.in_transaction:  # SQLite has rolled everything back by itself
                raise
            job.fail(explain(error))
            db.execute("rollback" if first else "rollback to job")
            if first:
                db.execute("begin immediate")
        else:
            job.error, job.channels = None, tx.channels
        if not first:
            db.execute("release job")

    def _fail(self, db: sqlite3.Connection, jobs: list[_Job], error: BaseException) -> list[_Job]:
        """The commit failed. A deferred foreign key is the fault of one: the others get another chance, alone."""
        if isinstance(error, sqlite3.IntegrityError) and len(jobs) > 1:
            for job in jobs:
                try:
                    self._alone(db, job)
                except BaseException as its_own:
                    roll_back(db)
                    job.fail(explain(its_own))
            return jobs
        for job in jobs:
            job.fail(explain(error))
        return jobs

    def _alone(self, db: sqlite3.Connection, job: _Job) -> None:
        db.execute("begin immediate")
        self._run(db, job, first=True)
        db.execute("commit")

    def _fail_waiting(self, jobs: list[_Job], error: BaseException) -> list[_Job]:
        """The database cannot be had: nobody who waits now should wait for another round of attempts."""
        with suppress(IndexError):
            while True:
                jobs.append(self._waiting.popleft())
        for job in jobs:
            job.fail(error)
        return jobs


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
        self._here.set_progress_handler(self._tick, TICK)
        self._ticks = 0
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
        self._ticks = 0
        try:
            return self._snapshot(self._here, work)
        except _TooLong:
            return await self.scan(work)

    async def scan(self, work: Callable[[Tx], T]) -> T:
        return await self._perform(lambda db: self._snapshot(db, work))

    def _tick(self) -> bool:
        self._ticks += 1
        return self._ticks > MOST_TICKS

    async def write(self, work: Callable[[Tx], T]) -> T:
        self._refuse_closed()
        return await self._writer.write(work)

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

    def _snapshot(self, db: sqlite3.Connection, work: Callable[[Tx], T]) -> T:
        db.execute("begin")
        try:
            return work(SqliteTx(db, self._clock(), self._ids))
        except sqlite3.Error as error:
            if db is self._here and (error_code(error) == sqlite3.SQLITE_INTERRUPT or is_busy(error)):
                raise _TooLong from None
            raise explain(error) from error
        finally:
            roll_back(db)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise Unavailable("database-closed")


def explain(error: BaseException) -> BaseException:
    """An error of SQLite in the words of the floors above; others stay as they are."""
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(str(error))
    reason = _REASONS.get(error_code(error))
    return Unavailable(reason, _DELAYS.get(reason), str(error)) if reason else error


def is_busy(error: BaseException) -> bool:
    """Whether another connection stood in the way."""
    return error_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def error_code(error: BaseException) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the upper bits tell kinds of the same


def roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("rollback")


def quick_check(db: sqlite3.Connection) -> list[str]:
    """What is damaged in the file, each finding in one line; at most ten of them."""
    try:
        found = [" ".join(str(row[0]).split()) for row in db.execute("pragma quick_check(10)")]
    except sqlite3.DatabaseError as error:
        if error_code(error) not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise explain(error) from error
        return [str(error)]
    return [] if found == ["ok"] else [line.removeprefix("*** in database main *** ") for line in found]
