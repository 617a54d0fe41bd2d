"""R12: somebody else holds the write lock for seconds: who writes waits, who reads does not, nobody sees an error."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.promises.load import furnished
from tests.promises.servers import PATIENCE, Process, Server, run

SECONDS = 4
_SQLITE = """
import json, sqlite3, sys, time
db = sqlite3.connect(json.loads(sys.stdin.readline()), isolation_level=None)
db.execute("begin immediate")
print("locked", flush=True)
time.sleep(SECONDS)
db.execute("rollback")
print("freed", flush=True)
"""
_POSTGRES = """
import json, psycopg, sys, time
with psycopg.connect(json.loads(sys.stdin.readline())) as db:
    db.execute("lock table post, seen, incoming, outgoing in exclusive mode")
    print("locked", flush=True)
    time.sleep(SECONDS)
print("freed", flush=True)
"""

pytestmark = pytest.mark.slow


async def _holder(server: Server) -> Process:
    program = _POSTGRES if server.database else _SQLITE
    return await run(
        "-c", program.replace("SECONDS", str(SECONDS)), told=server.database or str(server.folder / "fediblog.db")
    )


async def test_nobody_sees_an_error(database_url: str, tmp_path: Path) -> None:
    async with Server(tmp_path, database_url) as server:
        load = await furnished(server)
        holder = await _holder(server)
        await holder.until("locked")
        work = load.begin()
        slowest = await _read_until(server, holder)
        assert slowest < SECONDS / 2  # who reads does not wait
        await load.until(20)
        load.ended = True
        await asyncio.wait_for(work, PATIENCE)
        assert await holder.wait() == 0
        await server.settled()
        await load.check()
        assert set(load.statuses) == {202, 303}


async def _read_until(server: Server, holder: Process) -> float:
    """Look at the blog again and again until the lock is free; the longest that took, in seconds."""
    client, slowest = server.client(), 0.0
    while "freed" not in holder.lines:
        began = time.monotonic()
        assert (await client.get("/", headers={"accept": "text/html"})).status_code == 200
        slowest = max(slowest, time.monotonic() - began)
    return slowest
