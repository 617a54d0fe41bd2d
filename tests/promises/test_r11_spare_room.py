"""R11: a full disk finds spare room that is given up, so that what was begun can end and the owner is told."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fediblog.actions.drafts import Draft
from fediblog.cli import disk_reserve, doctor, doctor_local
from fediblog.cli.disk_reserve import Reserve, ReserveMonitor
from fediblog.errors import Unavailable
from fediblog.store.people import operator_alerts
from fediblog.store.tx import Tx
from tests.federation.stranger import Home, home
from tests.security.reading import reader
from tests.wording import publish

SIZE = 5_000_000
ROOM = 40  # MB


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes are free, as a test says."""
    said = [10**12]
    monkeypatch.setattr(Reserve, "free", property(lambda _: said[0]))
    return said


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path / "data") as place:
        yield place


async def test_it_is_given_up_told_and_made_again(
    at_home: Home, free: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    kept = Reserve(at_home.site.settings.data, SIZE)
    monitor = ReserveMonitor(kept, at_home.site.db)
    with caplog.at_level(logging.INFO, "fediblog"):
        await monitor.look()
        assert kept.path.stat().st_size == SIZE
        assert kept.path.stat().st_blocks * 512 >= SIZE  # it really takes the room
        assert kept.path.stat().st_mode & 0o077 == 0
        await monitor.look()
        assert await at_home.site.db.read(operator_alerts.standing) == []

        free[0] = disk_reserve.FULL - 1
        await monitor.look()
        assert not kept.path.exists()
        (trouble,) = await at_home.site.db.read(operator_alerts.standing)
        assert trouble.kind == operator_alerts.DISK
        assert [each.state for each in await doctor.troubles(at_home.site)] == ["wrong"]

        free[0] = SIZE + disk_reserve.FULL  # what it gave back, and no more
        await monitor.look()
        assert not kept.path.exists()
        assert await at_home.site.db.read(operator_alerts.standing) == [trouble]

        free[0] = 3 * SIZE + disk_reserve.FULL
        await monitor.look()
        assert kept.path.exists()
        assert await at_home.site.db.read(operator_alerts.standing) == []
    said = [record.getMessage() for record in caplog.records if record.getMessage() != "swept"]
    assert said == ["spare-room-made", "disk-full", "spare-room-made"]


async def test_what_could_not_be_told_is_told_later(
    at_home: Home, free: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = ReserveMonitor(Reserve(at_home.site.settings.data, SIZE), at_home.site.db)
    await monitor.look()
    write = type(at_home.site.db).write

    async def refuse(*_: object) -> None:
        raise Unavailable("disk-full")

    free[0] = 0
    monkeypatch.setattr(type(at_home.site.db), "write", refuse)
    await monitor.look()
    monkeypatch.setattr(type(at_home.site.db), "write", write)
    assert await at_home.site.db.read(operator_alerts.standing) == []
    await monitor.look()
    assert [each.kind for each in await at_home.site.db.read(operator_alerts.standing)] == [operator_alerts.DISK]


async def test_a_start_tells_what_the_last_process_or_its_own_beginning_could_not(
    at_home: Home, free: list[int]
) -> None:
    folder, db = at_home.site.settings.data, at_home.site.db
    await db.write(operator_alerts.note, operator_alerts.DISK, "of an earlier process")
    async with disk_reserve.watched(folder, db, SIZE):
        assert await db.read(operator_alerts.standing) == []
    await db.write(operator_alerts.note, operator_alerts.DISK, "of an earlier process")
    async with disk_reserve.watched(folder, db, SIZE):  # the file is there already
        assert await db.read(operator_alerts.standing) == []
    free[0] = 0
    used = Reserve(folder, SIZE).give_up()  # before the database is opened
    assert used
    free[0] = SIZE
    async with disk_reserve.watched(folder, db, SIZE, used=used):
        assert [each.kind for each in await db.read(operator_alerts.standing)] == [operator_alerts.DISK]
    async with disk_reserve.watched(folder, db, SIZE):  # a restart makes no room
        assert [each.kind for each in await db.read(operator_alerts.standing)] == [operator_alerts.DISK]
    async with disk_reserve.watched(folder, db, 0):
        assert await db.read(operator_alerts.standing) == []


@pytest.mark.parametrize("size", [0, SIZE])
async def test_a_disk_without_spare_room_is_told_when_it_is_full_and_only_then(
    at_home: Home, free: list[int], caplog: pytest.LogCaptureFixture, size: int
) -> None:
    folder, site = at_home.site.settings.data, at_home.site
    owner = await reader(site, at_home.alice)
    free[0] = 2 * disk_reserve.FULL  # too small for the file
    monitor = ReserveMonitor(Reserve(folder, size), site.db)

    async def told() -> tuple[list[str], bool]:
        return [each.state for each in await doctor.troubles(site)], "The disk was full" in (
            await owner.get("/deliveries")
        ).text

    with caplog.at_level(logging.ERROR, "fediblog"):
        await monitor.look()
        assert await told() == (["good"], False)
        free[0] = disk_reserve.FULL - 1
        for _ in range(3):
            await monitor.look()
        assert await told() == (["wrong"], True)
        free[0] = 2 * disk_reserve.FULL
        await monitor.look()
        assert await told() == (["good"], False)
        free[0] = disk_reserve.FULL - 1
        await monitor.look()
    assert [record.getMessage() for record in caplog.records] == ["disk-full"] * 2
    free[0] = 2 * disk_reserve.FULL
    await ReserveMonitor(Reserve(folder, size), site.db).look()  # of the next process
    assert await told() == (["good"], False)


@pytest.mark.parametrize(("left", "state"), [(disk_reserve.FULL - 1, "wrong"), (10**8, "note"), (10**10, "good")])
async def test_doctor_says_that_a_small_disk_is_full_only_when_it_is(
    at_home: Home, monkeypatch: pytest.MonkeyPatch, left: int, state: str
) -> None:
    usage = shutil.disk_usage(at_home.site.settings.data)._replace(free=left)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(doctor_local, "capacity", lambda _: 10**9)
    assert [each.state for each in await doctor_local.disk(at_home.site)] == [state]


def test_a_disk_that_fills_meanwhile_leaves_nothing_half_made(
    tmp_path: Path, free: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert not Reserve(tmp_path, SIZE).lay_by()
    assert list(tmp_path.iterdir()) == []


def test_another_size_is_made_anew_and_none_is_none(tmp_path: Path, free: list[int]) -> None:
    assert Reserve(tmp_path, SIZE).lay_by()
    assert Reserve(tmp_path, 2 * SIZE).lay_by()
    assert (tmp_path / disk_reserve.NAME).stat().st_size == 2 * SIZE
    free[0] = 10
    assert not Reserve(tmp_path, SIZE).lay_by()


async def test_it_stays_when_the_server_stops_and_goes_when_none_is_wanted(at_home: Home, free: list[int]) -> None:
    folder, db = at_home.site.settings.data, at_home.site.db
    async with disk_reserve.watched(folder, db, SIZE):
        assert (folder / disk_reserve.NAME).exists()
    assert (folder / disk_reserve.NAME).exists()
    async with disk_reserve.watched(folder, db, 0):
        assert not (folder / disk_reserve.NAME).exists()


async def test_on_a_disk_that_is_really_full_there_is_room_again(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}m", "tmpfs", disk], check=True)
    try:
        async with home(disk / "data") as place:
            await _fill_and_see(place, disk / "ballast")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


async def _fill_and_see(place: Home, ballast: Path) -> None:
    kept = Reserve(place.site.settings.data, SIZE)
    monitor = ReserveMonitor(kept, place.site.db)
    await monitor.look()
    assert kept.path.exists()
    _use_up(ballast)

    def write(tx: Tx) -> None:
        publish(tx, place.site.urls, place.alice.id, Draft(source="Many words " * 400))

    async def write_on() -> None:
        for _ in range(1000):
            await place.site.db.write(write)

    with pytest.raises(Unavailable, match="disk-full"):
        await write_on()
    await monitor.look()
    await place.site.db.write(write)
    assert [each.kind for each in await place.site.db.read(operator_alerts.standing)] == [operator_alerts.DISK]
    ballast.unlink()
    await monitor.look()
    assert kept.path.exists()
    assert await place.site.db.read(operator_alerts.standing) == []
    assert await place.site.db.check() == []


def _use_up(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 1024, 1):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
