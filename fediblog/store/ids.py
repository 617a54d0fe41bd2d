"""64-bit ids that sort by time: milliseconds in the upper 44 bits, 20 bits that tell apart below."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from threading import Lock

BITS = 20
_LATEST = (1 << 63 - BITS) - 2  # ms, in the year 2248: ids are of 63 bits, and there is none for a later time
_HALF = 1 << BITS - 1  # what is given for another time stands in the lower half, what is made now in the upper one


def number_of(name: str) -> int:
    """A number for what is known by its name, wherever apps want one: always the same, of 60 bits."""
    return int.from_bytes(hashlib.blake2b(name.lower().encode(), digest_size=8).digest()) >> 4


def first_of(ms: int) -> int:
    """The smallest id of a moment, to compare ids with a time."""
    return ms << BITS


class IdMaker:
    """Makes ids that grow within this process; in two processes they differ by a random start every millisecond."""

    def __init__(self, clock: Callable[[], int], random: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._random = random  # takes a number of bits
        self._lock = Lock()
        self._last = 0
        self._other = random(BITS - 1)

    def new(self, now: int | None = None) -> int:
        """An id for now, larger than every one that `new` gave before, even if the clock went back."""
        ms = self._clock() if now is None else now
        with self._lock:
            if ms > self._last >> BITS:
                self._last = (ms << BITS) | _HALF | self._random(BITS - 2)  # a quarter million fit behind it
            else:
                self._last += 1
            return self._last

    def at(self, ms: int) -> int:
        """An id for another time, say the day on which an imported post was written.

        Counts on instead of drawing lots: many posts carry the same round second, and lots would soon meet.
        It is smaller than all that `new` gives at that time, and never one of them.
        """
        with self._lock:
            self._other = (self._other + 1) % _HALF
            return (min(max(ms, 0), _LATEST) << BITS) | self._other
