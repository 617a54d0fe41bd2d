"""One connection of libpq: what is sent on it, and how the answer is waited for.

A thread waits itself. On the event loop a fiber waits, and the loop goes on with it once the answer is there (libpq's
documentation, "Asynchronous Command Processing" and "Pipeline Mode").
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from fediblog.store.engine import fibers

FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY)


class Wire:
    """Used by one thread, or by one fiber of the event loop, at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self.server = connection.pgconn
        self.server.nonblocking = 0  # a thread has it first, and psycopg leaves it otherwise
        self._socket = self.server.socket
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._unfinished = False  # something was said whose result nobody has waited for
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fiber: fibers.Fiber | None = None  # the one that waits

    @property
    def lost(self) -> bool:
        """Whether the server has closed the connection, or cannot be reached any more."""
        return self._connection.closed

    @property
    def usable(self) -> bool:
        """Whether a transaction can begin."""
        return self.server.transaction_status in (TransactionStatus.IDLE, TransactionStatus.ACTIVE)

    def attach(self) -> None:
        """From now on it is used by fibers of the running event loop."""
        if not self.lost:
            self._loop = asyncio.get_running_loop()
            self.server.nonblocking = 1
            self._loop.add_reader(self._socket, self._look)

    def detach(self) -> None:
        """From now on it is used by a thread, which waits itself."""
        if self._loop is not None:
            self._leave_loop()
            with suppress(psycopg.Error):  # what is lost blocks nobody
                self.server.nonblocking = 0

    def close(self) -> None:
        """Let go of the connection."""
        self._leave_loop()
        self._connection.close()

    def ask(self, send: Callable[..., None], *values: object) -> PGresult:
        """The last result of what `send`, a method of `server`, sends. OperationalError if the connection is lost."""
        self._hear_out()
        send(*values)
        self._flush()
        return self._last()

    def say(self, command: bytes) -> None:
        """Send a command for whose end nobody waits but who sends the next one."""
        self._hear_out()
        self.server.send_query(command)
        self._flush()
        self._unfinished = True

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """What is sent in it has its results later (`until_mark`)."""
        self._hear_out()
        self.server.enter_pipeline_mode()
        try:
            yield
        finally:
            self.server.exit_pipeline_mode()

    def until_mark(self) -> PGresult | None:
        """Send all that is in the pipeline and await it: the first failure, after which nothing else was done."""
        self.server.pipeline_sync()
        self._flush()
        failure: PGresult | None = None
        while True:
            result = self._next()
            if result is None:  # the end of one statement
                if self.lost:
                    raise psycopg.OperationalError(self.server.get_error_message())
            elif result.status == ExecStatus.PIPELINE_SYNC:
                return failure
            elif result.status not in FINE:
                failure = failure or result

    def _hear_out(self) -> None:
        if self._unfinished:
            self._unfinished = False
            self._last()

    def _last(self) -> PGresult:
        last: PGresult | None = None
        with suppress(psycopg.OperationalError):  # lost: what was said before that tells more
            while (result := self._next()) is not None:
                last = result
        if last is None:
            raise psycopg.OperationalError(self.server.get_error_message())
        return last

    def _next(self) -> PGresult | None:
        while self.server.is_busy():
            if self._loop is not None:
                self._wait()
            else:
                self._poll.poll()  # and not in libpq, which would keep the interpreter
                self.server.consume_input()
        return self.server.get_result()

    def _flush(self) -> None:
        while self.server.flush():  # only on the event loop anything is left after the first time
            assert self._loop is not None
            self._loop.add_writer(self._socket, self._go_on)
            try:
                self._wait()
            finally:
                self._loop.remove_writer(self._socket)

    def _wait(self) -> None:
        self._fiber = fibers.current()
        fibers.wait()

    def _look(self) -> None:
        """There is something to read, or the connection is lost; also while nobody waits."""
        try:
            self.server.consume_input()
        except psycopg.OperationalError as error:
            self._leave_loop()
            if self._fiber is not None:
                self._taken().throw(error)
        else:
            if self._fiber is not None and not self.server.is_busy():
                self._go_on()

    def _go_on(self) -> None:
        self._taken().switch()

    def _taken(self) -> fibers.Fiber:
        fiber, self._fiber = self._fiber, None
        assert fiber is not None
        return fiber

    def _leave_loop(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop = None
