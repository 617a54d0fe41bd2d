"""Who may begin to talk to another server: so many at a time, of whom those who wait for an answer soon count no more.

To begin costs the processor (a signature, a TLS handshake), so few do it side by side, and one after another with a
round of the event loop between them: whoever asks for a page waits for a few of them, not for all. To wait for a
server that hangs costs a socket only, and must hold up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

LONGEST = 0.25  # seconds that a turn lasts


class Turns:
    """So many turns; `ebb` is called when those who wait for one have become as few as `few`."""

    def __init__(
        self, count: int, seconds: float = LONGEST, *, few: int = 0, ebb: Callable[[], None] = lambda: None
    ) -> None:
        self._free = asyncio.Semaphore(count)
        self._seconds = seconds
        self._few, self._ebb = few, ebb
        self._step = asyncio.Lock()  # first come, first served
        self.waiting = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn, and give it back at the end of the block, or earlier if that takes long."""
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
            if self.waiting == self._few:
                self._ebb()
        try:
            async with self._step:
                await asyncio.sleep(0)
        except BaseException:
            self._free.release()
            raise
        held = [self._free]

        def give_back() -> None:
            while held:
                held.pop().release()

        timer = asyncio.get_running_loop().call_later(self._seconds, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()
