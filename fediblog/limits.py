"""How often somebody may try, and how much at a time: kept in memory, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from fediblog.errors import Unavailable


@dataclass(slots=True)
class _Bucket:
    level: float
    at: int  # ms


class Limit:
    """`burst` tries at once for each key, then one more every `seconds`.

    At most `keys` buckets are kept. The one used least recently goes first; whoever it was starts afresh.
    """

    def __init__(self, *, burst: int, seconds: float, clock: Callable[[], int], keys: int = 20_000) -> None:
        self._burst, self._seconds, self._clock, self._keys = burst, seconds, clock, keys
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> int:
        """Use one try: 0 if it was there, else the whole seconds after which there will be one."""
        bucket = self._filled(key)
        if bucket.level >= 1:
            bucket.level -= 1
            return 0
        return max(1, -int(-(1 - bucket.level) * self._seconds // 1))

    def wait(self, key: str) -> int:
        """0 if a try is left, else the whole seconds after which there will be one; none is used."""
        bucket = self._filled(key) if key in self._buckets else None
        return 0 if bucket is None or bucket.level >= 1 else max(1, -int(-(1 - bucket.level) * self._seconds // 1))

    def clear(self, key: str) -> None:
        """Forget what was used: the one behind the key has proved to be right."""
        self._buckets.pop(key, None)

    def _filled(self, key: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > self._keys:
                self._buckets.popitem(last=False)
        # A clock that was set back fills nothing and takes nothing away.
        bucket.level = min(self._burst, bucket.level + max(now - bucket.at, 0) / 1000 / self._seconds)
        bucket.at = now
        self._buckets.move_to_end(key)
        return bucket

    def __len__(self) -> int:
        return len(self._buckets)


class Slowing:
    """Several limits of the same tries: whoever goes on after the first is slowed further by the next."""

    def __init__(self, *limits: Limit) -> None:
        self._limits = limits

    def take(self, key: str) -> int:
        """Use one try: 0 if there was one, else the whole seconds after which there will be one."""
        wait = max(limit.wait(key) for limit in self._limits)
        if not wait:
            for limit in self._limits:
                limit.take(key)
        return wait

    def clear(self, key: str) -> None:
        """Forget what was used: the one behind the key has proved to be right."""
        for limit in self._limits:
            limit.clear(key)


class Room:
    """How much may be under way at a time: in all, and for each of those whom it is done for."""

    def __init__(self, *, most: int, share: int, pause: int = 30, on_full: Callable[[], None] = lambda: None) -> None:
        self.inside = 0
        self._most, self._share, self._pause = most, share, pause
        self._of: dict[str, int] = {}
        self._refused, self._on_full = 0, on_full

    def enter(self, *keys: str) -> Place:
        """While one thing is done. Raises Unavailable at once if there is no room, or one of them has its share.

        An empty key is nobody in particular.
        """
        return Place(self, keys)

    def take(self, named: set[str]) -> None:
        """Count one more for all of `named`. Raises Unavailable if there is no room, or one of them has its share."""
        full = self.inside >= self._most
        for key in named:
            full = full or self._of.get(key, 0) >= self._share
        if full:
            self._refused += 1
            self._on_full()
            # Spread out, so that not all of them come again at the same moment.
            raise Unavailable("too-busy", self._pause + self._refused % (self._pause * 2))
        self.inside += 1
        for key in named:
            self._of[key] = self._of.get(key, 0) + 1

    def leave(self, named: set[str]) -> None:
        """Count one less for all of `named`."""
        self.inside -= 1
        for key in named:
            left = self._of.pop(key) - 1
            if left:
                self._of[key] = left


class Place:
    """What is held in a room as long as one thing is done."""

    __slots__ = ("_named", "_room")

    def __init__(self, room: Room, keys: Iterable[str]) -> None:
        self._room = room
        self._named = set(keys)
        self._named.discard("")

    def __enter__(self) -> None:
        self._room.take(self._named)

    def __exit__(self, *_: object) -> None:
        self._room.leave(self._named)


@lru_cache(maxsize=4096)
def party(address: str) -> str:
    """Who an address belongs to, as far as limits go: with IPv6 one customer has at least a /64."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return address[:64] if found is None else str(found)


def network(address: str) -> str:
    """The network that an address is in, as guessers have many of one: /24, or /48 with IPv6."""
    found = _parsed(address)
    if found is None:
        return address[:64]
    return str(ip_network((found, 48 if isinstance(found, IPv6Address) else 24), strict=False))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """The address, out of IPv6 where IPv4 is wrapped in it; None if it is none."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, IPv6Address) else None) or found
