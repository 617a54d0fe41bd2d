"""Polls of other servers: our people's votes are in the totals at once and once, and the totals are asked for again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.actions import reaction_actions
from fediblog.domain.posts import Post
from fediblog.federation.jobs import JOBS
from fediblog.protocol.json_values import stamp
from fediblog.store.posts import posts
from fediblog.store.queues import delivery_queue, job_queue, poll_totals
from tests.federation.stranger import Home, Json, Person, home

PATH = "https://bob.test/n/bob/1"


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


def question(bob: Person, tea: int, coffee: int, **fields: Any) -> Json:
    options = [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
        for name, votes in (("Tea", tea), ("Coffee", coffee))
    ]
    return bob.note(type="Question", **{"anyOf": options, "votersCount": tea + coffee, **fields})


async def asked(at_home: Home, bob: Person, **fields: Any) -> Post:
    await at_home.follows(bob)
    await at_home.send(bob, bob.creates(question(bob, 5, 3, **fields)))
    await at_home.work()
    return await stored(at_home)


async def stored(at_home: Home) -> Post:
    found = await at_home.site.db.read(posts.by_uri, PATH)
    assert found is not None
    return found


async def standing(at_home: Home) -> tuple[list[int], int | None]:
    poll = (await stored(at_home)).poll
    assert poll is not None
    return [each.votes for each in poll.options], poll.voters


async def work(at_home: Home) -> list[str]:
    """Do all jobs about polls that are due; their kinds."""
    found = [
        each for each in await at_home.site.db.write(job_queue.claim) if each.kind in ("refresh-poll", "close-poll")
    ]
    for job in found:
        await JOBS[job.kind](at_home.site, job)
    return [each.kind for each in found]


async def deliver(at_home: Home) -> None:
    """All that waits has reached its inbox."""
    for outgoing, delivery in await at_home.ask("select outgoing, id from delivery where state = 'waiting'"):
        await at_home.site.db.write(delivery_queue.delivered_all, outgoing, [delivery])


async def test_a_vote_counts_at_once_and_never_twice(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    post = await asked(at_home, bob)
    assert await standing(at_home) == ([5, 3], 8)
    await at_home.site.db.write(reaction_actions.vote, at_home.site.urls, at_home.alice.id, post.id, ["Tea", "Coffee"])
    assert await standing(at_home) == ([6, 4], 9)
    # The origin tells its totals before it has got the vote, with its words and without: it is on top of them.
    await at_home.send(bob, bob.does("Update", question(bob, 7, 3), 1))
    assert await standing(at_home) == ([8, 4], 11)
    edited = question(bob, 7, 3, content="<p>Well?</p>", updated="2025-06-15T10:00:00Z")
    await at_home.send(bob, bob.does("Update", edited, 2))
    await at_home.work()
    assert await standing(at_home) == ([8, 4], 11)
    # It has got the vote, and its totals say so.
    await deliver(at_home)
    later = question(bob, 8, 4, content="<p>Well?</p>", updated="2025-06-15T10:00:00Z", votersCount=11)
    await at_home.send(bob, bob.does("Update", later, 3))
    assert await standing(at_home) == ([8, 4], 11)


async def test_totals_are_asked_for_while_somebody_looks(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    ends = at_home.clock.now + 3_600_000
    post = await asked(at_home, bob, endTime=stamp(ends))
    question(bob, 9, 9, endTime=stamp(ends))

    async def look() -> list[str]:
        due = await at_home.site.db.read(lambda tx: poll_totals.stale(tx, [post]))
        await at_home.site.db.write(poll_totals.refresh, due)
        return await work(at_home)

    assert await look() == []  # it has just come
    at_home.clock.forward(seconds=301)
    assert await look() == ["refresh-poll"]
    assert await standing(at_home) == ([9, 9], 18)
    assert await look() == []
    at_home.clock.forward(seconds=301)
    at_home.web.down.add("bob.test")
    assert await look() == ["refresh-poll"]
    assert await standing(at_home) == ([9, 9], 18)
    assert await look() == []
    at_home.web.down.clear()
    question(bob, 10, 9, endTime=stamp(ends))
    at_home.clock.forward(seconds=3600)
    assert await look() == ["refresh-poll"]  # once after its end
    assert await standing(at_home) == ([10, 9], 19)
    at_home.clock.forward(seconds=3600)
    assert await look() == []


async def test_who_voted_is_told_the_end_with_the_result(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    ends = at_home.clock.now + 3_600_000
    post = await asked(at_home, bob, endTime=stamp(ends))
    await at_home.site.db.write(reaction_actions.vote, at_home.site.urls, at_home.alice.id, post.id, ["Tea"])
    await deliver(at_home)
    question(bob, 6, 4, endTime=stamp(ends))
    assert await work(at_home) == []
    at_home.clock.forward(seconds=301)
    assert await work(at_home) == ["refresh-poll"]
    assert await standing(at_home) == ([6, 4], 10)
    question(bob, 60, 40, endTime=stamp(ends), closed=stamp(ends))
    at_home.clock.forward(seconds=3600)
    assert await work(at_home) == ["close-poll"]
    assert await standing(at_home) == ([60, 40], 100)
    assert await at_home.notices() == [("poll", "bob")]


async def test_a_question_that_is_somebody_elses_now_changes_nothing(at_home: Home) -> None:
    bob, eve = Person(at_home.web, "bob.test", "bob"), Person(at_home.web, "bob.test", "eve")
    post = await asked(at_home, bob)
    at_home.web.put(PATH, {**question(bob, 90, 90), "attributedTo": eve.uri})
    await at_home.site.db.write(poll_totals.refresh, [post.id])
    assert await work(at_home) == ["refresh-poll"]
    assert await standing(at_home) == ([5, 3], 8)
