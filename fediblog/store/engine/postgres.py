"""PostgreSQL: the same plain functions, in fibers of the event loop or in threads; LISTEN wakes other processes."""

from __future__ import annotations

import asyncio
import random
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors

from fediblog.errors import Misuse, Unavailable
from fediblog.messages.stored import pack
from fediblog.store.engine import fibers, migrate, schema_lock
from fediblog.store.engine.postgres_session import SETTINGS, PostgresSession, Sessions
from fediblog.store.engine.schema_lock import TRIES, Upgrade, may_upgrade, refuse_in_use, wait_a_moment
from fediblog.store.engine.sql import bind_in_order, bind_row, numbered
from fediblog.store.ids import IdMaker
from fediblog.store.queues.lost_workers import PROCESS
from fediblog.store.tx import Clock, Conflict, DatabaseEngine, Param, Row, Scalar, Tx

T = TypeVar("T")
Plain = psycopg.AsyncConnection[tuple[Any, ...]]
_Way = Callable[[PostgresSession, Callable[[Tx], T]], T]

ATTEMPTS = 4
CHANNEL = "fediblog"  # one for all: the payload says which of ours
FIRST_PAUSE, LAST_PAUSE = 0.25, 30.0  # seconds until the listener looks for the server again
_LOCK = 0x66656469  # advisory lock of those who migrate
_IN_USE = 0x66656468  # shared by all processes that use the database: only one that is alone with it migrates
_ALIVE = {"tcp_keepalives_idle": "2", "tcp_keepalives_interval": "1", "tcp_keepalives_count": "3"}
_CLASHES = (errors.SerializationFailure, errors.DeadlockDetected, psycopg.IntegrityError, Conflict)


class PostgresTx(Tx):
    """A transaction in a session."""

    __slots__ = ("_held", "_session", "worker")
    engine = "postgres"
    skip_locked = " for update skip locked"

    def __init__(self, session: PostgresSession, now: int, ids: IdMaker, worker: int = 0) -> None:
        super().__init__(now, ids)
        self._session = session
        self._held: frozenset[int] = frozenset()
        self.worker = worker

    def hold(self, *numbers: int, shared: bool = False) -> None:
        if fresh := sorted({*numbers} - self._held):
            self._session.hold(fresh, shared=shared)
            self._held = self._held.union(fresh)

    def all(self, text: str, /, **params: Param) -> list[Row]:
        return self._ask(self._session.rows, text, params)

    def each(self, text: str, /, **params: Param) -> Iterator[Row]:
        return self._session.each(*bind_in_order(text, params))

    def one(self, text: str, /, **params: Param) -> Row | None:
        rows = self._ask(self._session.rows, text, params)
        return rows[0] if rows else None

    def run(self, text: str, /, **params: Param) -> int:
        return self._ask(self._session.count, text, params)

    def many(self, text: str, rows: Iterable[Mapping[str, Scalar]], /) -> None:
        self._note(text)
        numbered_text, names = numbered(text)
        try:
            self._session.many(numbered_text, [[row[name] for name in names] for row in map(bind_row, rows)])
        except psycopg.IntegrityError as error:
            raise Conflict(str(error)) from error

    def _ask(self, how: Callable[[bytes, Sequence[Scalar]], T], text: str, params: Mapping[str, Param]) -> T:
        self._note(text)
        try:
            return how(*bind_in_order(text, params))
        except psycopg.IntegrityError as error:
            raise Conflict(str(error)) from error


class PostgresListener:
    """Hears what other processes notify. After a time without the server all listeners are woken.

    Its connection is also how the others know that this process is there: the lock of `worker`, its number, is held as
    long as it lasts, and the server looks after a few seconds of silence whether the other end still answers.
    """

    def __init__(
        self, url: str, origin: str, worker: int, wake: Callable[[str], None], wake_all: Callable[[], None]
    ) -> None:
        self._url = url
        self._origin = origin
        self._worker = worker
        self._wake = wake
        self._wake_all = wake_all
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        connection = await self._open()
        self._task = asyncio.create_task(self._hear(connection))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _open(self) -> Plain:
        connection = await psycopg.AsyncConnection.connect(self._url, **SETTINGS)
        connection.add_notify_handler(lambda told: self._dispatch(told.payload))  # of what comes with the answer
        await connection.execute(f"select pg_advisory_lock_shared({_IN_USE:d})")  # waits for one that migrates
        await connection.execute(f"listen {CHANNEL}")
        for name, value in _ALIVE.items():
            await connection.execute("select set_config(%s, %s, false)", (name, value))
        await connection.execute("select pg_advisory_lock(%s::int4, %s::int4)", (PROCESS, self._worker))
        return connection

    async def _hear(self, connection: Plain) -> None:
        while True:
            try:
                await self._until_lost(connection)
            finally:
                await connection.close()
            connection = await self._open_again()
            self._wake_all()

    async def _open_again(self) -> Plain:
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE)
            with suppress(psycopg.OperationalError):
                return await self._open()

    async def _until_lost(self, connection: Plain) -> None:
        """Dispatches what comes. Most of it we have notified ourselves, so it must not cost much."""
        lost = asyncio.Event()
        loop, server, socket = asyncio.get_running_loop(), connection.pgconn, connection.fileno()

        def look() -> None:
            try:
                server.consume_input()
            except psycopg.OperationalError:
                lost.set()
                loop.remove_reader(socket)
            while told := server.notifies():
                self._dispatch(told.extra.decode())

        loop.add_reader(socket, look)
        try:
            await lost.wait()
        finally:
            loop.remove_reader(socket)

    def _dispatch(self, payload: str) -> None:
        origin, *channels = payload.split()
        if origin != self._origin:  # our own were woken at the commit
            for channel in channels:
                self._wake(channel)


class PostgresEngine(DatabaseEngine):
    """Some sessions, with a thread for each where what is done is not short."""

    name = "postgres"

    def __init__(
        self,
        sessions: Sessions,
        threads: int,
        listener: PostgresListener,
        clock: Clock,
        ids: IdMaker,
        wake: Callable[[str], None],
        origin: str,
        worker: int,
    ) -> None:
        self._sessions = sessions
        self._listener = listener
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._origin = origin
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="postgres")
        self._closed = False

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self._attempt(self._here, self._read, work)

    async def scan(self, work: Callable[[Tx], T]) -> T:
        return await self._attempt(self._in_thread, self._read, work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self._attempt(self._in_thread, self._write, work)

    async def write_here(self, work: Callable[[Tx], T]) -> T:
        return await self._attempt(self._here, self._write, work)

    async def check(self) -> list[str]:
        rows = await self.read(
            lambda tx: tx.all("select cast(indexrelid as regclass) as name from pg_index where not indisvalid")
        )
        return [pack("damage.index", name=row.name) for row in rows]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._listener.stop()
        await self._sessions.finish()
        await asyncio.to_thread(self._threads.shutdown)

    async def _attempt(
        self,
        place: Callable[[PostgresSession, Callable[[], T]], asyncio.Future[T]],
        way: _Way[T],
        work: Callable[[Tx], T],
    ) -> T:
        """Tries again after a clash with another transaction, when the connection was dead before it was used, and when
        a statement had been prepared for a table that is another one by now.

        A `Conflict` is a clash too if another transaction stored meanwhile what this one had looked for in vain: it
        finds it the next time. One that is none comes again each time."""
        attempt = 1
        while True:
            if self._closed:
                raise Unavailable("database-closed")
            try:
                session = await self._sessions.take()
                return await place(session, partial(way, session, work))
            except (psycopg.Error, Conflict) as error:
                clash = isinstance(error, (*_CLASHES, _Stale, errors.FeatureNotSupported))
                if isinstance(error, Conflict) and attempt == ATTEMPTS:
                    raise
                if isinstance(error, psycopg.Error) and (not clash or attempt == ATTEMPTS):
                    raise explain(error) from error
                if isinstance(error, _Stale):
                    self._sessions.drop()
            await asyncio.sleep(random.uniform(0.5, 1.5) * 0.02 * attempt)  # noqa: S311 - jitter, so that two part
            attempt += 1

    # A session is given back when the work is done, even if nobody waits for it any more.

    def _here(self, session: PostgresSession, work: Callable[[], T]) -> asyncio.Future[T]:
        def run() -> T:
            try:
                return work()
            finally:
                self._sessions.give(session)

        return fibers.begin(run)

    def _in_thread(self, session: PostgresSession, work: Callable[[], T]) -> asyncio.Future[T]:
        def give(_: object) -> None:
            session.wire.attach()
            self._sessions.give(session)

        session.wire.detach()
        running = self._loop.run_in_executor(self._threads, work)
        running.add_done_callback(give)
        return asyncio.shield(running)

    # Below: in a fiber, or on a thread of the pool.

    def _read(self, session: PostgresSession, work: Callable[[Tx], T]) -> T:
        with _begun(session, session.snapshot()):
            return work(PostgresTx(session, self._clock(), self._ids, self._worker))

    def _write(self, session: PostgresSession, work: Callable[[Tx], T]) -> T:
        with _begun(session, session.transaction()):
            tx = PostgresTx(session, self._clock(), self._ids, self._worker)
            result = work(tx)
            if tx.channels:
                session.at_commit(f"notify {CHANNEL}, '{' '.join((self._origin, *tx.channels))}'")
        # Before whoever waits for the transaction goes on: they must not find what somebody remembers from before.
        for channel in tx.channels:
            if threading.get_ident() == self._thread:
                self._wake(channel)
            else:
                self._loop.call_soon_threadsafe(self._wake, channel)
        return result


class _Stale(psycopg.OperationalError):
    """The server had closed the connection before anything was done on it."""


@contextmanager
def _begun(session: PostgresSession, transaction: AbstractContextManager[None]) -> Iterator[None]:
    try:
        with transaction:
            yield
    except psycopg.OperationalError as error:
        if not session.begun and session.wire.lost:
            raise _Stale(str(error)) from error
        raise


def explain(error: psycopg.Error) -> Exception:
    """An error of PostgreSQL in the words of the floors above; a mistake in our SQL stays as it is."""
    if isinstance(error, psycopg.IntegrityError):  # deferred until the commit
        return Conflict(str(error))
    if isinstance(error, errors.DiskFull):
        return Unavailable("disk-full", 300, str(error))
    if isinstance(error, (*_CLASHES, errors.LockNotAvailable)):
        return Unavailable("database-busy", 5, str(error))
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return error
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("database-unreachable", 10, str(error))
    return error


def migrate_server(
    url: str, steps: Sequence[migrate.Migration], clock: Clock, ids: IdMaker, upgrade: Upgrade = "alone"
) -> None:
    """Brings the database up to date, if that may be; of several that start at once one does it, the others wait."""
    try:
        with closing(PostgresSession(url)) as session:
            session.command("set lock_timeout = 0")
            _migrate(session, steps, clock, ids, upgrade)
    except psycopg.errors.InvalidAuthorizationSpecification as error:
        raise Misuse("misuse.postgres-access", error=error) from error
    except psycopg.OperationalError as error:
        raise Unavailable("database-unreachable", 10, str(error)) from error


def _migrate(
    session: PostgresSession, steps: Sequence[migrate.Migration], clock: Clock, ids: IdMaker, upgrade: Upgrade
) -> None:
    for _ in range(TRIES if upgrade == "alone" else 1):
        with session.transaction():
            _lock(session)
            migrate.prepare(PostgresTx(session, clock(), ids))
            current = migrate.version(PostgresTx(session, clock(), ids))
        missing = migrate.pending(current, steps)
        if not missing:
            return
        if may_upgrade(upgrade, current, missing[-1].version, lambda: _alone(session)):
            for step in missing:
                with session.transaction():
                    _lock(session)
                    migrate.apply(PostgresTx(session, clock(), ids), step)
            return
        wait_a_moment()
    refuse_in_use(current, missing[-1].version)


def _lock(session: PostgresSession) -> None:
    session.rows(b"select pg_advisory_xact_lock($1)", (_LOCK,))


def _alone(session: PostgresSession) -> bool:
    """Keep out all others until the session ends; False if somebody uses the database (see `PostgresListener`)."""
    return bool(session.rows(b"select pg_try_advisory_lock($1) as held", (_IN_USE,))[0].held)


def change_alone(url: str, work: Callable[[Tx], T], clock: Clock, ids: IdMaker) -> T:
    """Runs `work` in a transaction while no other process uses the database. Raises Refused if one does."""
    try:
        with closing(PostgresSession(url)) as session:
            session.command("set lock_timeout = 0")
            schema_lock.wait_until_alone(lambda: _alone(session))
            with session.transaction():
                return work(PostgresTx(session, clock(), ids))
    except psycopg.Error as error:
        raise explain(error) from error


async def open_engine(
    url: str,
    clock: Clock,
    ids: IdMaker,
    wake: Callable[[str], None],
    wake_all: Callable[[], None],
    *,
    connections: int = 10,
) -> PostgresEngine:
    """On a database whose schema is up to date."""
    origin, worker = secrets.token_hex(8), 1 + secrets.randbelow((1 << 31) - 1)
    listener = PostgresListener(url, origin, worker, wake, wake_all)
    try:
        await listener.start()
    except psycopg.OperationalError as error:
        raise Unavailable("database-unreachable", 10, str(error)) from error
    return PostgresEngine(Sessions(url, connections), connections, listener, clock, ids, wake, origin, worker)
