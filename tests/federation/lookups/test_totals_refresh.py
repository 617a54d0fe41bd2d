"""Accounts elsewhere show what their own servers say, and are asked when somebody of ours has to do with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.accounts import Account
from fediblog.federation.jobs import JOBS
from fediblog.federation.lookups import resolve
from fediblog.store.people import account_counts, relations
from fediblog.store.queues import job_queue, profile_totals, stale_accounts
from tests.federation.stranger import Home, Person, home


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


def tells(bob: Person, **totals: Any) -> None:
    for name, total in totals.items():
        uri = f"{bob.uri}/{name}"
        bob.web.put(uri, {"id": uri, "type": "OrderedCollection", "totalItems": total})


async def work(at_home: Home) -> list[str]:
    """Do all jobs that are due; their kinds."""
    found = await at_home.site.db.write(job_queue.claim)
    for job in found:
        await JOBS[job.kind](at_home.site, job)
    return [each.kind for each in found]


async def shown(at_home: Home, account: Account) -> tuple[int, int, int]:
    followers, following, posts, _ = (await at_home.site.db.read(account_counts.totals, [account.id]))[account.id]
    return followers, following, posts


async def test_totals_are_what_its_server_says(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    bob.publish(following=f"{bob.uri}/following")
    tells(bob, followers=1200, following=0, outbox=2**40)
    account = await at_home.follows(bob)
    await at_home.send(bob, bob.creates(bob.note(1)))
    await at_home.work()
    assert await shown(at_home, account) == (1, 0, 1)  # what is known here
    assert await at_home.site.db.read(profile_totals.is_stale, account)
    await at_home.site.db.write(profile_totals.refresh, account)
    await at_home.site.db.write(profile_totals.refresh, account)
    assert await shown(at_home, account) == (1, 0, 1)
    assert "profile-totals" in await work(at_home)
    assert await shown(at_home, account) == (1200, 0, 2**31 - 1)
    assert not await at_home.site.db.read(profile_totals.is_stale, account)
    # What is known here is never added, and nothing about ours is anybody else's to tell.
    await at_home.site.db.write(relations.unfollow, at_home.alice.id, account.id)
    assert await shown(at_home, account) == (1200, 0, 2**31 - 1)
    await at_home.site.db.write(profile_totals.put, at_home.alice.id, 5, 5, 5)
    assert await shown(at_home, at_home.alice) == (0, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"totalItems": -1},
        {"totalItems": "many"},
        {"totalItems": True},
        {"totalItems": None},
        {"type": "Note", "totalItems": 7},
    ],
)
async def test_what_is_no_total_changes_nothing(at_home: Home, wrong: dict[str, Any]) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    tells(bob, followers=12)
    account = await at_home.know(bob)
    await at_home.site.db.write(profile_totals.refresh, account)
    await work(at_home)
    assert await shown(at_home, account) == (12, 0, 0)
    uri = f"{bob.uri}/followers"
    at_home.web.put(uri, {"id": uri, "type": "Collection", **wrong})
    at_home.clock.forward(seconds=7 * 3600)
    await at_home.site.db.write(profile_totals.refresh, account)
    assert await work(at_home) == ["profile-totals"]
    assert await shown(at_home, account) == (12, 0, 0)


async def test_a_server_that_is_away_is_not_asked_at_each_look(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    bob.publish(followers="https://elsewhere.test/followers")
    account = await at_home.know(bob)
    at_home.web.down.add("bob.test")
    before = len(at_home.web.asked)
    for _ in range(3):
        await at_home.site.db.write(profile_totals.refresh, account)
        await work(at_home)
    assert at_home.web.asked[before:] == [f"{bob.uri}/outbox"]
    assert await shown(at_home, account) == (0, 0, 0)


async def test_who_is_met_or_refreshed_comes_with_totals(at_home: Home) -> None:
    """By a search and by the refresh of an old account; an inbox delivery asks for none."""
    bob, eve = Person(at_home.web, "bob.test", "bob"), Person(at_home.web, "eve.test", "eve")
    for person in (bob, eve):
        tells(person, followers=12, outbox=3)
    found = await resolve.anything(at_home.site, "@bob@bob.test")
    assert isinstance(found, Account)
    assert await work(at_home) == ["beginnings"]
    assert await shown(at_home, found) == (12, 0, 3)
    await at_home.send(eve, eve.does("Follow", at_home.alice.uri))
    await at_home.work()
    there = await at_home.know(eve)
    assert "profile-totals" not in await work(at_home)
    assert await shown(at_home, there) == (0, 1, 0)
    tells(bob, followers=13)
    at_home.clock.forward(days=8)
    assert await at_home.site.db.write(stale_accounts.renew, found)
    assert "fetch-actor" in await work(at_home)
    assert await shown(at_home, found) == (13, 0, 3)
