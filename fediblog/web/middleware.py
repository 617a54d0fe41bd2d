"""What every request passes through: whose address it comes from, its id, the headers that protect, the log line."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fediblog import log

MAX_BODY = 18_000_000  # bytes: a picture and its form
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}


def policy_text(origin: str) -> str:
    """The Content-Security-Policy: nothing but our own files, and pictures and sound from where posts come from."""
    media = "'self' https: data:" if origin.startswith("https://") else "'self' https: http: data:"
    return (
        f"default-src 'none'; img-src {media}; media-src {media}; style-src 'self'; script-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    )


class Door:
    """The outermost layer. A header that a proxy sets is believed only from the proxies that the operator named."""

    def __init__(self, app: ASGIApp, *, origin: str, trusted: Sequence[str]) -> None:
        self.app = app
        self.trusted = tuple(ip_network(each) for each in trusted)
        self.headers = dict(_HEADERS, **{"content-security-policy": policy_text(origin)})
        if origin.startswith("https://"):
            self.headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        scope["client"] = (client_address(scope, headers, self.trusted), 0)
        mark = log.REQUEST_ID.set(secrets.token_hex(4))
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                shown = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in self.headers.items():
                    shown.setdefault(name, value)
            await send(message)

        try:
            if is_too_large(headers):
                await JSONResponse({"error": "That is too large."}, 413)(scope, receive, answer)
            else:
                await self.app(scope, capped(receive), answer)
        finally:
            took = round((time.perf_counter() - started) * 1000, 1)
            log.event("request", method=scope["method"], path=scope["path"], status=status, ms=took)
            log.REQUEST_ID.reset(mark)


def is_too_large(headers: Headers) -> bool:
    """Whether the request says beforehand that it brings too much."""
    length = headers.get("content-length", "")
    return length.isascii() and length.isdigit() and int(length[:15]) > MAX_BODY


def capped(receive: Receive) -> Receive:
    """The body as it comes in, cut off with an error where a request without a length brings too much."""
    taken = 0

    async def more() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MAX_BODY else message

    return more


def client_address(scope: Scope, headers: Headers, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The address that the request comes from: behind our own proxies the last one that they did not add."""
    peer = scope["client"][0] if scope.get("client") else ""
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    address = peer
    # A Unix socket has no address: only our own proxy can reach it.
    while hops and (not address or is_trusted(address, tuple(trusted))):
        address = hops.pop()
    return address


@lru_cache(maxsize=4096)
def is_trusted(address: str, trusted: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether the address is one of our own proxies."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in trusted)
