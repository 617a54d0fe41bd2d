"""The load generator: requests written beforehand, over a few connections that stay open; its time is not counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import httptools


@dataclass(slots=True)
class Result:
    """What came back, in the order of the requests. Times in seconds."""

    statuses: list[int]
    latencies: list[float]
    started: list[float] = field(repr=False)  # on the monotonic clock
    last: bytes = field(default=b"", repr=False)  # body of the last answer
    headers: dict[str, str] = field(default_factory=dict, repr=False)  # and its header


class _Line(asyncio.Protocol):
    """One connection that asks the next request as soon as the last is answered."""

    def __init__(self, requests: Sequence[bytes], turn: Iterator[int], result: Result) -> None:
        self._requests, self._turn, self._result = requests, turn, result
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self._chunks.append(data)

    def on_message_complete(self) -> None:
        index, result = self._index, self._result
        result.statuses[index] = self._parser.get_status_code()
        result.latencies[index] = time.monotonic() - result.started[index]
        if index == len(self._requests) - 1:
            result.last, result.headers = b"".join(self._chunks), self._headers
        asyncio.get_running_loop().call_soon(self._next)  # the parser is still at work

    def _next(self) -> None:
        assert self._transport is not None
        index = next(self._turn, None)
        if index is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._index = index
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._result.started[index] = time.monotonic()
        self._transport.write(self._requests[index])


async def send(port: int, requests: Sequence[bytes], concurrency: int = 8) -> Result:
    """Ask everything, `concurrency` requests at a time."""
    count = len(requests)
    result = Result([0] * count, [0.0] * count, [0.0] * count)
    turn = iter(range(count))
    loop = asyncio.get_running_loop()
    lines = [_Line(requests, turn, result) for _ in range(min(concurrency, count))]
    for line in lines:
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(line.done for line in lines))
    return result


def get(host: str, path: str, accept: str, **fields: str) -> bytes:
    """A GET as a buffer; `_` in the name of a field stands for `-`."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n{more}\r\n".encode()


def post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST as a buffer."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
