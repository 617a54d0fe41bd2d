"""R11: while the disk is full reads go on and writes are refused with 503; nothing breaks, and room mends it all."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.promises.load import Load, furnished
from tests.promises.servers import Server, run

SIZE = 24  # MB
_BLOCK = b"\0" * 65_536

pytestmark = pytest.mark.slow


@dataclass
class Disk:
    """A place for a server's data, and how its room is used up and given back."""

    folder: Path
    fill: Callable[[Server], None]
    free: Callable[[Server], None]


@contextmanager
def _small_disk(folder: Path) -> Iterator[Disk]:
    """A file system of its own, with a file that takes all the room."""
    ballast = folder / "ballast"

    def fill(_: Server) -> None:
        with ballast.open("wb", buffering=0) as file:
            for size in (65_536, 1024, 1):
                while True:
                    try:
                        file.write(_BLOCK[:size])
                    except OSError:
                        break

    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "tmpfs", folder], check=True)
    try:
        yield Disk(folder / "data", fill, lambda _: ballast.unlink())
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def _short_files(folder: Path) -> Iterator[Disk]:
    """Any disk, but the process may not make a file longer than its database's log is by now."""

    def fill(server: Server) -> None:
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (8192, hard))

    def free(server: Server) -> None:
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))

    yield Disk(folder, fill, free)


@pytest.fixture(params=["small-disk", "short-files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "short-files":
        with _short_files(tmp_path / "data") as found:
            yield found
        return
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk; `short-files` shows the same to everybody")
    with _small_disk(tmp_path / "disk") as found:
        yield found


async def _is_refused(load: Load) -> None:
    server, client = load.server, load.server.client()
    for answer in (
        await server.publish(client, "Too much"),
        await server.deliver(client, load.strangers[0], load.strangers[0].answers(load.post, "too-much")),
    ):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0


async def _is_readable(load: Load) -> None:
    client = load.server.client()
    for path in ("/", "/@ann", "/@ann?page=2", "/feed.atom", load.post.removeprefix(load.server.origin)):
        answer = await client.get(path, headers={"accept": "text/html, application/xml;q=0.9, */*;q=0.1"})
        assert answer.status_code in (200, 303), path


async def test_reads_go_on_and_room_mends_it(disk: Disk) -> None:
    async with Server(disk.folder) as server:
        load = await furnished(server)
        work = load.begin()
        await load.until(30)
        disk.fill(server)
        await _until_refused(load)
        load.ended = True
        await work
        await _is_refused(load)
        await _is_readable(load)
        assert set(load.statuses) <= {202, 303, 503}

        disk.free(server)
        load.ended = False
        work = load.begin()
        await load.until(30)
        load.ended = True
        await work
        await server.settled()
        await load.check()
        assert (
            not any(" bug " in line or "Traceback" in line for line in server.process.lines) if server.process else ()
        )
        assert await server.stop() == 0


async def _until_refused(load: Load) -> None:
    while 503 not in load.statuses:
        load.news.clear()
        await load.news.wait()


async def test_a_start_on_a_full_disk(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    with _small_disk(tmp_path / "disk") as disk:
        async with Server(disk.folder) as server:
            load = await furnished(server)
            await server.kill()
            disk.fill(server)
            await server.start()  # the log that the killed one left has room for a little
            await _is_readable(load)
            work = load.begin()
            await _until_refused(load)
            load.ended = True
            await work
            await _is_readable(load)

            disk.free(server)
            assert await server.stop() == 0  # which leaves no log behind
            disk.fill(server)
            refused = await run("-m", "fediblog", "serve", "--data", str(disk.folder), "--listen", "127.0.0.1:0")
            assert await refused.wait() == 1
            assert "The disk is full" in "".join(refused.lines)
            disk.free(server)
            await server.start()
            assert (await server.publish(server.client(), "There is room again")).status_code == 303
            await server.settled()
            await load.check()
