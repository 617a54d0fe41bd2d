"""Notices tell once, and nothing of those one does not want to hear of."""

from __future__ import annotations

from fediblog.domain.documents import Visibility
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts, admin_accounts, relations
from fediblog.store.posts import post_writing
from fediblog.store.readers import notification_lists, notification_policy, notifications
from fediblog.store.tx import Tx
from tests.store.makers import Watched, local, notices_of, post, remote, whole


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
        found = notices_of(tx, alice.id)
        assert [(each.kind, each.post.id if each.post else None, each.content) for each in found] == [
            ("like", number, ""),
            ("like", number, "🐈"),
            ("mention", number, ""),
            ("follow", None, ""),
        ]
        assert all(each.actor.id == bob.id and not each.read for each in found)
        assert [each.id for each in notices_of(tx, alice.id, before=found[1].id, limit=1)] == [found[2].id]
        notifications.withdraw(tx, alice.id, "follow", bob.id)
        notifications.withdraw(tx, alice.id, "like", bob.id, number)
        assert [each.kind for each in notices_of(tx, alice.id)] == ["mention"]

    await db.write(check)


async def test_what_was_looked_at_is_read(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        for n in range(3):
            notifications.add(tx, alice.id, "follow", remote(tx, f"p{n}").id)
        newest = notices_of(tx, alice.id)
        assert notification_lists.unread_total(tx, alice.id) == 3
        notifications.mark_read(tx, alice.id, newest[1].id)
        assert [each.read for each in notices_of(tx, alice.id)] == [False, True, True]
        assert notification_lists.unread_total(tx, alice.id) == 1
        notifications.mark_read(tx, alice.id)
        assert notification_lists.unread_total(tx, alice.id) == 0
        for n in range(120):
            notifications.add(tx, alice.id, "follow", remote(tx, f"q{n}").id)
        assert notification_lists.unread_total(tx, alice.id) == 100

    await db.write(check)


async def test_nothing_is_told_of_those_who_are_not_wanted(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, dora = local(tx), remote(tx), remote(tx, "dora")
        relations.block(tx, alice.id, bob.id, "u:1")
        relations.mute(tx, alice.id, dora.id)
        for each in (bob, dora):
            notifications.add(tx, alice.id, "follow", each.id)
        assert notices_of(tx, alice.id) == []

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
        assert len(notices_of(tx, alice.id)) == 4
        post_writing.address(tx, private, [])
        post_writing.remove(tx, whole(tx, removed))
        relations.block(tx, dora.id, alice.id, "u:1")
        accounts.set_state(tx, evil.id, "suspended")
        assert notices_of(tx, alice.id) == []

    await db.write(check)


async def test_many_notices_take_as_many_queries_as_one(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        asked = []
        for _ in range(2):
            for _ in range(10):
                notifications.add(tx, alice.id, "mention", bob.id, post(tx, bob))
            seen = Watched(tx)
            notices_of(seen, alice.id)
            asked.append(len(seen.asked))
        assert asked[0] == asked[1] < 14

    await db.write(check)


async def test_a_page_is_full_and_a_total_counts_what_is_shown(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob, evil, hidden = local(tx), remote(tx), remote(tx, "evil"), remote(tx, "hidden")
        for each in (bob, evil, hidden):
            for _ in range(3):
                notifications.add(tx, alice.id, "like", each.id, post(tx, alice))
        accounts.set_state(tx, evil.id, "suspended")
        tx.run("insert into block (account, target, uri, created) values (:a, :b, '', 0)", a=alice.id, b=hidden.id)
        assert [each.actor.id for each in notices_of(tx, alice.id, limit=3)] == [bob.id] * 3
        assert notification_lists.unread_total(tx, alice.id) == 3
        numbers = [row.id for row in tx.all("select id from notice where account = :a order by id", a=alice.id)]
        shown = [notification_lists.get(tx, alice.id, number) is not None for number in numbers]
        assert shown == [True] * 3 + [False] * 6
        assert notification_lists.get(tx, bob.id, numbers[0]) is None

    await db.write(check)


async def test_who_is_limited_is_heard_by_who_follows_them_or_asks_for_it(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, anna, abby, bob = local(tx), local(tx, "anna"), local(tx, "abby"), remote(tx)
        number = post(tx, bob)
        admin_accounts.set_limited(tx, bob.id, limited=True)
        relations.put_follow(tx, anna.id, bob.id, "u:1", "accepted")
        notification_policy.put(tx, abby.id, {"limited_accounts": "accept"})
        for each in (alice, anna, abby):
            notifications.add(tx, each.id, "mention", bob.id, number, new=True)
            notifications.add(tx, each.id, "like", bob.id, number)
        assert notices_of(tx, alice.id) == []
        assert notification_policy.pending(tx, alice.id) == (1, 2), "they wait, and can be accepted"
        for each in (anna, abby):
            assert [notice.kind for notice in notices_of(tx, each.id)] == ["like", "mention"]
        notification_policy.accept(tx, alice.id, [bob.id])
        assert len(notices_of(tx, alice.id)) == 2
        notification_policy.put(tx, alice.id, {"not_followers": "drop"})
        expected = {**dict.fromkeys(notification_policy.RULES, "accept"), "limited_accounts": "filter"}
        assert notification_policy.get(tx, alice.id) == {**expected, "not_followers": "drop"}

    await db.write(check)
