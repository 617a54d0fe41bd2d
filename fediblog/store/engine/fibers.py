"""Plain functions that wait for a server without a thread: each is left as it stands, and gone on with later.

A thread that has its answer must first get the interpreter back, on a busy server for milliseconds, and that after each
statement. A fiber (a greenlet) is gone on with by the event loop, which has just seen that there is an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
Fiber = greenlet


def begin(work: Callable[[], T]) -> asyncio.Future[T]:
    """Runs `work` on the event loop until it first waits; it is finished even if nobody waits for it any more."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def run() -> None:
        try:
            result = work()
        except StopIteration as error:  # which a future cannot carry
            _fail(future, RuntimeError(f"{work} raised StopIteration: {error}"))
        except BaseException as error:
            _fail(future, error)
        else:
            if not future.done():
                future.set_result(result)

    fiber = greenlet(run)
    fiber.gr_context = copy_context()  # else log lines would not know which request they belong to
    fiber.switch()
    return future


def _fail(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def current() -> Fiber:
    """The one that runs now, to be gone on with: `switch()`, or `throw(error)`."""
    return getcurrent()


def wait() -> None:
    """Leave the running one as it stands, until somebody goes on with it."""
    parent = getcurrent().parent
    if parent is None:
        raise RuntimeError("nothing here could go on meanwhile")
    parent.switch()
