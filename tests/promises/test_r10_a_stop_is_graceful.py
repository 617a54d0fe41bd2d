"""R10: told to stop under load, the server ends within ten seconds, refuses with nothing but 503, and loses nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.promises.load import furnished
from tests.promises.servers import Server

pytestmark = pytest.mark.slow


async def test_told_to_stop_under_load(database_url: str, tmp_path: Path) -> None:
    async with Server(tmp_path, database_url) as server:
        load = await furnished(server)
        for _ in range(2):
            work = load.begin()
            await load.until(40)
            began = time.monotonic()
            assert await server.stop() == 0
            assert time.monotonic() - began < 10
            await work
            await server.start()
        await server.settled()
        await load.check()
        assert set(load.statuses) <= {202, 303, 503}
