"""R13: a damaged database is noticed: the server refuses to start on it, and looks once a day while it runs."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fediblog.actions.drafts import Draft
from fediblog.actions.publishing import publish
from fediblog.federation.jobs import DAMAGE
from fediblog.store import facts, jobs
from fediblog.store.tx import Tx
from tests.promises.servers import Server, run
from tests.world import World

DAY = 86_400_000  # ms


async def _furnished(folder: Path) -> Path:
    """A database with enough in it that its middle holds something."""
    server = Server(folder)
    await server.furnish()
    account = server.account
    assert account is not None

    def deed(tx: Tx) -> None:
        for number in range(200):
            publish(tx, server.urls, account.id, Draft(source=f"Number {number} " * 40))

    await server.do(deed)
    return folder / "fediblog.db"


def _spoil(path: Path) -> None:
    """Overwrite 4 kB in the middle of the file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 4096)


def _spoil_table(path: Path, table: str) -> None:
    """Overwrite the first page of one table, also while the database is open."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma wal_checkpoint(truncate)")
        (page,) = db.execute("select rootpage from sqlite_master where name = ?", (table,)).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)


async def test_it_does_not_start_on_a_damaged_file(tmp_path: Path) -> None:
    path = await _furnished(tmp_path)
    words = ("-m", "fediblog", "serve", "--data", str(tmp_path), "--listen", "127.0.0.1:0")
    sound = await run(*words)
    await sound.until(" is ready: ")
    assert await sound.end() == 0
    _spoil(path)
    refused = await run(*words)
    assert await refused.wait() == 2
    (said,) = [line for line in refused.lines if "damaged" in line]
    assert str(path) in said
    assert "restore a backup" in said
    assert not any("Traceback" in line for line in refused.lines)


async def test_it_looks_every_day(caplog: pytest.LogCaptureFixture) -> None:
    async with World("one.test") as world:
        await world.person("one.test", "ann")
        worker = world.workers["one.test"]
        await worker.recover()
        with caplog.at_level(logging.ERROR, "fediblog"):
            for _ in range(3):
                world.clock.forward(days=1)
                await worker.idle()
        assert caplog.records == []
        assert await world.read("one.test", facts.get, DAMAGE) is None

        _spoil_table(world.sites["one.test"].settings.data / "fediblog.db", "seen")
        world.clock.forward(days=1)
        with caplog.at_level(logging.ERROR, "fediblog"):
            await worker.idle()
        assert [record.getMessage() for record in caplog.records] == ["database-damaged"]
        assert await world.read("one.test", facts.get, DAMAGE)
        assert await world.read("one.test", jobs.totals) == {"waiting": 2}  # it will look again
