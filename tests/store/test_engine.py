"""What both engines promise about transactions, parameters and notifications."""

# long because: the same promises are tried on both engines, with the same small schema

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum
from pathlib import Path

import pytest

from fediblog.errors import Misuse, Unavailable
from fediblog.store.engine import sqlite_file
from fediblog.store.engine.database import Database, connect, sqlite_path
from fediblog.store.engine.sql import bind, bind_in_order, define, numbered
from fediblog.store.engine.sqlite_writer import MOST_JOBS
from fediblog.store.ids import IdMaker
from fediblog.store.tx import Conflict, Param, Scalar, Tx
from tests.conftest import Clock, options
from tests.store.conftest import STEPS


class Colour(StrEnum):
    RED = "red"


def add(tx: Tx, name: str | None, *, notify: str = "", fail: bool = False) -> int:
    new = tx.new_id()
    tx.run("insert into thing (id, name) values (:id, :name)", id=new, name=name)
    if notify:
        tx.notify(notify)
    if fail:
        raise KeyError(name)
    return new


def names(tx: Tx) -> list[str]:
    return [row.name for row in tx.all("select name from thing order by id")]


def echo(tx: Tx, /, sql: str, **params: Scalar) -> object:
    row = tx.one(sql, **params)
    return row[0] if row else None


async def test_rows_have_their_columns_as_attributes(small: Database) -> None:
    identifier = await small.write(add, "one")
    row = await small.read(lambda tx: tx.one("select id, name, data, size as length from thing"))
    assert row is not None
    assert (row.id, row.name, row.data, row.length) == tuple(row) == (identifier, "one", None, None)
    assert row._asdict() == {"id": identifier, "name": "one", "data": None, "length": None}
    assert await small.read(lambda tx: tx.one("select 1 as one from thing where id = 0")) is None
    assert await small.read(lambda tx: tx.all("select 1 as one from thing where id = 0")) == []


async def test_rows_follow_a_table_that_another_process_changes(tmp_path: Path, clock: Clock) -> None:
    db = await connect(tmp_path / "fediblog.db", migrations=STEPS, clock=clock)
    await db.write(add, "one")
    before = await db.read(lambda tx: tx.one("select * from thing"))
    await db.write(lambda tx: tx.run("alter table thing rename column name to title"))
    after = await db.read(lambda tx: tx.one("select * from thing"))
    await db.close()
    assert before is not None
    assert after is not None
    assert (before.name, after.title) == ("one", "one")


async def test_values_come_back_as_they_went_in(small: Database) -> None:
    values: list[dict[str, Scalar]] = [
        {"id": 1, "name": "it's 100 % :fine", "data": b"\x00\xff'", "size": 0.1},
        {"id": 2**63 - 1, "name": Colour.RED, "data": b"", "size": 1e300},
        {"id": True + 2, "name": "ü😀\n", "data": None, "size": None},
    ]
    insert = "insert into thing (id, name, data, size) values (:id, :name, :data, :size)"
    await small.write(lambda tx: tx.many(insert, values))
    rows = await small.read(lambda tx: tx.all("select id, name, data, size from thing order by id"))
    assert [tuple(row) for row in rows] == [tuple(values[index].values()) for index in (0, 2, 1)]
    assert type(rows[2].name) is str
    assert [tuple(row) for row in await small.read(lambda tx: list(tx.each("select id from thing order by id")))] == [
        (1,),
        (3,),
        (2**63 - 1,),
    ]


@pytest.mark.parametrize(
    ("sql", "params", "expected"),
    [
        ("select count(*) from thing where name like '%:x%' and name <> :x", {"x": "a"}, 0),
        ("select 5 % 3", {}, 2),
        ("select :a * 1000 * 1000", {"a": 60_000}, 60_000_000_000),
        ("select coalesce(:a, 7)", {"a": None}, 7),
        ("select case when :flag = 1 then 'yes' else 'no' end", {"flag": True}, "yes"),
        ("select greatest(:a, 3)", {"a": 9}, 9),
        ("select least(:a, 3)", {"a": None}, 3),
        ("select exists (select 1 from thing)", {}, 0),
        ("select ':a' -- it's :b\n", {}, ":a"),
    ],
)
async def test_one_text_for_both_engines(
    small: Database, sql: str, params: dict[str, Scalar], expected: object
) -> None:
    assert await small.read(lambda tx: echo(tx, sql, **params)) == expected


async def test_a_sum_is_a_whole_number(small: Database) -> None:
    await small.write(add, "one")
    total = await small.read(echo, "select sum(id) from thing")
    assert type(total) is int
    mean = await small.read(echo, "select avg(size) from thing")
    assert mean is None


async def test_lists_are_expanded(small: Database) -> None:
    ids = [await small.write(add, str(number)) for number in range(5)]

    def found(tx: Tx, sql: str, wanted: list[int]) -> int:
        return len(tx.all(sql, wanted=wanted))

    inside, outside = "select id from thing where id in (:wanted)", "select id from thing where id not in (:wanted)"
    assert await small.read(found, inside, ids[:3]) == 3
    assert await small.read(found, outside, ids[:3]) == 2
    assert await small.read(found, inside, []) == 0
    assert await small.read(found, outside, []) == 5
    assert await small.read(lambda tx: len(tx.all("select id from thing where name in (:n)", n={"1", "2"}))) == 2
    assert await small.read(lambda tx: len(tx.all("select id from thing where name not in (:n)", n=()))) == 5


async def test_run_counts_and_returning_returns(small: Database) -> None:
    await small.write(add, "one")
    await small.write(add, "two")
    assert await small.write(lambda tx: tx.run("update thing set size = 1")) == 2
    assert await small.write(lambda tx: tx.run("update thing set size = 1 where id = 0")) == 0

    def again(tx: Tx) -> tuple[int, object]:
        sql = "insert into thing (id, name) values (:id, 'one') on conflict (name) do nothing"
        taken = tx.one("update thing set size = 2 where name = 'one' returning id, size")
        assert taken is not None
        return tx.run(sql, id=tx.new_id()), taken.size

    assert await small.write(again) == (0, 2)


async def test_a_claim_may_skip_locked_rows(small: Database) -> None:
    await small.write(add, "one")
    rows = await small.write(lambda tx: tx.all("select id from thing order by id limit 1" + tx.skip_locked))
    assert len(rows) == 1


async def test_now_is_one_moment(small: Database, clock: Clock) -> None:
    def moments(tx: Tx) -> tuple[int, int]:
        before = tx.now
        clock.forward(seconds=1)
        return before, tx.now

    assert await small.write(moments) == (1_750_000_000_000,) * 2
    assert await small.read(lambda tx: tx.now) == 1_750_000_001_000


async def test_a_failure_leaves_nothing_behind_and_takes_nobody_with_it(small: Database) -> None:
    tasks = [small.write(add, str(number), fail=number % 3 == 0) for number in range(30)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) is KeyError for outcome in outcomes] == [number % 3 == 0 for number in range(30)]
    assert sorted(await small.read(names), key=int) == [str(number) for number in range(30) if number % 3]


async def test_a_broken_rule_is_a_conflict(small: Database) -> None:
    await small.write(add, "one")
    outcomes = await asyncio.gather(small.write(add, "one"), small.write(add, "two"), return_exceptions=True)
    assert isinstance(outcomes[0], Conflict)
    assert isinstance(outcomes[1], int)
    with pytest.raises(Conflict):
        await small.write(lambda tx: tx.run("insert into part (id, thing) values (1, 99)"))
    with pytest.raises(Conflict):
        await small.write(lambda tx: tx.many("insert into part (id, thing) values (:id, 99)", [{"id": 1}]))


async def test_two_hundred_writers(small: Database) -> None:
    def increase(tx: Tx) -> int:
        tx.run("insert into thing (id, size) values (1, 0) on conflict (id) do update set size = thing.size + 1")
        row = tx.one("select size from thing where id = 1")
        assert row is not None
        return int(row.size)

    outcomes = await asyncio.gather(*(small.write(increase) for _ in range(200)))
    assert sorted(outcomes) == list(range(200))


async def test_a_caller_hears_after_the_commit(small: Database, empty_url: str, clock: Clock) -> None:
    other = await connect(empty_url, migrations=STEPS, **options(clock))
    try:

        async def write(name: str) -> None:
            await small.write(add, name)
            assert name in await other.read(names)

        await asyncio.gather(*(write(str(number)) for number in range(20)))
    finally:
        await other.close()


async def test_a_read_sees_one_snapshot(small: Database) -> None:
    await small.write(add, "before")
    began, go_on = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = names(tx)
        began.set()
        assert go_on.wait(20)
        return first, names(tx)

    reading = asyncio.create_task(small.scan(twice))
    assert await asyncio.to_thread(began.wait, 20)
    await small.write(add, "meanwhile")
    go_on.set()
    assert await reading == (["before"], ["before"])
    assert await small.read(names) == ["before", "meanwhile"]


async def test_a_short_read_runs_at_once_and_a_long_one_elsewhere(small: Database) -> None:
    where: list[int] = []
    counting = "with recursive n(i) as (select 1 union all select i + 1 from n where i < :last) select count(*) from n"

    def count(tx: Tx, last: int) -> int:
        where.append(threading.get_ident())
        row = tx.one(counting, last=last)
        assert row is not None
        return int(row[0])

    assert await small.read(count, 10) == 10
    assert await small.read(count, 300_000) == 300_000
    assert await small.scan(count, 10) == 10
    here = threading.get_ident()
    if small.engine == "sqlite":
        assert [each == here for each in where] == [True, True, False, False]
    else:  # whose server counts, while the event loop does other things
        assert [each == here for each in where] == [True, True, False]


async def test_reading_cannot_write(small: Database) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await small.read(add, "one")
    assert await small.read(names) == []


async def test_a_cancelled_caller_breaks_nothing(small: Database) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> int:
        began.set()
        assert go_on.wait(20)
        return add(tx, "slow")

    running = asyncio.create_task(small.write(slow))
    assert await asyncio.to_thread(began.wait, 20)
    others = [asyncio.create_task(small.write(add, str(number))) for number in range(5)]
    await asyncio.sleep(0)
    running.cancel()
    go_on.set()
    await asyncio.gather(*others)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await small.write(add, "later")
    assert {"0", "1", "2", "3", "4", "slow", "later"} == set(await small.read(names))


def counter(db: Database, channel: str) -> tuple[asyncio.Event, list[str], Callable[[], None]]:
    heard, calls = asyncio.Event(), list[str]()

    def called() -> None:
        calls.append(channel)
        heard.set()

    return heard, calls, db.listen(channel, called)


async def test_listeners_hear_commits_and_only_commits(small: Database) -> None:
    heard, calls, _ = counter(small, "queue")
    _, never, _ = counter(small, "other")
    with pytest.raises(KeyError):
        await small.write(add, "failed", notify="queue", fail=True)
    outcomes = await asyncio.gather(
        small.write(add, "failed too", notify="other", fail=True), small.write(add, "one"), return_exceptions=True
    )
    assert isinstance(outcomes[0], KeyError)
    assert calls == []
    await small.write(add, "two", notify="queue")
    await asyncio.wait_for(heard.wait(), 20)
    assert (calls, never) == (["queue"], [])


async def test_a_listener_that_fails_hinders_nobody_and_one_that_left_is_not_called(small: Database) -> None:
    mishaps: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: mishaps.append(context["exception"]))

    def fail() -> None:
        raise RuntimeError("listener")

    small.listen("queue", fail)
    _, left, leave = counter(small, "queue")
    heard, _, _ = counter(small, "queue")
    leave()
    leave()
    await small.write(add, "one", notify="queue")
    await asyncio.wait_for(heard.wait(), 20)
    assert left == []
    assert [str(mishap) for mishap in mishaps] == ["listener"]


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
async def test_other_processes_are_heard(small: Database, empty_url: str, clock: Clock) -> None:
    other = await connect(empty_url, migrations=STEPS, **options(clock))
    try:
        heard, _, _ = counter(other, "queue")
        await small.write(add, "one", notify="queue")
        await asyncio.wait_for(heard.wait(), 20)
    finally:
        await other.close()


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
async def test_connections_that_the_server_closed_are_replaced(small: Database, empty_url: str, clock: Clock) -> None:
    await small.write(add, "one")
    heard, _, _ = counter(small, "queue")
    others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = :name"
    name = await small.read(echo, "select current_database()")

    def cut(tx: Tx) -> None:
        tx.all(others, name=str(name))

    await asyncio.gather(*(small.read(names) for _ in range(4)))
    await small.write(cut)
    assert await small.read(names) == ["one"]
    await asyncio.wait_for(heard.wait(), 20)  # something may have been missed, so all are woken
    other = await connect(empty_url, migrations=STEPS, **options(clock))
    heard.clear()
    await other.write(add, "two", notify="queue")
    await asyncio.wait_for(heard.wait(), 20)
    await other.close()


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
async def test_a_deadlock_is_tried_again(small: Database) -> None:
    await small.write(add, "one")
    await small.write(add, "two")
    both = threading.Barrier(2, timeout=20)
    tries: list[str] = []

    def touch(tx: Tx, first: str, second: str) -> None:
        tries.append(first)
        tx.run("update thing set size = 1 where name = :name", name=first)
        if len(tries) <= 2:
            both.wait()
        tx.run("update thing set size = 2 where name = :name", name=second)

    await asyncio.gather(small.write(touch, "one", "two"), small.write(touch, "two", "one"))
    assert len(tries) == 3


@pytest.mark.postgres
@pytest.mark.parametrize("empty_url", ["postgres"], indirect=True)
async def test_two_workers_claim_different_rows(small: Database) -> None:
    for name in ("one", "two"):
        await small.write(add, name)
    both = threading.Barrier(2, timeout=20)

    def claim(tx: Tx) -> str:
        row = tx.one("select name from thing order by id limit 1" + tx.skip_locked)
        both.wait()
        assert row is not None
        return str(row.name)

    assert {await claimed for claimed in asyncio.as_completed([small.write(claim), small.write(claim)])} == {
        "one",
        "two",
    }


async def test_an_absent_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await connect(f"postgresql://nobody@/none?host={tmp_path}", migrations=[])
    assert caught.value.reason == "database-unreachable"


async def test_a_closed_database_says_so(small: Database) -> None:
    await small.close()
    await small.close()
    for call in (small.read(names), small.write(add, "one"), small.check()):
        with pytest.raises(Unavailable):
            await call


async def test_closing_finishes_what_was_asked_for(small: Database, empty_url: str, clock: Clock) -> None:
    writes = [asyncio.create_task(small.write(add, str(number))) for number in range(2 * MOST_JOBS)]
    await asyncio.sleep(0)
    await small.close()
    await asyncio.gather(*writes)
    again = await connect(empty_url, migrations=STEPS, **options(clock))
    assert len(await again.read(names)) == len(writes)
    await again.close()


async def test_a_healthy_database_has_no_findings(small: Database) -> None:
    assert await small.check() == []


# SQLite alone


@pytest.fixture
async def file(tmp_path: Path, clock: Clock) -> Path:
    path = tmp_path / "one.db"
    await (await connect(path, migrations=STEPS, clock=clock)).close()
    return path


async def test_readers_are_opened_when_they_are_needed(file: Path, clock: Clock) -> None:
    db = await connect(file, migrations=STEPS, clock=clock, readers=2)
    at_first = threading.active_count()
    both = threading.Barrier(2)
    threads: set[int] = set()

    def look(tx: Tx) -> None:
        both.wait(20)  # for another who reads at the same time
        threads.add(threading.get_ident())

    await asyncio.gather(*(db.scan(look) for _ in range(4)))
    assert len(threads) == 2
    assert threading.active_count() == at_first + 2
    await db.close()


async def test_waiting_functions_share_a_commit(file: Path, clock: Clock) -> None:
    db = await connect(file, migrations=STEPS, clock=clock)
    commits: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        tx._db.set_trace_callback(commits.append)  # type: ignore[attr-defined]
        began.set()
        assert go_on.wait(20)

    first = asyncio.create_task(db.write(slow))
    assert await asyncio.to_thread(began.wait, 20)
    writes = [asyncio.create_task(db.write(add, str(number))) for number in range(MOST_JOBS)]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, *writes)
    assert 1 <= sum(statement.lower() == "commit" for statement in commits) <= 3
    await db.close()


async def test_a_commit_waits_for_a_lock_and_is_tried_again(file: Path, clock: Clock) -> None:
    ids = IdMaker(clock)
    engine = await sqlite_file.open_engine(file, clock, ids, lambda channel: None, busy_ms=0)
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        begins: list[str] = []

        def let_go_at_the_second(statement: str) -> None:
            if statement.lower().startswith("begin"):
                begins.append(statement)
                if len(begins) == 2:
                    other.execute("rollback")

        other.execute("begin immediate")
        with pytest.raises(Unavailable) as caught:
            await engine.write(lambda tx: add(tx, "never"))
        assert (caught.value.reason, caught.value.delay) == ("database-busy", 5)
        other.execute("rollback")
        await engine.write(lambda tx: tx._db.set_trace_callback(let_go_at_the_second))  # type: ignore[attr-defined]
        other.execute("begin immediate")
        await asyncio.gather(*(engine.write(lambda tx, n=n: add(tx, str(n))) for n in range(3)))  # type: ignore[misc]
    assert len(begins) == 2
    assert await engine.read(names) == ["0", "1", "2"]
    await engine.close()


async def test_a_full_disk_is_told_and_passes(file: Path, clock: Clock) -> None:
    db = await connect(file, migrations=STEPS, clock=clock)

    def fill(tx: Tx) -> None:
        tx.run("insert into thing (id, data) values (1, zeroblob(10000000))")

    def limit(tx: Tx, pages: int) -> None:
        tx.all(f"pragma max_page_count = {pages}")

    await db.write(limit, 20)
    outcomes = await asyncio.gather(db.write(fill), db.write(add, "one"), return_exceptions=True)
    assert isinstance(outcomes[0], Unavailable)
    assert outcomes[0].reason == "disk-full"
    await db.write(limit, 1_000_000)
    await db.write(fill)
    await db.close()


async def test_a_deferred_reference_that_fails_takes_nobody_with_it(tmp_path: Path, clock: Clock) -> None:
    schema = "create table a (id integer primary key, b integer references a(id) deferrable initially deferred);"
    db = await connect(tmp_path / "deferred.db", migrations=[STEPS[0].__class__(1, "first", schema)], clock=clock)

    def insert(tx: Tx, identifier: int, other: int | None) -> None:
        tx.run("insert into a (id, b) values (:id, :other)", id=identifier, other=other)

    outcomes = await asyncio.gather(
        *(db.write(insert, 1, None), db.write(insert, 2, 99), db.write(insert, 3, 1)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), Conflict, type(None)]
    assert await db.read(echo, "select count(*) from a") == 2
    await db.close()


async def test_a_damaged_file_is_refused_with_advice(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(Misuse, match="restore a backup"):
        await connect(file, migrations=STEPS)
    file.write_bytes(b"This is no database at all. " * 1000)
    with pytest.raises(Misuse, match="restore a backup"):
        await connect(file, migrations=STEPS)


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="nowhere"):
        await connect(tmp_path / "nowhere" / "fediblog.db", migrations=STEPS)


def test_the_file_is_private(file: Path) -> None:
    assert file.stat().st_mode & 0o077 == 0


def test_addresses() -> None:
    assert sqlite_path("sqlite:////var/fediblog.db") == Path("/var/fediblog.db")
    assert sqlite_path("sqlite:///fediblog.db") == Path("fediblog.db")
    assert sqlite_path("postgresql://user@host/name") is None
    for wrong in ("mysql://x", "sqlite://", "sqlite:///", "fediblog.db"):
        with pytest.raises(Misuse):
            sqlite_path(wrong)


# The text alone


def test_parameters_for_postgres() -> None:
    sql = "select ':a', '%', x::text, \":b\" -- :c\n from t where a = :a and b like '%''x' and c in (:ids)"
    assert numbered(sql, (("ids", 2),)) == (
        b"select ':a', '%', x::text, \":b\" -- :c\n from t where a = $1 and b like '%''x' and c in ($2, $3)",
        ("a", "ids__0", "ids__1"),
    )
    assert bind_in_order("a = :a or b in (:b) or c = :a or d = :d", {"d": True, "b": [5], "a": None}) == (
        b"a = $1 or b in ($2) or c = $1 or d = $3",
        [None, 5, 1],
    )


def test_lists_are_padded_so_that_few_statements_result() -> None:
    text, values = bind("x in (:ids)", {"ids": (5, True, 7)})
    assert text == "x in (?1, ?2, ?3, ?4)"
    assert list(values) == [5, 1, 7, 7]
    assert bind("x in (:ids)", {"ids": [4]}) == ("x in (?1)", [4])


def test_items_of_lists_stand_where_their_numbers_say() -> None:
    sql = "a in (:a) or b = :b or c in (:c) or a in (:a) or d = :d"
    params: dict[str, Param] = {"d": 4, "c": (), "b": True, "a": [1, 2, 3]}
    assert bind(sql, params) == (
        "a in (?1, ?2, ?3, ?4) or b = ?5 or c in (null) or a in (?1, ?2, ?3, ?4) or d = ?6",
        [1, 2, 3, 3, 1, 4],
    )
    assert bind_in_order(sql, params)[1] == [1, 2, 3, 3, 1, 4]


def test_parameters_for_sqlite_are_numbered() -> None:
    text, values = bind("a = :a or b = :b or c = :a", {"b": "x", "a": 1, "unused": 2})
    assert (text, list(values)) == ("a = ?1 or b = ?2 or c = ?1", [1, "x"])
    assert bind("a = :a", {"a": True}) == ("a = ?1", [1])
    assert bind("select 1", {}) == ("select 1", [])


def test_a_list_may_stand_for_rows() -> None:
    sql = "select column1 from (values (:names)) v where column1 <> :x"
    assert numbered(sql, (("names", 2),)) == (
        b"select column1 from (values ($1), ($2)) v where column1 <> $3",
        ("names__0", "names__1", "x"),
    )
    assert bind(sql, {"names": ["a", "b"], "x": ""})[0].startswith("select column1 from (values (?1), (?2)) v")


async def test_rows_of_a_list_are_read_on_both_engines(db: Database) -> None:
    def look(tx: Tx, names: list[str]) -> list[str]:
        return [row.column1 for row in tx.all("select column1 from (values (:names)) v order by column1", names=names)]

    assert await db.read(look, ["b", "a"]) == ["a", "b"]
    assert await db.read(look, ["c"]) == ["c"]


def test_what_sql_cannot_take_is_refused() -> None:
    with pytest.raises(TypeError, match="dict"):
        bind("x = :x", {"x": {}})  # type: ignore[dict-item]


def test_types_for_postgres() -> None:
    text = "create table t (id integer primary key, note text default 'integer', b BLOB, c real) -- integer"
    assert define(text, "postgres") == (
        "create table t (id bigint primary key, note text default 'integer', b bytea, c double precision) -- integer"
    )
    assert define(text, "sqlite") == text
