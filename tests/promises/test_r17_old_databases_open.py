"""R17: databases of every release open with this version, nothing in them is lost, and a copy is made before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.accounts import AccountRole
from fediblog.errors import Misuse
from fediblog.federation.jobs import JOBS
from fediblog.federation.site import open_site
from fediblog.settings import Settings
from fediblog.store.engine import backup
from fediblog.store.engine.database import connect, restore
from fediblog.store.engine.migrate import Migration, known_migrations, version
from fediblog.store.people import access, accounts, apps, logins
from fediblog.store.tx import Tx
from tests.postgres import Cluster
from tests.store.makers import home_of

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.jsonl"))
STEPS = known_migrations()
NEXT = STEPS[-1].version + 1
LATER = Migration(NEXT, "later", "alter table post add column mood text not null default 'calm';")
BROKEN = Migration(NEXT, "broken", "update post set content = '';\ninsert into nowhere (id) values (1);")


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A database without a schema, of each engine."""
    if database_url.startswith("sqlite:"):
        yield f"sqlite:///{tmp_path / 'old.db'}"
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


def _counts(tx: Tx) -> dict[str, int]:
    return {table: sum(1 for _ in rows) for table, _, rows in backup.dump(tx)}


def _told(path: Path) -> dict[str, int]:
    """How many rows of each table the file holds."""
    counts: dict[str, int] = {}
    table = ""
    for line in map(json.loads, path.read_text().splitlines()):
        if isinstance(line, list):
            counts[table] += 1
        elif "table" in line:
            table = line["table"]
            counts[table] = 0
    return counts


async def _load(url: str, path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        await restore(url, file)


async def _asked(url: str | Path, question: Any, *args: Any, **options: Any) -> Any:
    db = await connect(url, **options)
    try:
        return await db.read(question, *args)
    finally:
        await db.close()


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
async def test_nothing_is_lost(empty_url: str, path: Path, tmp_path: Path) -> None:
    told = _told(path)
    assert len([table for table, rows in told.items() if rows]) >= 25, "a corner of the schema is empty"
    await _load(empty_url, path)
    counts = await _asked(empty_url, _counts)
    told["job"] += int(path.stem) < 30  # which asks for the index of the posts
    assert {table: counts.get(table) for table in told} == told

    database = "" if empty_url.startswith("sqlite:") else empty_url
    if not database:
        (tmp_path / "data").mkdir()
        (tmp_path / "old.db").rename(tmp_path / "data" / "fediblog.db")
    site = await open_site(Settings(data=tmp_path / "data", database=database))
    try:
        assert site.urls.origin == "https://one.test"
        (ann,) = await site.db.read(accounts.ours)
        assert ann.origin == "https://one.test"
        origins = await site.db.read(
            lambda tx: [row.origin for row in tx.all("select origin from account where local = 1")]
        )
        assert set(origins) == {"https://one.test"}
        (login,) = await site.db.read(logins.everyone)
        assert await site.db.read(logins.accounts_of, login.id) == [ann]
        assert await site.db.read(access.role_of, login.id, ann.id) is AccountRole.OWNER
        token = await site.db.read(apps.token, "hash")
        assert token is None or token.role is AccountRole.OWNER  # the first releases had no apps
        peers = await site.db.read(lambda tx: {row.host for row in tx.all("select host from peer")})
        assert "two.test" in peers
        stream = await site.db.read(home_of, ann.id)
        assert "An article" in [item.post.title for item in stream]
        assert await site.db.check() == []
        kinds = await site.db.read(lambda tx: {row.kind for row in tx.all("select kind from job")})
        assert kinds <= set(JOBS)
    finally:
        await site.close()


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
async def test_a_copy_is_made_before_each_upgrade(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    await _load(f"sqlite:///{file}", path)
    before = await _asked(file, _counts)
    await (await connect(file, migrations=[*STEPS, LATER])).close()
    copy = tmp_path / f"old.db.before-{NEXT:04d}"
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        assert db.execute("select max(version) from schema_version").fetchone() == (STEPS[-1].version,)
    assert await _asked(copy, _counts) == before
    with pytest.raises(Misuse, match=r"Install the newer version again, or restore the backup"):
        await connect(file)  # this version, after a downgrade: nothing is touched
    assert await _asked(file, _counts, migrations=[*STEPS, LATER]) == before


async def test_an_upgrade_that_fails_changes_nothing(empty_url: str) -> None:
    await _load(empty_url, SCHEMAS[-1])
    before = await _asked(empty_url, lambda tx: tx.all("select id, content from post order by id"))
    with pytest.raises(Exception, match="nowhere"):
        await connect(empty_url, migrations=[*STEPS, BROKEN])
    assert await _asked(empty_url, version) == STEPS[-1].version
    assert await _asked(empty_url, lambda tx: tx.all("select id, content from post order by id")) == before
