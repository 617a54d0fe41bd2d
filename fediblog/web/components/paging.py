"""Lists in pages: where the next one begins, and the address that leads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request

from fediblog.store.id_paging import FAR, Window

T = TypeVar("T")
_MOST = 999_999_999  # pages


class Page(Struct, Generic[T], frozen=True):
    """Some items, and the address (path and query) of those that follow, if there are any.

    `number` counts from 1 as somebody turns the pages: the first begins with what is newest now.
    """

    items: tuple[T, ...]
    older: str = ""
    number: int = 1


def mark(request: Request, name: str = "before") -> int | None:
    """The number that the address carries, if it is one."""
    return _number(request.query_params.get(name, ""), FAR)


def window(request: Request, size: int, name: str = "before") -> Window:
    """The piece of a list that the address asks for, and one more, which tells whether others follow."""
    return Window(before=mark(request, name) or FAR, limit=size + 1)


def page(
    request: Request,
    found: Sequence[T],
    size: int,
    place: Callable[[T], int],
    name: str = "before",
    *,
    reached: int = 0,
) -> Page[T]:
    """A page of what was found when one more than `size` was asked for.

    `reached` is the place from which there may be more where not all was looked at; 0 if it was.
    """
    items, asked = tuple(found[:size]), request.query_params
    number = 1 if mark(request, name) is None else _number(asked.get("page", ""), _MOST) or 2
    after = place(items[-1]) if len(found) > size else reached
    if not after:
        return Page(items, number=number)
    kept = [(key, value) for key, value in asked.items() if key not in ("before", "after", "page")]
    query = urlencode([*kept, (name, str(after)), ("page", str(min(number + 1, _MOST)))])
    return Page(items, f"{request.url.path}?{query}", number)


def counted(request: Request, items: Sequence[T], size: int, number: int, total: int) -> Page[T]:
    """Page `number` of a list that goes by place and has `total` items."""
    if number * size >= total:
        return Page(tuple(items), number=number)
    kept = [(key, value) for key, value in request.query_params.items() if key not in ("before", "after", "page")]
    return Page(tuple(items), f"{request.url.path}?{urlencode([*kept, ('page', str(number + 1))])}", number)


def _number(text: str, largest: int) -> int | None:
    """A whole number from 1 to the largest, written in at most 19 digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    number = int(text)
    return number if 0 < number <= largest else None
