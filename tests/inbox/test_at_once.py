"""What comes ten times at once, and what is taken back while it is at work: the same as if it came one by one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from fediblog.actions import follow_actions, moderation_actions, post_actions, reaction_actions
from fediblog.actions.drafts import Draft, PollDraft
from fediblog.federation.lookups import resolve
from fediblog.inbox import HANDLERS, apply
from fediblog.prepare import actor_cleaner
from fediblog.protocol.activities import read_activity
from fediblog.protocol.actors import read_actor
from fediblog.store.people import accounts, relations
from fediblog.store.people.hosts import blocked_among
from fediblog.store.posts import posts
from fediblog.store.queues import incoming_queue
from fediblog.store.tx import Tx
from tests import wording
from tests.crossing import Work, cross
from tests.federation.stranger import Home, Json, Person
from tests.inbox.examples import MAKERS, Route
from tests.known import facts_of
from tests.remote_accounts import save_remote

TABLES = ("post", "follow", "block", "reaction", "boost", "notice", "report", "tombstone", "early", "outgoing")


def test_there_is_an_example_for_every_row() -> None:
    assert set(MAKERS) == set(HANDLERS)


def at_work(home: Home, activity: Json) -> Work:
    """What is done with an activity once it is proven."""
    read = read_activity(activity)
    assert read is not None

    def work(tx: Tx) -> Any:
        actor = accounts.by_uri(tx, read.actor)
        assert actor is not None
        return apply(tx, home.site.urls, read, facts_of(actor, read))

    return work


async def totals(home: Home) -> dict[str, int]:
    return {name: await home.count(name) for name in TABLES}


async def ended(home: Home) -> None:
    await home.work()
    assert await home.ask("select state, error from incoming") == []


@pytest.mark.slow
async def test_every_activity_ten_times_at_once_has_one_effect(
    at_home: Home, bob: Person, carol: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "fediblog")
    for route in HANDLERS:
        changes = []
        for who, times in ((bob, 1), (carol, 10)):
            activity = await MAKERS[route](at_home, who)
            before = await totals(at_home)
            receipts = await asyncio.gather(*(at_home.send(who, activity) for _ in range(times)))
            await ended(at_home)
            assert {receipt.status for receipt in receipts} == {202}, (route, receipts)
            after = await totals(at_home)
            changes.append({name: after[name] - before[name] for name in TABLES})
        assert changes[0] == changes[1], route
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []


async def test_the_first_activities_of_somebody_new_at_once(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    acts = [bob.does("Follow", at_home.alice.uri), bob.does("Like", post.uri), bob.does("Announce", post.uri)]
    acts += [bob.creates(bob.note(n, inReplyTo=post.uri), n) for n in range(7)]
    receipts = await asyncio.gather(*(at_home.send(bob, each) for each in acts))
    assert [receipt.status for receipt in receipts] == [202] * len(acts)
    await ended(at_home)
    assert await at_home.ask("select count(*) from account where uri = :uri", uri=bob.uri) == [(1,)]
    assert [await at_home.count(each) for each in ("follow", "reaction", "boost", "post")] == [1, 1, 1, 8]


async def test_an_actor_that_is_stored_twice_at_once(at_home: Home, bob: Person) -> None:
    actor = read_actor(bob.document)
    assert actor is not None

    def save(tx: Tx) -> int:
        return save_remote(tx, actor, "bob.test").id

    one, two = await cross(at_home.site.db, save, save)
    assert one == two


TAKEN_BACK: list[Route] = [(verb, kind) for verb, kind in HANDLERS if verb == "Undo" and (kind, None) in HANDLERS]


@pytest.mark.parametrize("route", TAKEN_BACK, ids=str)
async def test_an_undo_that_comes_while_its_activity_is_at_work(at_home: Home, bob: Person, route: Route) -> None:
    await at_home.know(bob)
    activity = await MAKERS[str(route[1]), None](at_home, bob)
    before = await totals(at_home)
    await cross(at_home.site.db, at_work(at_home, activity), at_work(at_home, bob.does("Undo", activity)))
    after = await totals(at_home)
    if route == ("Undo", "Accept"):
        before["follow"] = 0
    kept = ("follow", "block", "reaction", "boost", "early")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("whole", [False, True], ids=["the post", "its author"])
async def test_a_delete_that_comes_while_its_create_is_at_work(at_home: Home, bob: Person, whole: bool) -> None:
    await at_home.know(bob)
    note = bob.note(1, to=[at_home.alice.uri])
    gone = bob.does("Delete", bob.uri if whole else note["id"])
    await cross(at_home.site.db, at_work(at_home, bob.creates(note)), at_work(at_home, gone))
    assert [await at_home.count(each) for each in ("post", "early")] == [0, 0]


async def test_a_create_that_comes_while_the_delete_of_its_post_or_author_is_at_work(
    at_home: Home, bob: Person, carol: Person
) -> None:
    for who, whole in ((bob, False), (carol, True)):
        account = await at_home.know(who)
        note = who.note(1, to=[at_home.alice.uri])
        read = read_activity(who.creates(note))
        assert read is not None

        def late(tx: Tx, read: Any = read, account: Any = account) -> Any:
            return apply(tx, at_home.site.urls, read, facts_of(account, read))  # as it was known when it came in

        gone = who.does("Delete", who.uri if whole else note["id"])
        await cross(at_home.site.db, at_work(at_home, gone), late)
        assert [await at_home.count(each) for each in ("post", "early")] == [0, 0]


async def test_what_is_fetched_does_not_slip_past_its_delete(at_home: Home, bob: Person, carol: Person) -> None:
    """Carol's group passes on what Bob deletes at that moment."""
    author, _ = await at_home.know(bob), await at_home.know(carol)
    note = bob.note(1)
    boost = read_activity(carol.does("Announce", note["id"]))
    clean = read_activity(bob.creates(note))
    assert boost is not None
    assert clean is not None
    found = HANDLERS["Create", "Note"].read(clean).own
    assert found is not None

    def pass_on(tx: Tx) -> Any:
        actor = accounts.by_uri(tx, carol.uri)
        assert actor is not None
        facts = facts_of(actor, boost, accounts={author.uri: author}, notes={found.uri: found})
        return apply(tx, at_home.site.urls, boost, facts)

    await cross(at_home.site.db, pass_on, at_work(at_home, bob.does("Delete", note["id"])))
    assert [await at_home.count(each) for each in ("post", "early", "tombstone")] == [0, 0, 1]


async def test_a_block_and_a_follow_that_cross(at_home: Home, bob: Person, carol: Person) -> None:
    """Whichever is first, nobody follows whom they block or who blocks them."""
    urls, alice, db = at_home.site.urls, at_home.alice.id, at_home.site.db
    one, two = await at_home.know(bob), await at_home.know(carol)

    def block(other: int) -> Work:
        return lambda tx: moderation_actions.block(tx, urls, alice, other)

    await cross(db, block(one.id), at_work(at_home, bob.does("Follow", at_home.alice.uri)))
    await cross(db, at_work(at_home, carol.does("Follow", at_home.alice.uri)), block(two.id))
    assert await at_home.count("follow") == 0

    dave, erin = Person(at_home.web, "dave.test", "dave"), Person(at_home.web, "erin.test", "erin")
    three, four = await at_home.know(dave), await at_home.know(erin)

    def follow(other: int) -> Work:
        return lambda tx: follow_actions.follow(tx, urls, alice, other)

    await cross(db, follow(three.id), at_work(at_home, dave.does("Block", at_home.alice.uri)))
    await cross(db, at_work(at_home, erin.does("Block", at_home.alice.uri)), follow(four.id))
    assert await at_home.count("follow") == 0
    assert await at_home.count("block") == 4


async def test_votes_that_cross_are_all_counted_and_one_person_has_one(
    at_home: Home, bob: Person, carol: Person
) -> None:
    await at_home.know(bob), await at_home.know(carol)
    post = await at_home.writes(poll=PollDraft(options=("tea", "milk"), multiple=False, seconds=3600))

    def vote(who: Person, name: str, number: int) -> Work:
        ballot = {"type": "Note", "id": f"{who.uri}/v/{number}", "attributedTo": who.uri, "name": name}
        return at_work(
            at_home, who.does("Create", {**ballot, "to": [at_home.alice.uri], "inReplyTo": post.uri}, number)
        )

    await cross(at_home.site.db, vote(bob, "tea", 1), vote(carol, "tea", 1))
    await cross(at_home.site.db, vote(bob, "milk", 2), vote(bob, "milk", 3))
    stored = await at_home.site.db.read(posts.stored, post.id)
    assert stored is not None
    assert stored.poll is not None
    assert [(option.name, option.votes) for option in stored.poll.options] == [("tea", 2), ("milk", 0)]


async def test_a_vote_that_comes_while_the_poll_is_closed(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    post = await at_home.writes(poll=PollDraft(options=("tea", "milk"), multiple=False, seconds=3600))
    ballot = {"type": "Note", "id": f"{bob.uri}/v/1", "attributedTo": bob.uri, "name": "tea", "inReplyTo": post.uri}
    vote = at_work(at_home, bob.does("Create", {**ballot, "to": [at_home.alice.uri]}))
    await cross(at_home.site.db, lambda tx: reaction_actions.close_poll(tx, at_home.site.urls, post.id), vote)
    assert await at_home.count("poll_vote") == 0


async def test_what_is_published_twice_at_once_is_there_once(at_home: Home) -> None:
    """A draft from two windows, and a post for later that is changed when its time has come."""
    urls, alice, db = at_home.site.urls, at_home.alice.id, at_home.site.db

    def publish(post: int) -> Work:
        return lambda tx: wording.edit(tx, urls, alice, post, Draft(source="Done"))

    draft = await at_home.writes(state="draft")
    await cross(db, publish(draft.id), publish(draft.id))
    assert await at_home.count("post") == 1
    later = await at_home.writes(state="scheduled", scheduled=at_home.clock.now + 3_600_000)
    at_home.clock.forward(hours=1)
    await cross(db, lambda tx: post_actions.release(tx, urls, later.id), publish(later.id))
    assert await at_home.ask("select count(*) from post where state = 'published'") == [(2,)]


async def test_follows_that_are_listed_and_given_up_at_once(at_home: Home, bob: Person) -> None:
    """Accept crosses our own Undo: it must not bring the follow back, nor wait for ever."""
    account = await at_home.follows(bob)
    urls, alice = at_home.site.urls, at_home.alice.id
    standing = await at_home.site.db.read(relations.follow, alice, account.id)
    assert standing is not None
    accept = at_work(at_home, bob.does("Accept", standing.uri))
    await cross(at_home.site.db, lambda tx: follow_actions.unfollow(tx, urls, alice, account.id), accept)
    assert await at_home.count("follow") == 0
    assert await at_home.site.db.read(incoming_queue.was_seen, "nothing") is False


BLOCKS = {
    "host": ("bob.test", {}),
    "above": ("test", {}),
    "port": ("bob.test", {"at": "bob.test:8443"}),
    "inbox": ("mail.test", {"inbox": "https://mail.test/bob"}),
    "handle": ("names.test", {"domain": "names.test"}),
}


@pytest.mark.parametrize("first", ["block", "account"])
@pytest.mark.parametrize("known", ["new", "deleted", "elsewhere"])
@pytest.mark.parametrize("what", BLOCKS)
async def test_an_account_that_is_stored_while_its_server_is_blocked(
    at_home: Home, bob: Person, first: str, known: str, what: str
) -> None:
    """Nor one that comes back, or whose handle or inbox comes to be at that server: it does not stay active."""
    host, extra = BLOCKS[what]
    person = Person(at_home.web, extra.pop("at", "bob.test") if known == "new" else "bob.test", "bob")
    domain = extra.get("domain", person.host)
    if known != "new":
        account = await at_home.know(person)
        if known == "deleted":
            await at_home.site.db.write(accounts.set_state, account.id, "deleted")
    actor = read_actor({**person.document, **extra})
    assert actor is not None

    def save(tx: Tx) -> int:
        return resolve.store_actor(tx, actor_cleaner.harmless(actor), domain).id

    def block(tx: Tx) -> None:
        moderation_actions.block_host(tx, at_home.site.urls, host)

    works = (block, save) if first == "block" else (save, block)
    await cross(at_home.site.db, *works)
    rows = await at_home.ask("select host, domain, inbox_host from account where local = 0 and state = 'active'")
    for row in rows:
        assert await at_home.site.db.read(blocked_among, [each for each in row if each]) == set()


@pytest.mark.parametrize("lifted_first", [False, True])
async def test_a_suspension_that_is_lifted_while_the_server_is_blocked(
    at_home: Home, bob: Person, lifted_first: bool
) -> None:
    account, urls = await at_home.know(bob), at_home.site.urls
    await at_home.site.db.write(moderation_actions.suspend, urls, account.id)
    works: list[Work] = [
        lambda tx: moderation_actions.unsuspend(tx, urls, account.id),
        lambda tx: moderation_actions.block_host(tx, urls, "bob.test"),
    ]
    await cross(at_home.site.db, *(works if lifted_first else works[::-1]))
    assert await at_home.ask("select state from account where id = :id", id=account.id) == [("suspended",)]


@pytest.mark.parametrize("first", ["block", "follow"])
async def test_a_follow_from_a_server_that_one_of_ours_blocks(at_home: Home, bob: Person, first: str) -> None:
    await at_home.know(bob)
    urls, alice = at_home.site.urls, at_home.alice.id
    asked = at_work(at_home, bob.does("Follow", at_home.alice.uri))

    def block(tx: Tx) -> None:
        moderation_actions.mute_host(tx, urls, alice, "bob.test")

    works: tuple[Work, Work] = (block, asked) if first == "block" else (asked, block)
    await cross(at_home.site.db, *works)
    assert await at_home.count("follow") == 0


@pytest.mark.parametrize("first", ["block", "follow"])
async def test_a_follow_to_a_server_that_one_blocks(at_home: Home, bob: Person, first: str) -> None:
    account, urls, alice = await at_home.know(bob), at_home.site.urls, at_home.alice.id
    works: list[Work] = [
        lambda tx: moderation_actions.mute_host(tx, urls, alice, "bob.test"),
        lambda tx: follow_actions.follow(tx, urls, alice, account.id),
    ]
    await cross(at_home.site.db, *(works if first == "block" else works[::-1]))
    assert await at_home.count("follow") == 0
