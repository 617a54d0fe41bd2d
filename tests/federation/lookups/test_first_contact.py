"""What is fetched because our people look at it: pins and first posts, what a group passed on, answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.documents import PUBLIC
from fediblog.federation.jobs import JOBS
from fediblog.federation.lookups import resolve
from fediblog.federation.lookups.first_contact import FETCHES
from fediblog.store.posts import account_posts
from fediblog.store.queues import background_fetches, job_kinds, job_queue
from tests.federation.stranger import Home, Person, home
from tests.store.makers import home_of


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


async def work(at_home: Home) -> None:
    """Do all jobs that are due."""
    while found := [
        each for each in await at_home.site.db.write(job_queue.claim) if each.kind in (job_kinds.FIRST_POSTS, "thread")
    ]:
        for job in found:
            await JOBS[job.kind](at_home.site, job)


def serve(at_home: Home, uri: str, items: list[Any]) -> None:
    at_home.web.put(uri, {"id": uri, "type": "OrderedCollection", "first": f"{uri}?page=1"})
    page = {"id": f"{uri}?page=1", "type": "OrderedCollectionPage", "orderedItems": items}
    at_home.web.put(f"{uri}?page=1", page)


async def test_pins_and_first_posts_come_in_once_and_as_nothing_new(at_home: Home) -> None:
    bob, eve = Person(at_home.web, "bob.test", "bob"), Person(at_home.web, "eve.test", "eve")
    tag = {"type": "Mention", "href": at_home.alice.uri, "name": "@alice@home.test"}
    notes = [bob.note(number, tag=[tag], cc=[at_home.alice.uri]) for number in range(30)]
    forged = {**eve.note(1), "attributedTo": bob.uri}
    serve(
        at_home, f"{bob.uri}/outbox", [bob.creates(forged), *(bob.creates({**note, "content": "x"}) for note in notes)]
    )
    featured = [notes[2], notes[1]["id"], eve.note(2)["id"]]
    at_home.web.put(f"{bob.uri}/featured", {"id": f"{bob.uri}/featured", "type": "Collection", "items": featured})
    account = await at_home.follows(bob)
    await work(at_home)
    assert await at_home.count("post") == 19  # for one of the first page was no post of his
    pinned = await at_home.site.db.read(account_posts.pinned, account.id, account.id)
    assert [post.uri for post in pinned] == [notes[2]["id"], notes[1]["id"]]
    assert {post.content for post in pinned} == {"<p>note 1</p>", "<p>note 2</p>"}
    assert await at_home.notices() == []
    assert await at_home.site.db.read(home_of, at_home.alice.id) == []
    asked = len(at_home.web.asked)
    await at_home.follows(bob)
    await work(at_home)
    assert len(at_home.web.asked) == asked


async def test_an_account_that_was_searched_for_has_its_posts_too(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    serve(at_home, f"{bob.uri}/outbox", [bob.creates(bob.note(1))])
    await resolve.anything(at_home.site, "@bob@bob.test")
    await resolve.anything(at_home.site, "@bob@bob.test")
    await work(at_home)
    assert await at_home.count("post") == 1


async def test_a_joined_group_shows_what_it_passed_on(at_home: Home) -> None:
    group = Person(at_home.web, "forum.test", "cats", {"type": "Group"})
    mia, carol = Person(at_home.web, "forum.test", "mia"), Person(at_home.web, "carol.test", "carol")
    pages = [mia.note(1, type="Page", name="One"), carol.note(2, type="Page", name="Two")]
    answer = mia.note(3, inReplyTo=pages[0]["id"])
    wrapped = [group.does("Announce", mia.creates(page), at, to=[PUBLIC]) for at, page in enumerate((*pages, answer))]
    serve(at_home, f"{group.uri}/outbox", wrapped)
    account = await at_home.follows(group)
    await work(at_home)
    boosted = await at_home.ask(
        "select p.uri from boost b join post p on p.id = b.post where b.account = :id order by b.id", id=account.id
    )
    assert {row[0] for row in boosted} == {page["id"] for page in pages}
    assert await at_home.site.db.read(home_of, at_home.alice.id) == []


async def test_an_outbox_of_bare_ids_is_looked_up(at_home: Home) -> None:
    """Ids of activities and of posts alike, each asked for once; what is not the account's own is left out."""
    bob, eve = Person(at_home.web, "bob.test", "bob"), Person(at_home.web, "eve.test", "eve")
    notes = [bob.note(number) for number in range(3)]
    made, others = bob.creates(notes[0]), bob.creates({**eve.note(4), "attributedTo": bob.uri}, 4)
    forged = {**eve.creates(eve.note(5)), "id": "https://bob.test/x/forged"}
    for each in (made, others, forged):
        at_home.web.put(each["id"], each)
    items = [made["id"], others["id"], forged["id"], eve.note(6)["id"], *(note["id"] for note in notes[1:])]
    serve(at_home, f"{bob.uri}/outbox", [*items, "https://bob.test/none", "nonsense"])
    await at_home.follows(bob)
    await work(at_home)
    assert {row[0] for row in await at_home.ask("select uri from post")} == {note["id"] for note in notes}
    asked = at_home.web.asked
    assert not [url for url in asked if "eve.test" in url]
    assert all(asked.count(url) == 1 for url in (made["id"], *(note["id"] for note in notes)))
    assert await at_home.notices() == []


async def test_a_group_whose_outbox_is_bare_ids_shows_what_it_passed_on(at_home: Home) -> None:
    group, mia = Person(at_home.web, "forum.test", "cats", {"type": "Group"}), Person(at_home.web, "mia.test", "mia")
    page = mia.note(1, type="Page", name="One")
    told = group.does("Announce", mia.creates(page), to=[PUBLIC])
    at_home.web.put(told["id"], told)
    serve(at_home, f"{group.uri}/outbox", [told["id"]])
    account = await at_home.follows(group)
    await work(at_home)
    sql = "select p.uri from boost b join post p on p.id = b.post where b.account = :id"
    assert await at_home.ask(sql, id=account.id) == [(page["id"],)]


@pytest.mark.parametrize("bare", [False, True])
async def test_a_hostile_outbox_is_bounded(at_home: Home, bare: bool) -> None:
    group = Person(at_home.web, "forum.test", "cats", {"type": "Group"})
    uris = [f"https://victim.test/{number}" for number in range(100)]
    told = [group.does("Announce", uri, at) for at, uri in enumerate(uris)]
    for each in told:
        at_home.web.put(each["id"], each)
    serve(at_home, f"{group.uri}/outbox", [each["id"] for each in told] if bare else told)
    await at_home.follows(group)
    at_home.web.asked.clear()
    await work(at_home)
    assert len(at_home.web.asked) <= FETCHES
    assert 0 < len([url for url in at_home.web.asked if "victim" in url]) <= 20


@pytest.mark.parametrize("who", ["followed", "answered", "neither"])
async def test_answers_of_strangers_below_a_post_are_fetched(at_home: Home, who: str) -> None:
    """Below a followed author's post once it is read; below one that ours answered at once; below no other."""
    bob, eve = Person(at_home.web, "bob.test", "bob"), Person(at_home.web, "eve.test", "eve")
    root = bob.note(1, replies="https://bob.test/r")
    answer = eve.note(2, inReplyTo=root["id"])
    at_home.web.put("https://bob.test/r", {"id": "https://bob.test/r", "type": "Collection", "items": [answer["id"]]})
    if who == "followed":
        await at_home.follows(bob)
        await at_home.send(bob, bob.creates(root))
    else:
        await at_home.know(bob)
        assert await resolve.post(at_home.site, root["id"]) is not None
    found = await at_home.ask("select id from post where uri = :uri", uri=root["id"])
    if who == "answered":
        await at_home.writes(reply_to=root["id"])
    else:
        await at_home.site.db.write(background_fetches.of_thread, (found[0][0],))
    await work(at_home)
    there = await at_home.ask("select 1 from post where uri = :uri", uri=answer["id"])
    assert bool(there) is (who != "neither")
    assert ("reply", "eve") not in await at_home.notices()
