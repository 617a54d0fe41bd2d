"""Jobs wait once for the same thing, and are done by one worker at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fediblog.store.engine.database import Database
from fediblog.store.queues import job_queue
from fediblog.store.queues.claims import ABANDONED, CLAIM
from fediblog.store.queues.job_queue import MOST_TRIES, Job
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.store.makers import Watched, scans


async def claimed(db: Database) -> Job:
    (job,) = await db.write(job_queue.claim)
    return job


async def test_the_same_thing_waits_once_and_not_later(db: Database, clock: Clock) -> None:
    def check(tx: Tx) -> None:
        job_queue.add(tx, "release", "1", {"first": True}, run_at=tx.now + 50)
        job_queue.add(tx, "release", "1", {"second": True}, run_at=tx.now + 90)
        assert job_queue.next_due(tx) == tx.now + 50
        job_queue.add(tx, "release", "1", run_at=tx.now + 10)
        job_queue.add(tx, "release", "2", run_at=tx.now + 20)
        job_queue.add(tx, "fetch", "1", run_at=tx.now + 30)
        assert job_queue.totals(tx) == {"waiting": 3}
        assert job_queue.next_due(tx) == tx.now + 10
        job_queue.drop(tx, "fetch", "1")
        job_queue.drop(tx, "fetch", "none")

    await db.write(check)
    assert await db.write(job_queue.claim) == []
    clock.forward(ms=10)
    job = await claimed(db)
    assert (job.kind, job.subject, job.payload, job.tries) == ("release", "1", {"first": True}, 1)
    clock.forward(ms=10)
    assert (await claimed(db)).subject == "2"


async def test_a_job_is_open_while_it_waits_and_runs(db: Database) -> None:
    await db.write(job_queue.add, "x", "1")
    assert await db.read(job_queue.is_open, "x", "1")
    job = await claimed(db)
    assert await db.read(job_queue.is_open, "x", "1")
    assert not await db.read(job_queue.is_open, "x", "2")
    assert not await db.read(job_queue.is_open, "y", "1")
    await db.write(job_queue.done, job.id)
    assert not await db.read(job_queue.is_open, "x", "1")


async def test_the_longest_due_comes_first(db: Database, clock: Clock) -> None:
    for n, delay in enumerate((30, 10, 20)):
        await db.write(lambda tx, n=n, delay=delay: job_queue.add(tx, "x", str(n), run_at=tx.now + delay))  # type: ignore[misc]
    clock.forward(seconds=1)
    assert [job.subject for job in await db.write(job_queue.claim, 2)] == ["1", "2"]
    assert [job.subject for job in await db.write(job_queue.claim, 2)] == ["0"]
    assert await db.write(job_queue.claim) == []


async def test_what_is_running_may_be_asked_for_anew(db: Database) -> None:
    await db.write(job_queue.add, "x", "1", {"part": 1})
    first = await claimed(db)
    await db.write(job_queue.add, "x", "1", {"part": 2})
    assert await db.read(job_queue.totals) == {"running": 1, "waiting": 1}
    await db.write(job_queue.carry_on, first.id, {"part": 3})
    assert await db.read(job_queue.totals) == {"waiting": 1}
    assert (await claimed(db)).payload == {"part": 2}, "the new one does all of it"
    await db.write(job_queue.add, "x", "1", {"part": 4})


async def test_a_job_carries_on_where_it_was(db: Database, clock: Clock) -> None:
    await db.write(job_queue.add, "fanout", "1", {"after": ""})
    first = await claimed(db)
    clock.forward(seconds=5)
    await db.write(job_queue.carry_on, first.id, {"after": "m"})
    assert await db.read(job_queue.next_due) == clock.now
    second = await claimed(db)
    assert (second.id, second.payload, second.tries) == (first.id, {"after": "m"}, 1)
    await db.write(job_queue.done, second.id)
    assert await db.read(job_queue.totals) == {}
    await db.write(job_queue.carry_on, second.id, {})


async def test_after_too_many_tries_it_is_given_up(db: Database, clock: Clock) -> None:
    await db.write(job_queue.add, "x", "1")
    for n in range(MOST_TRIES):
        job = await claimed(db)
        assert job.tries == n + 1
        await db.write(job_queue.put_off, job, "it broke " * 99, 1000)
        assert await db.write(job_queue.claim) == []
        clock.forward(seconds=1)
    assert await db.read(job_queue.totals) == {"dead": 1}
    ((kind, subject, error),) = await db.read(job_queue.dead)
    assert (kind, subject, error[:8], len(error)) == ("x", "1", "it broke", 500)
    assert await db.read(job_queue.next_due) is None
    await db.write(job_queue.add, "x", "1")
    assert await db.read(job_queue.totals) == {"dead": 1, "waiting": 1}
    assert await db.write(job_queue.sweep, 0) == 0
    assert await db.write(job_queue.sweep, clock.now + 1) == 1
    assert await db.read(job_queue.totals) == {"waiting": 1}


async def test_what_failed_gives_way_to_what_was_asked_for_anew(db: Database) -> None:
    await db.write(job_queue.add, "x", "1", {"part": 1})
    first = await claimed(db)
    await db.write(job_queue.add, "x", "1", {"part": 2})
    await db.write(job_queue.put_off, first, "it broke", 1000)
    assert await db.read(job_queue.totals) == {"waiting": 1}
    assert (await claimed(db)).payload == {"part": 2}


async def test_a_worker_that_went_away_gives_its_jobs_back(db: Database, clock: Clock) -> None:
    await db.write(job_queue.add, "x", "1")
    first = await claimed(db)
    clock.forward(ms=CLAIM)
    assert await db.write(job_queue.claim) == []
    due = await db.read(job_queue.next_due)
    assert due is not None
    assert due <= clock.now + 1
    clock.forward(ms=1)
    again = await claimed(db)
    assert (again.id, again.tries) == (first.id, 2)


async def test_all_are_given_back_at_a_start(db: Database) -> None:
    def twice(tx: Tx) -> None:
        for _ in range(2):
            job_queue.add(tx, "x", "1")
            job_queue.add(tx, "x", "2")
            job_queue.claim(tx)
        job_queue.add(tx, "x", "2")

    await db.write(twice)
    assert await db.read(job_queue.totals) == {"running": 4, "waiting": 1}
    await db.write(job_queue.release_all)
    assert await db.read(job_queue.totals) == {"running": 2}, "each once"
    assert sorted([(await claimed(db)).subject for _ in range(2)]) == ["1", "2"]
    assert await db.write(job_queue.claim) == []


async def test_one_with_which_the_process_ends_is_given_up(db: Database, clock: Clock) -> None:
    await db.write(job_queue.add, "x", "1")
    for n in range(MOST_TRIES):
        assert (await claimed(db)).tries == n + 1
        await db.write(job_queue.release_all)
        clock.forward(ms=CLAIM)
    assert await db.write(job_queue.claim) == []
    assert await db.read(job_queue.totals) == {"dead": 1}
    assert await db.read(job_queue.dead) == [("x", "1", ABANDONED)]


async def test_each_job_is_taken_once_however_many_ask(db: Database) -> None:
    for n in range(12):
        await db.write(job_queue.add, "x", str(n))
    taken = await asyncio.gather(*(db.write(job_queue.claim, 3) for _ in range(6)))
    subjects = [job.subject for batch in taken for job in batch]
    subjects += [job.subject for job in await db.write(job_queue.claim, 12)]
    assert sorted(subjects, key=int) == [str(n) for n in range(12)]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_two_workers_claim_at_once(db: Database) -> None:
    for n in range(4):
        await db.write(job_queue.add, "x", str(n))
    both = threading.Barrier(2, timeout=20)

    def claim(tx: Tx) -> set[str]:
        found = {job.subject for job in job_queue.claim(tx, 2)}
        both.wait()
        return found

    one, two = await asyncio.gather(db.write(claim), db.write(claim))
    assert (len(one), len(two), len(one | two)) == (2, 2, 4)


async def test_the_same_thing_asked_for_at_once_waits_once(db: Database) -> None:
    await asyncio.gather(*(db.write(job_queue.add, "x", "1") for _ in range(8)))
    assert await db.read(job_queue.totals) == {"waiting": 1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_jobs_are_found_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        seen = Watched(tx)
        job_queue.add(seen, "x", "1")
        (job,) = job_queue.claim(seen)
        job_queue.carry_on(seen, job.id, {})
        job_queue.put_off(seen, job, "", 1)
        job_queue.drop(seen, "x", "1")
        job_queue.next_due(seen)
        job_queue.is_open(seen, "x", "1")
        job_queue.done(seen, job.id)
        return scans(seen.plans(), "job", "a", "b")

    assert await db.write(check) == []
