"""Slots: so many begin at a time, in the order in which they came, and one that hangs gives its place up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.pacing import Slots


class Crowd:
    """People who take a turn and keep it until they are told to go."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.begun: list[int] = []
        self.go = asyncio.Event()

    async def one(self, number: int) -> None:
        async with self.slots.take():
            self.begun.append(number)
            await self.go.wait()

    def start(self, count: int) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.one(number)) for number in range(count)]


async def rounds(count: int = 50) -> None:
    """So many rounds of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_so_many_begin_in_the_order_in_which_they_came() -> None:
    crowd = Crowd(Slots(3, seconds=3600))
    tasks = crowd.start(8)
    await rounds()
    assert (crowd.begun, crowd.slots.waiting) == ([0, 1, 2], 5)
    crowd.go.set()
    await asyncio.gather(*tasks)
    assert (crowd.begun, crowd.slots.waiting) == (list(range(8)), 0)


async def test_they_begin_one_after_another_with_a_round_of_the_event_loop_between_them() -> None:
    """Whoever else has something to do comes in between: a page waits for one signature, not for twenty."""
    crowd = Crowd(Slots(20, seconds=3600))
    tasks = crowd.start(20)
    seen = []
    while len(crowd.begun) < 20:
        await asyncio.sleep(0)
        seen.append(len(crowd.begun))
    assert set(seen) == set(range(21)), "never two in one round"
    crowd.go.set()
    await asyncio.gather(*tasks)


async def test_who_waits_for_an_answer_for_long_holds_up_nobody() -> None:
    crowd = Crowd(Slots(2, seconds=0.001))
    tasks = crowd.start(7)
    async with asyncio.timeout(20):
        while len(crowd.begun) < 7:
            await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    crowd.go.set()
    await asyncio.gather(*tasks)
    again = Crowd(crowd.slots)  # each place was given back once, not twice
    crowd.slots.seconds = 3600
    tasks = again.start(5)
    await rounds()
    assert again.begun == [0, 1]
    again.go.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("victim", [0, 1, 3])
async def test_one_that_is_cancelled_leaves_no_place_taken(victim: int) -> None:
    """While it has its turn, while it is about to begin, and while it waits."""
    crowd = Crowd(Slots(2, seconds=3600))
    tasks = crowd.start(6)
    while not crowd.begun:
        await asyncio.sleep(0)
    tasks[victim].cancel()
    await rounds()
    assert crowd.slots.waiting == 3
    assert len(crowd.begun) == (3 if victim == 0 else 2)
    crowd.go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(crowd.begun) == [each for each in range(6) if victim == 0 or each != victim]


async def test_somebody_is_called_when_few_wait() -> None:
    calls: list[int] = []
    slots = Slots(1, seconds=3600, few=2, ebb=lambda: calls.append(slots.waiting))
    crowd = Crowd(slots)
    tasks = crowd.start(6)
    await rounds()
    assert (slots.waiting, calls) == (5, [])
    crowd.go.set()
    await asyncio.gather(*tasks)
    assert calls == [2]


class Plain:
    """Turns as they would be put together of what asyncio has: the same, and slower."""

    def __init__(self, count: int) -> None:
        self._free, self._step = asyncio.Semaphore(count), asyncio.Lock()
        self.waiting = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        try:
            async with self._step:
                await asyncio.sleep(0)
            yield
        finally:
            self._free.release()


async def _seen(slots: Slots | Plain, story: list[tuple[str, int]]) -> list[tuple[list[int], list[int], int]]:
    """Who has begun, who has ended and how many wait, whenever all has come to rest."""
    begun, ended, seen = list[int](), list[int](), []
    tasks, gates = list[asyncio.Task[None]](), list[asyncio.Event]()

    async def one(number: int) -> None:
        try:
            async with slots.take():
                begun.append(number)
                await gates[number].wait()
        finally:
            ended.append(number)

    for what, number in story:
        if what == "come":
            gates.append(asyncio.Event())
            tasks.append(asyncio.create_task(one(len(tasks))))
        elif what == "rest":
            await rounds(number)
        elif tasks and what == "go":
            gates[number % len(tasks)].set()
        elif tasks:
            tasks[number % len(tasks)].cancel()
        if what == "rest" and number > 1:
            seen.append((begun[:], sorted(ended), slots.waiting))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seen


@given(
    st.integers(1, 4),
    st.lists(
        st.one_of(
            st.tuples(st.just("come"), st.just(0)),
            st.tuples(st.sampled_from(["go", "leave"]), st.integers(0, 30)),
            st.tuples(st.just("rest"), st.sampled_from([1, 60])),
        ),
        max_size=40,
    ),
)
def test_nobody_is_passed_over_or_let_in_twice(count: int, story: list[tuple[str, int]]) -> None:
    async def both() -> None:
        assert await _seen(Slots(count, seconds=3600), story) == await _seen(Plain(count), story)

    asyncio.run(both())
