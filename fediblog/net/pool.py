"""The pool of connections: how many exchanges at a time, with each host and in all, and which connections are idle."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from fediblog.net.connection import Connection

Origin = tuple[str, str, int]  # scheme, host, port


class _Lane:
    """The slots of one host. It lives only as long as somebody uses it, so that strangers cannot fill the memory."""

    __slots__ = ("slots", "users")

    def __init__(self, per_host: int) -> None:
        self.slots = asyncio.Semaphore(per_host)  # first come, first served
        self.users = 0


class HostSlot:
    """A context in which the caller holds a slot of one host."""

    __slots__ = ("_lane", "_origin", "_pool", "taken")

    def __init__(self, pool: Pool, origin: Origin) -> None:
        self._pool = pool
        self._origin = origin
        self.taken = False

    async def __aenter__(self) -> HostSlot:
        # The slot of the host first: a slow host with a thousand waiting never holds more than its few slots in all.
        self._lane = self._pool.enter(self._origin)
        try:
            await self._lane.slots.acquire()
            try:
                await self._pool.slots.acquire()
            except BaseException:
                self._lane.slots.release()
                raise
        except BaseException:
            self._pool.leave(self._origin, self._lane)
            raise
        self.taken = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._pool.slots.release()
        self._lane.slots.release()
        self._pool.leave(self._origin, self._lane)


class Pool:
    """Limits exchanges for each host and in all, and keeps idle connections."""

    def __init__(self, per_host: int, total: int, idle_total: int, idle_seconds: float) -> None:
        self.slots = asyncio.Semaphore(total)
        self._per_host = per_host
        self._idle_total = idle_total
        self._idle_seconds = idle_seconds
        self._lanes: dict[Origin, _Lane] = {}
        self._idle: dict[Origin, list[Connection]] = {}
        self._oldest: OrderedDict[Connection, None] = OrderedDict()  # all idle ones, the longest idle first
        self._open: set[Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None

    def slot(self, origin: Origin) -> HostSlot:
        """Wait for a slot of that host: `async with pool.slot(origin):`."""
        return HostSlot(self, origin)

    def enter(self, origin: Origin) -> _Lane:
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = _Lane(self._per_host)
        lane.users += 1
        return lane

    def leave(self, origin: Origin, lane: _Lane) -> None:
        lane.users -= 1
        if not lane.users:
            self._lanes.pop(origin, None)

    def made(self, connection: Connection) -> None:
        """A connection has opened."""
        self._open.add(connection)
        if self._emptied is not None:
            connection.abort()

    def take(self, origin: Origin) -> Connection | None:
        """The connection to that host that was used last, if one is open."""
        now = asyncio.get_running_loop().time()
        while idle := self._idle.get(origin):
            connection = idle[-1]
            self._remove(connection)
            if connection.usable_until > now:
                return connection
            connection.abort()
        return None

    def keep(self, connection: Connection, seconds: float | None) -> None:
        """Keep an open connection for later: for `seconds` if its server said so, within our own bounds."""
        loop = asyncio.get_running_loop()
        # One second less than the server says, so that a request does not cross its goodbye.
        span = self._idle_seconds if seconds is None else min(self._idle_seconds, seconds - 1)
        if not connection.is_open or span <= 0 or self._emptied is not None:
            connection.abort()
            return
        connection.usable_until = loop.time() + span
        self._idle.setdefault(connection.origin, []).append(connection)  # never more than the host has slots
        self._oldest[connection] = None
        if len(self._oldest) > self._idle_total:
            self._drop(next(iter(self._oldest)))
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._idle_seconds, self._sweep)

    def lost(self, connection: Connection) -> None:
        """A connection has ended by itself or by us."""
        self._open.discard(connection)
        self._remove(connection)
        if self._emptied is not None and not self._open:
            self._emptied.set()

    async def close(self) -> None:
        """End all connections, and wait until they have."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._emptied = asyncio.Event()
        for connection in tuple(self._open):
            connection.abort()
        if self._open:
            await self._emptied.wait()

    def _remove(self, connection: Connection) -> None:
        if connection not in self._oldest:
            return
        del self._oldest[connection]
        idle = self._idle[connection.origin]
        idle.remove(connection)
        if not idle:
            del self._idle[connection.origin]

    def _drop(self, connection: Connection) -> None:
        self._remove(connection)
        connection.abort()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [c for c in self._oldest if c.usable_until <= now]:
            self._drop(connection)
        self._sweeper = loop.call_later(self._idle_seconds, self._sweep) if self._oldest else None
