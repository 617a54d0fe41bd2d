"""Connections within limits: a request's head has a size and a time, its body a least rate, an address so many of them.

uvicorn's protocol of httptools knows none of these (its option for h11 does nothing here). A head is all up to the
body; whatever stands between two pieces of a body (trailers, RFC 9112 §7.1.2) is held to the same size. How large a
body may be is for those to say who read it. One that came with its head, as most do, is never timed.
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
BODY_PAUSE = 25.0  # seconds in which something of a body must come; inboxes wait less, and count who keeps them waiting
BODY_TIME = 30.0  # seconds that a body may take in all, and one more for each BODY_RATE bytes that came
BODY_RATE = 50_000
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
        self._whole = True  # no body is on its way
        self._clock: asyncio.TimerHandle | None = None  # of the head or the body that is on its way
        self._since = self._moved = 0.0  # when that clock was started, and when something of a body came
        self._came = 0  # bytes of a body since

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
        else:
            answered = self.cycle and self.cycle.scope is scope and self.cycle.response_complete
            if answered:  # the rest of what was answered before its end
                self._unset_keepalive_if_required()
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )
            elif self._waits:
                self._waits, self._unread = False, 0
                self._stop_clock()
            if not self._whole and self._clock is None:
                self._start_clock()
        if self._unread > MOST_HEAD:
            self._end(431)
        return self._waits

    def on_message_begin(self) -> None:
        """A head begins, which a body may follow."""
        self._whole = False
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """What stands before it is dealt with."""
        self._unread = 0
        self._came += len(body)
        self._moved = self.loop.time()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body, if there was any, has come."""
        self._whole = True
        self._stop_clock()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The next head begins with the next byte, unless a body is still on its way."""
        self._unread, self._waits = 0, not self.cycle.more_body
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol goes on; the address has the connection until that ends."""
        self._whole = True
        self._stop_clock()
        super().handle_websocket_upgrade()
        follower: Any = self.transport.get_protocol()
        ended = follower.connection_lost

        def connection_lost(exc: Exception | None) -> None:
            self._leave()
            ended(exc)

        follower.connection_lost = connection_lost

    def _start_clock(self) -> None:
        self._since = self._moved = self.loop.time()
        self._came = 0
        self._clock = self.loop.call_later(HEAD_TIME if self._waits else BODY_PAUSE, self._look)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _look(self) -> None:
        """End what has taken too long; of a body that we do not read, the time begins anew."""
        self._clock = None
        if self._waits:
            self._end(408)
        elif self.flow.read_paused:
            self._start_clock()
        else:
            left = min(self._moved + BODY_PAUSE, self._due + BODY_TIME) - self.loop.time()
            if left > 0:
                self._clock = self.loop.call_later(left, self._look)
            else:
                self._end(408)

    @property
    def _due(self) -> float:
        """When all that came would have been there at the least rate; of a head, when it began."""
        return self._since + self._came / BODY_RATE

    @property
    def _is_slow(self) -> bool:
        """Whether the rest of a head or a body is waited for. A proxy of ours may take its time with a head."""
        return self._clock is not None and (bool(self._counted) if self._waits else not self.flow.read_paused)

    def _leave(self) -> None:
        if self._counted:
            self._counts.leave(self._counted)
            self._counted = ""

    def _make_room(self) -> None:
        """Of nearly as many connections as there may be, those end that are furthest behind with a head or a body."""
        most = (self.limit_concurrency or 0) * 9 // 10
        if not most or len(self.connections) < most:
            return
        slow = [each for each in self.connections if isinstance(each, LimitedConnection) and each._is_slow]
        for each in sorted(slow, key=lambda one: one._due)[: max(most // 10, 1)]:
            each._end(408)

    def _end(self, status: int) -> None:
        """Say why, if an answer of ours can stand where one is waited for, and end the connection."""
        if self.transport.is_closing():
            return
        if status == 429 or self._may_answer():
            self.transport.write(_ENDS[status] + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            if not self._waits:  # the application is told that nobody is there, and what it says is not sent
                self.cycle.disconnected = True
                self.cycle.message_event.set()
        self.transport.close()

    def _may_answer(self) -> bool:
        """Whether nothing was said yet to what is on its way: a head that has begun, or the request of a body."""
        if self._waits:
            return bool(self._unread) and (not self.cycle or self.cycle.response_complete)
        return not self.pipeline and not self.cycle.response_started
