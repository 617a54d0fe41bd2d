"""The server as a process: how long until its first answer, and what it occupies before anybody asks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from fediblog.domain.accounts import Account
from fediblog.store.database import Database
from tests.bench import fill, load
from tests.bench.helper import running
from tests.bench.lab import HOST, Lab, check, server_config, world
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
    for _ in range(lab.size(10, 2)):
        started = time.monotonic()
        async with running("server", lab.folder, server_config(lab, lab.folder / folder, "")) as (server, told):
            check(name, await load.send(told["port"], [load.get(HOST, "/healthz", "*/*")]), 200)
            latencies.append(time.monotonic() - started)
            cpu += cpu_of_family(server.pid)
    return row(name, len(latencies), Spent(cpu, 0.0, sum(latencies)), latencies, remark)
