"""A connection to PostgreSQL with the statements it has prepared, and those that nobody uses at the moment.

This is `psycopg` without its cursors. Most statements take some microseconds, a cursor four times as long, and it lets
go of the interpreter at five points of each: on a busy server whoever lets go may wait milliseconds for it to come
back. Here a statement is one call of libpq.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8Dumper

from fediblog.store.tx import Row, Scalar, row_maker

MOST_STATEMENTS = 1024  # that a connection remembers
MOST_VALUES = 40  # of what is prepared: a longer list is hashed only if the planner knows what is in it
FEW = 8  # executions of one statement, for which a pipeline would cost more than it saves
LIFETIME = 3600.0  # seconds until a connection is replaced: what the server keeps for it grows
IDLE = 600.0  # seconds after which one that nobody needs is closed
WAIT = 10.0  # seconds in which a server that restarts should be back
_PAUSE = 0.25  # seconds from one try to the next
_FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY)
SETTINGS: dict[str, Any] = {
    "autocommit": True,  # transactions are begun by hand
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


class NumberLoader(Loader):
    """`sum` of bigint gives numeric; SQLite gives an int."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class BoolLoader(Loader):
    """SQLite has no boolean but 0 and 1."""

    def load(self, data: Any) -> int:
        return int(bytes(data) == b"t")


class _Statement:
    """A statement that was met before."""

    __slots__ = ("maker", "name")

    def __init__(self, maker: Callable[[Iterable[Any]], Row]) -> None:
        self.maker = maker
        self.name = b""  # until it is prepared


class Session:
    """One connection, used by one thread at a time."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, **SETTINGS)
        self._connection.adapters.register_loader("numeric", NumberLoader)
        self._connection.adapters.register_loader("bool", BoolLoader)
        self._connection.adapters.register_dumper(int, Int8Dumper)  # else :a * 1000 overflows a smallint
        self._server = self._connection.pgconn
        self._values = Transformer(self._connection)
        self._statements: dict[tuple[bytes, tuple[int, ...]], _Statement] = {}
        self._count = 0  # of names that were given
        self._end = "commit"
        self.opened = self.used = time.monotonic()
        self.command("set lock_timeout = '10s'")
        self.command("set enable_mergejoin = off")  # which reads a table from its beginning to where `:after` is

    @property
    def lost(self) -> bool:
        """Whether the server has closed the connection, or cannot be reached any more."""
        return self._connection.closed

    @property
    def usable(self) -> bool:
        """Whether a transaction can begin."""
        return self._server.transaction_status in (TransactionStatus.IDLE, TransactionStatus.ACTIVE)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def command(self, text: str) -> None:
        """Statements without parameters that give no rows."""
        self._checked(self._server.exec_(text.encode()))

    def rows(self, text: bytes, values: Sequence[Scalar]) -> list[Row]:
        """All that a statement returns; `$1` stands for the first of the values."""
        result, statement = self._execute(text, values)
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, statement.maker)

    def count(self, text: bytes, values: Sequence[Scalar]) -> int:
        """How many rows a statement changed."""
        return self._execute(text, values)[0].command_tuples or 0

    def each(self, text: bytes, values: Sequence[Scalar]) -> Iterator[Row]:
        """The rows one after another, of which few are in memory."""
        name = self._new_name()
        self._execute(b"declare %b no scroll cursor for %b" % (name, text), values)
        while some := self.rows(b"fetch 1000 from %b" % name, ()):
            yield from some

    def many(self, text: bytes, rows: Sequence[Sequence[Scalar]]) -> None:
        """Execute a statement once for each of the rows; if there are many, wait for the server at the end only."""
        if len(rows) <= FEW:
            for row in rows:
                self._execute(text, row)
        else:
            with psycopg.RawCursor(self._connection) as cursor:
                cursor.executemany(text, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN … COMMIT, or ROLLBACK if anything goes wrong."""
        self._end = "commit"
        self.command("begin isolation level read committed")
        try:
            yield
            self.command(self._end)
        except BaseException:
            with suppress(psycopg.Error):  # the connection may be the reason
                self.command("rollback")
            raise

    def at_commit(self, command: str) -> None:
        """Say this in the same message as COMMIT."""
        self._end = f"{command}; commit"

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction that reads. Nobody waits for its end: libpq does, before the next command."""
        self.command("begin isolation level repeatable read, read only")
        try:
            yield
        finally:
            with suppress(psycopg.Error):
                self._server.send_query(b"commit")
                self._server.flush()

    def _execute(self, text: bytes, values: Sequence[Scalar]) -> tuple[PGresult, _Statement]:
        dumped = self._values.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = self._values.types or (), self._values.formats
        statement = self._statements.get((text, types))  # a null has no type
        if statement is None or len(values) > MOST_VALUES:  # perhaps it is never met again
            result = self._checked(self._server.exec_params(text, dumped, types, formats))
            return result, self._remember(text, types, result)
        if not statement.name:
            name = self._new_name()
            self._checked(self._server.prepare(name, text, types))
            statement.name = name
        result = self._server.exec_prepared(statement.name, dumped, formats)  # type: ignore[arg-type]  # null is fine
        return self._checked(result), statement

    def _remember(self, text: bytes, types: tuple[int, ...], result: PGresult) -> _Statement:
        if len(self._statements) >= MOST_STATEMENTS:
            names = [each.name.decode() for each in self._statements.values() if each.name]
            self._statements.clear()
            self.command(";".join(f"deallocate {name}" for name in names))
        columns = [(result.fname(index) or b"").decode() for index in range(result.nfields)]
        statement = self._statements[text, types] = _Statement(row_maker(tuple(columns)))
        return statement

    def _new_name(self) -> bytes:
        self._count += 1
        return b"fediblog_%d" % self._count

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in _FINE:
            return result
        if self.lost and result.error_field(DiagnosticField.SQLSTATE) is None:
            raise psycopg.OperationalError(result.get_error_message())
        error = errors.error_from_result(result)
        if isinstance(error, errors.FeatureNotSupported):  # of a plan, if its table is another one by now
            self._statements.clear()
        raise error


class Sessions:
    """Those that nobody uses at the moment. The last one is taken first: it has the most prepared."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Session] = []
        self._lock = Lock()
        self._closed = False

    def take(self) -> Session:
        """One of these or a new one; a server that restarts is waited for."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._open()

    def give(self, session: Session) -> None:
        """It is not used any more."""
        now = session.used = time.monotonic()
        old: list[Session] = []
        with self._lock:
            if session.usable and now - session.opened < LIFETIME and not self._closed:
                self._idle.append(session)
            else:
                old.append(session)
            if self._idle and now - self._idle[0].used > IDLE:
                old.append(self._idle.pop(0))
        for each in old:
            each.close()

    def drop(self) -> None:
        """Close all that are not used: they may be as dead as one that was."""
        with self._lock:
            old, self._idle = self._idle, []
        for each in old:
            each.close()

    def close(self) -> None:
        """Close all, and those that are still used as soon as they are given back."""
        self._closed = True
        self.drop()

    def _open(self) -> Session:
        end = time.monotonic() + WAIT
        while True:
            try:
                return Session(self._url)
            except psycopg.OperationalError:
                if time.monotonic() + _PAUSE > end:
                    raise
            time.sleep(_PAUSE)
