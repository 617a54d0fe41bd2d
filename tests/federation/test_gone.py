"""Several processes on one PostgreSQL: what one that is gone had claimed is done by another, and soon."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.federation import worker
from fediblog.federation.worker import Worker
from fediblog.store.engine.database import Database, connect
from fediblog.store.queues import delivery_queue, incoming_queue, job_queue, leases, lost_workers
from fediblog.store.tx import Tx
from tests.conftest import options
from tests.federation.stranger import Home, home

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

CLAIMER = """
import asyncio, sys
from fediblog.store.engine.database import connect
from tests.federation.test_gone import claim

async def main():
    db = await connect(sys.argv[1], clock=lambda: int(sys.argv[2]))
    print(await db.write(claim), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def claim(tx: Tx) -> tuple[int, int, int]:
    """Take all that is due: hosts, jobs, activities."""
    return len(leases.lease(tx)), len(job_queue.claim(tx)), len(incoming_queue.claim(tx))


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    """A server with a delivery, a job and an activity that wait."""
    async with home(tmp_path, database=database_url) as place:

        def fill(tx: Tx) -> None:
            number = tx.new_id()
            uri = place.site.urls.activity(number)
            inbox = ["https://far.test/inbox"]
            delivery_queue.emit(tx, place.alice.id, uri, "Like", "x", "{}", number=number, inboxes=inbox)
            job_queue.add(tx, "nothing", "of note")
            incoming_queue.keep(tx, "https://far.test/1", "https://far.test/u", "far.test", "{}")

        await place.site.db.write(fill)
        yield place


async def other_process(at_home: Home, url: str) -> Database:
    return await connect(url, **options(at_home.clock))


async def missed(at_home: Home, count: int) -> set[int]:
    """The processes that are gone, once it is so many: the server notices a moment after."""
    async with asyncio.timeout(10):
        while len(found := await at_home.site.db.read(lost_workers.claimants)) != count:
            await asyncio.sleep(0)
    return found


async def test_who_is_there_keeps_its_claims_however_slow_it_is(at_home: Home, database_url: str) -> None:
    other = await other_process(at_home, database_url)
    try:
        assert await other.write(claim) == (1, 1, 1)
        at_home.clock.forward(seconds=100)
        assert await at_home.site.db.read(lost_workers.claimants) == set()
        assert await other.read(lost_workers.claimants) == set()
        assert await at_home.site.db.write(claim) == (0, 0, 0)
    finally:
        await other.close()


async def test_the_claims_of_a_killed_process_are_taken_back(
    at_home: Home, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK", 0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLAIMER, database_url, str(at_home.clock.now), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"(1, 1, 1)\n"
    process.kill()
    await process.wait()
    await missed(at_home, 1)
    mine = Worker(at_home.site)
    await mine._look_for_gone()
    assert await at_home.site.db.write(claim) == (0, 0, 0)  # it may have lost its connection for a moment
    await mine._look_for_gone()
    assert await missed(at_home, 0) == set()
    assert await at_home.site.db.write(claim) == (1, 1, 1)


async def test_a_worker_looks_for_them_often_enough(
    at_home: Home, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice within ten seconds, while it works and while there is nothing to do."""
    assert database_url
    assert 2 * (worker.LOOK / 1000 + worker.POLL) <= 10
    looked = []

    async def look(each: Worker) -> None:
        looked.append(each)

    monkeypatch.setattr(Worker, "_look_for_gone", look)
    mine = Worker(at_home.site)
    for _ in range(2):
        await mine.idle()
    assert len(looked) >= 2
    assert set(looked) == {mine}


async def test_a_process_that_lost_its_connection_is_there_again(
    at_home: Home, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOK", 0)
    other = await other_process(at_home, database_url)
    try:
        assert await other.write(claim) == (1, 1, 1)
        mine = Worker(at_home.site)
        await at_home.site.db.write(_cut, (await other.read(lambda tx: tx.worker)))
        await missed(at_home, 1)
        await mine._look_for_gone()
        await missed(at_home, 0)  # its listener is connected again
        await mine._look_for_gone()
        assert await at_home.site.db.write(claim) == (0, 0, 0)
    finally:
        await other.close()


def _cut(tx: Tx, number: int) -> None:
    """The server ends the connection by which a process is known."""
    tx.all(
        "select pg_terminate_backend(pid) as done from pg_locks where locktype = 'advisory' and objsubid = 2"
        " and cast(objid as integer) = :number",
        number=number,
    )


async def test_a_worker_takes_back_its_own_once_the_database_is_there_again(at_home: Home, database_url: str) -> None:
    assert database_url
    assert await at_home.site.db.write(claim) == (1, 1, 1)
    mine: Any = Worker(at_home.site)
    mine._left = True
    await mine.recover()
    assert await at_home.site.db.write(claim) == (1, 1, 1)
