"""What goes out reaches every inbox once, in order, fairly, and is given up in the end."""

# long because: the queue has one set of rules, and its tests share their builders

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from itertools import groupby

import pytest

from fediblog.messages.stored import pack
from fediblog.store.engine.database import Database
from fediblog.store.people import hosts
from fediblog.store.queues import delivery_queue, job_queue, leases
from fediblog.store.queues.delivery_queue import KEPT_TRYING, MOST_TRIES
from fediblog.store.queues.leases import LEASE, Batch, Delivery
from fediblog.store.tx import Conflict, Tx
from tests import host_blocks
from tests.conftest import Clock
from tests.store import makers
from tests.store.makers import DAY, Watched, local, post, scans


def inbox(host: int | str, name: str = "inbox") -> str:
    return f"https://h{host}.example/{name}"


def emit(tx: Tx, /, *inboxes: str, subject: str = "u:thing", kind: str = "Create", **more: bool | int) -> int:
    """An activity of the first account, to these inboxes; its number."""
    row = tx.one("select id from account where handle = 'alice'")
    number = tx.new_id()
    delivery_queue.emit(
        tx,
        row.id if row else local(tx).id,
        f"https://blog.example/x/{number}",
        kind,
        subject,
        f'{{"n": {number}}}',
        number=number,
        inboxes=inboxes,
        **more,  # type: ignore[arg-type]
    )
    return number


def hour_later(failures: int, since: int | None) -> int:
    """A backoff that does not depend on anything but the clock that the tests begin with."""
    return (since or 0) + failures * 3_600_000


def hosts_of(batches: list[Batch]) -> list[str]:
    return [batch.host for batch in batches]


def sent(batches: list[Batch]) -> list[tuple[str, int]]:
    return [(each.inbox, each.outgoing) for batch in batches for each in batch.deliveries]


async def test_an_activity_is_stored_once_with_a_delivery_for_each_inbox(db: Database) -> None:
    def check(tx: Tx) -> None:
        number = emit(tx, inbox(1), inbox(2), inbox(2), inbox(2, "own"), post=5)
        stored = delivery_queue.get(tx, number)
        assert stored is not None
        assert stored == makers.sent(tx, f"https://blog.example/x/{number}")
        assert (stored.total, stored.reached, stored.failed, stored.waiting) == (3, 0, 0, 3)
        assert delivery_queue.add_deliveries(tx, number, [inbox(2), inbox(3)]) == 1
        assert delivery_queue.add_deliveries(tx, number, []) == delivery_queue.add_deliveries(tx, 1, [inbox(1)]) == 0
        assert delivery_queue.waiting(tx) == 4
        assert [each.id for each in delivery_queue.latest(tx, stored.account)] == [number]
        assert delivery_queue.latest(tx, stored.account, before=number) == []
        assert (delivery_queue.get(tx, 0), makers.sent(tx, "x:")) == (None, None)
        second = emit(tx, inbox(1))
        assert len(delivery_queue.latest(tx, stored.account)) == 1, "only what is about a post"
        batches = leases.lease(tx)
        assert sorted(sent(batches)) == [
            (inbox(1), number),
            (inbox(1), second),
            (inbox(2), number),
            (inbox(2, "own"), number),
            (inbox(3), number),
        ]
        assert batches[0].deliveries[0].body.startswith("{")
        assert {batch.scheme for batch in batches} == {"cavage"}

    await db.write(check)
    with pytest.raises(Conflict):
        await db.write(lambda tx: [emit(tx, inbox(1)), tx.run("update outgoing set uri = 'same'")])


async def test_followers_are_reached_by_a_job(db: Database) -> None:
    def check(tx: Tx) -> None:
        number = emit(tx, followers=True)
        (job,) = job_queue.claim(tx)
        assert (job.kind, job.subject, job.payload) == ("fanout", str(number), {"outgoing": number, "after": 0})

    await db.write(check)


async def test_a_mentioned_follower_gets_it_once(db: Database) -> None:
    """The delivery to a mentioned one may be over before all followers are."""

    def check(tx: Tx) -> None:
        number = emit(tx, inbox(1), followers=True)
        (batch,) = leases.lease(tx)
        makers.delivered(tx, batch.deliveries[0])
        makers.delivered(tx, batch.deliveries[0])
        makers.host_answered(tx, "h1.example")
        (job,) = job_queue.claim(tx)
        assert delivery_queue.add_deliveries(tx, number, [inbox(1), inbox(2)]) == 1
        (batch,) = leases.lease(tx)
        assert batch.host == "h2.example"
        makers.delivered(tx, batch.deliveries[0])
        job_queue.done(tx, job.id)
        stored = delivery_queue.get(tx, number)
        assert stored is not None
        assert (stored.total, stored.reached, stored.waiting) == (2, 2, 0)
        assert delivery_queue.failures(tx, number) == []
        assert delivery_queue.waiting(tx) == 0
        assert delivery_queue.sweep(tx, failed_before=tx.now + 1, sent_before=0) == 2

    await db.write(check)


async def test_totals_add_up(db: Database) -> None:
    def check(tx: Tx) -> None:
        number = emit(tx, *(inbox(n) for n in range(4)))
        one, two, three, four = (batch.deliveries[0] for batch in leases.lease(tx))
        for _ in range(2):  # a worker whose lease ran out may say the same again
            makers.delivered(tx, one)
            delivery_queue.refused(tx, two, 404, "not there")
        makers.delivered(tx, two)
        delivery_queue.put_off(tx, two, 500, "late")
        delivery_queue.put_off(tx, three, 503, "busy")
        stored = delivery_queue.get(tx, number)
        assert stored is not None
        assert (stored.total, stored.reached, stored.failed, stored.waiting) == (4, 1, 1, 2)
        rows = {row.inbox: (row.state, row.status, row.error, row.tries) for row in delivery_queue.failures(tx, number)}
        assert rows == {
            two.inbox: ("failed", 404, "not there", 1),
            three.inbox: ("waiting", 503, "busy", 1),
            four.inbox: ("waiting", None, "", 0),
        }

    await db.write(check)


async def test_a_leased_host_is_nobody_elses_until_the_lease_runs_out(db: Database, clock: Clock) -> None:
    await db.write(emit, inbox(1), inbox(2))
    (first,) = await db.write(lambda tx: leases.lease(tx, hosts=1))
    assert [first.host] != hosts_of(await db.write(leases.lease))
    assert await db.write(leases.lease) == []
    assert await db.read(leases.next_due) == clock.now + LEASE
    clock.forward(ms=LEASE - 1)
    assert await db.write(leases.lease) == []
    clock.forward(ms=1)
    again = await db.write(leases.lease)
    assert sorted(hosts_of(again)) == ["h1.example", "h2.example"]
    assert {each.tries for batch in again for each in batch.deliveries} == {0}
    await db.write(leases.release_all)
    assert len(await db.write(leases.lease)) == 2
    await db.write(hosts.give_back, "h1.example")
    assert hosts_of(await db.write(leases.lease)) == ["h1.example"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_two_workers_share_the_hosts_out(db: Database) -> None:
    await db.write(lambda tx: emit(tx, *(inbox(n) for n in range(8))))
    both = threading.Barrier(2, timeout=20)

    def lease(tx: Tx) -> list[str]:
        found = hosts_of(leases.lease(tx, hosts=5))
        both.wait()
        return found

    one, two = await asyncio.gather(db.write(lease), db.write(lease))
    assert not set(one) & set(two)
    assert len(one) + len(two) >= 5
    rest = hosts_of(await db.write(leases.lease))
    assert sorted([*one, *two, *rest]) == [f"h{n}.example" for n in range(8)]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_a_message_for_a_host_that_was_just_found_idle_is_not_forgotten(db: Database) -> None:
    await db.write(emit, inbox(1))
    (batch,) = await db.write(leases.lease)
    await db.write(makers.delivered, batch.deliveries[0])
    await db.write(makers.host_answered, "h1.example")
    looked, asked = threading.Event(), threading.Event()

    def rest(tx: Tx) -> None:
        assert leases.lease(tx) == []
        looked.set()
        assert asked.wait(20)

    def late(tx: Tx) -> None:
        assert looked.wait(20)
        asked.set()
        emit(tx, inbox(1))  # waits for the row that the other holds, and so comes after it

    await asyncio.gather(db.write(rest), db.write(late))
    assert hosts_of(await db.write(leases.lease)) == ["h1.example"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_settling_for_many_hosts_and_spreading_to_them_never_clash(db: Database) -> None:
    """Both take the hosts in one order, then the activity: else each would wait for what the other holds."""
    names = [f"h{n}.example" for n in range(40)]
    number = await db.write(lambda tx: emit(tx, *(inbox(n) for n in range(40))))
    calls: list[str] = []

    def spread(tx: Tx, step: int) -> None:
        calls.append("spread")
        delivery_queue.add_deliveries(tx, number, [inbox(n, f"own{step}") for n in range(40)])

    def settle(tx: Tx, batches: list[Batch]) -> None:
        calls.append("settle")
        hosts.lock_hosts(tx, names[::-1])
        delivery_queue.delivered_all(tx, number, [each.id for batch in batches for each in batch.deliveries])
        hosts.hosts_answered(tx, names[::-1])

    for step in range(5):
        batches = await db.write(lambda tx: leases.lease(tx, hosts=40))
        await asyncio.gather(db.write(settle, batches), db.write(spread, step))
    assert Counter(calls) == {"spread": 5, "settle": 5}, "nobody had to begin again"
    whole = await db.read(delivery_queue.get, number)
    assert whole is not None
    assert (whole.total, whole.reached) == (6 * 40, 5 * 40)
    assert await db.read(delivery_queue.waiting) == 40


async def test_an_idle_host_costs_nothing_until_there_is_something_for_it(db: Database, clock: Clock) -> None:
    await db.write(emit, inbox(1))
    (batch,) = await db.write(leases.lease)
    await db.write(makers.delivered, batch.deliveries[0])
    await db.write(makers.host_answered, "h1.example", "rfc9421")
    assert await db.write(leases.lease) == []
    assert await db.read(leases.next_due) is None
    await db.write(emit, inbox(1))
    assert await db.read(leases.next_due) == clock.now
    (batch,) = await db.write(leases.lease)
    assert batch.scheme == "rfc9421"


async def test_hosts_take_turns(db: Database, clock: Clock) -> None:
    def fill(tx: Tx) -> None:
        for n in range(6):
            emit(tx, *(inbox(host) for host in range(12)), subject=f"u:{n}")

    await db.write(fill)
    rounds: list[str] = []
    for _ in range(9):
        batches = await db.write(lambda tx: leases.lease(tx, hosts=4, each=2))
        for batch in batches:
            assert len(batch.deliveries) == 2
            for each in batch.deliveries:
                await db.write(makers.delivered, each)
            await db.write(makers.host_answered, batch.host)
        rounds += hosts_of(batches)
        clock.forward(ms=1)
    every = {f"h{n}.example" for n in range(12)}
    assert [set(rounds[n : n + 12]) for n in (0, 12, 24)] == [every] * 3
    assert await db.read(delivery_queue.waiting) == 0


async def order_of_turns(db: Database) -> list[str]:
    """The hosts in the order in which they have their turn now, one after another."""
    order = []
    while batches := await db.write(lambda tx: leases.lease(tx, hosts=1)):
        order.append(batches[0].host)
    return order


async def test_what_is_for_few_goes_before_the_rest_of_what_is_for_many(db: Database, clock: Clock) -> None:
    await db.write(emit, *(inbox(f"{n:02}") for n in range(30)))
    clock.forward(ms=delivery_queue.SPACING * 10)
    await db.write(lambda tx: emit(tx, inbox("a"), inbox("b"), subject="u:small"))
    order = [name.removeprefix("h").removesuffix(".example") for name in await order_of_turns(db)]
    places = [order.index(name) for name in ("a", "b")]
    assert places[0] in (10, 11)
    assert places[1] in (11, 12, 13)
    assert [name for name in order if name not in ("a", "b")] == [f"{n:02}" for n in range(30)]


async def test_a_host_keeps_its_place_when_more_comes_for_it(db: Database, clock: Clock) -> None:
    await db.write(emit, inbox(1), inbox(2), inbox(3))
    clock.forward(ms=delivery_queue.SPACING * 100)
    await db.write(lambda tx: emit(tx, inbox(4), inbox(1), subject="u:later"))
    assert await order_of_turns(db) == ["h1.example", "h2.example", "h3.example", "h4.example"]


async def test_a_host_that_had_its_turn_comes_after_those_that_wait(db: Database, clock: Clock) -> None:
    await db.write(lambda tx: [emit(tx, inbox(1), inbox(2), inbox(3), subject=f"u:{n}") for n in range(2)])
    (batch,) = await db.write(lambda tx: leases.lease(tx, hosts=1, each=1))
    assert batch.host == "h1.example"
    await db.write(makers.delivered, batch.deliveries[0])
    await db.write(makers.host_answered, batch.host)
    assert await order_of_turns(db) == ["h2.example", "h3.example", "h1.example"]
    await db.write(leases.release_all)
    clock.forward(ms=hosts.AGAIN * 2)
    await db.write(lambda tx: emit(tx, inbox(4), subject="u:later"))
    assert (await order_of_turns(db))[2:] == ["h1.example", "h4.example"], "but before what came after its turn"


async def test_rows_that_were_kept_while_an_activity_was_spread_go_in_steps(db: Database) -> None:
    def check(tx: Tx) -> None:
        number, other = (emit(tx, *(inbox(n) for n in range(9)), subject=s, followers=True) for s in ("u:1", "u:2"))
        for batch in leases.lease(tx, each=1):
            assert batch.deliveries[0].outgoing == number
            if batch.host == "h0.example":
                delivery_queue.refused(tx, batch.deliveries[0], 403, "no")
            elif batch.host != "h1.example":
                makers.delivered(tx, batch.deliveries[0])
        assert delivery_queue.forget_reached(tx, other, 5) == 0
        assert [delivery_queue.forget_reached(tx, number, 5) for _ in range(3)] == [5, 2, 0]
        assert delivery_queue.waiting(tx) == 1 + 9
        assert {(row.host, row.state) for row in delivery_queue.failures(tx, number)} == {
            ("h0.example", "failed"),
            ("h1.example", "waiting"),
        }
        stored = delivery_queue.get(tx, number)
        assert stored is not None
        assert (stored.total, stored.reached, stored.failed) == (9, 7, 1)

    await db.write(check)


async def test_a_failure_puts_off_the_host_and_is_probed_by_one_message(db: Database, clock: Clock) -> None:
    def fill(tx: Tx) -> None:
        for n in range(50):
            emit(tx, inbox(1), inbox(2), subject=f"u:{n}")

    await db.write(fill)
    batches = {batch.host: batch for batch in await db.write(leases.lease)}
    first = batches["h1.example"].deliveries[0]
    start = clock.now

    def fail(tx: Tx, delivery: Delivery) -> None:
        delivery_queue.put_off(tx, delivery, None, "timed out")
        delivery_queue.host_failed(tx, delivery.host, "timed out" * 99, hour_later)

    await db.write(fail, first)
    assert hosts_of(await db.write(leases.lease)) == []
    assert await db.read(leases.next_due) == start + LEASE
    clock.forward(hours=1)
    (probe, other) = sorted(await db.write(leases.lease), key=lambda batch: batch.host)
    assert (probe.host, probe.failures, len(probe.deliveries)) == ("h1.example", 1, 1)
    assert (other.host, len(other.deliveries)) == ("h2.example", 20)
    await db.write(fail, probe.deliveries[0])
    (trouble,) = await db.read(hosts.troubled_hosts)
    assert (trouble.name, trouble.failures, trouble.failing_since, trouble.next_try, trouble.waiting) == (
        "h1.example",
        2,
        start,
        start + 2 * 3_600_000,
        50,
    )
    clock.forward(hours=1)
    (probe,) = [batch for batch in await db.write(leases.lease) if batch.host == "h1.example"]
    await db.write(makers.delivered, probe.deliveries[0])
    await db.write(makers.host_answered, "h1.example")
    (batch,) = await db.write(leases.lease)
    assert (batch.failures, len(batch.deliveries)) == (0, 20)
    assert await db.read(hosts.troubled_hosts) == []


async def test_failing_hosts_do_not_crowd_out_those_that_work(db: Database, clock: Clock) -> None:
    await db.write(lambda tx: emit(tx, *(inbox(n) for n in range(20))))
    for n in range(15):
        await db.write(delivery_queue.host_failed, f"h{n}.example", "no answer", hour_later)
    clock.forward(days=1)
    batches = await db.write(lambda tx: leases.lease(tx, hosts=5, probes=3))
    assert Counter(batch.failures > 0 for batch in batches) == {True: 3, False: 5}


async def test_a_host_that_asks_for_time_gets_it(db: Database, clock: Clock) -> None:
    await db.write(emit, inbox(1))
    until = clock.now + 5000
    await db.write(lambda tx: delivery_queue.host_failed(tx, "h1.example", "429", hour_later, until))
    assert await db.read(leases.next_due) == until
    clock.forward(ms=4999)
    assert await db.write(leases.lease) == []
    clock.forward(ms=1)
    assert hosts_of(await db.write(leases.lease)) == ["h1.example"]
    await db.write(delivery_queue.host_failed, "nobody.example", "x", hour_later)


async def test_what_is_heard_of_is_due_at_once(db: Database, clock: Clock) -> None:
    await db.write(emit, inbox(1), inbox(2))
    await db.write(leases.lease)
    await db.write(lambda tx: delivery_queue.host_failed(tx, "h1.example", "no answer", hour_later, clock.now + DAY))
    assert await db.write(leases.lease) == []
    await db.write(hosts.host_heard, "h1.example")
    await db.write(hosts.host_heard, "h2.example")
    assert hosts_of(await db.write(leases.lease)) == ["h1.example"], "a lease of one that works stands"


async def test_what_nobody_takes_for_seven_days_is_given_up(db: Database, clock: Clock) -> None:
    old = await db.write(emit, inbox(1), inbox(2))
    await db.write(delivery_queue.host_failed, "h1.example", "no answer", hour_later)
    clock.forward(days=3)
    young = await db.write(lambda tx: emit(tx, inbox(1)))
    clock.forward(ms=KEPT_TRYING - 3 * DAY)
    await db.write(delivery_queue.host_failed, "h1.example", "no answer", hour_later)
    assert (await db.read(hosts.troubled_hosts))[0].unavailable == clock.now
    whole = await db.read(delivery_queue.get, old)
    assert whole is not None
    assert (whole.failed, whole.waiting) == (0, 2), "not a moment too early"
    clock.forward(ms=1)
    await db.write(delivery_queue.host_failed, "h1.example", "no answer", hour_later)
    assert (await db.read(hosts.troubled_hosts))[0].unavailable == clock.now - 1
    for number, failed, waiting in ((old, 1, 1), (young, 0, 1)):
        whole = await db.read(delivery_queue.get, number)
        assert whole is not None
        assert (whole.failed, whole.waiting) == (failed, waiting)
    (row, _) = await db.read(delivery_queue.failures, old)
    assert (row.state, row.error) == ("failed", pack("delivery.given-up"))
    await db.write(makers.host_answered, "h1.example")
    assert await db.read(hosts.troubled_hosts) == []


async def test_a_message_that_always_fails_is_given_up_and_hinders_no_other(db: Database, clock: Clock) -> None:
    poison = await db.write(emit, inbox(1))
    tries = 0
    while await db.read(delivery_queue.waiting) and tries < 99:
        other = await db.write(lambda tx: emit(tx, inbox(1), subject="u:other"))
        for _ in range(2):
            for batch in await db.write(leases.lease):
                for each in batch.deliveries:
                    if each.outgoing == poison:
                        tries += 1
                        assert each.tries == tries - 1
                        await db.write(delivery_queue.put_off, each, 500, "the server answered 500")
                    else:
                        await db.write(makers.delivered, each)
                await db.write(makers.host_answered, batch.host)
        whole = await db.read(delivery_queue.get, other)
        assert whole is not None
        assert whole.reached == 1, "others pass"
        clock.forward(days=1)
    assert tries == MOST_TRIES
    whole = await db.read(delivery_queue.get, poison)
    assert whole is not None
    assert (whole.failed, whole.waiting) == (1, 0)


async def test_no_answer_at_all_is_not_counted_against_the_message(db: Database) -> None:
    def check(tx: Tx) -> None:
        number = emit(tx, inbox(1))
        for _ in range(MOST_TRIES * 2):
            tx.run("update host set leased = 0, next_try = 0, failures = 1")
            (batch,) = leases.lease(tx)
            delivery_queue.put_off(tx, batch.deliveries[0], None, "timed out")
        whole = delivery_queue.get(tx, number)
        assert whole is not None
        assert whole.waiting == 1

    await db.write(check)


async def test_what_waits_for_a_blocked_host_is_refused(db: Database) -> None:
    def check(tx: Tx) -> None:
        number = emit(tx, inbox(1), inbox(1, "own"), inbox(2))
        delivery_queue.refuse_all(tx, "h1.example", "blocked")
        whole = delivery_queue.get(tx, number)
        assert whole is not None
        assert (whole.failed, whole.waiting) == (2, 1)
        assert hosts_of(leases.lease(tx)) == ["h2.example"]

    await db.write(check)


async def test_a_later_message_never_overtakes_an_earlier_one_that_failed(db: Database, clock: Clock) -> None:
    create = await db.write(lambda tx: emit(tx, inbox(1), subject="u:1"))
    (batch,) = await db.write(leases.lease)
    await db.write(delivery_queue.put_off, batch.deliveries[0], 500, "the server answered 500")
    await db.write(makers.host_answered, "h1.example")

    def more(tx: Tx) -> list[int]:
        delete = emit(tx, inbox(1), subject="u:1", kind="Delete")
        elsewhere = emit(tx, inbox(1, "own"), subject="u:1")
        return [delete, elsewhere, *(emit(tx, inbox(1), subject=f"u:x{n}") for n in range(30))]

    delete, elsewhere, *others = await db.write(more)
    order: list[int] = []
    for _ in range(9):
        for batch in await db.write(lambda tx: leases.lease(tx, each=4)):
            for each in batch.deliveries:
                order.append(each.outgoing)
                await db.write(makers.delivered, each)
            await db.write(makers.host_answered, batch.host)
    assert order == [elsewhere, *others], "what is about other things, or for another inbox, does not wait"
    clock.forward(hours=1)
    for _ in range(2):
        (batch,) = await db.write(leases.lease)
        order += [each.outgoing for each in batch.deliveries]
        await db.write(makers.delivered, batch.deliveries[0])
        await db.write(makers.host_answered, batch.host)
    assert order[-2:] == [create, delete]


class Simulation:
    """Servers that answer by chance, and a worker that keeps the rules a real one keeps."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.sent: list[int] = []

    def fill(self, tx: Tx) -> None:
        for _ in range(self.dice.randrange(1, 6)):
            inboxes = {inbox(self.dice.randrange(3), self.dice.choice("ab")) for _ in range(3)}
            self.sent.append(emit(tx, *inboxes, subject=f"u:{self.dice.randrange(3)}"))

    def work(self, tx: Tx) -> None:
        for batch in leases.lease(tx, hosts=2, each=3):
            answered = False
            ordered = sorted(batch.deliveries, key=lambda each: (each.inbox, each.subject, each.id))
            for _, lane in groupby(ordered, lambda each: (each.inbox, each.subject)):
                for each in lane:
                    self.check_order(tx, each)
                    outcome = self.dice.choice(["taken", "taken", "refused", "error", "silence"])
                    answered = answered or outcome in ("taken", "refused")
                    if not self.settle(tx, each, outcome):
                        break
            if answered:
                makers.host_answered(tx, batch.host)
            else:
                delivery_queue.host_failed(
                    tx, batch.host, "no answer", lambda failures, since: tx.now + 60_000 * failures
                )

    def settle(self, tx: Tx, delivery: Delivery, outcome: str) -> bool:
        if outcome == "taken":
            makers.delivered(tx, delivery)
        elif outcome == "refused":
            delivery_queue.refused(tx, delivery, 403, "no")
        else:
            delivery_queue.put_off(tx, delivery, 500 if outcome == "error" else None, outcome)
            return False
        return True

    def check_order(self, tx: Tx, delivery: Delivery) -> None:
        earlier = tx.all(
            "select id from delivery where inbox = :i and subject = :s and state = 'waiting' and id < :id",
            i=delivery.inbox,
            s=delivery.subject,
            id=delivery.id,
        )
        assert earlier == [], "overtaken"


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_servers_answer_order_holds_and_totals_add_up(db: Database, clock: Clock, seed: int) -> None:
    world = Simulation(seed)
    for _ in range(12):
        await db.write(world.fill)
        await db.write(world.work)
        clock.forward(seconds=world.dice.randrange(300))
    for _ in range(3000):
        if not await db.read(delivery_queue.waiting):
            break
        due = await db.read(leases.next_due)
        assert due is not None, "something waits that nobody will ever take"
        clock.forward(ms=max(due - clock.now, 0))
        await db.write(world.work)
    for number in world.sent:
        whole = await db.read(delivery_queue.get, number)
        assert whole is not None
        assert whole.total == whole.reached + whole.failed > 0
        assert len(await db.read(delivery_queue.failures, number)) == whole.failed


async def test_hosts_that_are_blocked_are_found_among_many(db: Database) -> None:
    def check(tx: Tx) -> None:
        host_blocks.block(tx, "bad.example")
        names = ["bad.example", "a.b.bad.example:8443", "notbad.example", "example", "good.example"]
        assert hosts.blocked_among(tx, names) == {"bad.example", "a.b.bad.example:8443"}
        assert hosts.blocked_among(tx, []) == set()
        assert {name for name in names if hosts.is_blocked(tx, name)} == hosts.blocked_among(tx, names)

    await db.write(check)


async def test_what_is_over_is_swept(db: Database, clock: Clock) -> None:
    def fill(tx: Tx) -> tuple[int, int, int]:
        number = post(tx, local(tx))
        numbers = emit(tx, inbox(1)), emit(tx, inbox(2)), emit(tx, inbox(3), post=number)
        for batch in leases.lease(tx):
            if batch.host == "h2.example":
                delivery_queue.refused(tx, batch.deliveries[0], 404, "gone")
            else:
                makers.delivered(tx, batch.deliveries[0])
        return numbers

    reached, refused, about_post = await db.write(fill)
    clock.forward(days=1)
    waiting = await db.write(emit, inbox(4))
    clock.forward(days=1)
    soon = clock.now
    assert await db.write(lambda tx: delivery_queue.sweep(tx, failed_before=0, sent_before=soon)) == 1
    assert await db.write(lambda tx: delivery_queue.sweep(tx, failed_before=soon, sent_before=soon)) == 2
    left = [n for n in (reached, refused, about_post, waiting) if await db.read(delivery_queue.get, n)]
    assert left == [about_post, waiting]


async def test_what_hosts_understand_is_remembered(db: Database) -> None:
    await db.write(hosts.remember_scheme, "new.example", "rfc9421")
    await db.write(emit, inbox(1))
    await db.write(hosts.remember_scheme, "h1.example", "rfc9421")
    await db.write(hosts.remember_scheme, "new.example", "cavage")
    assert await db.read(hosts.schemes) == {"h1.example": "rfc9421"}
    assert hosts_of(await db.write(leases.lease)) == ["h1.example"]


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_the_planner_is_told_that_the_queue_has_grown(db: Database) -> None:
    def spread(tx: Tx, number: int, first: int) -> None:
        delivery_queue.add_deliveries(tx, number, [inbox(n) for n in range(first, first + 400)])

    def known(tx: Tx) -> tuple[int, int]:
        rows = tx.all("select reltuples from pg_class where relname in ('delivery', 'host') order by relname")
        return int(rows[0].reltuples), int(rows[1].reltuples)

    number = await db.write(lambda tx: emit(tx, subject="u:0"))
    seen = []
    for first in range(0, 2000, 400):
        await db.write(spread, number, first)
        seen.append(await db.read(known))
    assert seen[1:] == [(800, 800), (1200, 1200), (1200, 1200), (1200, 1200)], "once whenever it has doubled"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_lease_costs_as_much_as_its_batch(db: Database) -> None:
    """Twenty thousand deliveries for five thousand servers wait, and a thousand for one that is away."""

    def check(tx: Tx) -> None:
        number = emit(tx, subject="u:0")
        for page in range(20):
            inboxes = [inbox((page * 1000 + n) % 5000, f"u{page}/{n}") for n in range(1000)]
            assert delivery_queue.add_deliveries(tx, number, inboxes) == 1000
        for n in range(1000):
            emit(tx, inbox("away"), subject=f"u:{n}")
        delivery_queue.host_failed(tx, "haway.example", "no answer", lambda failures, since: tx.now)
        assert delivery_queue.waiting(tx) == 21_000
        seen = Watched(tx)
        steps = [0]

        def count() -> int:
            steps[0] += 1
            return 0

        tx._db.set_progress_handler(count, 100)  # type: ignore[attr-defined]
        batches = leases.lease(seen)
        tx._db.set_progress_handler(None, 0)  # type: ignore[attr-defined]
        assert (len(batches), sum(len(batch.deliveries) for batch in batches)) == (33, 32 * 4 + 1)
        assert len(seen.asked) == 7, "however many they are"
        assert steps[0] < 1000, "a hundred thousand instructions of SQLite, not millions"
        plans = seen.plans()
        assert scans(plans, "host", "delivery", "d", "e", "o") == []
        assert any("host_due" in step for step in plans)
        assert any("host_turn" in step for step in plans)
        assert any("delivery_host" in step for step in plans)
        assert not any("TEMP B-TREE" in step for step in plans)

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_settling_goes_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        seen = Watched(tx)
        number = emit(seen, inbox(1), inbox(2), inbox(3))
        one, two, three = (batch.deliveries[0] for batch in leases.lease(seen))
        makers.delivered(seen, one)
        delivery_queue.refused(seen, two, 404, "")
        delivery_queue.put_off(seen, three, 500, "")
        delivery_queue.host_failed(seen, three.host, "", hour_later)
        makers.host_answered(seen, one.host)
        hosts.host_heard(seen, three.host)
        delivery_queue.failures(seen, number)
        delivery_queue.get(seen, number)
        tx.run("update host set next_try = 0")
        leases.lease(seen)
        delivery_queue.sweep(seen, failed_before=1, sent_before=1)
        hosts.troubled_hosts(seen)
        found = scans(seen.plans(), "delivery", "d", "e", "f", "o", "outgoing", "h", "host", "job", "p")
        # Numbers alone, once an hour; and an index of those that fail, which nothing else is in.
        small = ("USING COVERING INDEX outgoing_post", "USING INDEX host_failing")
        return [step for step in found if not step.endswith(small)]

    assert await db.write(check) == []
