"""Follows, blocks, mutes, blocked hosts, and whom a post must reach."""

from __future__ import annotations

import pytest

from fediblog.domain.accounts import Relation
from fediblog.domain.rules import Viewer
from fediblog.store.engine.database import Database
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import accounts, host_rules, hosts, relation_lists, relations
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.people.relations import Follow
from fediblog.store.posts import reactions, timelines
from fediblog.store.tx import Tx
from tests import host_blocks
from tests.conftest import Clock
from tests.store.makers import Watched, local, post, remote, scans, whole


def people(places: list[ListedAccount]) -> list[int]:
    """Numbers of the accounts, in the order of the list."""
    return [each.account.id for each in places]


async def test_a_follow_is_asked_for_granted_and_ended(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        relations.put_follow(tx, bob.id, alice.id, "u:1", "pending")
        assert relations.follow(tx, bob.id, alice.id) == Follow(
            follower=bob.id, followed=alice.id, uri="u:1", state="pending", created=tx.now
        )
        assert not relations.is_following(tx, bob.id, alice.id)
        assert people(relation_lists.requests(tx, alice.id, Window())) == [bob.id]
        assert people(relation_lists.asked(tx, bob.id, Window())) == [alice.id]
        assert relation_lists.followers(tx, alice.id, Window()) == []
        assert relations.accept(tx, bob.id, alice.id)
        assert not relations.accept(tx, bob.id, alice.id), "it stands already"
        assert not relations.accept(tx, alice.id, bob.id), "there is none"
        assert relations.is_following(tx, bob.id, alice.id)
        assert relation_lists.requests(tx, alice.id, Window()) == relation_lists.asked(tx, bob.id, Window()) == []
        assert (relations.counts(tx, alice.id), relations.counts(tx, bob.id)) == ((1, 0), (0, 1))
        relations.put_follow(tx, bob.id, alice.id, "u:2", "accepted")
        assert relations.follow_by_uri(tx, "u:1") is None
        found = relations.follow_by_uri(tx, "u:2")
        assert found is not None
        assert found.follower == bob.id
        assert relations.unfollow(tx, bob.id, alice.id)
        assert not relations.unfollow(tx, bob.id, alice.id)

    await db.write(check)


async def test_lists_of_followers_come_in_pages(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        others = [remote(tx, f"p{n}") for n in range(7)]
        for n, each in enumerate(others):
            relations.put_follow(tx, each.id, alice.id, "", "accepted")
            relations.put_follow(tx, alice.id, each.id, "", "accepted")
            tx.run("update follow set created = created + :n where :id in (follower, followed)", n=n, id=each.id)
        accounts.set_state(tx, others[2].id, "suspended")
        accounts.set_state(tx, others[4].id, "deleted")
        expected = [others[n].id for n in (6, 5, 3, 1, 0)]
        for ask in (relation_lists.followers, relation_lists.following):
            found: list[ListedAccount] = []
            while page := ask(tx, alice.id, Window(before=found[-1].mark if found else FAR, limit=2)):
                found += page
            assert people(found) == expected, "the latest first, and nobody who is hidden or gone"

    await db.write(check)


async def test_only_an_accepted_follow_of_ours_counts(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, other = local(tx), remote(tx), remote(tx, "other")
        relations.put_follow(tx, bob.id, other.id, "", "accepted")
        relations.put_follow(tx, bob.id, alice.id, "", "pending")
        assert relations.local_followers(tx, bob.id) == []
        assert not relations.followed_here(tx, bob.id)
        relations.put_follow(tx, alice.id, bob.id, "", "accepted")
        assert relations.local_followers(tx, bob.id) == [alice.id]
        assert relations.followed_here(tx, bob.id)

    await db.write(check)


async def test_a_block_ends_all_between_two(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, dora = local(tx), remote(tx), remote(tx, "dora")
        for one, other in ((alice, bob), (bob, alice), (alice, dora)):
            relations.put_follow(tx, one.id, other.id, "", "accepted")
        number, passed = post(tx, bob), post(tx, bob)
        timelines.spread(tx, whole(tx, number))
        timelines.spread(tx, whole(tx, passed), reactions.boost(tx, dora.id, passed, "u:b"), dora.id)
        relations.block(tx, alice.id, bob.id, "u:1")
        relations.block(tx, alice.id, bob.id, "u:2")
        assert relations.blocks(tx, alice.id, bob.id)
        assert not relations.blocks(tx, bob.id, alice.id)
        assert relations.block_by_uri(tx, "u:1") == (alice.id, bob.id)
        assert relations.block_by_uri(tx, "u:2") is None
        assert tx.all("select * from stream") == []
        assert relations.between(tx, alice.id, bob.id) == Relation(blocking=True)
        assert relations.between(tx, bob.id, alice.id) == Relation(blocked_by=True)
        assert relations.viewer(tx, bob.id, alice.id) == Viewer(bob.id, False, True)
        assert people(relation_lists.blocked(tx, alice.id, Window())) == [bob.id]
        assert relations.unblock(tx, alice.id, bob.id) == "u:1"
        assert relations.unblock(tx, alice.id, bob.id) is None

    await db.write(check)


async def test_a_mute_lasts_until_its_time(db: Database, clock: Clock) -> None:
    alice, bob = await db.write(local), await db.write(remote)

    def muted(tx: Tx) -> bool:
        listed = people(relation_lists.muted(tx, alice.id, Window())) == [bob.id]
        assert relations.mutes(tx, alice.id, bob.id) == listed == relations.between(tx, alice.id, bob.id).muting
        return listed

    await db.write(relations.mute, alice.id, bob.id, clock.now + 1000)
    assert await db.read(muted)
    clock.forward(seconds=1)
    assert not await db.read(muted)
    await db.write(relations.mute, alice.id, bob.id)
    clock.forward(days=9999)
    assert await db.read(muted)
    await db.write(relations.unmute, alice.id, bob.id)
    assert not await db.read(muted)


HOSTS = ("far.example", "sub.far.example", "far.example:8443", "nofar.example", "f_r.example", "far.example.org")


async def test_a_blocked_host_takes_the_names_below_with_it_and_no_others(db: Database) -> None:
    def check(tx: Tx) -> None:
        people = {host: remote(tx, "bob", host) for host in HOSTS}
        alice = local(tx)

        def suspended() -> set[str]:
            found = accounts.many(tx, [each.id for each in people.values()])
            return {host for host, each in people.items() if found[each.id].state == "suspended"}

        host_blocks.block(tx, "far.example", "spam")
        host_blocks.block(tx, "far.example", "much spam")
        assert [(each.host, each.reason) for each in host_rules.everything(tx)] == [("far.example", "much spam")]
        below = {"far.example", "sub.far.example", "far.example:8443"}
        assert suspended() == below == {host for host in HOSTS if hosts.is_blocked(tx, host)}
        host_blocks.block(tx, "f_r.example")
        assert suspended() == below | {"f_r.example"}
        host_blocks.block(tx, "sub.far.example")
        host_rules.lift(tx, "far.example")
        assert suspended() == {"sub.far.example", "f_r.example"}, "one that has a block of its own stays blocked"
        host_blocks.block(tx, "far.example")
        host_rules.lift(tx, "sub.far.example")
        assert suspended() == below | {"f_r.example"}, "and one below a blocked name as well"
        host_rules.lift(tx, "far.example")
        assert suspended() == {"f_r.example"}
        host_blocks.block(tx, "blog.example")
        ours = accounts.get(tx, alice.id)
        assert ours is not None
        assert ours.state == "active"

    await db.write(check)


async def test_followers_are_reached_at_the_shared_inbox_where_there_is_one(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        for n in range(9):
            shared = f"https://h{n % 3}.example/inbox" if n < 6 else ""
            each = remote(tx, f"p{n}", f"h{n % 3}.example", shared_inbox=shared)
            relations.put_follow(tx, each.id, alice.id, "", "accepted")
        gone, asking = remote(tx, "gone", "gone.example"), remote(tx, "asking", "asking.example")
        relations.put_follow(tx, gone.id, alice.id, "", "accepted")
        accounts.set_state(tx, gone.id, "suspended")
        relations.put_follow(tx, asking.id, alice.id, "", "pending")
        relations.put_follow(tx, local(tx, "ben").id, alice.id, "", "accepted")
        found: list[tuple[int, str]] = []
        while page := relations.inboxes_of_followers(tx, alice.id, after=found[-1][0] if found else 0, limit=2):
            assert len(page) <= 2
            found += page
        assert [number for number, _ in found] == sorted({number for number, _ in found})
        expected = [f"https://h{n % 3}.example/inbox" for n in range(6)]
        assert [inbox for _, inbox in found] == expected + [
            f"https://h{n % 3}.example/users/p{n}/inbox" for n in (6, 7, 8)
        ]

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_relations_are_found_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        one, other = local(tx).id, remote(tx).id
        seen = Watched(tx)
        relations.put_follow(seen, one, other, "u:1", "pending")
        relations.follow_by_uri(seen, "u:1")
        relations.between(seen, one, other)
        relations.followed_here(seen, other)
        relations.local_followers(seen, other)
        relations.counts(seen, one)
        relations.inboxes_of_followers(seen, one)
        relations.unfollow(seen, one, other)
        relations.block(seen, one, other, "u:2")
        relations.unblock(seen, one, other)
        hosts.is_blocked(seen, "a.b.example")
        return scans(seen.plans(), "f", "follow", "a", "account", "b", "block", "m", "mute", "stream", "boost", "post")

    assert await db.write(check) == []
