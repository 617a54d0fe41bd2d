"""R5: a host that does not answer is tried after 1, 5, 15 minutes, 1, 3, 8 hours, then daily for a week."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fediblog.actions.drafts import Draft
from fediblog.federation.worker import Worker
from fediblog.store.people import hosts
from fediblog.store.queues import delivery_queue, leases
from tests import wording
from tests.federation.pair import Pair

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # ms
WAITS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR]


async def _write(pair: Pair, text: str) -> None:
    await pair.world.do(pair.near, wording.publish, pair.ann.id, Draft(source=text))


async def _moments(pair: Pair, days: float) -> list[int]:
    """When the other server was knocked at, in ms from now, for so many days, looking every half minute at most."""
    world, start, moments = pair.world, pair.world.clock.now, []
    while world.clock.now - start < days * DAY:
        before = len(world.network.posts(pair.far))
        await world.workers[pair.near].idle()
        moments += [world.clock.now - start] * (len(world.network.posts(pair.far)) - before)
        due = await world.read(pair.near, leases.next_due)
        world.clock.now = max(world.clock.now + 30_000, due or start + round(days * DAY))
    return moments


@pytest.mark.parametrize("dice", [0.0, 0.5, 1.0])
async def test_the_waits_and_their_jitter(pair: Pair, dice: float) -> None:
    world = pair.world
    world.workers[pair.near] = Worker(world.sites[pair.near], dice=lambda: dice)
    world.network.down.add(pair.far)
    await _write(pair, "Hello")
    moments = await _moments(pair, 8.5)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    spread = 0.8 + 0.4 * dice
    expected = WAITS + [DAY] * (len(waits) - len(WAITS))
    assert waits == pytest.approx([wait * spread for wait in expected], abs=30_001)
    assert moments[-2] <= 7 * DAY * 1.2
    assert 11 <= len(moments) <= 16


async def test_a_thousand_messages_cause_no_more_tries_than_one(pair: Pair) -> None:
    pair.world.network.down.add(pair.far)
    for number in range(50):
        await _write(pair, f"Number {number}")
    assert len(await _moments(pair, 1)) == 7


async def test_after_a_week_it_is_unavailable_and_one_probe_a_day_goes_on(pair: Pair) -> None:
    world = pair.world
    world.network.down.add(pair.far)
    await _write(pair, "Hello")
    await _moments(pair, 9)
    (host,) = await world.read(pair.near, hosts.troubled_hosts)
    assert host.unavailable is not None
    assert await world.read(pair.near, delivery_queue.waiting) == 0
    for number in range(20):
        await _write(pair, f"Later {number}")
    assert 4 <= len(await _moments(pair, 5)) <= 6


async def test_anything_that_comes_in_ends_the_wait(pair: Pair) -> None:
    world = pair.world
    world.network.down.add(pair.far)
    await _write(pair, "Hello")
    await _moments(pair, 3)
    world.network.down.clear()
    before = await world.read(pair.near, delivery_queue.waiting)
    await world.do(pair.far, wording.publish, pair.ben.id, Draft(source="I am back"))
    await world.settle()
    assert (before, await world.read(pair.near, delivery_queue.waiting)) == (1, 0)
    assert await world.read(pair.near, hosts.troubled_hosts) == []
