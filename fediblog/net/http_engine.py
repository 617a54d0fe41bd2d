"""The connection engine: the only place from which a byte leaves for another host."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from fediblog.errors import Refused, Unavailable
from fediblog.net.access_policy import AccessPolicy
from fediblog.net.connection import Connection, Stale, dial, tls_context
from fediblog.net.dns import Names, Resolver, tried
from fediblog.net.guard import Target, check_url
from fediblog.net.pool import Pool
from fediblog.net.response import Response, ResponseReader

Headers = Mapping[str, str] | Sequence[tuple[str, str]]

# Fields that the engine writes itself, since they say how the bytes are framed and where they go.
_OWN = frozenset({"host", "content-length", "connection", "transfer-encoding", "te", "upgrade", "expect"})


class Engine(Protocol):
    """Sends one request and reads one response, also where that is a redirect."""

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        """Send a request to `url`. `limit` is in bytes of the response's body, `deadline` in seconds for all of it.

        Raises Refused: the address may not be asked, or the response is malformed or too large; Unavailable:
        `unreachable`, `timeout`, `tls`, or `busy` when our own slots were all taken.
        """
        ...

    async def close(self) -> None:
        """End all connections."""
        ...


class SocketEngine:
    """The engine over real sockets. It belongs to the event loop in which it is first used."""

    def __init__(self, policy: AccessPolicy, resolver: Resolver | None = None) -> None:
        self._policy = policy
        self._names = Names(resolver, policy.names_seconds)
        self._pool = Pool(policy.per_host, policy.total, policy.idle_total, policy.idle_seconds)
        self._closed = False

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        """Send a request to `url` and read the response, as `Engine` has it."""
        target = check_url(url, self._policy)
        request = compose(method, target, headers, body, self._policy.user_agent)
        slot = self._pool.slot(target.origin)
        try:
            async with asyncio.timeout(deadline), slot:
                reader = await self._talk(target, request, method, limit)
        except TimeoutError:
            reason = "timeout" if slot.taken else "busy"
            raise Unavailable(reason, detail=f"{target.host}, {deadline:g} s") from None
        return Response(reader.status, tuple(reader.headers), reader.body, url.partition("#")[0], reader.cut)

    async def close(self) -> None:
        """End all connections."""
        self._closed = True
        self._names.close()
        await self._pool.close()

    async def _talk(self, target: Target, request: bytes, method: str, limit: int) -> ResponseReader:
        connection = self._pool.take(target.origin)
        if connection is not None:
            try:
                return await self._send(connection, request, ResponseReader(method, limit))
            except Stale:
                pass  # it died while idle, and no byte of an answer came: safe to repeat, once
        connection = await self._open(target)
        try:
            return await self._send(connection, request, ResponseReader(method, limit))
        except Stale:
            raise Unavailable("unreachable", detail=target.host, key="unavailable.closed") from None

    async def _send(self, connection: Connection, request: bytes, reader: ResponseReader) -> ResponseReader:
        try:
            await connection.send(request, reader)
        except BaseException:
            connection.abort()
            raise
        if reader.reusable:
            self._pool.keep(connection, reader.keep_seconds)
        else:
            connection.abort()
        return reader

    async def _open(self, target: Target) -> Connection:
        if self._closed:
            raise Unavailable("busy", key="unavailable.stopping")
        addresses = await self._checked(target)
        context = tls_context(self._policy.ca_file) if target.scheme == "https" else None
        return await dial(target, addresses, context, self._policy.connect_timeout, self._pool)

    async def _checked(self, target: Target) -> Sequence[str]:
        """The addresses to try. One bad address among them refuses all: that is how rebinding begins."""
        if target.zone == "loopback" and target.host != "localhost":
            return (target.host,)
        addresses = await self._names.addresses(target.host, target.port)
        if not addresses:
            raise Unavailable("unreachable", detail=target.host, key="unavailable.no-address")
        for address in addresses:
            if not target.admits(address):
                raise Refused("address-private", detail=target.host)
        return tried(addresses)


def compose(method: str, target: Target, headers: Headers, body: bytes, user_agent: str) -> bytes:
    """A request as one buffer, so that it leaves in one write."""
    lines = [f"{method} {target.path} HTTP/1.1", f"host: {target.authority}"]
    given = set()
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        given.add(low := name.lower())
        if low not in _OWN:
            lines.append(f"{name}: {value}")
    if "user-agent" not in given:
        lines.append(f"user-agent: {user_agent}")
    if "accept-encoding" not in given:
        lines.append("accept-encoding: gzip, identity")
    if body or method not in ("GET", "HEAD"):
        lines.append(f"content-length: {len(body)}")
    whole = "".join(lines)
    if "\n" in whole or "\r" in whole or "\0" in whole:
        raise ValueError("a header field with a line break")  # our own mistake, never to be sent
    return b"%b\r\n\r\n%b" % ("\r\n".join(lines).encode("latin-1"), body)
