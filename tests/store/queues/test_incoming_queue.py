"""What comes in is dealt with once, waits in bounds, and may have been taken back before it came."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fediblog.domain.documents import Activity
from fediblog.inbox import Sender
from fediblog.store.engine.database import Database
from fediblog.store.posts import posts, tombstones
from fediblog.store.queues import delivery_queue, incoming_queue
from fediblog.store.queues.claims import ABANDONED, CLAIM, PAUSE
from fediblog.store.queues.incoming_queue import KEPT_EARLY, KEPT_SEEN, MOST_CLAIMS, MOST_TRIES
from fediblog.store.tx import Tx
from tests import host_blocks
from tests.conftest import Clock
from tests.store import makers
from tests.store.makers import DAY, Watched, local, post, scans, undone, whole


def keep(tx: Tx, name: str, host: str = "far.example") -> None:
    incoming_queue.keep(tx, f"u:{name}", f"https://{host}/bob", host, f'{{"id": "{name}"}}')


def taken(tx: Tx, limit: int = 16) -> list[str]:
    return [each.uri for each in incoming_queue.claim(tx, limit)]


async def test_an_activity_counts_once_however_often_it_comes(db: Database) -> None:
    outcomes = await asyncio.gather(*(db.write(incoming_queue.first_time, "u:1") for _ in range(8)))
    assert sorted(outcomes) == [False] * 7 + [True]
    assert await db.read(incoming_queue.was_seen, "u:1")
    assert not await db.read(incoming_queue.was_seen, "u:2")
    assert [await db.write(incoming_queue.first_time, "") for _ in range(2)] == [True, True]
    assert not await db.read(incoming_queue.was_seen, "")
    await db.write(incoming_queue.forget, "u:1")
    assert await db.write(incoming_queue.first_time, "u:1")


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("first_fails", [False, True])
async def test_the_second_waits_for_the_first_to_be_sure(db: Database, first_fails: bool) -> None:
    marked, go_on = threading.Event(), threading.Event()

    def first(tx: Tx) -> bool:
        new = incoming_queue.first_time(tx, "u:1")
        marked.set()
        assert go_on.wait(20)
        if first_fails:
            raise KeyError
        return new

    def second(tx: Tx) -> bool:
        assert marked.wait(20)
        go_on.set()
        return incoming_queue.first_time(tx, "u:1")

    one, two = await asyncio.gather(db.write(first), db.write(second), return_exceptions=True)
    assert (isinstance(one, KeyError), two) == (True, True) if first_fails else (one, two) == (True, False)


async def test_what_waits_is_taken_in_order_and_once(db: Database, clock: Clock) -> None:
    for name in "abc":
        await db.write(keep, name)
        clock.forward(ms=1)
    assert await db.read(incoming_queue.next_due) == clock.now - 3
    assert await db.write(taken, 2) == ["u:a", "u:b"]
    assert await db.write(taken) == ["u:c"]
    assert await db.write(taken) == []
    assert await db.read(incoming_queue.totals) == {"running": 3}
    await db.write(incoming_queue.release_all)
    (first,) = await db.write(incoming_queue.claim)
    assert (first.actor, first.host, first.body, first.tries) == (
        "https://far.example/bob",
        "far.example",
        '{"id": "a"}',
        2,
    )
    assert first.inbox_owner is None
    await db.write(incoming_queue.done, first.id)
    assert await db.read(incoming_queue.totals) == {"running": 2}
    await db.write(incoming_queue.keep, "u:d", "a:", "far.example", "{}", 7)
    found = [(each.uri, each.inbox_owner) for each in await db.write(incoming_queue.claim)]
    assert found == [("u:b", None), ("u:d", 7)], "one of those given back, and what is new"


async def test_the_worker_is_told_what_was_answered_and_who_is_silent(db: Database, clock: Clock) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        delivery_queue.emit(
            tx, alice.id, "u:1", "Accept", "u:follow", "{}", number=tx.new_id(), inboxes=["https://h.example/"]
        )
        for kind, subject, since, expected in (
            ("Accept", "u:follow", tx.now, True),
            ("Accept", "u:follow", tx.now + 1, False),
            ("Reject", "u:follow", 0, False),
            ("Accept", "u:other", 0, False),
        ):
            assert incoming_queue.sent_since(tx, alice.id, kind, subject, since) == expected
        assert incoming_queue.standing(tx, "u:1", "h.example", "h.example")[:3] == (False, False, False)
        delivery_queue.host_failed(tx, "h.example", "no answer", lambda failures, since: clock.now)
        assert incoming_queue.standing(tx, "u:1", "h.example", "a.example")[:3] == (False, True, False)
        incoming_queue.first_time(tx, "u:1")
        assert incoming_queue.standing(tx, "u:1", "other.example", "h.example")[:3] == (True, False, False)
        incoming_queue.first_time(tx, "")
        assert incoming_queue.standing(tx, "", "other.example", "a.example")[:3] == (False, False, False)
        host_blocks.block(tx, "bad.example", "spam")
        for signer, actor in (("a.bad.example:8443", "a.example"), ("a.example", "bad.example")):
            assert incoming_queue.standing(tx, "", signer, actor)[:3] == (False, False, True)

    await db.write(check)


@pytest.mark.parametrize("state", ["published", "draft", "deleted", "none"])
async def test_what_an_activity_is_about_is_here_or_not_however_it_is_asked(db: Database, state: str) -> None:
    def check(tx: Tx) -> None:
        uri = whole(tx, post(tx, local(tx))).uri if state != "none" else ""
        if state != "none":
            tx.run("update post set state = :state where uri = :uri", state=state, uri=uri)
        activity = Activity(kind="Like", actor="https://a.example/a", uri="u:1", object=uri, object_uri=uri)
        standing = incoming_queue.standing(tx, "u:1", "a.example", "a.example", about=uri)
        asked = [Sender(actor=None, here=here).is_here(tx, activity) for here in (None, standing.here)]
        assert asked == [state == "published"] * 2 == [posts.place(tx, uri) is not None] * 2

    await undone(db, check)


async def test_a_worker_that_went_away_gives_them_back(db: Database, clock: Clock) -> None:
    await db.write(keep, "a")
    assert await db.write(taken) == ["u:a"]
    clock.forward(ms=CLAIM)
    assert await db.write(taken) == []
    clock.forward(ms=1)
    assert await db.write(taken) == ["u:a"]


async def test_one_with_which_the_process_ends_is_put_aside_and_takes_nobody_with_it(
    db: Database, clock: Clock
) -> None:
    for name in ("innocent", "poison", "bystander"):
        await db.write(keep, name)

    def finish(tx: Tx) -> None:
        tx.run("delete from incoming where state = 'running' and claimed = :now", now=tx.now)

    begun, ends = [], 0
    while batch := await db.write(taken, 2):
        begun.append(batch)
        if "u:poison" in batch:  # the process ends and starts again
            ends += 1
            await db.write(incoming_queue.release_all)
            due = await db.read(incoming_queue.next_due)
            assert due is not None
            assert due <= clock.now + ends * PAUSE
            clock.forward(ms=max(due - clock.now, 0))
        else:
            await db.write(finish)
    assert begun[:2] == [["u:innocent", "u:poison"], ["u:innocent", "u:bystander"]]
    assert begun[2:] == [["u:poison"]] * (MOST_CLAIMS - 1)
    assert await db.read(incoming_queue.totals) == {"dead": 1}
    (row,) = await db.read(lambda tx: tx.all("select uri, error, tries from incoming"))
    assert (row.uri, row.error, row.tries) == ("u:poison", ABANDONED, MOST_CLAIMS)


async def test_one_that_always_fails_is_put_aside(db: Database, clock: Clock) -> None:
    await db.write(keep, "a")
    outcomes = []
    for _ in range(MOST_TRIES):
        (item,) = await db.write(incoming_queue.claim)
        outcomes.append(await db.write(incoming_queue.put_off, item, "it broke", 1000))
        assert await db.write(taken) == []
        clock.forward(seconds=1)
    assert outcomes == [False] * (MOST_TRIES - 1) + [True]
    assert await db.read(incoming_queue.totals) == {"dead": 1}
    assert await db.read(incoming_queue.next_due) is None


async def test_the_door_closes_for_a_host_before_it_does_for_all(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming_queue, "FULL", 5)
    monkeypatch.setattr(incoming_queue, "HOST_SHARE", 3)
    for n in range(3):
        assert await db.read(incoming_queue.has_room, "one.example")
        await db.write(keep, str(n), "one.example")
    assert not await db.read(incoming_queue.has_room, "one.example")
    for n in range(2):
        assert await db.read(incoming_queue.has_room, "two.example")
        await db.write(keep, f"b{n}", "two.example")
    assert not await db.read(incoming_queue.has_room, "two.example")
    assert not await db.read(incoming_queue.has_room, "three.example")
    (item, *_) = await db.write(incoming_queue.claim, 1)
    await db.write(incoming_queue.done, item.id)
    assert [await db.read(incoming_queue.has_room, f"{name}.example") for name in ("one", "two", "three")] == [True] * 3


async def test_what_was_taken_back_early_is_taken_back_once_and_by_its_own_actor(db: Database) -> None:
    def check(tx: Tx) -> None:
        for _ in range(2):
            incoming_queue.remember_early(tx, "u:1", "https://far.example/bob", "Delete")
        assert not incoming_queue.undone_early(tx, "u:1", "https://evil.example/eve")
        assert incoming_queue.undone_early(tx, "u:1", "https://far.example/bob")
        assert not incoming_queue.undone_early(tx, "u:1", "https://far.example/bob")
        incoming_queue.remember_early(tx, "", "https://far.example/bob", "Delete")
        assert not incoming_queue.undone_early(tx, "", "https://far.example/bob")

    await db.write(check)


async def test_what_is_old_is_swept(db: Database, clock: Clock) -> None:
    def fill(tx: Tx) -> None:
        incoming_queue.first_time(tx, "u:1")
        incoming_queue.remember_early(tx, "u:2", "a:", "Undo")
        keep(tx, "dead")
        keep(tx, "alive")
        tx.run("update incoming set state = 'dead' where uri = 'u:dead'")
        tombstones.leave(tx, "u:remote", "a:")
        tombstones.leave(tx, "u:local", "a:", local=True)

    await db.write(fill)
    assert await db.write(incoming_queue.sweep) == 0
    clock.forward(ms=KEPT_EARLY + 1)
    assert await db.write(incoming_queue.sweep) == 1
    clock.forward(ms=KEPT_SEEN - KEPT_EARLY - 1)
    assert await db.write(incoming_queue.sweep) == 0
    clock.forward(ms=1)
    assert await db.write(incoming_queue.sweep) == 2
    assert await db.write(incoming_queue.first_time, "u:1")
    clock.forward(ms=60 * DAY)
    assert await db.write(incoming_queue.sweep) == 2
    assert await db.read(makers.tombstone, "u:local")
    assert not await db.read(makers.tombstone, "u:remote")
    assert await db.read(incoming_queue.totals) == {"waiting": 1}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_queue_goes_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        seen = Watched(tx)
        incoming_queue.first_time(seen, "u:1")
        incoming_queue.was_seen(seen, "u:1")
        incoming_queue.standing(seen, "u:1", "far.example", "a.far.example", about="https://far.example/p/1")
        incoming_queue.has_room(seen, "far.example")
        keep(seen, "a")
        (item,) = incoming_queue.claim(seen)
        incoming_queue.put_off(seen, item, "", 1)
        incoming_queue.next_due(seen)
        incoming_queue.undone_early(seen, "u:1", "a:")
        incoming_queue.done(seen, item.id)
        return scans(seen.plans(), "incoming", "seen", "early", "post")

    assert await db.write(check) == []
