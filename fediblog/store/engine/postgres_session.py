"""A connection to PostgreSQL with the statements it has prepared, and those that nobody uses at the moment.

This is `psycopg` without its cursors: most statements take some microseconds, and a cursor four times as long. Here a
statement is one message to the server and one from it, which `postgres_wire.py` waits for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.pq import DiagnosticField
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8Dumper

from fediblog.store.engine.postgres_wire import FINE, Wire
from fediblog.store.tx import Row, Scalar, row_maker

MOST_STATEMENTS = 1024  # that a connection remembers
MOST_VALUES = 40  # of what is prepared: a longer list is hashed only if the planner knows what is in it
AT_ONCE = 100  # executions of one statement that are sent before the first answer is read
LIFETIME = 3600.0  # seconds until a connection is replaced: what the server keeps for it grows
IDLE = 600.0  # seconds after which one that nobody needs is closed
WAIT = 10.0  # seconds in which a server that restarts should be back
_PAUSE = 0.25  # seconds from one try to the next
_BEGIN = b"begin isolation level read committed"
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

    __slots__ = ("make", "met", "name")

    def __init__(self) -> None:
        self.met = False
        self.name = b""  # until it is prepared
        self.make: Callable[[Iterable[Any]], Row] | None = None  # a row; until there is a result that names its columns

    def maker(self, result: PGresult) -> Callable[[Iterable[Any]], Row]:
        if self.make is None:
            names = [(result.fname(index) or b"").decode() for index in range(result.nfields)]
            self.make = row_maker(tuple(names))
        return self.make


class _Call(NamedTuple):
    """A statement with its parameters as libpq takes them."""

    statement: _Statement
    values: Sequence[Buffer | None]
    types: tuple[int, ...]
    formats: Sequence[int]


class PostgresSession:
    """One connection, used by one thread, or by one fiber of the event loop, at a time."""

    def __init__(self, url: str) -> None:
        connection = psycopg.connect(url, **SETTINGS)
        connection.adapters.register_loader("numeric", NumberLoader)
        connection.adapters.register_loader("bool", BoolLoader)
        connection.adapters.register_dumper(int, Int8Dumper)  # else :a * 1000 overflows a smallint
        self.wire = Wire(connection)
        self._server = connection.pgconn
        self._values = Transformer(connection)
        self._statements: dict[tuple[bytes, tuple[int, ...]], _Statement] = {}
        self._count = 0  # of names that were given
        self._start = b""  # what goes before the next statement
        self._end = b"commit"
        self.begun = False  # whether the server knows of the transaction
        self.opened = self.used = time.monotonic()
        self.command("set lock_timeout = '10s'")
        self.command("set jit = off")  # no statement is so long that to compile it would save what that takes
        self.command("set enable_mergejoin = off")  # which reads a table from its beginning to where `:after` is

    def close(self) -> None:
        """Let go of the connection."""
        self.wire.close()

    def command(self, text: str) -> None:
        """Statements without parameters that give no rows."""
        self._ask(self._server.send_query, text.encode())

    def rows(self, text: bytes, values: Sequence[Scalar]) -> list[Row]:
        """All that a statement returns; `$1` stands for the first of the values."""
        result, statement = self._execute(text, values)
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, statement.maker(result))

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
        """Execute a statement once for each of the rows; of several, the server is waited for after each hundred."""
        if len(rows) == 1:
            self._execute(text, rows[0])
            return
        for first in range(0, len(rows), AT_ONCE):
            self._execute_all(text, [self._call(text, row) for row in rows[first : first + AT_ONCE]])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN … COMMIT, or ROLLBACK if anything goes wrong. It begins with its first statement."""
        self._start, self._end, self.begun = _BEGIN, b"commit", False
        try:
            yield
            if self.begun or self._end != b"commit":
                self._ask(self._server.send_query, self._end)
        except BaseException:
            self._start = b""
            if self.begun:
                with suppress(psycopg.Error):  # the connection may be the reason
                    self.command("rollback")
            raise
        finally:
            self._start = b""

    def hold(self, numbers: Sequence[int], *, shared: bool = False) -> None:
        """Take the advisory locks of these numbers, in this order, until the transaction ends."""
        take = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        locks = "; ".join(f"select {take}({number:d})" for number in numbers)
        if self._start:  # the begin goes along: no message more
            self._begin(b"%b; %b" % (self._start, locks.encode()))
        else:
            self.command(locks)

    def _begin(self, command: bytes) -> None:
        self._checked(self.wire.ask(self._server.send_query, command))
        self._start, self.begun = b"", True

    def at_commit(self, command: str) -> None:
        """Say this in the same message as COMMIT."""
        self._end = f"{command}; commit".encode()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction that reads. Nobody waits for its end."""
        self.begun = False
        self.command("begin isolation level repeatable read, read only")
        self.begun = True
        try:
            yield
        finally:
            with suppress(psycopg.Error):
                self.wire.say(b"commit")

    def _execute(self, text: bytes, values: Sequence[Scalar]) -> tuple[PGresult, _Statement]:
        call = self._call(text, values)
        statement = call.statement
        if not statement.met or len(values) > MOST_VALUES:  # perhaps it is never met again
            statement.met = True
            return self._ask(self._server.send_query_params, text, *call[1:]), statement
        if not statement.name:
            name = self._new_name()
            self._ask(self._server.send_prepare, name, text, call.types)
            statement.name = name
        return self._ask(self._server.send_query_prepared, statement.name, call.values, call.formats), statement

    def _execute_all(self, text: bytes, calls: Sequence[_Call]) -> None:
        new: list[_Statement] = []
        if self._start:
            self._begin(self._start)
        with self.wire.pipeline():
            for statement, values, types, formats in calls:
                if not statement.name:
                    new.append(statement)
                    statement.name = self._new_name()
                    self._server.send_prepare(statement.name, text, types)
                self._server.send_query_prepared(statement.name, values, formats)
            failure = self.wire.until_mark()
        if failure is not None:
            for statement in new:  # perhaps it was not prepared any more
                statement.name = b""
            self._checked(failure)

    def _call(self, text: bytes, values: Sequence[Scalar]) -> _Call:
        dumped = self._values.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types = self._values.types or ()  # a null has none
        statement = self._statements.get((text, types))
        if statement is None:
            if len(self._statements) >= MOST_STATEMENTS:
                self._forget_statements()
            statement = self._statements[text, types] = _Statement()
        return _Call(statement, dumped, types, self._values.formats or ())

    def _forget_statements(self) -> None:
        named = [each for each in self._statements.values() if each.name]
        self._statements.clear()
        self.command(";".join(f"deallocate {each.name.decode()}" for each in named))
        for each in named:
            each.name = b""

    def _new_name(self) -> bytes:
        self._count += 1
        return b"fediblog_%d" % self._count

    def _ask(self, send: Callable[..., None], *values: object) -> PGresult:
        if self._start:
            self._begin(self._start)
        return self._checked(self.wire.ask(send, *values))

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in FINE:
            return result
        if self.wire.lost and result.error_field(DiagnosticField.SQLSTATE) is None:
            raise psycopg.OperationalError(result.get_error_message())
        error = errors.error_from_result(result)
        if isinstance(error, errors.FeatureNotSupported):  # of a plan, if its table is another one by now
            self._statements.clear()
        raise error


class Sessions:
    """Those that nobody uses at the moment. The last one is taken first: it has the most prepared.

    All of this is done on the event loop.
    """

    def __init__(self, url: str, most: int) -> None:
        self._url = url
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._idle: list[PostgresSession] = []

    async def take(self) -> PostgresSession:
        """One of these or a new one; a server that restarts is waited for."""
        await self._free.acquire()
        try:
            while self._idle:
                session = self._idle.pop()
                if not session.wire.lost:
                    return session
                session.close()
            return await self._open()
        except BaseException:
            self._free.release()
            raise

    def give(self, session: PostgresSession) -> None:
        """It is not used any more."""
        now = session.used = time.monotonic()
        if session.wire.usable and now - session.opened < LIFETIME:
            self._idle.append(session)
        else:
            session.close()
        if self._idle and now - self._idle[0].used > IDLE:
            self._idle.pop(0).close()
        self._free.release()

    def drop(self) -> None:
        """Close all that are not used: they may be as dead as one that was."""
        while self._idle:
            self._idle.pop().close()

    async def finish(self) -> None:
        """Wait until none is used any more, and close all; none can be taken after that."""
        for _ in range(self._most):
            await self._free.acquire()
        self.drop()

    async def _open(self) -> PostgresSession:
        end = time.monotonic() + WAIT
        while True:
            opening = asyncio.ensure_future(asyncio.to_thread(PostgresSession, self._url))
            try:
                session = await asyncio.shield(opening)
            except asyncio.CancelledError:
                opening.add_done_callback(_close_unwanted)
                raise
            except psycopg.OperationalError:
                if time.monotonic() + _PAUSE > end:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                session.wire.attach()
                return session


def _close_unwanted(opened: asyncio.Future[PostgresSession]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()
