"""Short transactions that run on the event loop: as good as those that run on the database's thread."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from contextlib import closing
from contextvars import ContextVar
from pathlib import Path

import pytest

from fediblog import store
from fediblog.errors import Unavailable
from fediblog.store.engine import sqlite, sqlite_connection, sqlite_writer
from fediblog.store.engine.database import Database, connect
from fediblog.store.tx import Tx
from tests.conftest import Clock, options
from tests.store.conftest import STEPS
from tests.store.test_engine import add, names

SLOW = (  # some million steps of SQLite's machine
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 600000) select count(*) as n from n"
)


async def test_it_is_committed_on_both_engines(small: Database) -> None:
    heard = asyncio.Event()
    small.listen("things", heard.set)
    await small.write_here(add, "one", notify="things")
    await asyncio.wait_for(heard.wait(), 20)
    assert await small.read(names) == ["one"]


async def test_one_that_fails_takes_nobody_with_it(small: Database) -> None:
    results = await asyncio.gather(
        *(small.write_here(add, f"{n}", fail=n in (0, 3)) for n in range(5)), return_exceptions=True
    )
    assert [isinstance(each, KeyError) for each in results] == [True, False, False, True, False]
    assert sorted(await small.read(names)) == ["1", "2", "4"]


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
async def test_it_runs_on_the_event_loop(small: Database) -> None:
    assert await small.write_here(lambda tx: threading.get_ident()) == threading.get_ident()
    assert await small.write(lambda tx: threading.get_ident()) != threading.get_ident()


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
async def test_what_is_known_of_one_request_is_not_taken_for_that_of_another(small: Database) -> None:
    asked: ContextVar[str] = ContextVar("asked", default="nobody")
    asked.set("somebody")
    assert await small.write_here(lambda tx: asked.get()) == "nobody"
    assert await small.write(lambda tx: asked.get()) == "nobody"


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
async def test_what_is_asked_in_turn_is_done_in_turn_wherever_it_runs(small: Database) -> None:
    ways = (small.write_here, small.write, small.write_here, small.write_here, small.write, small.write)
    await asyncio.gather(*(way(add, f"{n}") for n, way in enumerate(ways)), small.foreign_version())
    assert await small.read(names) == [f"{n}" for n in range(len(ways))]


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("writes", [False, True])
async def test_one_that_takes_long_is_done_on_the_thread_and_once(small: Database, writes: bool) -> None:
    threads: list[int] = []

    def long(tx: Tx) -> int:
        threads.append(threading.get_ident())
        add(tx, "long")
        if writes:
            return tx.run(f"insert into thing (id, name, size) select 7, 'slow', n from ({SLOW})")
        return len(tx.all(SLOW))

    results = await asyncio.gather(
        small.write_here(add, "before"), small.write_here(long), small.write_here(add, "after")
    )
    assert results[1] == 1
    assert threads[0] == threading.get_ident() != threads[1]
    assert len(threads) == 2
    assert sorted(await small.read(names)) == sorted(["before", "long", "after", *(["slow"] if writes else [])])


async def test_a_lock_that_another_process_holds_is_not_waited_for_on_the_event_loop(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "small.db"
    db = await connect(path, migrations=STEPS, **options(clock))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        waits = asyncio.create_task(db.write_here(add, "one"))
        for _ in range(50):
            assert await db.read(names) == []
        assert not waits.done()
        other.execute("commit")
        await waits
        # The thread was patient; the next one that runs here is not, and neither is the one after it.
        for name, before in (("two", ["one"]), ("three", ["one", "two"])):
            other.execute("begin immediate")
            waits = asyncio.create_task(db.write_here(add, name))
            assert [await db.read(names) for _ in range(20)] == [before] * 20
            other.execute("commit")
            await waits
    assert await db.read(names) == ["one", "two", "three"]
    await db.close()
    with pytest.raises(Unavailable):
        await db.write_here(add, "four")


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
async def test_a_full_disk_is_told_to_the_one_whom_it_concerns(small: Database) -> None:
    def fill(tx: Tx) -> None:
        tx.run("insert into thing (id, data) values (1, zeroblob(10000000))")

    await small.write(lambda tx: tx.all("pragma max_page_count = 20"))
    outcomes = await asyncio.gather(small.write_here(fill), small.write_here(add, "one"), return_exceptions=True)
    assert isinstance(outcomes[0], Unavailable)
    assert outcomes[0].reason == "disk-full"
    await small.write(lambda tx: tx.all("pragma max_page_count = 1000000"))
    await small.write_here(add, "two")
    assert set(await small.read(names)) >= {"two"}


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
async def test_what_takes_too_long_is_taken_back_however_late_it_is(
    empty_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite counts a statement's steps from one execution to the next, so that even a rollback may be looked at."""

    def add_slowly(tx: Tx, name: str) -> int:
        add(tx, name)
        return int(tx.all(SLOW)[0].n)

    for module in (sqlite, sqlite_writer):
        monkeypatch.setattr(module, "TICK", 1)  # at each step, also of what ends a transaction
    monkeypatch.setattr(sqlite_connection, "MOST_SECONDS", 0.0005)
    db = await connect(empty_url, migrations=STEPS, **options(clock))
    for name in ("one", "two"):
        assert await db.read(lambda tx: tx.all(SLOW)[0].n) == 600_000
        assert await db.write_here(add_slowly, name) == 600_000
    assert await db.read(names) == ["one", "two"]
    await db.close()


FEW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) select count(*) as n from n"


class Watch:
    """What SQLite's stopwatch reads: a look at it takes so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now = seconds, 0.0

    def __call__(self) -> float:
        self.now += self.seconds
        return self.now


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["read", "write_here"])
@pytest.mark.parametrize(
    ("seconds", "statement", "broken_off"),
    [(0.0, SLOW, False), (0.0009, FEW, True), (0.0001, FEW, False), (0.0001, SLOW, True)],
    ids=["many quick steps", "few slow steps", "few quick steps", "many steps"],
)
async def test_time_counts_and_not_the_number_of_steps(
    small: Database, monkeypatch: pytest.MonkeyPatch, way: str, seconds: float, statement: str, broken_off: bool
) -> None:
    threads: list[int] = []

    def ask(tx: Tx) -> int:
        threads.append(threading.get_ident())
        return int(tx.all(statement)[0].n)

    monkeypatch.setattr(sqlite_connection, "monotonic", Watch(seconds))
    assert await (small.read if way == "read" else small.write_here)(ask) in (1000, 600_000)
    assert [each == threading.get_ident() for each in threads] == ([True, False] if broken_off else [True])


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", ["read", "write_here"])
async def test_time_in_python_does_not_count_but_that_of_all_statements_does(
    small: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    watch, threads = Watch(0.0), []

    def ask(tx: Tx, statements: int, of_python: float) -> None:
        threads.append(threading.get_ident())
        for _ in range(statements):
            tx.all(FEW)
            watch.now += of_python

    monkeypatch.setattr(sqlite_connection, "monotonic", watch)
    method = small.read if way == "read" else small.write_here
    await method(ask, 50, 1.0)
    assert threads == [threading.get_ident()]
    watch.seconds = 0.00001
    await method(ask, 200, 0.0)
    assert len(threads) == 3


def test_no_statement_counts_a_whole_table_in_one_step() -> None:
    """SQLite does `select count(*) from t` in a single step of its machine, in which nothing can be broken off."""
    folder = Path(store.__file__).parent.parent
    whole = re.compile(r"select count\(\*\)[^\"]*? from \w+( as \w+)?\"[,)]")
    found = [str(path) for path in folder.rglob("*.py") if whole.search(path.read_text("utf-8"))]
    assert found == []


async def test_the_log_is_folded_into_the_file_beside_those_who_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "FOLD_COMMITS", 3)
    done = asyncio.Event()

    async def fold(engine: sqlite.SqliteEngine) -> None:
        await folding(engine)
        done.set()

    folding = sqlite.SqliteEngine._fold
    monkeypatch.setattr(sqlite.SqliteEngine, "_fold", fold)
    db = await connect(tmp_path / "x.db", migrations=STEPS)
    version = await db.foreign_version()
    for n in range(3):
        await db.write(add, f"{n}")
    async with asyncio.timeout(20):
        await done.wait()
    assert await db.foreign_version() == version  # nobody else has written
    alone = tmp_path / "alone.db"
    alone.write_bytes((tmp_path / "x.db").read_bytes())  # without the log
    with closing(sqlite3.connect(alone)) as copy:
        assert [name for (name,) in copy.execute("select name from thing order by id")] == ["0", "1", "2"]
    await db.write(add, "3")
    await db.close()
