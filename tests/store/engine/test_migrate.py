"""The schema goes up step by step, never down, and never without a copy."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from fediblog.errors import Misuse, Refused
from fediblog.store.engine.database import Database, connect
from fediblog.store.engine.migrate import Migration, known_migrations, migrations_in, statements, version
from fediblog.store.engine.schema_lock import Upgrade
from fediblog.store.engine.sqlite_file import open_file
from fediblog.store.tx import Conflict, Tx
from tests.conftest import Clock, options
from tests.store.conftest import STEPS

SECOND = Migration(
    2, "second", "alter table thing add column extra text not null default ';';\nupdate thing set size = 2;"
)
BROKEN = Migration(3, "broken", "create table later (id integer primary key);\ninsert into nowhere (id) values (1);")


def columns(tx: Tx) -> list[str]:
    return list(tx.all("select * from thing")[0]._asdict())


def insert(tx: Tx) -> None:
    tx.run("insert into thing (id, name) values (1, 'one')")


async def test_steps_are_applied_once_and_kept(empty_url: str, clock: Clock) -> None:
    db = await connect(empty_url, migrations=STEPS, **options(clock))
    await db.write(insert)
    await db.close()
    for _ in range(2):
        db = await connect(empty_url, migrations=[*STEPS, SECOND], **options(clock))
        assert await db.read(version) == 2
        assert await db.read(columns) == ["id", "name", "data", "size", "extra"]
        await db.close()
    rows = await _rows(empty_url, clock, "select version, name, at from schema_version order by version")
    assert rows == [(1, "first", clock.now), (2, "second", clock.now)]


async def _rows(url: str, clock: Clock, sql: str) -> list[tuple[object, ...]]:
    db = await connect(url, migrations=[*STEPS, SECOND], **options(clock))
    rows = [tuple(row) for row in await db.read(lambda tx: tx.all(sql))]
    await db.close()
    return rows


async def test_a_step_that_fails_leaves_no_trace(empty_url: str, clock: Clock) -> None:
    with pytest.raises(Exception, match="nowhere"):
        await connect(empty_url, migrations=[*STEPS, SECOND, BROKEN], **options(clock))
    db = await connect(empty_url, migrations=[*STEPS, SECOND], **options(clock))
    assert await db.read(version) == 2
    with pytest.raises(Exception, match="later"):
        await db.read(lambda tx: tx.all("select id from later"))
    await db.close()


async def test_a_newer_database_is_refused(empty_url: str, clock: Clock) -> None:
    await (await connect(empty_url, migrations=[*STEPS, SECOND], **options(clock))).close()
    with pytest.raises(Misuse, match=r"schema 2.*only up to 1"):
        await connect(empty_url, migrations=STEPS, **options(clock))


async def test_several_that_start_at_once_apply_each_step_once(empty_url: str, clock: Clock) -> None:
    for steps in ([*STEPS], [*STEPS, SECOND]):
        starts = [connect(empty_url, migrations=steps, **options(clock)) for _ in range(4)]
        opened = await asyncio.gather(*starts)
        assert [await db.read(version) for db in opened] == [len(steps)] * 4
        for db in opened:
            await db.close()


async def test_an_sqlite_file_with_data_is_copied_first(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "fediblog.db"
    db = await connect(path, migrations=STEPS, clock=clock)
    await db.write(insert)
    await db.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["fediblog.db", "fediblog.db.lock"]
    await (await connect(path, migrations=[*STEPS, SECOND], clock=clock)).close()
    copy = tmp_path / "fediblog.db.before-0002"
    assert copy.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("select * from thing").fetchall() == [(1, "one", None, None)]


async def test_replacing_a_table_keeps_what_refers_to_it(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "fediblog.db"
    cascade = "create table part (id integer primary key, thing integer references thing(id) on delete cascade);"
    first = Migration(1, "first", "create table thing (id integer primary key, name text);\n" + cascade)
    replace = """create table new_thing (id integer primary key, name text not null);
    insert into new_thing (id, name) select id, name from thing;
    drop table thing;
    alter table new_thing rename to thing;"""
    db = await connect(path, migrations=[first], clock=clock)
    await db.write(insert)
    await db.write(lambda tx: tx.run("insert into part (id, thing) values (1, 1)"))
    await db.close()
    db = await connect(path, migrations=[first, Migration(2, "replace", replace)], clock=clock)
    assert len(await db.read(lambda tx: tx.all("select id from part"))) == 1
    await db.close()
    losing = Migration(3, "losing", "delete from thing;")
    with pytest.raises(Conflict, match="part"):
        await connect(path, migrations=[first, Migration(2, "replace", replace), losing], clock=clock)


def test_statements_are_split_and_chosen() -> None:
    text = """-- A comment; with a semicolon;
create table a ( -- it's here;
  note text default '--;', -- more
  id integer
);

-- sqlite:
create virtual table f using fts5(body); -- only there
-- postgres: create index f on a (id integer);
insert into a values ('x')"""
    table = "create table a (\n  note text default '--;',\n  id integer\n)"
    last = "insert into a values ('x')"
    assert list(statements(text, "sqlite")) == [table, "create virtual table f using fts5(body)", last]
    expected = [table.replace("integer", "bigint"), " create index f on a (id integer)", last]
    assert list(statements(text, "postgres")) == expected


def test_files_are_read_in_order(tmp_path: Path) -> None:
    for name in ("0010_third.sql", "0002_second.sql", "0001_first.sql", "README.md", "12_no.sql"):
        (tmp_path / name).write_text(f"-- {name}")
    assert [(step.version, step.name) for step in migrations_in(tmp_path)] == [
        (1, "first"),
        (2, "second"),
        (10, "third"),
    ]
    (tmp_path / "0010_again.sql").write_text("")
    with pytest.raises(Misuse):
        migrations_in(tmp_path)
    assert migrations_in(tmp_path / "missing") == []


async def test_our_own_schema_is_current(db: Database) -> None:
    assert await db.read(version) == max((step.version for step in known_migrations()), default=0)
    assert await db.check() == []


OURS = known_migrations()
NEWEST = OURS[-1].version


async def test_an_open_database_of_an_older_version_is_left_alone(empty_url: str) -> None:
    """On both engines, whatever the process that holds it does."""
    holder = await connect(empty_url, migrations=OURS[:-1])
    ways: list[tuple[Upgrade, type[Exception]]] = [("never", Misuse), ("held", Refused), ("alone", Refused)]
    for upgrade, error in ways:
        with pytest.raises(error):
            await connect(empty_url, upgrade=upgrade)
        assert await holder.read(version) == NEWEST - 1
    await (await connect(empty_url, upgrade="force")).close()
    assert await holder.read(version) == NEWEST
    await holder.close()


async def test_once_the_older_process_has_ended_it_is_brought_up_to_date(empty_url: str) -> None:
    await (await connect(empty_url, migrations=OURS[:-1])).close()
    several = await asyncio.gather(*(connect(empty_url) for _ in range(4)))
    assert [await each.read(version) for each in several] == [NEWEST] * 4
    for each in several:
        await each.close()


async def test_the_origin_of_an_account_is_its_id_without_the_path(empty_url: str) -> None:
    """Also where the host, or the origin, holds what the path of an actor does."""
    ids = {
        1: "https://actor.example/actor",
        2: "https://actor.example/a/2",
        3: "http://a/a/3",
        4: "https://plain.example:8443/actor",
    }

    def fill(tx: Tx) -> None:
        tx.run("insert into login (id, name, password, created) values (1, 'ann', '', 0)")
        for number, uri in ids.items():
            tx.run(
                "insert into account (id, login, local, uri, kind, handle, handle_key, domain, host, created, changed)"
                " values (:id, :login, 1, :uri, 'Person', :handle, :handle, 'd', 'h', 0, 0)",
                id=number,
                login=None if uri.endswith("/actor") else 1,
                uri=uri,
                handle=f"h{number}",
            )

    db = await connect(empty_url, migrations=[step for step in OURS if step.version < 25])
    await db.write(fill)
    await db.close()
    db = await connect(empty_url)
    found = await db.read(lambda tx: {row.id: row.origin for row in tx.all("select id, origin from account")})
    await db.close()
    origins = ("https://actor.example", "https://actor.example", "http://a", "https://plain.example:8443")
    assert found == dict(enumerate(origins, 1))


async def test_pictures_above_posts_get_their_smaller_copies(empty_url: str) -> None:
    """Those of ours that are stored; all others stay as they are."""

    def fill(tx: Tx) -> None:
        for number in (1, 2):
            tx.run(
                "insert into account (id, local, uri, origin, kind, handle, handle_key, domain, host, created, changed)"
                " values (:id, 1, :uri, 'https://a', 'Person', :uri, :uri, 'd', 'h', 0, 0)",
                id=number,
                uri=f"https://a/{number}",
            )
        uploads = ("f.jpg", "l.jpg", "s.jpg", 3000, 2000), ("g.jpg", "", "t.jpg", 900, 600), ("h.jpg", "", "", 90, None)
        for number, (file, large, small, width, height) in enumerate(uploads, 1):
            tx.run(
                "insert into media (id, account, media_type, file, large, small, width, height, created)"
                " values (:id, 1, 'image/jpeg', :file, :large, :small, :width, :height, 0)",
                id=number,
                file=file,
                large=large,
                small=small,
                width=width,
                height=height,
            )
        for number, (account, image) in enumerate(
            [(1, "l.jpg"), (1, "g.jpg"), (1, "h.jpg"), (2, "g.jpg"), (1, "xg.jpg"), (1, "")], 1
        ):
            tx.run(
                "insert into post (id, account, local, uri, kind, visibility, published, received, image, image_alt)"
                " values (:id, :account, 1, :uri, 'Article', 'public', 0, 0, :image, 'Alt')",
                id=number,
                account=account,
                uri=f"https://a/p/{number}",
                image=image and f"https://a/media/{image}",
            )

    db = await connect(empty_url, migrations=[step for step in OURS if step.version < 35])
    await db.write(fill)
    await db.close()
    db = await connect(empty_url)
    asked = "select image_alt, image_preview, image_width, image_height from post order by id"
    found = await db.read(lambda tx: [tuple(row) for row in tx.all(asked)])
    await db.close()
    made = [("Alt", "https://a/media/s.jpg", 1280, 853), ("Alt", "https://a/media/t.jpg", 900, 600)]
    assert found == made + [("Alt", "", None, None)] * 4


def test_a_new_file_is_opened_by_several_at_once(tmp_path: Path) -> None:
    """Where two switch to the log at once SQLite tells one of them that the file is locked, without waiting."""
    barrier = Barrier(6)

    def start(path: Path) -> None:
        barrier.wait()
        open_file(path).close()

    with ThreadPoolExecutor(6) as threads:
        for turn in range(30):
            for started in [threads.submit(start, tmp_path / f"{turn}.db") for _ in range(6)]:
                started.result()


async def test_no_index_makes_a_table_for_each_row_that_is_stored(tmp_path: Path) -> None:
    """SQLite makes one, each time, of a list of three or more values in the condition of an index."""
    await (await connect(tmp_path / "x.db")).close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        for (table,) in db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"):
            columns = [row[1] for row in db.execute(f"pragma table_info({table})")]
            program = db.execute(f"explain insert into {table} values ({', '.join('?' for _ in columns)})", columns)
            assert "OpenEphemeral" not in {row[1] for row in program}, table
