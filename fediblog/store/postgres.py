"""PostgreSQL: psycopg and its pool in threads, so that the same plain functions run; LISTEN wakes other processes."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.adapt import Loader
from psycopg.types.numeric import Int8Dumper
from psycopg_pool import ConnectionPool, PoolTimeout

from fediblog.errors import Misuse, Unavailable
from fediblog.store import migrate
from fediblog.store.ids import IdMaker
from fediblog.store.sql import bind, bind_row, render
from fediblog.store.tx import Clock, Conflict, Engine, Param, Row, Scalar, Tx, row_maker

T = TypeVar("T")
Plain = psycopg.Connection[tuple[Any, ...]]

ATTEMPTS = 4
CHANNEL = "fediblog"  # one for all: the payload says which of ours
WAIT = 10.0  # seconds for a free connection
FIRST_PAUSE, LAST_PAUSE = 0.25, 30.0  # seconds until the listener looks for the server again
_LOCK = 0x66656469  # advisory lock of those who migrate
_CLASHES = (errors.SerializationFailure, errors.DeadlockDetected)
_READ = "begin isolation level repeatable read, read only"
_WRITE = "begin isolation level read committed"
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "connect_timeout": 10}


class NumberLoader(Loader):
    """`sum` of bigint gives numeric; SQLite gives an int."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class BoolLoader(Loader):
    """SQLite has no boolean but 0 and 1."""

    def load(self, data: Any) -> int:
        return int(bytes(data) == b"t")


class PostgresTx(Tx):
    """A transaction on a connection of the pool."""

    __slots__ = ("_connection", "_cursor")
    engine = "postgres"
    skip_locked = " for update skip locked"

    def __init__(self, connection: Plain, now: int, ids: IdMaker) -> None:
        super().__init__(now, ids)
        self._connection = connection
        self._cursor = connection.cursor()

    def _execute(self, text: str, params: Mapping[str, Param]) -> psycopg.Cursor[tuple[Any, ...]]:
        self._note(text)
        try:
            return self._cursor.execute(*bind(text, params, "postgres"))
        except psycopg.IntegrityError as error:
            raise Conflict(str(error)) from error

    def all(self, text: str, /, **params: Param) -> list[Row]:
        cursor = self._execute(text, params)
        return list(map(_maker(cursor), cursor.fetchall())) if cursor.description else []

    def each(self, text: str, /, **params: Param) -> Iterator[Row]:
        with self._connection.cursor(name="each_" + secrets.token_hex(4)) as cursor:
            cursor.itersize = 1000
            cursor.execute(*bind(text, params, "postgres"))
            yield from map(_maker(cursor), cursor)

    def one(self, text: str, /, **params: Param) -> Row | None:
        cursor = self._execute(text, params)
        row = cursor.fetchone()
        return None if row is None else _maker(cursor)(row)

    def run(self, text: str, /, **params: Param) -> int:
        return max(self._execute(text, params).rowcount, 0)

    def many(self, text: str, rows: Iterable[Mapping[str, Scalar]], /) -> None:
        self._note(text)
        try:
            self._cursor.executemany(render(text, (), "postgres"), map(bind_row, rows))
        except psycopg.IntegrityError as error:
            raise Conflict(str(error)) from error


def _maker(cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any]) -> Callable[[Iterable[Any]], Row]:
    return row_maker(tuple([column.name for column in cursor.description or ()]))


def configure(connection: Plain) -> None:
    """Makes a connection behave like SQLite's where values are concerned; transactions are begun by hand."""
    connection.autocommit = True
    connection.prepared_max = 512
    connection.adapters.register_loader("numeric", NumberLoader)
    connection.adapters.register_loader("bool", BoolLoader)
    connection.adapters.register_dumper(int, Int8Dumper)  # else :a * 1000 overflows a smallint
    connection.execute("set lock_timeout = '10s'")


@contextmanager
def transaction(connection: Plain, begin: str) -> Iterator[None]:
    """BEGIN … COMMIT, or ROLLBACK if anything goes wrong."""
    connection.execute(begin)
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(psycopg.Error):  # the connection may be the reason
            connection.execute("rollback")
        raise


class Listener:
    """Hears what other processes notify. After a time without the server all listeners are woken."""

    def __init__(self, url: str, origin: str, wake: Callable[[str], None], wake_all: Callable[[], None]) -> None:
        self._url = url
        self._origin = origin
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

    async def _open(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_KEEPALIVE)  # type: ignore[arg-type]
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))
        return connection

    async def _hear(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        pause = FIRST_PAUSE
        while True:
            with suppress(psycopg.OperationalError):
                async with connection:
                    async for message in connection.notifies():
                        pause = FIRST_PAUSE
                        self._dispatch(message.payload)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE)
            with suppress(psycopg.OperationalError):
                connection = await self._open()
                self._wake_all()

    def _dispatch(self, payload: str) -> None:
        origin, _, channel = payload.partition(" ")
        if origin != self._origin:  # our own were woken at the commit
            self._wake(channel)


class PostgresEngine(Engine):
    """A pool of connections, and as many threads."""

    name = "postgres"

    def __init__(
        self,
        pool: ConnectionPool[Plain],
        listener: Listener,
        clock: Clock,
        ids: IdMaker,
        wake: Callable[[str], None],
        origin: str,
    ) -> None:
        self._pool = pool
        self._listener = listener
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._origin = origin
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(pool.max_size, thread_name_prefix="postgres")
        self._closed = False

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self._in_thread(lambda: self._attempt(lambda connection: self._read(connection, work)))

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self._in_thread(lambda: self._attempt(lambda connection: self._write(connection, work)))

    async def check(self) -> list[str]:
        rows = await self.read(
            lambda tx: tx.all("select cast(indexrelid as regclass) as name from pg_index where not indisvalid")
        )
        return [f"the index {row.name} is not valid: reindex it" for row in rows]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._listener.stop()
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._pool.close)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable("database-closed")
        return await self._loop.run_in_executor(self._threads, work)

    # Below: on a thread of the pool.

    def _attempt(self, work: Callable[[Plain], T]) -> T:
        """Tries again after a clash with another transaction, or when the connection was dead before it was used."""
        attempt = 1
        while True:
            try:
                with self._pool.connection() as connection:
                    return work(connection)
            except psycopg.Error as error:
                clash = isinstance(error, (*_CLASHES, _Stale))
                if not clash or attempt == ATTEMPTS:
                    raise explain(error) from error
            time.sleep(random.uniform(0.5, 1.5) * 0.02 * attempt)  # noqa: S311 - jitter, so that two part
            attempt += 1

    def _read(self, connection: Plain, work: Callable[[Tx], T]) -> T:
        with _begun(connection, _READ):
            return work(PostgresTx(connection, self._clock(), self._ids))

    def _write(self, connection: Plain, work: Callable[[Tx], T]) -> T:
        with _begun(connection, _WRITE):
            tx = PostgresTx(connection, self._clock(), self._ids)
            result = work(tx)
            for channel in tx.channels:
                tx.all("select pg_notify(:name, :payload)", name=CHANNEL, payload=f"{self._origin} {channel}")
        for channel in tx.channels:
            self._loop.call_soon_threadsafe(self._wake, channel)
        return result


class _Stale(psycopg.OperationalError):
    """The server had closed the connection before anything was done on it."""


@contextmanager
def _begun(connection: Plain, begin: str) -> Iterator[None]:
    fresh = True
    try:
        with transaction(connection, begin):
            fresh = False
            yield
    except psycopg.OperationalError as error:
        if fresh and connection.closed:
            raise _Stale(str(error)) from error
        raise


def explain(error: psycopg.Error) -> Exception:
    """An error of PostgreSQL in the words of the floors above; a mistake in our SQL stays as it is."""
    if isinstance(error, psycopg.IntegrityError):  # deferred until the commit
        return Conflict(str(error))
    if isinstance(error, errors.DiskFull):
        return Unavailable("disk-full", 300, str(error))
    if isinstance(error, (*_CLASHES, errors.LockNotAvailable, PoolTimeout)):
        return Unavailable("database-busy", 5, str(error))
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return error
    if isinstance(error, psycopg.OperationalError):
        return Unavailable("database-unreachable", 10, str(error))
    return error


def migrate_server(url: str, steps: Sequence[migrate.Migration], clock: Clock, ids: IdMaker) -> None:
    """Brings the database up to date; of several processes that start at once, one does it and the others wait."""
    try:
        with psycopg.connect(url, **_KEEPALIVE) as connection:  # type: ignore[arg-type]
            configure(connection)
            connection.execute("set lock_timeout = 0")
            _migrate(connection, steps, clock, ids)
    except psycopg.errors.InvalidAuthorizationSpecification as error:
        raise Misuse(f"PostgreSQL does not let us in: {error}") from error
    except psycopg.OperationalError as error:
        raise Unavailable("database-unreachable", 10, str(error)) from error


def _migrate(connection: Plain, steps: Sequence[migrate.Migration], clock: Clock, ids: IdMaker) -> None:
    with transaction(connection, _WRITE):
        _lock(connection)
        migrate.prepare(PostgresTx(connection, clock(), ids))
        current = migrate.version(PostgresTx(connection, clock(), ids))
    for step in migrate.pending(current, steps):
        with transaction(connection, _WRITE):
            _lock(connection)
            migrate.apply(PostgresTx(connection, clock(), ids), step)


def _lock(connection: Plain) -> None:
    connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))


async def open_engine(
    url: str,
    clock: Clock,
    ids: IdMaker,
    wake: Callable[[str], None],
    wake_all: Callable[[], None],
    *,
    connections: int = 10,
) -> PostgresEngine:
    """Opens a pool on a database whose schema is up to date."""
    origin = secrets.token_hex(8)
    pool: ConnectionPool[Plain] = ConnectionPool(
        url,
        kwargs=_KEEPALIVE,
        min_size=1,
        max_size=connections,
        timeout=WAIT,
        configure=configure,
        num_workers=1,
        open=False,
        name="fediblog",
    )
    listener = Listener(url, origin, wake, wake_all)
    try:
        await asyncio.to_thread(pool.open, wait=True, timeout=WAIT)
        await listener.start()
    except psycopg.OperationalError as error:
        await asyncio.to_thread(pool.close)
        raise Unavailable("database-unreachable", 10, str(error)) from error
    return PostgresEngine(pool, listener, clock, ids, wake, origin)
