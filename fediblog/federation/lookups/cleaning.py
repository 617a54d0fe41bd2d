"""Cleans what strangers sent before a transaction, off the event loop if it is long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

LONG = 20_000  # characters, which take some ms to clean


async def clean_apart(clean: Callable[[A], B], sent: A, size: int) -> B:
    """`clean(sent)`; what is long is left to a thread, so that the event loop goes on meanwhile."""
    return await asyncio.to_thread(clean, sent) if size > LONG else clean(sent)
