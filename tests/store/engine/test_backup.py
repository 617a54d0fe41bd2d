"""A copy is whole whoever writes meanwhile; a dump moves from any engine to any engine."""

from __future__ import annotations

import asyncio
import io
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fediblog.errors import Misuse
from fediblog.store.engine.backup import backup_sqlite, load_dump, read_header, tables, write_dump
from fediblog.store.engine.database import Database, connect, restore
from fediblog.store.engine.migrate import Migration, version
from fediblog.store.people import relations
from fediblog.store.tx import Conflict, Scalar, Tx
from tests.conftest import ENGINES, Clock, options
from tests.postgres import Cluster
from tests.store import makers
from tests.store.conftest import SCHEMA

# Parts come before what they refer to, and things refer to later things.
STEPS = [
    Migration(1, "first", SCHEMA),
    Migration(2, "tree", "create table branch (id integer primary key, up integer references branch(id));"),
    Migration(3, "leaf", "create table a_leaf (id integer primary key, branch integer references branch(id));"),
]


@pytest.fixture(params=ENGINES)
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'target.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
async def source(empty_url: str, clock: Clock) -> AsyncIterator[Database]:
    database = await connect(empty_url, migrations=STEPS, **options(clock))
    yield database
    await database.close()


@pytest.fixture
async def target(target_url: str, clock: Clock) -> AsyncIterator[Database]:
    database = await connect(target_url, migrations=STEPS, **options(clock))
    yield database
    await database.close()


def fill(tx: Tx) -> None:
    values: list[dict[str, Scalar]] = [
        {"id": n, "name": f'n{n} "ü😀\n', "data": bytes([n % 256]), "size": n / 3} for n in range(1300)
    ]
    tx.many("insert into thing (id, name, data, size) values (:id, :name, :data, :size)", values)
    tx.run("insert into branch (id, up) values (2, null)")
    tx.run("insert into branch (id, up) values (1, 2)")
    tx.run("insert into a_leaf (id, branch) values (1, 1)")
    tx.run("insert into part (id, thing) values (1, 7)")


def content(tx: Tx) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for table in ("a_leaf", "branch", "part", "thing"):
        found += [tuple(row) for row in tx.all(f"select * from {table} order by id")]
    return found


async def dumped(db: Database) -> io.StringIO:
    file = io.StringIO()
    await db.scan(write_dump, file)
    file.seek(0)
    return file


async def test_a_dump_moves_everything(source: Database, target: Database, clock: Clock) -> None:
    await source.write(fill)
    file = await dumped(source)
    header = read_header(file)
    assert (header.schema, header.made) == (3, clock.now)
    assert await target.write(load_dump, file) == 1304
    assert await target.read(content) == await source.read(content)
    assert await target.read(version) == 3
    with pytest.raises(Conflict):  # references are enforced again
        await target.write(lambda tx: tx.run("insert into part (id, thing) values (5, 5000)"))


async def test_rows_that_a_trigger_made_are_moved_once(db: Database, target_url: str, clock: Clock) -> None:
    def block(tx: Tx) -> None:
        person = makers.local(tx, "alice")
        relations.block(tx, person.id, makers.remote(tx, "bob").id, "")

    await db.write(block)
    file = await dumped(db)
    await restore(target_url, file)
    moved = await connect(target_url, **options(clock))
    try:
        assert [tuple(row) for row in await moved.read(lambda tx: tx.all("select yes from shut_out"))] == [(1,)]
    finally:
        await moved.close()


async def test_a_filled_database_is_not_overwritten_by_accident(source: Database) -> None:
    await source.write(fill)
    file = await dumped(source)
    read_header(file)
    with pytest.raises(Misuse, match="not empty"):
        await source.write(load_dump, file)
    before = await source.read(content)
    file.seek(0)
    read_header(file)
    await source.write(lambda tx: load_dump(tx, file, replace=True))
    assert await source.read(content) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[:-1],
        lambda lines: lines[:-30] + lines[-1:],
        lambda lines: [*lines[:-1], "{\n"],
        lambda lines: lines[:1] + lines[2:],
        lambda lines: [line.replace('"thing":7', '"thing":7000').replace("[1,7]", "[1,7000]") for line in lines],
    ],
)
async def test_a_damaged_dump_changes_nothing(source: Database, damage: object) -> None:
    assert callable(damage)
    await source.write(fill)
    file = io.StringIO("".join(damage((await dumped(source)).readlines())))
    before = await source.read(content)
    read_header(file)
    with pytest.raises((Misuse, Conflict)):
        await source.write(lambda tx: load_dump(tx, file, replace=True))
    assert await source.read(content) == before


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fediblog": 99}', "no JSON"])
def test_what_is_no_dump_is_refused(text: str) -> None:
    with pytest.raises(Misuse):
        read_header(io.StringIO(text))


async def test_restoring_gives_our_schema(db: Database, target_url: str, clock: Clock) -> None:
    file = await dumped(db)
    assert await restore(target_url, file, clock=clock) == len(file.getvalue().splitlines()) - 2 - len(
        await db.read(tables)
    )
    file.seek(0)
    restored = await connect(target_url, **options(clock))
    assert await restored.read(version) == await db.read(version)
    assert await restored.read(tables) == await db.read(tables)
    await restored.close()


async def test_a_copy_while_others_write(tmp_path: Path, clock: Clock) -> None:
    path, copy = tmp_path / "fediblog.db", tmp_path / "copy.db"
    db = await connect(path, migrations=STEPS, clock=clock)
    await db.write(fill)
    stop = asyncio.Event()
    written = 0

    async def keep_writing() -> None:
        nonlocal written
        while not stop.is_set():
            written += 1
            await db.write(pair, written)

    writing = asyncio.create_task(keep_writing())
    await db.write(pair, -1)
    for _ in range(3):
        await asyncio.to_thread(backup_sqlite, path, copy)
        with closing(sqlite3.connect(copy)) as copied:
            branches, leaves = (copied.execute(f"select count(*) from {t}").fetchone()[0] for t in ("branch", "a_leaf"))
            assert branches == leaves + 1 > 2
    stop.set()
    await writing
    await db.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["copy.db", "fediblog.db", "fediblog.db.lock"]


def pair(tx: Tx, number: int) -> None:
    tx.run("insert into branch (id, up) values (:id, 1)", id=10 + number)
    tx.run("insert into a_leaf (id, branch) values (:id, :id)", id=10 + number)


async def test_a_copy_during_an_open_transaction_has_none_of_it(tmp_path: Path, clock: Clock) -> None:
    path, copy = tmp_path / "fediblog.db", tmp_path / "copy.db"
    db = await connect(path, migrations=STEPS, clock=clock)
    began, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> None:
        fill(tx)
        began.set()
        assert go_on.wait(20)

    writing = asyncio.create_task(db.write(slow))
    assert await asyncio.to_thread(began.wait, 20)
    await asyncio.to_thread(backup_sqlite, path, copy)
    go_on.set()
    await writing
    await db.close()
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("select count(*) from thing").fetchone() == (0,)


def test_without_a_database_there_is_no_copy(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="no database"):
        backup_sqlite(tmp_path / "none.db", tmp_path / "copy.db")
    assert not list(tmp_path.iterdir())
    (tmp_path / "one.db").touch()
    with pytest.raises(Misuse, match="No backup can be written"):
        backup_sqlite(tmp_path / "one.db", tmp_path / "nowhere" / "copy.db")


async def test_a_copy_can_be_used_at_once(tmp_path: Path, clock: Clock) -> None:
    path, copy = tmp_path / "fediblog.db", tmp_path / "copy.db"
    db = await connect(path, migrations=STEPS, clock=clock)
    await db.write(fill)
    backup_sqlite(path, copy)
    await db.close()
    shutil.move(copy, path)
    again = await connect(path, migrations=STEPS, clock=clock)
    assert len(await again.read(content)) == 1304
    await again.close()
