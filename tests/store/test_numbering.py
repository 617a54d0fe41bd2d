"""Notices and subscriptions are counted for each account, and what apps remember of the numbers before still counts."""

from __future__ import annotations

import asyncio
from typing import Any

from fediblog.store.engine.database import Database, connect
from fediblog.store.engine.migrate import known_migrations
from fediblog.store.id_paging import FAR, Window
from fediblog.store.queues import push_subscriptions
from fediblog.store.readers import markers, notification_policy, notifications
from fediblog.store.readers.notifications import LARGEST
from fediblog.store.tx import Tx
from tests.conftest import Clock, options
from tests.store.makers import local, notices_of, post, remote

NUMBERS = next(step.version for step in known_migrations() if step.name == "numbers")
BEFORE = [step for step in known_migrations() if step.version < NUMBERS]


def _numbers(tx: Tx, account: int) -> list[int]:
    return [each.id for each in reversed(notices_of(tx, account))]


async def test_each_account_counts_its_own(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ann, bob = local(tx), local(tx, "ann"), remote(tx)
        for _ in range(3):
            notifications.add(tx, alice.id, "mention", bob.id, post(tx, bob), new=True)
        notifications.add(tx, ann.id, "follow", bob.id)
        assert (_numbers(tx, alice.id), _numbers(tx, ann.id)) == ([1, 2, 3], [1])
        tx.run("delete from notice where account = :a and id = 3", a=alice.id)
        notification_policy.put(tx, alice.id, {"not_following": "drop"})
        notifications.add(tx, alice.id, "mention", bob.id, post(tx, bob))
        notification_policy.put(tx, alice.id, {"not_following": "accept"})
        notifications.add(tx, alice.id, "mention", bob.id, post(tx, bob))
        assert _numbers(tx, alice.id)[:2] == [1, 2]
        assert _numbers(tx, alice.id)[2] > 3  # a number is never given again

    await db.write(check)


async def test_numbers_rise_however_many_write_at_once(db: Database) -> None:
    alice, ann = await db.write(local), await db.write(local, "ann")
    authors = [await db.write(remote, f"p{n}") for n in range(8)]

    def tell(tx: Tx, actor: int, first: int, second: int) -> None:
        notifications.lock(tx, actor, [first, second])
        for account in sorted((first, second)):
            notifications.add(tx, account, "follow", actor)

    pairs = [(alice.id, ann.id), (ann.id, alice.id)] * 4
    await asyncio.gather(*(db.write(tell, each.id, *pair) for each, pair in zip(authors, pairs, strict=True)))
    for account in (alice, ann):
        found = await db.read(_numbers, account.id)
        assert found == sorted(set(found))
        assert len(found) == 8


async def test_subscriptions_are_counted_too(db: Database) -> None:
    def check(tx: Tx) -> None:
        numbers = []
        for handle in ("alice", "alice", "ann"):
            account = people[handle]
            tx.run(
                "insert into token (id, token, login, account, scopes, created)"
                " values (:id, :t, :login, :a, 'push', 1)",
                id=tx.new_id(),
                t=str(tx.new_id()),
                login=account.login,
                a=account.id,
            )
            token = tx.all("select max(id) as id from token")[0].id
            keys = {"endpoint": "e", "key": "k", "secret": "s", "policy": "all", "sealed": ""}
            made = push_subscriptions.put(tx, token, account.id, **keys, standard=True, alerts={})
            numbers.append(made.id)
        assert numbers == [1, 2, 1]

    people = {name: await db.write(local, name) for name in ("alice", "ann")}
    await db.write(check)


def _furnish_old(tx: Tx) -> dict[str, Any]:
    """Three notices of Alice and one of Ann, as they were stored before, and a marker at the second."""
    people = {}
    for number, handle in enumerate(("alice", "ann", "bob"), 1):
        tx.run(
            "insert into account (id, local, uri, handle, handle_key, domain, host, kind, inbox, created, changed)"
            " values (:id, :local, :uri, :handle, :handle, 'h', 'h', 'Person', '', 1, 1)",
            id=number,
            local=int(handle != "bob"),
            uri=f"https://h/{handle}",
            handle=handle,
        )
        people[handle] = number
    old = [tx.new_id() for _ in range(4)]
    for number, account in zip(old, (1, 2, 1, 1), strict=True):
        tx.run(
            "insert into notice (id, account, kind, actor, created) values (:id, :account, 'follow', 3, 1)",
            id=number,
            account=account,
        )
    markers.put(tx, 1, "notifications", old[2])
    markers.put(tx, 1, "home", old[2])
    return {"old": old, **people}


async def test_numbers_of_before_are_translated(empty_url: str, clock: Clock) -> None:
    db = await connect(empty_url, migrations=BEFORE, **options(clock))
    world = await db.write(_furnish_old)
    await db.close()
    db = await connect(empty_url, **options(clock))

    def check(tx: Tx) -> None:
        first, other, second, third = world["old"]
        alice, ann = world["alice"], world["ann"]
        assert (_numbers(tx, alice), _numbers(tx, ann)) == ([1, 2, 3], [1])
        read = {each.timeline: each.last_read for each in markers.get(tx, alice, markers.TIMELINES)}
        assert read == {"notifications": 2, "home": second}
        assert [notifications.number_of(tx, alice, each) for each in (first, second, third, 2)] == [1, 2, 3, 2]
        assert notifications.number_of(tx, alice, other) == 0  # somebody else's
        unknown = third + 5
        for given, meant in (
            (Window(after=first), Window(after=1)),
            (Window(after=unknown), Window(after=3)),
            (Window(before=third), Window(before=3)),
            (Window(before=unknown), Window(before=4)),
            (Window(before=FAR, after=2), Window(before=FAR, after=2)),
        ):
            assert notifications.placed(tx, alice, given) == meant
        assert unknown > LARGEST
        notifications.add(tx, alice, "mention", world["bob"])
        assert _numbers(tx, alice) == [1, 2, 3, 4]

    await db.write(check)
    await db.close()
