"""The server as a process: how long until its first answer, and what it occupies before anybody asks."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fediblog.domain.accounts import Account
from fediblog.store.engine.database import Database
from tests.bench import fill, load
from tests.bench.lab import HOST, ORIGIN, Lab, check, world
from tests.bench.measure import Row, Spent, cpu_of_family, row

NAMES = ("start", "memory")


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    async with world(lab, "process", _fill) as (place, _):
        await place.settle()
        if "memory" in wanted:
            yield place.memory("memory idle")
    if "start" in wanted and lab.cluster is None:
        yield await start(lab, "process", "start", "until the first answer, with a small database")


async def _fill(lab: Lab, db: Database) -> Account:
    return await fill.account(db, "alice")


async def start(lab: Lab, folder: str, name: str, remark: str) -> Row:
    """From the command to the first answer, on data that are there already."""
    latencies, cpu = [], 0.0
    asked = [load.get(HOST, "/healthz", "*/*")]
    async with _command(lab, lab.folder / folder):
        pass  # Python has compiled everything now, as it is where fediblog was installed
    for _ in range(lab.size(10, 2)):
        started = time.monotonic()
        async with _command(lab, lab.folder / folder) as (pid, port):
            check(name, await load.send(port, asked), 200)
            latencies.append(time.monotonic() - started)
            cpu += cpu_of_family(pid)
    return row(name, len(latencies), Spent(cpu, 0.0, sum(latencies)), latencies, remark)


@asynccontextmanager
async def _command(lab: Lab, folder: Path) -> AsyncIterator[tuple[int, int]]:
    """`fediblog serve` as an operator starts it: its process and its port, once that is open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    words = ("-m", "fediblog", "serve", "--data", str(folder), "--origin", ORIGIN, "--listen", f"127.0.0.1:{port}")
    with (lab.folder / "serve.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=log, stderr=log)
    try:
        while not await _is_open(port):
            if process.returncode is not None:
                raise RuntimeError((lab.folder / "serve.log").read_text()[-3000:])
            await asyncio.sleep(0.002)
        yield process.pid, port
    finally:
        process.terminate()
        await process.wait()


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
