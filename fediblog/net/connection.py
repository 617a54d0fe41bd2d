"""One connection to one host: a request out, a response in, and whether another request may follow."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import certifi

from fediblog.errors import Refused, Unavailable
from fediblog.net.guard import Target
from fediblog.net.response import ResponseReader

PIECE = 131_072  # bytes of a request that are written, and encrypted, in one go


class Stale(Exception):
    """The connection ended before a single byte of the response came: the request may be tried on another one."""


class _Session(ssl.SSLObject):
    """A TLS session whose certificate is verified, and then not taken apart into fields that nobody reads."""

    def getpeercert(self, binary_form: bool = False) -> None:
        return None


@lru_cache(maxsize=8)
def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """The context that all connections of the process share: making one takes about 20 ms."""
    context = ssl.create_default_context()  # honours SSL_CERT_FILE and SSL_CERT_DIR
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath):
        context.load_verify_locations(certifi.where())  # a system without certificates of its own
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = _Session
    return context


class Keeper(Protocol):
    """Is called when connections open and end."""

    def made(self, connection: Connection) -> None:
        """A connection has opened."""
        ...

    def lost(self, connection: Connection) -> None:
        """A connection has ended, whoever ended it; called once for each that was made."""
        ...


class Connection(asyncio.Protocol):
    """A connection, over which one request and its response go at a time."""

    def __init__(self, origin: tuple[str, str, int], keeper: Keeper) -> None:
        self.origin = origin
        self.usable_until = 0.0  # on the loop's clock, while idle
        self._keeper = keeper
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._touched = False  # a byte of the present answer has come
        self._room: asyncio.Event | None = None  # while the transport has as much as it takes

    @property
    def is_open(self) -> bool:
        """Whether a request can be written."""
        return self._transport is not None and not self._transport.is_closing()

    async def send(self, request: bytes, reader: ResponseReader) -> None:
        """Write the request, and return when `reader` is done. Raises Stale, Refused or Unavailable."""
        if self._transport is None or self._transport.is_closing():
            raise Stale
        self._reader, self._touched = reader, False
        self._waiter = waiter = asyncio.get_running_loop().create_future()
        try:
            if len(request) <= PIECE:
                self._transport.write(request)
            else:
                await self._send_pieces(request, waiter)
            await waiter
        finally:
            self._reader = self._waiter = None
            reader.release()

    async def _send_pieces(self, request: bytes, waiter: asyncio.Future[None]) -> None:
        """Write a long request as fast as the other side takes it, with a round of the event loop in between.

        Who answers before all of it has come wants no more: then the connection ends.
        """
        view = memoryview(request)
        for first in range(0, len(request), PIECE):
            await asyncio.sleep(0)
            if self._room is not None:
                await self._room.wait()
            if self._transport is None or waiter.done():
                self.abort()
                return
            self._transport.write(view[first : first + PIECE])

    def pause_writing(self) -> None:
        """The transport has as much as it takes."""
        self._room = asyncio.Event()

    def resume_writing(self) -> None:
        """It takes more, or nothing more is to be written."""
        if self._room is not None:
            self._room.set()
            self._room = None

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._keeper.made(self)

    def data_received(self, data: bytes) -> None:
        reader, waiter = self._reader, self._waiter
        if reader is None or waiter is None or waiter.done():
            self.abort()  # nobody asked for this, so nothing more from here can be believed
            return
        self._touched = True
        try:
            reader.feed(data)
        except Refused as error:
            waiter.set_exception(error)
            self.abort()
            return
        if reader.done:
            waiter.set_result(None)
            self.resume_writing()

    def eof_received(self) -> None:
        self._end()
        self.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._transport = None
        self.resume_writing()
        self._keeper.lost(self)

    def _end(self) -> None:
        reader, waiter = self._reader, self._waiter
        if reader is None or waiter is None or waiter.done():
            return
        if not self._touched:
            waiter.set_exception(Stale())
        elif reader.finish():
            waiter.set_result(None)
        else:
            waiter.set_exception(Unavailable("unreachable", key="unavailable.cut-short"))


async def dial(
    target: Target,
    addresses: Sequence[str],
    context: ssl.SSLContext | None,
    seconds: float,
    keeper: Keeper,
) -> Connection:
    """Connect to the first of the checked `addresses` that answers, TLS included; each has a share of the time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    reason, detail = "unreachable", target.host
    for index, address in enumerate(addresses):
        share = (end - loop.time()) / (len(addresses) - index)
        try:
            async with asyncio.timeout(share):
                _, connection = await loop.create_connection(
                    lambda: Connection(target.origin, keeper),
                    address,
                    target.port,
                    ssl=context,
                    server_hostname=target.host if context else None,
                )
        except ssl.SSLError as error:
            raise Unavailable("tls", detail=f"{target.host}: {error}") from None
        except TimeoutError:
            reason, detail = "timeout", address
        except OSError as error:
            reason, detail = "unreachable", f"{address}: {error}"
        else:
            return connection
    raise Unavailable(reason, detail=detail)
