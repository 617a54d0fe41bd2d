"""Timers: each call is made in its time unless it was cancelled, and a task waits no longer than it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from fediblog.timers import Timers


async def test_calls_are_made_in_their_time_unless_they_were_cancelled() -> None:
    timers, made = Timers(), list[str]()

    def note(name: str) -> Callable[[], None]:
        return lambda: made.append(name)

    started = asyncio.get_running_loop().time()
    timers.set(0.03, note("third"))
    timers.set(0.01, note("first"))  # before the one that the timer was set for
    number = timers.set(0.015, note("never"))
    timers.set(0.02, note("second"))
    timers.cancel(number)
    timers.cancel(number)
    async with asyncio.timeout(20):
        while len(made) < 3:
            await asyncio.sleep(0.001)
    assert made == ["first", "second", "third"]
    assert asyncio.get_running_loop().time() - started >= 0.025
    timers.set(0, note("fourth"))  # after all have rung
    await asyncio.sleep(0.01)
    assert made[3:] == ["fourth"]


class Late:
    """A loop that has been busy for long."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    def time(self) -> float:
        return self.loop.time() + 60


async def test_calls_that_are_late_are_made_in_their_order() -> None:
    timers, made = Timers(), list[str]()
    for seconds, name in ((30, "third"), (10, "first"), (20, "second")):
        timers.set(seconds, lambda name=name: made.append(name))  # type: ignore[misc]
    timers._ring(cast(asyncio.AbstractEventLoop, Late()))
    assert made == ["first", "second", "third"]


async def test_a_call_may_cancel_another_one() -> None:
    timers, made, numbers = Timers(), list[int](), list[int]()

    def call() -> None:
        made.append(1)
        for each in numbers:
            timers.cancel(each)

    numbers.extend(timers.set(0, call) for _ in range(2))
    await asyncio.sleep(0.01)
    assert made == [1]


async def test_many_that_end_in_time_take_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    wound, wind = list[float](), Timers._wind

    def counted(self: Timers, loop: asyncio.AbstractEventLoop, due: float) -> None:
        wound.append(due)
        wind(self, loop, due)

    monkeypatch.setattr(Timers, "_wind", counted)
    timers = Timers()
    for _ in range(100):
        timers.cancel(timers.set(3600, lambda: None))
    assert len(wound) == 1


async def test_whoever_waits_too_long_is_told_so() -> None:
    timers = Timers()
    with pytest.raises(TimeoutError), timers.timeout(0.01):
        await asyncio.Event().wait()
    with timers.timeout(3600):
        await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError), timers.timeout(3600):
        raise ZeroDivisionError
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.parametrize("too_late", [False, True])
async def test_whoever_is_cancelled_by_somebody_else_is_cancelled(too_late: bool) -> None:
    """As with `asyncio.timeout`, also where both happen in one moment."""
    patience = Timers().timeout(3600)

    async def wait() -> None:
        with patience:
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    if too_late:
        patience._end()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
