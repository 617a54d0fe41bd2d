"""R13: a damaged database is noticed, after a kill before the start, else right after it, and once a day.

Then nothing is written any more.
"""

from __future__ import annotations

import logging
import signal
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from fediblog.actions.drafts import Draft
from fediblog.cli import doctor
from fediblog.errors import Unavailable
from fediblog.store.engine import sqlite_file
from fediblog.store.engine.database import connect
from fediblog.store.people import accounts, operator_alerts
from fediblog.store.queues import job_queue
from fediblog.store.tx import Tx
from tests.federation.stranger import home
from tests.promises.servers import Server, run
from tests.security.reading import reader
from tests.wording import publish
from tests.world import World, add_person, keys_of

DAY = 86_400_000  # ms


async def _furnished(folder: Path) -> Path:
    """A database with enough in it that its middle holds something."""
    server = Server(folder)
    await server.furnish()
    account = server.account
    assert account is not None

    def action(tx: Tx) -> None:
        for number in range(200):
            publish(tx, server.urls, account.id, Draft(source=f"Number {number} " * 40))

    await server.do(action)
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


def _words(folder: Path) -> tuple[str, ...]:
    return ("-m", "fediblog", "serve", "--data", str(folder), "--listen", "127.0.0.1:0")


async def test_damage_after_a_clean_stop_is_found_once_it_has_started(tmp_path: Path) -> None:
    """The start does not wait for the check, whatever the file's size; what is found stops all writing."""
    path = await _furnished(tmp_path)
    sound = await run(*_words(tmp_path))
    await sound.until(" is ready: ")
    assert await sound.end() == 0
    assert not path.with_name("fediblog.db-wal").exists()
    _spoil(path)
    server = await run(*_words(tmp_path))
    ready = await server.until(" is ready: ")
    where = ready.partition("listening on ")[2].rstrip(")")
    await server.until("database-damaged")
    async with httpx.AsyncClient(base_url=f"http://{where}") as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.text.startswith("database-damaged\nThe database is damaged (")
        assert "restore a backup" in answer.text
        assert str(tmp_path) not in answer.text
        assert (await client.get("/")).status_code == 200
    assert await server.end() == 0


async def test_after_a_kill_it_does_not_start_on_a_damaged_file(tmp_path: Path) -> None:
    path = await _furnished(tmp_path)
    killed = await run(*_words(tmp_path))
    await killed.until(" is ready: ")
    await killed.end(signal.SIGKILL)
    assert path.with_name("fediblog.db-wal").stat().st_size > 0
    _spoil(path)
    refused = await run(*_words(tmp_path))
    assert await refused.wait() == 2
    (said,) = [line for line in refused.lines if "damaged" in line]
    assert str(path) in said
    assert "restore a backup" in said
    assert not any("Traceback" in line for line in refused.lines)


async def test_no_process_checks_a_file_that_another_one_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its log is there, as after a kill, but somebody works with it."""
    checked: list[object] = []

    def check(db: object) -> list[str]:
        checked.append(db)
        return []

    monkeypatch.setattr(sqlite_file, "quick_check", check)
    path = tmp_path / "fediblog.db"
    running = await connect(path)
    await running.write(operator_alerts.note, operator_alerts.DISK, "something to write")
    assert path.with_name("fediblog.db-wal").stat().st_size > 0
    await (await connect(path)).close()
    assert checked == []
    await running.close()


async def test_what_is_damaged_is_not_written_any_more(tmp_path: Path) -> None:
    async with home(tmp_path) as place:
        place.site.db.stop_writing("row 1 missing")
        assert await place.site.db.read(accounts.get, place.alice.id) is not None
        for way in (place.site.db.write, place.site.db.write_here):
            with pytest.raises(Unavailable, match="database-damaged"):
                await way(job_queue.totals)


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
        assert await world.read("one.test", operator_alerts.standing) == []

        _spoil_table(world.sites["one.test"].settings.data / "fediblog.db", "seen")
        world.clock.forward(days=1)
        with caplog.at_level(logging.ERROR, "fediblog"), suppress(Unavailable):  # no other work can be settled any more
            await worker.idle()
        assert [record.getMessage() for record in caplog.records] == ["database-damaged"]
        (found,) = await world.read("one.test", operator_alerts.standing)
        assert (found.kind, found.at) == (operator_alerts.DAMAGE, world.clock.now)
        # It will look again; what could not be settled is taken back by the next start.
        assert sum((await world.read("one.test", job_queue.totals)).values()) == 3

        (said,) = await doctor.troubles(world.sites["one.test"])
        assert (said.state, said.advice) == ("wrong", "Stop the server and restore the latest backup.")
        assert found.detail in said.fact


async def test_the_owner_sees_it_on_the_pages_about_the_server(tmp_path: Path) -> None:
    async with home(tmp_path) as place:
        member = await place.site.db.write(add_person, place.site.urls, "mallory", keys_of("home.test", "mallory"))
        browsers = [await reader(place.site, account) for account in (place.alice, member)]
        pages = ("/deliveries", "/refusals", "/moderation")
        for path in pages:
            assert "Only you can mend this" not in (await browsers[0].get(path)).text
        await place.site.db.write(operator_alerts.note, operator_alerts.DAMAGE, "row 1 <missing>")
        await place.site.db.write(operator_alerts.note, operator_alerts.DISK, "5 bytes are used")  # of earlier versions
        await place.site.db.write(operator_alerts.note_clock, "two.test", 3_600_000)
        for path in pages:
            shown = (await browsers[0].get(path)).text
            assert "The database is damaged: row 1 &lt;missing&gt;. Stop the server" in shown
            assert "The disk was full" in shown
            assert "two.test: 60 minutes ahead of ours" in shown
            assert "is damaged" not in (await browsers[1].get(path)).text
            browsers[0].headers["accept-language"] = "de"
            assert "two.test geht 60 Minuten vor" in (await browsers[0].get(path)).text
            browsers[0].headers["accept-language"] = "en"


async def test_once_it_is_mended_nothing_is_said_any_more() -> None:
    async with World("one.test") as world:
        site = world.sites["one.test"]
        await site.db.write(operator_alerts.note, operator_alerts.DAMAGE, "row 1 missing")
        await world.workers["one.test"].recover()
        world.clock.forward(days=1)
        await world.workers["one.test"].idle()
        assert await world.read("one.test", operator_alerts.standing) == []
        assert [each.state for each in await doctor.troubles(site)] == ["good"]
