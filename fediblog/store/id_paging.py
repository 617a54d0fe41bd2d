"""A piece of a list that goes by number, newest first: pages ask for it by `before`, apps by `max_id` and `min_id`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")
FAR = (1 << 63) - 1

NEWEST = "desc"
OLDEST = "asc"


def both_ways(sql: str, column: str) -> tuple[str, str]:
    """A query as it is asked for the newest, and for those right above a number (`Window.upwards` chooses)."""
    return f"{sql} order by {column} {NEWEST} limit :n", f"{sql} order by {column} {OLDEST} limit :n"


class Window(Struct, frozen=True, kw_only=True):
    """Numbers below `before` and above `after`, both left out, at most `limit`.

    Where a list goes by place, the first `offset` are left out, too.

    With `upwards` (`min_id`) those right above `after` are wanted, else the newest. A query asks with `order by
    … desc` or, upwards, `asc`; `turned` makes what it found newest first again.
    """

    before: int = FAR
    after: int = 0
    limit: int = 20
    offset: int = 0
    upwards: bool = False

    def turned(self, found: Sequence[T]) -> list[T]:
        """What a query found, newest first."""
        return list(found)[::-1] if self.upwards else list(found)

    def cut(self, numbers: Sequence[int]) -> list[int]:
        """The same piece of a list of numbers, in whatever order, for lists that are short."""
        inside = sorted((number for number in numbers if self.after < number < self.before), reverse=not self.upwards)
        return self.turned(inside[: self.limit])


FIRST = Window()
"""The newest twenty."""
