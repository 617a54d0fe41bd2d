"""Notices tell once, and nothing of those one does not want to hear of."""

from __future__ import annotations

from fediblog.domain.documents import Visibility
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts, relations
from fediblog.store.posts import post_writing
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx
from tests.store.makers import Watched, local, post, remote, whole


async def test_the_same_thing_is_told_once(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        number = post(tx, bob)
        for _ in range(2):
            notifications.add(tx, alice.id, "follow", bob.id)
            notifications.add(tx, alice.id, "mention", bob.id, number)
            notifications.add(tx, alice.id, "like", bob.id, number, "🐈")
        notifications.add(tx, alice.id, "like", bob.id, number)
        notifications.add(tx, alice.id, "like", alice.id, number)
        found = notifications.latest(tx, alice.id)
        assert [(each.kind, each.post.id if each.post else None, each.content) for each in found] == [
            ("like", number, ""),
            ("like", number, "🐈"),
            ("mention", number, ""),
            ("follow", None, ""),
        ]
        assert all(each.actor.id == bob.id and not each.read for each in found)
        assert [each.id for each in notifications.latest(tx, alice.id, before=found[1].id, limit=1)] == [found[2].id]
        notifications.withdraw(tx, alice.id, "follow", bob.id)
        notifications.withdraw(tx, alice.id, "like", bob.id, number)
        assert [each.kind for each in notifications.latest(tx, alice.id)] == ["mention"]

    await db.write(check)


async def test_what_was_looked_at_is_read(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        for n in range(3):
            notifications.add(tx, alice.id, "follow", remote(tx, f"p{n}").id)
        newest = notifications.latest(tx, alice.id)
        assert notifications.unread(tx, alice.id) == 3
        notifications.mark_read(tx, alice.id, newest[1].id)
        assert [each.read for each in notifications.latest(tx, alice.id)] == [False, True, True]
        assert notifications.unread(tx, alice.id) == 1
        notifications.mark_read(tx, alice.id)
        assert notifications.unread(tx, alice.id) == 0
        for n in range(120):
            notifications.add(tx, alice.id, "follow", remote(tx, f"q{n}").id)
        assert notifications.unread(tx, alice.id) == 100

    await db.write(check)


async def test_nothing_is_told_of_those_who_are_not_wanted(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, dora = local(tx), remote(tx), remote(tx, "dora")
        relations.block(tx, alice.id, bob.id, "u:1")
        relations.mute(tx, alice.id, dora.id)
        for each in (bob, dora):
            notifications.add(tx, alice.id, "follow", each.id)
        assert notifications.latest(tx, alice.id) == []

    await db.write(check)


async def test_what_may_no_longer_be_seen_is_left_out(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, dora, evil = local(tx), remote(tx), remote(tx, "dora"), remote(tx, "evil")
        private = post(tx, bob, visibility=Visibility.DIRECT, mentioned=[alice.id])
        removed = post(tx, bob)
        for number in (private, removed):
            notifications.add(tx, alice.id, "mention", bob.id, number)
        notifications.add(tx, alice.id, "mention", dora.id, post(tx, dora))
        notifications.add(tx, alice.id, "follow", evil.id)
        assert len(notifications.latest(tx, alice.id)) == 4
        post_writing.address(tx, private, [])
        post_writing.remove(tx, whole(tx, removed))
        relations.block(tx, dora.id, alice.id, "u:1")
        accounts.set_state(tx, evil.id, "suspended")
        assert notifications.latest(tx, alice.id) == []

    await db.write(check)


async def test_many_notices_take_as_many_queries_as_one(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        asked = []
        for _ in range(2):
            for _ in range(10):
                notifications.add(tx, alice.id, "mention", bob.id, post(tx, bob))
            seen = Watched(tx)
            notifications.latest(seen, alice.id)
            asked.append(len(seen.asked))
        assert asked[0] == asked[1] < 14

    await db.write(check)
