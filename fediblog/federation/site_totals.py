"""Totals over all posts and accounts, kept for a minute: anybody may ask for them, under ever new addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fediblog.federation.site import Site
from fediblog.store.tx import Tx

T = TypeVar("T")

FRESH = 60_000  # ms
_Asked = tuple[int, asyncio.Task[Any]]  # since when (ms), and what it will come to


def _answers(_site: Site) -> dict[Callable[[Tx], Any], _Asked]:
    return {}


async def total(site: Site, question: Callable[[Tx], T]) -> T:
    """What `question` came to within the last minute. All who ask at a time wait for one answer."""
    kept, now = site.keep(_answers), site.clock()
    known = kept.get(question)
    if known is None or not known[0] <= now < known[0] + FRESH:
        known = kept[question] = (now, asyncio.create_task(site.db.scan(question)))
    try:
        answer: T = await asyncio.shield(known[1])
    except Exception:
        if kept.get(question) is known:
            del kept[question]
        raise
    return answer
