"""Two transactions that cross: the first is held before its commit, until the second waits or has ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from fediblog.errors import FediblogError
from fediblog.store.engine.database import Database
from fediblog.store.tx import Tx

Work = Callable[[Tx], Any]
_WAITING = "select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


async def cross(db: Database, first: Work, second: Work) -> tuple[Any, Any]:
    """What each of the two gave, or the error that it raised."""
    loop, done, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def held(tx: Tx) -> Any:
        try:
            return first(tx)
        finally:
            loop.call_soon_threadsafe(done.set)
            assert go_on.wait(30)

    one = asyncio.create_task(_outcome(db, held))
    await done.wait()
    two = asyncio.create_task(_outcome(db, second))
    try:
        if db.engine == "postgres":
            while not two.done() and not await db.read(_waits):
                await asyncio.sleep(0)
        else:  # it has one thread to write, which the first one has
            await asyncio.sleep(0)
    finally:
        go_on.set()
    return await one, await two


async def _outcome(db: Database, work: Work) -> Any:
    try:
        return await db.write(work)
    except FediblogError as error:
        return error


def _waits(tx: Tx) -> bool:
    row = tx.one(_WAITING)
    return row is not None and row.n > 0
