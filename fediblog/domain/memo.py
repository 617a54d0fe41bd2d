"""What was made of some values, for as long as these are the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Place(Generic[V]):
    """Where one thing is kept with the values it was made of; both are set at once, since several threads may look."""

    __slots__ = ("held",)

    def __init__(self, _key: object) -> None:
        self.held: tuple[tuple[object, ...], V] | None = None


class Memo(Generic[K, V]):
    """The last thing that was made for each of at most `most` keys; those not asked for the longest go first.

    It is given out only to who has the same values again, so it cannot be out of date.
    """

    __slots__ = ("_place",)

    def __init__(self, most: int) -> None:
        self._place: Callable[[K], _Place[V]] = lru_cache(maxsize=most)(_Place)

    def get(self, key: K, made_of: tuple[object, ...]) -> V | None:
        """What was made of these values."""
        held = self._place(key).held
        return held[1] if held is not None and held[0] == made_of else None

    def put(self, key: K, made_of: tuple[object, ...], made: V) -> None:
        """Keep it in place of what was kept for that key."""
        self._place(key).held = (made_of, made)
