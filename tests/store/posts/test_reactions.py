"""Likes, boosts and votes are rows: done twice they count once, taken back they are gone."""

from __future__ import annotations

import pytest

from fediblog.domain.documents import Option, Poll, Visibility
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts
from fediblog.store.posts import posts, reaction_lists, reactions, timelines
from fediblog.store.queues import job_queue
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.store.makers import Watched, home_of, local, post, remote, scans, whole


def _beside(tx: Tx, number: int) -> int:
    return len(tx.all("select 1 as yes from reaction where post = :post", post=number))


async def test_reactions_stand_once_and_are_taken_back(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, number = remote(tx), post(tx, local(tx))
        assert reactions.react(tx, bob.id, number, "u:1")
        assert not reactions.react(tx, bob.id, number, "u:2")
        assert reactions.react(tx, bob.id, number, "u:3", kind="emoji", content="🐈", emoji_url="https://x.example/c")
        assert reactions.react(tx, bob.id, number, "u:4", kind="emoji", content="🐕")
        assert _beside(tx, number) == 3
        assert reactions.by_uri(tx, "u:1") == (bob.id, number)
        assert reactions.by_uri(tx, "u:2") is None
        assert reactions.withdraw(tx, bob.id, number) == "u:1"
        assert reactions.withdraw(tx, bob.id, number) is None
        assert reactions.withdraw(tx, bob.id, number, kind="emoji", content="🐕") == "u:4"
        assert reactions.withdraw(tx, bob.id, number, kind="emoji", content="🦊") is None
        assert reactions.withdraw(tx, bob.id, number, kind="emoji") == "u:3"
        assert _beside(tx, number) == 0

    await db.write(check)


async def test_only_ones_own_is_taken_back_by_its_id(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, evil, number = remote(tx), remote(tx, "evil"), post(tx, local(tx))
        reactions.react(tx, bob.id, number, "u:1")
        assert not reactions.withdraw_by_uri(tx, evil.id, "u:1")
        assert whole(tx, number).like_total == 1
        assert reactions.withdraw_by_uri(tx, bob.id, "u:1")
        assert whole(tx, number).like_total == 0

    await db.write(check)


async def test_who_liked_and_who_passed_it_on(db: Database, clock: Clock) -> None:
    people = [await db.write(remote, name) for name in ("a", "b", "c", "d")]
    number = await db.write(lambda tx: post(tx, local(tx)))

    def act(tx: Tx, index: int) -> None:
        reactions.react(tx, people[index].id, number, f"u:like{index}", kind="dislike" if index == 3 else "like")
        reactions.boost(tx, people[index].id, number, f"u:boost{index}")

    for index in (2, 0, 1, 3):
        await db.write(act, index)
        clock.forward(seconds=1)

    def check(tx: Tx) -> None:
        accounts.set_state(tx, people[0].id, "suspended")
        assert [each.account.id for each in reaction_lists.first_reactions(tx, number)] == [people[2].id, people[1].id]
        assert reaction_lists.like_uris(tx, number) == ["u:like2", "u:like1"]
        boosters = reaction_lists.boosters(tx, number)
        assert [each.id for _, each in boosters] == [people[index].id for index in (3, 1, 2)]
        assert reaction_lists.boost_uris(tx, number) == ["u:boost2", "u:boost1", "u:boost3"]
        assert reaction_lists.boost_uris(tx, number, limit=2) == ["u:boost2", "u:boost1"]
        assert (reaction_lists.first_reactions(tx, 0), reaction_lists.boosters(tx, 0)) == ([], [])
        reader = people[3].id
        tx.run(
            "insert into follow (follower, followed, uri, state, created) values (:who, :whom, :uri, 'accepted', 1)",
            who=reader,
            whom=people[1].id,
            uri="https://a.example/f/1",
        )
        faces = [each.account.id for each in reaction_lists.first_reactions(tx, number, reader)]
        assert faces == [people[1].id, people[2].id]  # whom the reader follows first
        assert [each.account.id for each in reaction_lists.first_reactions(tx, number, reader, 1)] == [people[1].id]

    await db.write(check)


async def test_a_boost_stands_once_and_leaves_the_streams_with_its_end(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, number = local(tx), post(tx, remote(tx))
        first = reactions.boost(tx, alice.id, number, "u:1", number=77)
        assert first == 77
        assert reactions.boost(tx, alice.id, number, "u:2") is None
        assert reactions.boost(tx, remote(tx, "evil").id, number, "u:1") is None, "an id is used once"
        assert reactions.boost_by_uri(tx, "u:1") == (alice.id, number)
        timelines.spread(tx, whole(tx, number), first, alice.id)
        assert len(home_of(tx, alice.id)) == 1
        seen = posts.get(tx, number, alice.id)
        assert seen is not None
        assert (seen.boosted, seen.boost_total) == (True, 1)
        assert reactions.unboost(tx, alice.id, number) == "u:1"
        assert reactions.unboost(tx, alice.id, number) is None
        assert home_of(tx, alice.id) == []
        assert reactions.boost_by_uri(tx, "u:1") is None

    await db.write(check)


async def test_votes_are_counted_by_choice_and_by_person(db: Database) -> None:
    def check(tx: Tx) -> None:
        poll = Poll(options=(Option(name="Tea"), Option(name="Milk"), Option(name="None")), multiple=True, ends=5)
        number = post(tx, local(tx), poll=poll)
        one, two = remote(tx, "one"), remote(tx, "two")
        assert reactions.vote(tx, one.id, number, "Tea", "u:1")
        assert not reactions.vote(tx, one.id, number, "Tea", "u:2")
        assert reactions.vote(tx, one.id, number, "Milk", "u:3")
        assert reactions.vote(tx, two.id, number, "Tea", "u:4")
        assert reactions.votes(tx, number) == ({"Tea": 2, "Milk": 1}, 2)
        assert reactions.has_voted(tx, one.id, number)
        assert not reactions.has_voted(tx, one.id, 0)
        reactions.tally(tx, whole(tx, number))
        counted = whole(tx, number).poll
        assert counted is not None
        assert [each.votes for each in counted.options] == [2, 1, 0]
        assert (counted.voters, counted.multiple, counted.ends) == (2, True, 5)
        assert job_queue.next_due(tx) == tx.now + reactions.TALLY_DELAY
        reactions.tally(tx, whole(tx, post(tx, one)))

    await db.write(check)


async def test_servers_with_a_copy_are_told(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        number = post(tx, alice)
        liker, booster, answerer = (remote(tx, name, f"{name}.example") for name in ("l", "b", "a"))
        lonely = remote(tx, "s", "s.example", shared_inbox="")
        reactions.react(tx, liker.id, number, "u:1")
        reactions.react(tx, lonely.id, number, "u:2")
        reactions.boost(tx, liker.id, number, "u:3")
        reactions.boost(tx, booster.id, number, "u:4")
        reactions.react(tx, alice.id, number, "u:5")
        post(tx, answerer, in_reply_to=whole(tx, number).uri, visibility=Visibility.DIRECT)
        accounts.set_state(tx, booster.id, "deleted")
        expected = {liker.shared_inbox, answerer.shared_inbox, lonely.inbox}
        found = reactions.involved_inboxes(tx, number)
        assert set(found) == expected
        assert len(found) == 3

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_reactions_are_found_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        bob, number = remote(tx), post(tx, local(tx))
        seen = Watched(tx)
        reactions.react(seen, bob.id, number, "u:1")
        reactions.boost(seen, bob.id, number, "u:2")
        reactions.by_uri(seen, "u:1")
        reaction_lists.first_reactions(seen, number)
        reaction_lists.like_uris(seen, number)
        reaction_lists.boosters(seen, number)
        reaction_lists.boost_uris(seen, number)
        reactions.votes(seen, number)
        reactions.has_voted(seen, bob.id, number)
        reactions.involved_inboxes(seen, number)
        reactions.withdraw(seen, bob.id, number)
        reactions.withdraw_by_uri(seen, bob.id, "u:1")
        reactions.unboost(seen, bob.id, number)
        return scans(seen.plans(), "reaction", "boost", "post", "p", "a", "account", "poll_vote")

    assert await db.write(check) == []
