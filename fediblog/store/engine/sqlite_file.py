"""An SQLite file before the first transaction: created, checked, brought up to date, opened."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from fediblog.errors import Misuse, Unavailable, damage
from fediblog.store.engine import migrate, schema_lock
from fediblog.store.engine.backup import backup_sqlite
from fediblog.store.engine.schema_lock import TRIES, SchemaLock, Upgrade, may_upgrade, refuse_in_use, wait_a_moment
from fediblog.store.engine.sqlite import SqliteEngine
from fediblog.store.engine.sqlite_connection import (
    SqliteConnection,
    SqliteTx,
    error_code,
    explain,
    is_busy,
    quick_check,
    roll_back,
)
from fediblog.store.ids import IdMaker
from fediblog.store.tx import Clock, Conflict, Tx

T = TypeVar("T")

BUSY_MS = 10_000  # how long SQLite itself waits for another process
MIGRATION_MS = 600_000  # the same, while another process migrates
LEAST_ROOM = 1 << 20  # bytes that opening a file takes for its log
CHECK_LIMIT = 2 << 30  # bytes; reading a larger file whole at every start would take minutes


def open_file(path: Path, *, reader: bool = False, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A connection as we want it. `busy_timeout` comes first: switching to WAL needs a lock."""
    # The one who writes uses its connection from the event loop as well, one at a time.
    db = sqlite3.connect(path, isolation_level=None, cached_statements=512, check_same_thread=False)
    try:
        db.execute(f"pragma busy_timeout = {busy_ms:d}")
        _use_log(db, busy_ms)
        db.execute("pragma synchronous = full")  # told to others means on the disk
        db.execute("pragma foreign_keys = on")
        db.execute("pragma temp_store = memory")
        db.execute("pragma journal_size_limit = 67108864")
        db.execute("pragma wal_autocheckpoint = 4000")  # pages, in a commit; before that see `SqliteEngine`
        db.execute(f"pragma cache_size = {-8192 if reader else -16384}")  # KiB
        if reader:
            db.execute("pragma mmap_size = 134217728")
            db.execute("pragma query_only = on")
        db.create_function("greatest", -1, _greatest, deterministic=True)
        db.create_function("least", -1, _least, deterministic=True)
    except BaseException:
        db.close()
        raise
    return db


def _use_log(db: sqlite3.Connection, busy_ms: int) -> None:
    """Where two switch to the log at once SQLite refuses one of them at once, whatever `busy_timeout` says."""
    until = monotonic() + busy_ms / 1000
    while True:
        try:
            db.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or monotonic() > until:
                raise
        wait_a_moment()


def _greatest(*values: Any) -> Any:
    """As in PostgreSQL, where `max` of two values does not exist: null is passed over."""
    return max((value for value in values if value is not None), default=None)


def _least(*values: Any) -> Any:
    return min((value for value in values if value is not None), default=None)


def migrate_file(
    path: Path, steps: Sequence[migrate.Migration], clock: Clock, ids: IdMaker, hold: SchemaLock, upgrade: Upgrade
) -> None:
    """Brings a file up to date, if that may be; one that holds data is copied to `….before-NNNN` first."""
    with closing(open_file(path, busy_ms=MIGRATION_MS)) as db:
        # Foreign keys off, or replacing a table would delete what refers to it: sqlite.org/lang_altertable.html, 7.
        db.execute("pragma foreign_keys = off")
        with _transaction(db):
            migrate.prepare(SqliteTx(db, clock(), ids))
        for _ in range(TRIES if upgrade == "alone" else 1):
            current = migrate.version(SqliteTx(db, clock(), ids))
            missing = migrate.pending(current, steps)
            if not missing:
                return
            if may_upgrade(upgrade, current, missing[-1].version, hold.alone):
                _apply(db, path, missing, clock, ids)
                return
            wait_a_moment()
        refuse_in_use(current, missing[-1].version)


def change_alone(path: Path, work: Callable[[Tx], T], clock: Clock, ids: IdMaker) -> T:
    """Runs `work` in a transaction while no other process uses the file. Raises Refused if one does."""
    with closing(SchemaLock(path)) as hold:
        schema_lock.wait_until_alone(hold.alone)
        with closing(open_file(path)) as db, _transaction(db):
            return work(SqliteTx(db, clock(), ids))


def _apply(
    db: sqlite3.Connection, path: Path, missing: Sequence[migrate.Migration], clock: Clock, ids: IdMaker
) -> None:
    current = migrate.version(SqliteTx(db, clock(), ids))
    for step in missing:
        with _transaction(db):
            tx = SqliteTx(db, clock(), ids)
            if step is missing[0] and migrate.version(tx) == current > 0:  # else another process was faster
                backup_sqlite(path, path.with_name(f"{path.name}.before-{step.version:04d}"))
            if migrate.apply(tx, step):
                _check_references(db, step)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("begin immediate")
    try:
        yield
        db.execute("commit")
    finally:
        roll_back(db)


def _check_references(db: sqlite3.Connection, step: migrate.Migration) -> None:
    broken = db.execute("pragma foreign_key_check").fetchone()
    if broken:
        raise Conflict(f"migration {step.version:04d}_{step.name} leaves {broken[0]} with a reference to nothing")


def prepare_file(
    path: Path, steps: Sequence[migrate.Migration], clock: Clock, ids: IdMaker, upgrade: Upgrade = "alone"
) -> SchemaLock:
    """Before the first transaction: the file exists, is whole as far as that can be doubted, and has the schema.

    A clean stop leaves no log beside the file: then it is as it was, and a server that starts reads it whole later.
    Returns the lock of this process on the file, to be closed after the file.
    """
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # private keys are inside
        hold = SchemaLock(path)
    except OSError as error:
        raise _explain(path, error) from error
    try:
        if hold.alone() and _was_killed(path) and path.stat().st_size <= CHECK_LIMIT:
            with closing(open_file(path, reader=True)) as db:
                if found := quick_check(db):
                    raise damage(found[0], path)
        hold.share()
        migrate_file(path, steps, clock, ids, hold, upgrade)
        hold.share()
    except (sqlite3.DatabaseError, OSError) as error:
        hold.close()
        raise _explain(path, error) from error
    except BaseException:
        hold.close()
        raise
    return hold


def _was_killed(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _explain(path: Path, error: sqlite3.DatabaseError | OSError) -> BaseException:
    if error_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damage(str(error), path)
    if isinstance(error, OSError) or error_code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
        return Misuse("misuse.database-unopened", database=path, error=error)
    if shutil.disk_usage(path.parent).free < LEAST_ROOM:  # SQLite calls that an I/O error
        return Unavailable("disk-full", 300, f"{path.parent}: {error}")
    return explain(error)


async def open_engine(
    path: Path, clock: Clock, ids: IdMaker, wake: Callable[[str], None], *, readers: int = 4, busy_ms: int = BUSY_MS
) -> SqliteEngine:
    """Opens a prepared file; each of the `readers` when it is first needed."""

    def connection(reader: bool) -> SqliteConnection:
        return SqliteConnection(partial(open_file, path, reader=reader, busy_ms=busy_ms), iter_chunk_size=64)

    writer: SqliteConnection = await connection(reader=False)  # type: ignore[assignment]
    try:
        here = open_file(path, reader=True, busy_ms=busy_ms)
    except BaseException:
        await writer.close()
        raise
    here.execute("pragma busy_timeout = 0")  # from now on: on the event loop nobody waits for a lock
    return SqliteEngine(writer, partial(connection, reader=True), readers, here, clock, ids, wake)
