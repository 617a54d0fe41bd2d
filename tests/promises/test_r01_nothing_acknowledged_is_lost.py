"""R1: what was answered with 2xx is never lost, whenever the server is killed."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.promises.load import furnished
from tests.promises.servers import Server

KILLS = int(os.environ.get("FEDIBLOG_KILLS", "5"))

pytestmark = pytest.mark.slow


async def test_what_was_acknowledged_outlives_every_kill(database_url: str, tmp_path: Path) -> None:
    dice = random.Random(5)
    async with Server(tmp_path, database_url) as server:
        load = await furnished(server)
        for _ in range(KILLS):
            work = load.begin()
            await load.until(dice.randrange(1, 60))
            await server.kill()
            await work
            await server.wait_out()
            await server.start()
        await server.settled()
        await load.check()
        assert set(load.statuses) <= {202, 303}
        assert await server.stop() == 0
