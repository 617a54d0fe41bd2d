"""Functions that wait on the event loop without being coroutines."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from functools import partial

import pytest

from fediblog.store.engine import fibers

WHO: ContextVar[str] = ContextVar("who", default="nobody")


async def test_one_that_need_not_wait_is_done_at_once() -> None:
    assert fibers.begin(lambda: 7).result() == 7


async def test_one_that_waits_is_gone_on_with_and_others_run_meanwhile() -> None:
    waiting: list[fibers.Fiber] = []

    def work(name: str) -> str:
        waiting.append(fibers.current())
        fibers.wait()
        return f"{name} for {WHO.get()}"

    results = []
    for name in ("one", "two"):
        WHO.set(f"the {name}")
        results.append(fibers.begin(partial(work, name)))
    WHO.set("somebody else")
    assert not any(result.done() for result in results)
    for fiber in reversed(waiting):
        fiber.switch()
    assert [await result for result in results] == ["one for the one", "two for the two"]


async def test_what_goes_wrong_is_told_to_who_waits_for_it() -> None:
    def fail(error: BaseException) -> None:
        raise error

    with pytest.raises(ZeroDivisionError):
        await fibers.begin(lambda: fail(ZeroDivisionError()))
    with pytest.raises(RuntimeError, match="StopIteration"):
        await fibers.begin(lambda: fail(StopIteration("x")))
    waiting: list[fibers.Fiber] = []

    def wait() -> None:
        waiting.append(fibers.current())
        fibers.wait()

    broken = fibers.begin(wait)
    waiting[0].throw(ConnectionError("gone"))
    with pytest.raises(ConnectionError, match="gone"):
        await broken


async def test_one_that_nobody_waits_for_any_more_is_finished() -> None:
    waiting: list[fibers.Fiber] = []
    done: list[bool] = []

    def work() -> None:
        waiting.append(fibers.current())
        fibers.wait()
        done.append(True)

    begun = fibers.begin(work)
    begun.cancel()
    waiting[0].switch()
    assert done == [True]
    with pytest.raises(asyncio.CancelledError):
        await begun


async def test_only_a_fiber_waits() -> None:
    with pytest.raises(RuntimeError, match="nothing here"):
        fibers.wait()
