"""R16: whatever others say about dates, what they send sorts by when it was published or came, whichever was first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.store.id_paging import Window
from fediblog.store.queues import job_kinds
from tests.federation.stranger import Home, Person, home
from tests.store.makers import home_of, time_of

DATES: list[Any] = [
    *("9999-12-31T23:59:59Z", "2999-01-01T00:00:00+23:59", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
    *("2025-02-30T00:00:00Z", "2025-06-01T24:00:00Z", "2016-12-31T23:59:60Z", "yesterday", "", None, 1, -1, 1e300),
    *("1748772000", "2025-06-01", "2025-06-01T10:00:00.123456789Z", "2025-06-01T10:00:00-00:00", [], {}, ["x"]),
    *("٢٠٢٥-٠٦-٠١T١٠:٠٠:٠٠Z", "2025-06-01T10:00:00Z ", "+292278994-08-17T07:12:55Z", True),
]


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as found:
        yield found


async def test_odd_dates_have_no_effect(house: Home) -> None:
    bob = Person(house.web, "far.test", "bob")
    await house.follows(bob)
    for number, date in enumerate(DATES):
        note = bob.note(number, published=date, updated=date, endTime=date)
        activity = bob.creates(note, number) | {"published": date}
        assert (await house.send(bob, activity)).status == 202
        house.clock.forward(seconds=1)
    await house.work()
    rows = await house.ask("select id, published, received from post where local = 0 order by id")
    assert len(rows) == len(DATES)
    for identity, published, received in rows:
        assert published <= received <= house.clock.now
        assert time_of(identity) == max(published, 0)
    stream = [item.post for item in await house.site.db.read(home_of, house.alice.id, Window(limit=100))]
    moments = [max(post.published or 0, 0) for post in stream]  # what was before 1970 sorts as if it were then
    assert moments == sorted(moments, reverse=True)
    assert await house.site.db.read(_latest_job) <= house.clock.now


async def test_an_honest_note_stays_above_those_that_lie(house: Home) -> None:
    bob = Person(house.web, "far.test", "bob")
    await house.follows(bob)
    for number, date in enumerate(["9999-12-31T23:59:59Z", "2999-01-01T00:00:00Z"]):
        await house.send(bob, bob.creates(bob.note(number, published=date), number))
        house.clock.forward(minutes=1)
    await house.send(bob, bob.creates(bob.note("honest", published=None), "honest"))
    stream = [item.post for item in await house.site.db.read(home_of, house.alice.id)]
    assert stream[0].uri.endswith("/honest")


async def test_a_poll_that_never_ends_makes_no_work(house: Home) -> None:
    bob = Person(house.web, "far.test", "bob")
    await house.follows(bob)
    options = [{"type": "Note", "name": name} for name in ("yes", "no")]
    for number, date in enumerate(DATES):
        poll = bob.note(f"poll-{number}", type="Question", oneOf=options, endTime=date)
        assert (await house.send(bob, bob.creates(poll, number))).status == 202
    await house.work()
    made = await house.ask("select kind from job")
    assert [kind for (kind,) in made] == [job_kinds.FIRST_POSTS], "bob was met for the first time: nothing else"


def _latest_job(tx: Any) -> int:
    row = tx.one("select max(run_at) as at from job")
    return (row and row.at) or 0
