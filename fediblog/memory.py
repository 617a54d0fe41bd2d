"""The one bounded map: values by key, bounded in number or weight; what was used least recently goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values of at most `most` weight together, each with the time (ms) at which it was put here.

    Long reads run on threads, so several may look at once.
    """

    __slots__ = ("_kept", "_lock", "_most", "_weight")

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._kept: OrderedDict[K, tuple[int, V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K, since: int = 0) -> V | None:
        """The value, unless it was put here before that time."""
        found = self._kept.get(key)
        if found is None or found[0] < since:
            return None
        try:
            self._kept.move_to_end(key)
        except KeyError:  # another thread has dropped it since
            return None
        return found[1]

    def get_all(self, keys: Iterable[K], since: int = 0) -> dict[K, V]:
        """Those of the values that are here, by key, but for those put here before that time."""
        found: dict[K, V] = {}
        with self._lock:
            for key in keys:
                entry = self._kept.get(key)
                if entry is not None and entry[0] >= since:
                    self._kept.move_to_end(key)
                    found[key] = entry[1]
        return found

    def put(self, key: K, value: V, at: int = 0, weight: int = 1) -> None:
        """Remember a value, when that was, and how much room it takes."""
        with self._lock:
            old = self._kept.pop(key, None)
            self._weight += weight - (old[2] if old else 0)
            self._kept[key] = (at, value, weight)
            while self._weight > self._most:
                _, (_, _, freed) = self._kept.popitem(last=False)
                self._weight -= freed

    def drop(self, key: K) -> None:
        """Forget one of them."""
        with self._lock:
            if (old := self._kept.pop(key, None)) is not None:
                self._weight -= old[2]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._weight = 0

    def __len__(self) -> int:
        return len(self._kept)
