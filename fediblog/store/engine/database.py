"""The one object through which everything above asks the database, whichever engine it is."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TextIO, TypeVar

from fediblog.errors import DAMAGED, Misuse, Unavailable
from fediblog.store.engine import backup, migrate, sqlite_file
from fediblog.store.engine.schema_lock import SchemaLock, Upgrade
from fediblog.store.ids import IdMaker
from fediblog.store.tx import Clock, Conflict, DatabaseEngine, EngineName, Tx

P = ParamSpec("P")
T = TypeVar("T")


def system_clock() -> int:
    """UTC in milliseconds."""
    return time.time_ns() // 1_000_000


class Listeners:
    """Who wants to be woken when a channel is notified."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._callbacks: dict[str, list[Callable[[], None]]] = {}

    def add(self, channel: str, callback: Callable[[], None]) -> Callable[[], None]:
        entry = self._callbacks.setdefault(channel, [])
        entry.append(callback)

        def remove() -> None:
            if callback in entry:
                entry.remove(callback)
            if not entry and self._callbacks.get(channel) is entry:
                del self._callbacks[channel]

        return remove

    def wake(self, channel: str) -> None:
        """Calls the listeners of a channel soon; one that fails hinders no other."""
        for callback in self._callbacks.get(channel, ()):
            self._loop.call_soon(callback)

    def wake_all(self) -> None:
        """After a gap in which notifications may have been lost."""
        for channel in self._callbacks:
            self.wake(channel)


class Database:
    """Runs functions as transactions: `await db.read(question, …)`, `await db.write(action, …)`."""

    def __init__(self, engine: DatabaseEngine, listeners: Listeners, hold: SchemaLock | None = None) -> None:
        self._engine = engine
        self._listeners = listeners
        self._hold = hold
        self._damage = ""

    @property
    def engine(self) -> EngineName:
        return self._engine.name

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `fn(tx, …)` on one snapshot of the data. It cannot write, and must not wait for anything else.

        A read that turns out to be long may be begun twice: what has effects outside of the database uses `scan`.
        """
        return await self._engine.read(lambda tx: fn(tx, *args, **kwargs))

    async def scan(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `read`, for what is long or writes to a file as it goes: once, and never on the event loop."""
        return await self._engine.scan(lambda tx: fn(tx, *args, **kwargs))

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `fn(tx, …)` in a transaction and returns once it is durable. `fn` may run again after a clash."""
        if self._damage:
            raise Unavailable(DAMAGED, detail=self._damage)
        return await self._engine.write(lambda tx: fn(tx, *args, **kwargs))

    async def write_here(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, for what takes well below a millisecond: on SQLite it runs on the event loop, as reads do.

        One that turns out to be long is begun again on the database's thread.
        """
        if self._damage:
            raise Unavailable(DAMAGED, detail=self._damage)
        return await self._engine.write_here(lambda tx: fn(tx, *args, **kwargs))

    def listen(self, channel: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back on the event loop after a commit that notified the channel; returns what ends that.

        On PostgreSQL other processes are heard too. A call may come without cause: look, do not count.
        """
        return self._listeners.add(channel, callback)

    async def foreign_version(self) -> int:
        """A number that changes when another process has written, where that process cannot notify us (SQLite)."""
        return await self._engine.foreign_version()

    async def check(self) -> list[str]:
        """What is wrong with the stored data; nothing, if all is well."""
        return await self._engine.check()

    def stop_writing(self, finding: str) -> None:
        """What is stored is damaged: reads go on, and each write is Unavailable, until a sound database is opened."""
        self._damage = finding

    async def close(self) -> None:
        """Finishes what has been asked for, then lets go of the database."""
        await self._engine.close()
        if self._hold is not None:
            self._hold.close()
            self._hold = None


async def connect(
    where: str | Path,
    *,
    clock: Clock = system_clock,
    random: Callable[[int], int] = secrets.randbits,
    migrations: Sequence[migrate.Migration] | None = None,
    readers: int = 4,
    connections: int = 10,
    upgrade: Upgrade = "alone",
) -> Database:
    """Opens `sqlite:///path`, a path, or `postgresql://…`, with the schema of this version.

    Misuse or Refused if it has an older one, and `upgrade` forbids to change that.
    `readers` are the reading threads of SQLite, `connections` the most that PostgreSQL is asked for.
    """
    steps = migrate.known_migrations() if migrations is None else migrations
    listeners = Listeners()
    ids = IdMaker(clock, random)
    path = sqlite_path(where)
    if path is None:
        return Database(await _postgres(str(where), steps, clock, ids, listeners, connections, upgrade), listeners)
    hold = await asyncio.to_thread(sqlite_file.prepare_file, path, steps, clock, ids, upgrade)
    try:
        engine = await sqlite_file.open_engine(path, clock, ids, listeners.wake, readers=readers)
    except BaseException:
        hold.close()
        raise
    return Database(engine, listeners, hold)


async def change_alone(where: str, fn: Callable[[Tx], T], *, clock: Clock = system_clock) -> T:
    """Runs `fn(tx)` as one transaction on a database that no process uses, this one neither. Refused if one does.

    The database has the schema of this version.
    """
    ids = IdMaker(clock, secrets.randbits)
    path = sqlite_path(where)
    if path is not None:
        return await asyncio.to_thread(sqlite_file.change_alone, path, fn, clock, ids)
    from fediblog.store.engine import postgres

    return await asyncio.to_thread(postgres.change_alone, where, fn, clock, ids)


def sqlite_path(where: str | Path) -> Path | None:
    """The file that an address means, or None for PostgreSQL. `sqlite:////var/x` is absolute, `sqlite:///x` is not."""
    if isinstance(where, Path):
        return where
    if where.startswith(("postgresql://", "postgres://")):
        return None
    if where.startswith("sqlite:///") and len(where) > len("sqlite:///"):
        return Path(where.removeprefix("sqlite:///"))
    raise Misuse("misuse.database-address", address=where)


async def _postgres(
    url: str,
    steps: Sequence[migrate.Migration],
    clock: Clock,
    ids: IdMaker,
    listeners: Listeners,
    connections: int,
    upgrade: Upgrade,
) -> DatabaseEngine:
    try:
        from fediblog.store.engine import postgres
    except ImportError as error:
        raise Misuse("misuse.postgres-packages") from error
    await asyncio.to_thread(postgres.migrate_server, url, steps, clock, ids, upgrade)
    return await postgres.open_engine(url, clock, ids, listeners.wake, listeners.wake_all, connections=connections)


async def restore(where: str | Path, file: TextIO, *, clock: Clock = system_clock) -> int:
    """Loads a dump into a new database, from whichever engine it came, and brings it up to date; the number of rows."""
    header = backup.read_header(file)
    steps = migrate.known_migrations()
    migrate.pending(header.schema, steps)
    db = await connect(where, clock=clock, migrations=[step for step in steps if step.version <= header.schema])
    try:
        count = await db.write(_load_new, file)
    finally:
        await db.close()
    await (await connect(where, clock=clock)).close()
    return count


def _load_new(tx: Tx, file: TextIO) -> int:
    try:
        return backup.load_dump(tx, file)
    except Conflict as error:  # not to be run again: the file has been read
        raise Misuse("misuse.backup-contradicts-itself", error=error) from error
