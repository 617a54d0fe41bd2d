"""Which accounts are looked at again, and how many at most."""

from __future__ import annotations

import pytest

from fediblog.store.engine.database import Database
from fediblog.store.people import accounts
from fediblog.store.queues import job_queue, stale_accounts
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.store.makers import local, remote


async def test_old_ones_are_fetched_again_and_count_as_looked_at(db: Database, clock: Clock) -> None:
    made = await db.write(lambda tx: (remote(tx), remote(tx, "dora"), remote(tx, "eve"), local(tx)))

    def ask(tx: Tx) -> list[bool]:
        return [stale_accounts.renew(tx, found) for each in made if (found := accounts.get(tx, each.id))]

    await db.write(accounts.set_state, made[2].id, "suspended")
    assert await db.write(ask) == [False] * 4
    clock.forward(ms=stale_accounts.STALE)
    assert await db.write(ask) == [False] * 4
    clock.forward(ms=1)
    assert await db.write(ask) == [True, True, False, False]
    assert await db.write(ask) == [False] * 4
    assert await db.read(job_queue.totals) == {"waiting": 2}
    assert {job.subject for job in await db.write(job_queue.claim)} == {made[0].uri, made[1].uri}


async def test_only_so_many_wait(db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stale_accounts, "MOST_WAITING", 2)
    made = [await db.write(remote, f"bob{n}") for n in range(3)]
    clock.forward(days=30)
    assert [await db.write(stale_accounts.renew, each) for each in made] == [True, True, False]
    await db.write(job_queue.claim)
    assert await db.write(stale_accounts.renew, made[2])
