"""The one who writes to SQLite: takes all functions that wait, and commits them together."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from fediblog.counters import COMMITS
from fediblog.store.engine.sqlite_connection import (
    TICK,
    SqliteConnection,
    SqliteTx,
    Stopwatch,
    error_code,
    explain,
    is_busy,
    roll_back,
)
from fediblog.store.ids import IdMaker
from fediblog.store.tx import Clock, Tx

T = TypeVar("T")

MOST_JOBS = 64  # functions in one commit
MOST_SECONDS = 0.05  # after which a commit takes no further function
MOST_HERE = 0.004  # the same on the event loop
MOST_COMMITS = 4  # in one go on the thread
ATTEMPTS = 4


class _Job:
    """A function that waits to be committed, and what came of it."""

    __slots__ = ("channels", "error", "future", "here", "result", "work")

    def __init__(self, work: Callable[[Tx], Any], future: asyncio.Future[Any], *, here: bool) -> None:
        self.work = work
        self.here = here  # short enough to run on the event loop
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.channels: Iterable[str] = ()

    def fail(self, error: BaseException) -> None:
        self.result, self.error, self.channels = None, error, ()

    def resolve(self) -> None:
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
    """Commits all functions that wait together: one BEGIN IMMEDIATE … COMMIT, a savepoint for all but the first.

    They run on the thread of the connection. Those that are short may run on the event loop, and only the commit, which
    waits for the disk, is left to the thread: else the two would wait for the interpreter with each statement, since
    SQLite lets go of it each time. One that turns out to be long is broken off there, and runs again on the thread.
    """

    def __init__(
        self,
        connection: SqliteConnection,
        clock: Clock,
        ids: IdMaker,
        wake: Callable[[str], None],
        committed: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._committed = committed
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._drain: asyncio.Task[None] | None = None
        self._in_use = asyncio.Lock()  # the connection, by the event loop or by its thread
        self._watch = Stopwatch()
        self._patience: int | None = None  # ms in which another process should let go of its lock, while nobody waits

    async def write(self, work: Callable[[Tx], T], *, here: bool = False) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Job(work, future, here=here))
        if self._drain is None or self._drain.done():
            # In a context of its own: it also works for those who come after the one that happens to begin it.
            self._drain = self._loop.create_task(self._work_off(), context=Context())
        return await future

    async def foreign_version(self) -> int:
        """A number that changes when another connection has written; nobody writes here but this one."""
        async with self._in_use:
            return await self._connection.perform(lambda db: int(db.execute("pragma data_version").fetchone()[0]))

    async def finish(self) -> None:
        """Waits until all that was asked for is committed."""
        while self._drain is not None and not self._drain.done():
            await asyncio.wait([self._drain])

    async def _work_off(self) -> None:
        # Nothing awaits between the last look at the queue and the end, so no job can be left behind.
        while self._waiting:
            async with self._in_use:
                begun: list[_Job] = []
                try:
                    begun = self._begin_here(self._connection.opened) if self._waiting[0].here else []
                    self._deliver(await self._connection.perform(partial(self._commit_all, begun)))
                except Exception as error:  # else the callers would wait for ever
                    self._deliver(self._fail_waiting(begun, explain(error)))

    def _begin_here(self, db: sqlite3.Connection) -> list[_Job]:
        """Functions that were run, to be committed; none if that takes too long: then it is left to the thread."""
        jobs: list[_Job] = []
        self._wait_for_locks(db, False)
        self._watch.restart()
        db.set_progress_handler(self._watch.tick, TICK)
        try:
            db.execute("begin immediate")
            self._run_all(db, self._turn(jobs, MOST_HERE, here=True), self._watch)
        except sqlite3.Error:
            self._waiting.extendleft(reversed(jobs))
            for job in self._waiting:
                job.here = False
            self._watch.stop()
            roll_back(db)
            return []
        finally:
            db.set_progress_handler(None, 0)
        return jobs

    def _wait_for_locks(self, db: sqlite3.Connection, patient: bool) -> None:
        """Whether a lock that another process holds is waited for: never on the event loop."""
        if patient and self._patience is not None:
            db.execute(f"pragma busy_timeout = {self._patience:d}")
            self._patience = None
        elif not patient and self._patience is None:
            self._patience = int(db.execute("pragma busy_timeout").fetchone()[0])
            db.execute("pragma busy_timeout = 0")

    # Below: on the connection's thread, but for `_deliver`, and for what `_begin_here` calls.

    def _commit_all(self, begun: list[_Job], db: sqlite3.Connection) -> list[_Job]:
        """Returns what was committed last: that wakes the event loop anyway."""
        # Not for ever: somebody may wait for the thread, to ask whether another process has written.
        jobs = self._commit_some(db, begun)
        for _ in range(1, MOST_COMMITS):
            if not self._waiting or self._waiting[0].here:
                break
            self._loop.call_soon_threadsafe(self._deliver, jobs)
            jobs = self._commit_some(db, [])
        return jobs

    def _deliver(self, jobs: Sequence[_Job]) -> None:
        COMMITS.add(len(jobs))
        self._committed()
        # Listeners first: whoever hears that it is done must not find what somebody remembers from before.
        for channel in {channel: None for job in jobs for channel in job.channels}:
            self._wake(channel)
        for job in jobs:
            job.resolve()

    def _commit_some(self, db: sqlite3.Connection, jobs: list[_Job]) -> list[_Job]:
        """`jobs` are those that were run already, in the transaction that is open."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if not db.in_transaction:
                    self._transact(db, jobs)
                db.execute("commit")
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
        self._wait_for_locks(db, True)
        db.execute("begin immediate")
        self._run_all(db, self._turn(jobs, MOST_SECONDS))

    def _run_all(self, db: sqlite3.Connection, jobs: Iterable[_Job], watch: Stopwatch | None = None) -> None:
        first = True
        for job in jobs:
            self._run(db, job, watch, first=first)
            first = first and job.error is not None

    def _turn(self, jobs: list[_Job], seconds: float, *, here: bool = False) -> Generator[_Job]:
        """The jobs of an earlier attempt, then such as wait, as long as there is room and time for them."""
        yield from tuple(jobs)
        end = time.monotonic() + seconds
        while len(jobs) < MOST_JOBS and time.monotonic() < end:
            try:
                if here and not self._waiting[0].here:
                    return
                job = self._waiting.popleft()
            except IndexError:
                return
            if not job.future.cancelled():
                jobs.append(job)
                yield job

    def _run(self, db: sqlite3.Connection, job: _Job, watch: Stopwatch | None, *, first: bool) -> None:
        """`first`: nothing was done before it in this transaction, so that its failure may take everything back."""
        tx = SqliteTx(db, self._clock(), self._ids, watch)
        if watch is not None:
            watch.restart()
        if not first:
            db.execute("savepoint job")
        try:
            job.result = job.work(tx)
        except BaseException as error:
            # Broken off, or SQLite has rolled everything back by itself: then it is not this function's fault.
            if is_busy(error) or error_code(error) == sqlite3.SQLITE_INTERRUPT or not db.in_transaction:
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
        self._wait_for_locks(db, True)
        db.execute("begin immediate")
        self._run(db, job, None, first=True)
        db.execute("commit")

    def _fail_waiting(self, jobs: list[_Job], error: BaseException) -> list[_Job]:
        """The database cannot be had: nobody who waits now should wait for another round of attempts."""
        with suppress(IndexError):
            while True:
                jobs.append(self._waiting.popleft())
        for job in jobs:
            job.fail(error)
        return jobs
