"""R4: hosts that take a delivery and never answer delay nobody else, and do not cost much."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.promises.far import Far
from tests.promises.servers import Server, Stranger

HANGING, GOOD = 500, 500
LATEST = 5.0  # seconds for 99 of 100 good ones
MEMORY = 200  # MB more than before

pytestmark = pytest.mark.slow


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


async def test_five_hundred_that_hang_and_five_hundred_that_do_not(tmp_path: Path) -> None:
    async with Far() as far:
        hosts = far.authorities(HANGING + GOOD)
        far.hanging.update(hosts[:HANGING])  # these are due first
        async with Server(tmp_path, reach=hosts) as server:
            await server.furnish()
            await server.followed_by(*(Stranger("ben", host) for host in hosts))
            await server.start()
            client = server.client()
            await client.get("/", headers={"accept": "text/html"})
            before = _megabytes(server.pid)
            for number in (1, 2):
                began = time.monotonic()
                assert (await server.publish(client, f"Number {number}")).status_code == 303
                await far.until(GOOD * number)
                waits = sorted(each.at - began for each in far.taken[-GOOD:])
                assert waits[GOOD * 99 // 100] < LATEST
                looked = time.monotonic()
                assert (await client.get("/", headers={"accept": "text/html"})).status_code == 200
                assert time.monotonic() - looked < 1
            assert far.hung > HANGING / 2  # which were hanging all the while
            assert _megabytes(server.pid) - before < MEMORY
            assert set(far.ids()) == set(hosts[HANGING:])
