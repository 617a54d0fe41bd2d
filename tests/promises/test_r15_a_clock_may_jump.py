"""R15: a clock that jumps by a day, forwards or back, makes nothing wait for it and nothing storm."""

from __future__ import annotations

import pytest

from fediblog.actions.drafts import Draft
from fediblog.cli import doctor
from fediblog.domain.posts import Post
from fediblog.messages.stored import unpack
from fediblog.protocol import retry
from fediblog.protocol.retry import Verdict
from fediblog.store.people import operator_alerts
from fediblog.store.queues import delivery_queue, incoming_queue, job_queue
from fediblog.store.tx import Tx
from tests import wording
from tests.federation.pair import Pair

HOUR = 3_600_000  # ms
NOW = 1_700_000_000_000  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("date", "gap"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", None),
        ("Tue, 14 Nov 2023 22:14:19 GMT", None),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60_000),
        ("Tue, 14 Nov 2023 20:13:20 GMT", -2 * HOUR),
        (" Wed, 15 Nov 2023 22:13:20 GMT ", 24 * HOUR),
        ("", None),
        ("yesterday", None),
    ],
)
def test_the_date_of_an_answer_tells_whose_clock_differs(date: str, gap: int | None) -> None:
    assert retry.clock_gap(date, NOW) == gap


@pytest.mark.parametrize("status", [200, 202, 400, 401, 403, 404, 410, 503, None])
def test_only_a_signature_that_was_refused_waits_for_the_clock(status: int | None) -> None:
    wanted = Verdict.LATER if status == 401 else retry.verdict(status)
    assert retry.verdict(status, clock_gap=2 * HOUR) is wanted
    assert retry.verdict(401) is Verdict.FINAL


async def test_the_owner_is_told_for_a_day_that_the_clock_differs(pair: Pair) -> None:
    site = pair.world.sites[pair.near]
    for gap, said in (
        (-3 * HOUR, "3 hours behind"),
        (5 * 60_000, "5 minutes ahead of"),
        (72 * HOUR, "3 days ahead of"),
    ):
        await site.db.write(operator_alerts.note_clock, pair.far, gap)
        (found,) = await site.db.read(operator_alerts.standing)
        assert (found.kind, unpack("en", found.detail)) == (operator_alerts.CLOCK, f"two.test: {said} ours")
    (line,) = await doctor.troubles(site)
    assert "two.test: 3 days ahead of ours" in line.fact
    pair.world.clock.forward(days=1)
    assert await site.db.read(operator_alerts.standing) == []


async def _write(pair: Pair, text: str, **more: object) -> Post:
    draft = Draft(source=text, **more)  # type: ignore[arg-type]
    return await pair.world.do(pair.near, wording.publish, pair.ann.id, draft)


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
        incoming_queue.keep(tx, "https://two.test/x/1", pair.ben.uri, "two.test", "{}")

    pair.world.clock.forward(days=1)
    await pair.world.workers[pair.near].idle()
    await pair.world.sites[pair.near].db.write(keep)
    await _set_back(pair, restart=False)
    await pair.world.settle()
    assert await pair.world.read(pair.near, incoming_queue.totals) == {}


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
    assert await world.read(pair.near, delivery_queue.waiting) == len(posts)
    world.network.down.clear()
    world.clock.forward(days=1)
    await world.settle()
    assert [await pair.there(post) is not None for post in posts] == [True] * 5
    assert await world.read(pair.near, job_queue.dead) == []


async def test_a_day_at_once_sends_nothing_twice(pair: Pair) -> None:
    posts = [await _write(pair, f"Number {number}") for number in range(3)]
    await pair.world.settle()
    for days in (1, -1, 1, 1):
        pair.world.clock.forward(days=days)
        await pair.world.settle()
    creates = [sent.document["object"]["id"] for sent in pair.world.network.posts(pair.far, "Create")]
    assert sorted(creates) == sorted(post.uri for post in posts)


async def test_what_is_refused_for_its_time_is_sent_again_once_the_clock_is_right(pair: Pair) -> None:
    world, day = pair.world, "Tue, 10 Jun 2025 15:06:40 GMT"  # five days before the world's own time
    world.network.fail(pair.far, 401, times=2, date=day)  # in either way of signing
    post = await _write(pair, "Signed too late")
    await world.settle()
    assert await pair.there(post) is None
    (found,) = await world.read(pair.near, operator_alerts.standing)
    assert (found.kind, unpack("en", found.detail)) == (operator_alerts.CLOCK, "two.test: 5 days behind ours")
    assert await world.read(pair.near, delivery_queue.waiting) == 1
    world.clock.forward(minutes=2)
    await world.settle()
    assert await pair.there(post) is not None


async def test_a_signature_that_is_refused_at_the_right_time_is_refused_for_good(pair: Pair) -> None:
    now = "Sun, 15 Jun 2025 15:06:40 GMT"
    pair.world.network.fail(pair.far, 401, times=2, date=now)
    await _write(pair, "Not understood")
    await pair.world.settle()
    assert await pair.world.read(pair.near, delivery_queue.waiting) == 0
    assert await pair.world.read(pair.near, operator_alerts.standing) == []
