"""Within the server under test: how long its event loop is held, and how long a short write takes."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from contextlib import suppress
from typing import Any

from fediblog.federation.site import Site
from fediblog.store.people import server_state

TICK = 0.001  # seconds from one look at the clock to the next
PAUSE = 0.002  # seconds from one write to the next


def _come_first() -> None:
    """Have the server come before all other programs, those it starts included, if allowed: else these count."""
    if sys.platform == "linux":
        with suppress(PermissionError):
            for thread in os.listdir("/proc/self/task"):
                os.sched_setscheduler(int(thread), os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


class StallMonitor:
    """Looks at the clock on the event loop, and writes one row after another, until it is asked what it saw."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._held, self._busy, self._wrote = [0.0], [0.0], [0.0]
        _come_first()
        gc.collect()
        self._tasks = [asyncio.create_task(self._tick()), asyncio.create_task(self._write())]

    async def end(self) -> dict[str, Any]:
        """The most, in ms: `held` and `busy` of the event loop, and `wrote` of a write.

        `held` is from one look to the next. `busy` leaves out what the server was kept from its processor by others: of
        such a time it is no more than the processor time of all its threads, since one may hold the interpreter.
        """
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        return {
            "held": max(self._held) * 1000,
            "busy": max(self._busy) * 1000,
            "wrote": max(self._wrote) * 1000,
        }

    async def _tick(self) -> None:
        wall, spent = time.perf_counter(), time.process_time()
        while True:
            await asyncio.sleep(TICK)
            now, used = time.perf_counter(), time.process_time()
            self._held.append(now - wall - TICK)
            self._busy.append(min(now - wall - TICK, used - spent))
            wall, spent = now, used

    async def _write(self) -> None:
        while True:
            started = time.perf_counter()
            await self._site.db.write(server_state.put, "bench", str(started))
            self._wrote.append(time.perf_counter() - started)
            await asyncio.sleep(PAUSE)
