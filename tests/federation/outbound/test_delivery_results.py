"""What came of deliveries is stored together with that of others, and nobody's mistake undoes what is known."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fediblog.domain.accounts import Account
from fediblog.errors import Unavailable
from fediblog.federation.outbound import delivery_results
from fediblog.federation.outbound.delivery_results import BatchResults, DeliveryResult, Dice, ResultWriter
from fediblog.federation.site import Site
from fediblog.protocol.retry import Verdict
from fediblog.store.people import hosts
from fediblog.store.queues import delivery_queue, job_queue, leases
from fediblog.store.queues.delivery_queue import Outgoing
from fediblog.store.queues.leases import Batch
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.world import Network, WorldEngine, add_person, keys_of, new_site


@dataclass
class Desk:
    """A site with deliveries that are on their way."""

    site: Site
    sender: Account

    async def lease(self, *names: str) -> list[Batch]:
        """One activity for these hosts, taken; in the order of their names."""

        def action(tx: Tx) -> list[Batch]:
            number = tx.new_id()
            inboxes = [f"https://{name}/inbox" for name in names]
            uri = self.site.urls.activity(number)
            delivery_queue.emit(tx, self.sender.id, uri, "Create", uri, "{}", number=number, inboxes=inboxes)
            return sorted(leases.lease(tx, hosts=len(names)), key=lambda batch: batch.host)

        return await self.site.db.write(action)

    async def totals(self, batch: Batch) -> tuple[int, int, int]:
        """Reached, failed and waiting of the activity in a batch."""
        found = await self.site.db.read(delivery_queue.get, batch.deliveries[0].outgoing)
        assert isinstance(found, Outgoing)
        return found.reached, found.failed, found.waiting


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Desk]:
    site = await new_site(tmp_path, "https://alice.test", WorldEngine(Network()), clock, database=database_url)
    yield Desk(site, await site.db.write(add_person, site.urls, "alice", keys_of("alice.test", "alice")))
    await site.close()


def learned(batch: Batch, verdict: Verdict = Verdict.DELIVERED, status: int | None = 202) -> BatchResults:
    outcomes = [DeliveryResult(each, verdict, status, "what was said") for each in batch.deliveries]
    failed = verdict is Verdict.LATER
    return BatchResults(batch.host, outcomes, answered=not failed, failure="what was said" if failed else "")


def even() -> float:
    return 0.5


async def test_those_that_end_within_a_moment_are_stored_in_one_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = delivery_results.settle
    sizes: list[int] = []

    def settle(tx: Tx, some: Sequence[BatchResults], now: int, dice: Dice) -> None:
        sizes.append(len(some))
        real(tx, some, now, dice)

    monkeypatch.setattr(delivery_results, "settle", settle)
    results = ResultWriter(desk.site, even)
    batches = await desk.lease(*(f"h{n}.test" for n in range(20)))
    verdicts = [Verdict.DELIVERED] * 14 + [Verdict.FINAL, Verdict.GONE] + [Verdict.LATER] * 4
    for _ in batches:
        results.begin()
    pairs = zip(batches, verdicts, strict=True)
    await asyncio.gather(*(results.settle(learned(batch, verdict)) for batch, verdict in pairs))
    assert sizes == [20]
    assert await desk.totals(batches[0]) == (14, 2, 4)
    assert sorted(row.name for row in await desk.site.db.read(hosts.troubled_hosts)) == sorted(
        batch.host for batch in batches[16:]
    )
    (job,) = await desk.site.db.write(job_queue.claim)
    assert (job.kind, job.subject) == ("confirm-gone", batches[15].deliveries[0].inbox)
    assert await desk.site.db.write(leases.lease) == [], "what failed waits, what was taken in is over"


async def test_the_only_one_does_not_wait_for_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_results, "PAUSE", 3600.0)
    results = ResultWriter(desk.site, even)
    for _ in range(3):
        (batch,) = await desk.lease("h1.test")
        results.begin()
        await results.settle(learned(batch))
        assert await desk.totals(batch) == (1, 0, 0)


async def test_one_that_hangs_keeps_the_others_waiting_for_a_moment_only(desk: Desk) -> None:
    results = ResultWriter(desk.site, even)
    batch, hanging = await desk.lease("h1.test", "h2.test")
    results.begin()
    results.begin()
    await results.settle(learned(batch))
    assert await desk.totals(batch) == (1, 0, 1)
    await results.settle(learned(hanging))
    assert await desk.totals(batch) == (2, 0, 0)


async def test_many_are_not_collected_without_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_results, "PAUSE", 3600.0)
    monkeypatch.setattr(delivery_results, "MOST", 3)
    results = ResultWriter(desk.site, even)
    batches = await desk.lease("h1.test", "h2.test", "h3.test", "h4.test")
    for _ in batches:
        results.begin()
    await asyncio.gather(*(results.settle(learned(batch)) for batch in batches[:3]))
    assert await desk.totals(batches[0]) == (3, 0, 1)


async def test_a_mistake_about_one_undoes_nothing_of_the_others(desk: Desk) -> None:
    results = ResultWriter(desk.site, even)
    batches = await desk.lease("h1.test", "h2.test", "h3.test")
    broken = learned(batches[1], Verdict.LATER, status=None)
    broken.failure = "\ud800"  # which no database takes
    told = [learned(batches[0]), broken, learned(batches[2])]
    for _ in told:
        results.begin()
    ends = await asyncio.gather(*(results.settle(each) for each in told), return_exceptions=True)
    assert [isinstance(each, Exception) for each in ends] == [False, True, False]
    assert await desk.totals(batches[0]) == (2, 0, 1)


async def test_what_cannot_be_stored_is_heard_of_by_everybody(desk: Desk) -> None:
    results = ResultWriter(desk.site, even)
    batches = await desk.lease("h1.test", "h2.test")
    for _ in batches:
        results.begin()
    await desk.site.db.close()
    ends = await asyncio.gather(*(results.settle(learned(batch)) for batch in batches), return_exceptions=True)
    assert [type(each) for each in ends] == [Unavailable, Unavailable]


async def test_one_that_was_cancelled_is_stored_with_the_others(desk: Desk) -> None:
    results = ResultWriter(desk.site, even)
    batches = await desk.lease("h1.test", "h2.test")
    for _ in batches:
        results.begin()
    impatient = asyncio.create_task(results.settle(learned(batches[0])))
    await asyncio.sleep(0)
    impatient.cancel()
    await results.settle(learned(batches[1]))
    assert await desk.totals(batches[0]) == (2, 0, 0)
    assert impatient.cancelled()


async def test_what_ends_while_others_are_stored_is_stored_together_after_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = delivery_results.settle
    sizes: list[int] = []
    began, go_on = threading.Event(), threading.Event()

    def settle(tx: Tx, some: Sequence[BatchResults], now: int, dice: Dice) -> None:
        sizes.append(len(some))
        began.set()
        assert go_on.wait(20)
        real(tx, some, now, dice)

    monkeypatch.setattr(delivery_results, "settle", settle)
    monkeypatch.setattr(delivery_results, "PAUSE", 0.001)
    results = ResultWriter(desk.site, even)
    batches = await desk.lease(*(f"h{n}.test" for n in range(6)))
    for _ in batches:
        results.begin()
    tasks = [asyncio.create_task(results.settle(learned(batches[0])))]
    assert await asyncio.to_thread(began.wait, 20)
    for batch in batches[1:]:
        tasks.append(asyncio.create_task(results.settle(learned(batch))))
        while results._timer is not None or not results._ripe:  # until this one has waited long enough too
            await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*tasks)
    assert sizes == [1, 5]
    assert await desk.totals(batches[0]) == (6, 0, 0)
