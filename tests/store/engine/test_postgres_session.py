"""How PostgreSQL is talked to: statements that stay prepared, connections that are lost, many rows at once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fediblog.store.engine import postgres_session
from fediblog.store.engine.database import Database, change_alone, connect
from fediblog.store.tx import Conflict, Scalar, Tx
from tests.conftest import Clock, options
from tests.store.conftest import STEPS

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)]

INSERT = "insert into thing (id, name) values (:id, :name)"


def rows(first: int, count: int) -> list[dict[str, Scalar]]:
    return [{"id": n, "name": str(n)} for n in range(first, first + count)]


def count(tx: Tx) -> int:
    row = tx.one("select count(*) as n from thing")
    assert row is not None
    return int(row.n)


async def together(db: Database, tasks: int) -> None:
    """So many reads at the same time, each in a session and on a thread of its own."""
    all_here = threading.Barrier(tasks, timeout=20)

    def read(tx: Tx) -> None:
        tx.all("select 1 as one")
        all_here.wait()

    await asyncio.gather(*(db.scan(read) for _ in range(tasks)))


async def test_a_thread_sends_more_at_once_than_the_connection_takes(empty_url: str, clock: Clock) -> None:
    await (await connect(empty_url, migrations=STEPS, **options(clock))).close()
    long: list[dict[str, Scalar]] = [
        {"id": n, "name": f"{n} {'x' * 1_000}", "data": b"x" * 100_000} for n in range(100)
    ]
    insert = "insert into thing (id, name, data) values (:id, :name, :data)"
    await change_alone(empty_url, lambda tx: tx.many(insert, long), clock=clock)
    assert await change_alone(empty_url, count, clock=clock) == 100


@pytest.mark.parametrize("number", [1, 2, postgres_session.AT_ONCE, postgres_session.AT_ONCE + 1, 1000])
async def test_few_rows_and_many_are_stored_alike(small: Database, number: int) -> None:
    await small.write(lambda tx: tx.many(INSERT, rows(1, number)))
    assert await small.read(count) == number
    with pytest.raises(Conflict):
        await small.write(lambda tx: tx.many(INSERT, [*rows(number + 1, number), {"id": 1, "name": "again"}]))
    assert await small.read(count) == number


async def test_rows_come_one_after_another(small: Database) -> None:
    await small.write(lambda tx: tx.many(INSERT, rows(1, 2500)))

    def pairs(tx: Tx) -> list[tuple[int, int]]:
        wanted = "select id from thing where id > :least order by id"
        return [(one.id, two.id) for one, two in zip(tx.each(wanted, least=1), tx.each(wanted, least=2), strict=False)]

    assert await small.read(pairs) == [(n, n + 1) for n in range(2, 2500)]


async def test_what_stays_prepared_is_bounded(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_session, "MOST_STATEMENTS", 3)

    def ask(tx: Tx, first: int) -> list[int]:
        tx.many(INSERT, rows(first, 9))
        found = [tx.one(f"select {n} as a, :b as b", b=n) for _ in range(3) for n in range(5) for _ in range(2)]
        return [row.a - int(row.b) for row in found if row]

    def prepared(tx: Tx) -> int:
        return len(tx.all("select name from pg_prepared_statements"))

    for first in (1, 1001):
        assert await small.write(ask, first) == [0] * 30
    assert await small.read(prepared) <= 4


async def test_a_table_that_was_altered_is_asked_anew(small: Database, empty_url: str, clock: Clock) -> None:
    await small.write(lambda tx: tx.many(INSERT, rows(1, 1)))

    def look(tx: Tx) -> dict[str, object]:
        row = tx.one("select * from thing")
        assert row is not None
        return row._asdict()

    for _ in range(3):
        assert "colour" not in await small.read(look)
    other = await connect(empty_url, migrations=STEPS, **options(clock))
    await other.write(lambda tx: tx.run("alter table thing add column colour text"))
    await other.close()
    assert "colour" in await small.read(look)


async def test_all_connections_may_be_lost_at_once(small: Database) -> None:
    await together(small, 4)
    others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = :name"

    def cut(tx: Tx) -> None:
        row = tx.one("select current_database() as name")
        assert row is not None
        tx.all(others, name=row.name)

    await small.write(cut)
    assert await asyncio.gather(*(small.read(count) for _ in range(8))) == [0] * 8


@pytest.mark.parametrize("way", ["read", "scan", "write", "write_here"])
async def test_a_connection_that_breaks_within_a_transaction_is_told_and_replaced(small: Database, way: str) -> None:
    with pytest.raises(Exception, match="database-unreachable"):
        await getattr(small, way)(lambda tx: tx.all("select pg_terminate_backend(pg_backend_pid())"))
    assert await small.read(count) == 0


@pytest.mark.parametrize("way", ["write", "write_here"])
async def test_what_is_larger_than_what_a_socket_holds_is_sent(small: Database, way: str) -> None:
    """On the event loop a part of it waits until the server has read the rest."""
    text, insert = "x" * 20_000_000, "insert into large (id, body) values (:id, :body)"
    await small.write(lambda tx: tx.run("create table large (id bigint primary key, body text)"))
    await getattr(small, way)(lambda tx: tx.run(insert, id=1, body=text))
    await getattr(small, way)(lambda tx: tx.many(insert, [{"id": n, "body": text[:500_000]} for n in range(2, 30)]))

    def lengths(tx: Tx) -> list[int]:
        return [row.n for row in tx.all("select length(body) as n from large order by id")]

    assert await small.read(lengths) == [20_000_000] + [500_000] * 28
    assert await small.read(lambda tx: [row.body for row in tx.all("select body from large where id = 1")]) == [text]


async def test_others_go_on_while_one_waits_and_it_is_done_without_its_caller(small: Database) -> None:
    await small.write(lambda tx: tx.many(INSERT, rows(1, 1)))
    held, let_go = threading.Event(), threading.Event()

    def rename(tx: Tx, name: str) -> None:
        tx.run("update thing set name = :name where id = 1", name=name)

    def hold(tx: Tx) -> None:
        rename(tx, "held")
        held.set()
        assert let_go.wait(20)

    holding = asyncio.create_task(small.write(hold))
    assert await asyncio.to_thread(held.wait, 20)
    waiting = asyncio.create_task(small.write_here(rename, "waited"))
    waits = "select 1 as one from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while not await small.read(lambda tx: tx.all(waits)):
        pass
    waiting.cancel()
    let_go.set()
    await holding
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await small.write(rename, "last")  # which waits for it
    assert await small.read(lambda tx: [row.name for row in tx.all("select name from thing")]) == ["last"]


async def test_a_closed_database_has_done_what_was_asked_for(small: Database, empty_url: str, clock: Clock) -> None:
    other = await connect(empty_url, migrations=STEPS, **{**options(clock), "connections": 2})

    def insert(tx: Tx, number: int) -> int:
        return tx.run(INSERT, id=number, name=str(number))

    ways = (other.write, other.write_here) * 4
    asked = [asyncio.create_task(write(insert, number)) for number, write in enumerate(ways)]
    await asyncio.sleep(0)
    await other.close()
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert done.count(1) == await small.read(count)
    assert all(each == 1 or "database-closed" in str(each) for each in done)


async def test_connections_that_nobody_needs_are_closed(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def connections(tx: Tx) -> int:
        others = "select 1 as one from pg_stat_activity where datname = current_database() and query not like 'listen%'"
        return len(tx.all(others))

    await together(small, 4)
    assert await small.read(connections) >= 4
    monkeypatch.setattr(postgres_session, "IDLE", -1.0)
    for _ in range(10):
        await small.read(count)
        await asyncio.sleep(0.02)
    assert await small.read(connections) < 4
    monkeypatch.setattr(postgres_session, "LIFETIME", -1.0)
    assert await small.read(count) == 0


async def test_several_channels_are_heard_in_another_process(small: Database, empty_url: str, clock: Clock) -> None:
    other = await connect(empty_url, migrations=STEPS, **options(clock))
    heard = {name: asyncio.Event() for name in ("one", "two", "content")}
    for name, event in heard.items():
        other.listen(name, event.set)

    def tell(tx: Tx) -> None:
        tx.many(INSERT, rows(1, 1))
        tx.notify("one")
        tx.notify("two")

    await small.write(tell)
    async with asyncio.timeout(20):
        for event in heard.values():
            await event.wait()
    await other.close()
