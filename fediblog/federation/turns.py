"""Who may begin to talk to another server: so many at a time, of whom those who wait for an answer soon count no more.

To begin costs the processor (a signature, a TLS handshake), so few do it side by side, and one after another with a
round of the event loop between them: whoever asks for a page waits for a few of them, not for all. To wait for a
server that hangs costs a socket only, and must hold up nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LONGEST = 0.25  # seconds that a turn lasts


class Turns:
    """So many turns; `ebb` is called when those who wait for one have become as few as `few`."""

    def __init__(
        self, count: int, seconds: float = LONGEST, *, few: int = 0, ebb: Callable[[], None] = lambda: None
    ) -> None:
        self._free = asyncio.Semaphore(count)
        self.seconds = seconds
        self._few, self._ebb = few, ebb
        self._step = asyncio.Lock()  # first come, first served
        self.waiting = 0

    def take(self) -> Turn:
        """Wait for a turn, and give it back at the end of the block, or earlier if that takes long."""
        return Turn(self)

    async def begin(self) -> None:
        """Wait until one is free, and for a round of the event loop since the last one began."""
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

    def end(self) -> None:
        """Somebody else may begin."""
        self._free.release()


class Turn:
    """A context in which another server may be talked to."""

    __slots__ = ("_held", "_timer", "_turns")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._held = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        await self._turns.begin()
        self._held = True
        self._timer = asyncio.get_running_loop().call_later(self._turns.seconds, self._give_back)

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._give_back()

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._turns.end()
