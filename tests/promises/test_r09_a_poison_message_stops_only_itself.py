"""R9: an activity that makes a handler fail is tried three times and put aside, where the owner sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog import inbox
from fediblog.cli import doctor_local
from fediblog.domain.documents import Activity
from fediblog.store.queues import incoming_queue
from tests.federation.stranger import Home, Person, home

POISON = "poison"


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as found:
        yield found


async def test_the_rest_flows_on(house: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    handler = inbox.HANDLERS["Create", "Note"]

    def apply(tx: Any, urls: Any, activity: Activity, facts: Any) -> Any:
        if POISON in activity.uri:
            tries.append(house.clock.now)
            raise ZeroDivisionError("a mistake of ours")
        return handler.apply(tx, urls, activity, facts)

    monkeypatch.setitem(inbox.HANDLERS, ("Create", "Note"), replace(handler, apply=apply))
    mallory, bob = Person(house.web, "bad.test", "mallory"), Person(house.web, "good.test", "bob")
    post = await house.writes()
    for number in (1, POISON, 2, 3):
        for person in (mallory, bob) if number != POISON else (mallory,):
            note = person.note(number, inReplyTo=post.uri)
            receipt = await house.send(person, person.creates(note, number))
            assert receipt.status == 202
        await house.work()
    assert await house.count("post") == 1 + 6

    for _ in range(10):
        house.clock.forward(hours=6)
        await house.work()
    assert len(tries) == 1 + incoming_queue.MOST_TRIES  # once at the door, then as the worker
    assert await house.site.db.read(incoming_queue.totals) == {"dead": 1}
    facts = [finding.fact for finding in await doctor_local.queues(house.site)]
    assert "Received activities that could not be dealt with: 1" in facts
