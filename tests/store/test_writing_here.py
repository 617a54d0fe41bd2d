"""Short transactions that run on the event loop: as good as those that run on the database's thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from contextvars import ContextVar
from pathlib import Path

import pytest

from fediblog.errors import Unavailable
from fediblog.store import sqlite, sqlite_writer
from fediblog.store.database import Database, connect
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
        monkeypatch.setattr(module, "MOST_TICKS", 2000)
    db = await connect(empty_url, migrations=STEPS, **options(clock))
    for name in ("one", "two"):
        assert await db.read(lambda tx: tx.all(SLOW)[0].n) == 600_000
        assert await db.write_here(add_slowly, name) == 600_000
    assert await db.read(names) == ["one", "two"]
    await db.close()
