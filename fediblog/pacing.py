"""How much is begun at a time: what takes a processor waits for a slot, and what talks to other servers for a turn.

To begin to talk to another server costs the processor (a signature, a TLS handshake), so few do it side by side, and
one after another with a round of the event loop between them: whoever asks for a page waits for a few of them, not for
all. To wait for a server that hangs costs a socket only, and must hold up nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fediblog.errors import Unavailable
from fediblog.timers import Timers

LONGEST = 0.25  # seconds that a slot is held


@asynccontextmanager
async def slot_within(slots: asyncio.Semaphore, seconds: float, busy: Unavailable) -> AsyncIterator[None]:
    """Hold one of the slots during the block. Raises `busy` if none becomes free within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await slots.acquire()
    except TimeoutError:
        raise busy from None
    try:
        yield
    finally:
        slots.release()


class Slots:
    """`count` slots, each held for at most `seconds`; `ebb` is called when as few as `few` still wait for one."""

    def __init__(
        self, count: int, seconds: float = LONGEST, *, few: int = 0, ebb: Callable[[], None] = lambda: None
    ) -> None:
        self.seconds = seconds
        self.timers = Timers()
        self._free = count
        self._queue: deque[asyncio.Future[None]] = deque()  # first come, first served
        self._step = False  # somebody is about to begin
        self._few, self._ebb = few, ebb

    @property
    def waiting(self) -> int:
        """How many wait until somebody ends; others in the queue wait only until those before them have begun."""
        return max(0, len(self._queue) - self._free)

    def take(self) -> Slot:
        """Wait for a slot, and give it back at the end of the block, or earlier if that takes long."""
        return Slot(self)

    async def begin(self) -> None:
        """Wait until one is free, and for a round of the event loop since the last one began."""
        if self._free and not self._step and not self._queue:
            self._free, self._step = self._free - 1, True
        else:
            await self._called()
        try:
            await asyncio.sleep(0)
        except BaseException:
            self.end()
            raise
        finally:
            self._step = False
            self._call()

    def end(self) -> None:
        """Give a slot back: the next in the queue may begin."""
        self._free += 1
        self._notice()
        self._call()

    async def _called(self) -> None:
        """Wait in the queue."""
        place = asyncio.get_running_loop().create_future()
        self._queue.append(place)
        try:
            await place
        except BaseException:
            if place.cancelled():
                self._drop(place)
            else:  # called already
                self._step = False
                self.end()
            raise

    def _call(self) -> None:
        """Let the next in the queue begin, if there is a slot and nobody else is about to."""
        while self._queue and self._free and not self._step:
            place = self._queue[0]
            if place.done():
                self._drop(place)
            else:
                self._queue.popleft()
                self._free, self._step = self._free - 1, True
                place.set_result(None)

    def _drop(self, place: asyncio.Future[None]) -> None:
        """Take out of the queue who waits no more."""
        if place in self._queue:
            self._queue.remove(place)
            self._notice()

    def _notice(self) -> None:
        """Call `ebb` if just now as few as `few` wait."""
        if len(self._queue) - self._free == self._few:
            self._ebb()


class Slot:
    """A context that holds a slot until its end, or until the time of a slot is over."""

    __slots__ = ("_held", "_number", "_slots")

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._held = False
        self._number = 0

    async def __aenter__(self) -> None:
        slots = self._slots
        await slots.begin()
        self._held = True
        self._number = slots.timers.set(slots.seconds, self._give_back)

    async def __aexit__(self, *_: object) -> None:
        self._slots.timers.cancel(self._number)
        self._give_back()

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            self._slots.end()
