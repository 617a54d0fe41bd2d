"""Lists in pages: where the next one begins, and the address that leads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from fediblog.domain.records import record

T = TypeVar("T")
_LARGEST = (1 << 63) - 1


@record(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the address (path and query) of those that follow, if there are any."""

    items: tuple[T, ...]
    older: str = ""


def mark(request: Request, name: str = "before") -> int | None:
    """The number that the address carries, if it is one."""
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if 0 < number <= _LARGEST else None


def page(request: Request, found: Sequence[T], size: int, place: Callable[[T], int], name: str = "before") -> Page[T]:
    """A page of what was found when one more than `size` was asked for."""
    items = tuple(found[:size])
    if len(found) <= size:
        return Page(items)
    kept = [(key, value) for key, value in request.query_params.items() if key not in ("before", "after")]
    return Page(items, f"{request.url.path}?{urlencode([*kept, (name, str(place(items[-1])))])}")
