"""R15: a clock that jumps by a day, forwards or back, makes nothing wait for it and nothing storm."""

from __future__ import annotations

import pytest

from fediblog.actions import publishing
from fediblog.actions.drafts import Draft
from fediblog.domain.posts import Post
from fediblog.store import inbound, jobs, outbox
from fediblog.store.tx import Tx
from tests.federation.pair import Pair

HOUR = 3_600_000  # ms


async def _write(pair: Pair, text: str, **more: object) -> Post:
    draft = Draft(source=text, **more)  # type: ignore[arg-type]
    return await pair.world.do(pair.near, publishing.publish, pair.ann.id, draft)


async def _set_back(pair: Pair, *, restart: bool) -> None:
    """The clock was a day fast, and is put right: while the server runs, or while it does not."""
    if restart:
        await pair.world.close(pair.near)
    pair.world.clock.forward(days=-1)
    if restart:
        await pair.world.restart(pair.near)


@pytest.mark.parametrize("restart", [False, True])
async def test_what_a_fast_clock_noted_does_not_wait_for_tomorrow(pair: Pair, restart: bool) -> None:
    pair.world.clock.forward(days=1)
    await pair.world.workers[pair.near].idle()
    post = await _write(pair, "Written tomorrow")
    await _set_back(pair, restart=restart)
    await pair.world.settle()
    assert await pair.there(post) is not None


@pytest.mark.parametrize("restart", [False, True])
async def test_nor_does_what_had_failed_then(pair: Pair, restart: bool) -> None:
    pair.world.clock.forward(days=1)
    pair.world.network.fail(pair.far, 503)
    post = await _write(pair, "Written tomorrow")
    await pair.world.settle()
    await _set_back(pair, restart=restart)
    await pair.world.settle()
    pair.world.clock.forward(minutes=2)
    await pair.world.settle()
    assert await pair.there(post) is not None


async def test_nor_what_came_in_then(pair: Pair) -> None:
    def keep(tx: Tx) -> None:
        inbound.keep(tx, "https://two.test/x/1", pair.ben.uri, "two.test", "{}")

    pair.world.clock.forward(days=1)
    await pair.world.workers[pair.near].idle()
    await pair.world.sites[pair.near].db.write(keep)
    await _set_back(pair, restart=False)
    await pair.world.settle()
    assert await pair.world.read(pair.near, inbound.totals) == {}


async def test_what_is_wanted_at_a_time_of_day_keeps_it(pair: Pair) -> None:
    at = pair.world.clock.now + 30 * HOUR
    post = await _write(pair, "Later", state="scheduled", scheduled=at)
    pair.world.clock.forward(days=1)
    await _write(pair, "Now")
    await pair.world.settle()
    await _set_back(pair, restart=False)
    await pair.world.settle()
    assert await pair.there(post) is None
    pair.world.clock.now = at
    await pair.world.settle()
    assert await pair.there(post) is not None


async def test_jumps_to_and_fro_make_no_storm_and_use_up_no_message(pair: Pair) -> None:
    world, near = pair.world, pair.world.workers[pair.near]
    world.network.down.add(pair.far)
    posts = [await _write(pair, f"Number {number}") for number in range(5)]
    for _ in range(8):
        for days in (1, -1, -1, 1):
            world.clock.forward(days=days)
            for _ in range(4):
                world.clock.forward(minutes=15)
                await near.idle()
    tries = len(world.network.posts(pair.far))
    assert 8 <= tries <= 8 * 4 * 2  # a day that passes is worth one try, and so is one that is taken back
    assert await world.read(pair.near, outbox.waiting) == len(posts)
    world.network.down.clear()
    world.clock.forward(days=1)
    await world.settle()
    assert [await pair.there(post) is not None for post in posts] == [True] * 5
    assert await world.read(pair.near, jobs.dead) == []


async def test_a_day_at_once_sends_nothing_twice(pair: Pair) -> None:
    posts = [await _write(pair, f"Number {number}") for number in range(3)]
    await pair.world.settle()
    for days in (1, -1, 1, 1):
        pair.world.clock.forward(days=days)
        await pair.world.settle()
    creates = [sent.document["object"]["id"] for sent in pair.world.network.posts(pair.far, "Create")]
    assert sorted(creates) == sorted(post.uri for post in posts)
