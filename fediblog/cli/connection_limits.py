"""Connections within limits: how long a request's head may be and take, and how many connections an address has.

uvicorn's protocol of httptools knows none of these (its option for h11 does nothing here). A head is all up to the
body; whatever stands between two pieces of a body (trailers, RFC 9112 §7.1.2) is held to the same size.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fediblog.limits import party
from fediblog.web.middleware import Proxies

MOST_HEAD = 65_536  # bytes
HEAD_TIME = 10.0  # seconds from the beginning of a connection, or of the next request on it, to the end of the head
MOST_OF_ADDRESS = 100  # connections of one address (with IPv6 of one /64)
_ENDS = {
    408: b"HTTP/1.1 408 Request Timeout",
    429: b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 10",
    431: b"HTTP/1.1 431 Request Header Fields Too Large",
}


class ConnectionCounts:
    """How many connections each address has. Our own proxies, and who comes by a Unix socket, are not counted."""

    def __init__(self, trusted: Iterable[str], most: int = MOST_OF_ADDRESS) -> None:
        self._proxies, self._most = Proxies(trusted), most
        self._of: dict[str, int] = {}

    def enter(self, address: str) -> str | None:
        """Under which key one more is counted, '' for one that is not; None if the address has all that it may have."""
        if not address or self._proxies.has(address):
            return ""
        key = party(address)
        if self._of.get(key, 0) >= self._most:
            return None
        self._of[key] = self._of.get(key, 0) + 1
        return key

    def leave(self, key: str) -> None:
        """One of these has ended."""
        left = self._of.pop(key, 0) - 1
        if left > 0:
            self._of[key] = left

    def __len__(self) -> int:
        return len(self._of)


def protocol(trusted: Iterable[str]) -> Callable[..., asyncio.Protocol]:
    """What uvicorn is to make for each connection of one server."""
    counts = ConnectionCounts(trusted)

    def make(**given: Any) -> LimitedConnection:
        return LimitedConnection(counts, **given)

    return make


class LimitedConnection(HttpToolsProtocol):
    """One connection: ended with 408, 429 or 431 where it goes beyond a limit."""

    def __init__(self, counts: ConnectionCounts, **given: Any) -> None:
        super().__init__(**given)
        self._counts = counts
        self._counted = ""
        self._unread = 0  # bytes since the head began, or since the last piece of the body
        self._waits = True  # for the end of a head
        self._since = 0.0
        self._clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Count the address, and begin to wait."""
        super().connection_made(transport)
        key = self._counts.enter(self.client[0] if self.client else "")
        if key is None:
            self._end(429)
            return
        self._counted = key
        self._start_clock()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """The address may have another."""
        self._stop_clock()
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came, no more of a head than one may have."""
        room = MOST_HEAD - self._unread
        if self._waits and len(data) > room:
            if self._take(data[:room]):
                self._end(431)
                return
            data = data[room:]
        self._take(data)

    def _take(self, data: bytes) -> bool:
        """Whether a head is still on its way."""
        if self.transport.is_closing():
            return True
        self._unread += len(data)
        super().data_received(data)
        scope: Any = self.scope
        if scope is None or "method" not in scope:  # a head is on its way
            self._waits = True
            if self._clock is None:
                self._start_clock()
        elif self.cycle and self.cycle.response_complete:  # the rest of what was answered before its end
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        elif self._waits:
            self._waits, self._unread = False, 0
            self._stop_clock()
        if self._unread > MOST_HEAD:
            self._end(431)
        return self._waits

    def on_body(self, body: bytes) -> None:
        """What stands before it is dealt with."""
        self._unread = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """The next head begins with the next byte, unless a body is still on its way."""
        self._unread, self._waits = 0, not self.cycle.more_body
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol goes on; the address has the connection until that ends."""
        self._stop_clock()
        super().handle_websocket_upgrade()
        follower: Any = self.transport.get_protocol()
        ended = follower.connection_lost

        def connection_lost(exc: Exception | None) -> None:
            self._leave()
            ended(exc)

        follower.connection_lost = connection_lost

    def _start_clock(self) -> None:
        self._since = self.loop.time()
        self._clock = self.loop.call_later(HEAD_TIME, self._too_slow)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self._clock = None
        self._end(408)

    def _leave(self) -> None:
        if self._counted:
            self._counts.leave(self._counted)
            self._counted = ""

    def _make_room(self) -> None:
        """Of nearly as many connections as there may be, those that have waited longest for their head end."""
        most = (self.limit_concurrency or 0) * 9 // 10
        if not most or len(self.connections) < most:
            return
        waiting = [
            each for each in self.connections if isinstance(each, LimitedConnection) and each._clock and each._counted
        ]
        for each in sorted(waiting, key=lambda one: one._since)[: max(most // 10, 1)]:
            each._end(408)

    def _end(self, status: int) -> None:
        """Say why, unless an answer is on its way or nothing was asked, and end the connection."""
        if self.transport.is_closing():
            return
        busy = bool(self.cycle) and not self.cycle.response_complete
        if not busy and (self._unread or status == 429):
            self.transport.write(_ENDS[status] + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
