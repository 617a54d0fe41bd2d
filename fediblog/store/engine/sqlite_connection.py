"""A transaction on SQLite, the connections on which they run, and what their errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import inf
from time import monotonic
from typing import Any, TypeVar

import aiosqlite

from fediblog.errors import DAMAGED, Unavailable
from fediblog.store.engine.sql import bind, bind_row, questioned
from fediblog.store.ids import IdMaker
from fediblog.store.tx import CONTENT, Conflict, Param, Row, Scalar, Tx, changes_content, row_maker

T = TypeVar("T")

_REASONS = {
    sqlite3.SQLITE_BUSY: "database-busy",
    sqlite3.SQLITE_LOCKED: "database-busy",
    sqlite3.SQLITE_FULL: "disk-full",
    sqlite3.SQLITE_IOERR: "disk-error",
    sqlite3.SQLITE_READONLY: "database-read-only",
    sqlite3.SQLITE_CANTOPEN: "database-unreachable",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}
TICK = 1_000  # steps of SQLite's machine from one look at the clock to the next
MOST_SECONDS = 0.003  # of what runs on the event loop
MOST_MAKERS = 4096  # statements whose columns are remembered
_MAKERS: dict[str, tuple[Any, Callable[[Iterable[Any]], Row]]] = {}
_DELAYS = {"database-busy": 5.0, "disk-full": 300.0}  # seconds


class Stopwatch:
    """Breaks off what takes SQLite longer than the event loop can wait. Time that is spent in Python does not count.

    SQLite calls `tick` every `TICK` steps of its machine, whatever those cost: they take 10 µs from memory, and a
    thousand times as long from a slow disk.
    """

    __slots__ = ("_seen", "_spent", "begins")

    def __init__(self) -> None:
        self.begins = True  # a statement: what was before it is no time of SQLite's
        self._seen = 0.0  # up to when its time is in `_spent`
        self._spent = 0.0

    def restart(self) -> None:
        """For the next transaction."""
        self.begins = True
        self._spent = 0.0

    def stop(self) -> None:
        """Until then: also the end of a transaction that took too long comes to its end."""
        self._spent = -inf

    def tick(self) -> bool:
        """Whether to break off. The first steps of a statement are not looked at: that would cost each of them."""
        now = monotonic()
        if self.begins:
            self.begins = False
        else:
            self._spent += now - self._seen
        self._seen = now
        return self._spent > MOST_SECONDS


class SqliteTx(Tx):
    """A transaction on a connection of this thread."""

    __slots__ = ("_db", "_watch")
    engine = "sqlite"
    skip_locked = ""  # there is but one writer

    def __init__(self, db: sqlite3.Connection, now: int, ids: IdMaker, watch: Stopwatch | None = None) -> None:
        super().__init__(now, ids)
        self._db = db
        self._watch = watch  # of what runs on the event loop

    def _execute(self, sql: str, params: Mapping[str, Param]) -> sqlite3.Cursor:
        if changes_content(sql):  # asked here at once: this is done for every statement
            self.channels[CONTENT] = None
        if self._watch is not None:
            self._watch.begins = True
        try:
            return self._db.execute(*bind(sql, params))
        except sqlite3.IntegrityError as error:
            raise Conflict(str(error)) from error

    def all(self, sql: str, /, **params: Param) -> list[Row]:
        cursor = self._execute(sql, params)
        return list(map(_maker(sql, cursor), cursor)) if cursor.description else []

    def each(self, sql: str, /, **params: Param) -> Iterator[Row]:
        cursor = self._execute(sql, params)
        return map(_maker(sql, cursor), cursor)

    def one(self, sql: str, /, **params: Param) -> Row | None:
        cursor = self._execute(sql, params)
        row = cursor.fetchone()
        if row is None:
            return None
        made = _maker(sql, cursor)(row)
        cursor.close()  # else `returning` keeps the statement open
        return made

    def run(self, sql: str, /, **params: Param) -> int:
        return max(self._execute(sql, params).rowcount, 0)

    def many(self, sql: str, rows: Iterable[Mapping[str, Scalar]], /) -> None:
        self._note(sql)
        if self._watch is not None:
            self._watch.begins = True
        try:
            text, _, in_order = questioned(sql)
            self._db.executemany(text, map(in_order, map(bind_row, rows)))
        except sqlite3.IntegrityError as error:
            raise Conflict(str(error)) from error

    def hold(self, *numbers: int, shared: bool = False) -> None:
        """Nothing to do: one transaction writes at a time."""


def _maker(sql: str, cursor: sqlite3.Cursor) -> Callable[[Iterable[Any]], Row]:
    """What makes rows of the result: that of the last time, if the columns are the same."""
    columns = cursor.description
    known = _MAKERS.get(sql)
    if known is None or known[0] != columns:
        if len(_MAKERS) >= MOST_MAKERS:
            _MAKERS.clear()
        known = _MAKERS[sql] = columns, row_maker(tuple([column[0] for column in columns]))
    return known[1]


class SqliteConnection(aiosqlite.Connection):
    """An aiosqlite connection that can run a whole function on its thread."""

    @property
    def opened(self) -> sqlite3.Connection:
        """The connection of the standard library, for who has made sure that the thread does not use it now."""
        return self._conn

    async def perform(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One hop: `work` gets the connection of the standard library."""
        result: T = await self._execute(lambda: work(self._conn))  # type: ignore[no-untyped-call]
        return result


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
