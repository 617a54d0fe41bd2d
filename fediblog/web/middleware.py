"""What every request passes through: whose address it comes from, its id, the headers that protect, the log line."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fediblog import log
from fediblog.counters import REQUEST_SECONDS, REQUESTS, TURNED_AWAY
from fediblog.limits import Limit, party
from fediblog.messages import text

MOST = 2_000_000  # bytes of a request
MOST_WITH_PICTURES = 70_000_000  # bytes where pictures are sent: several, as phones take them
_WITH_PICTURES = re.compile(
    r"/(?:write(?:/[0-9]+)?|settings|api/v[12]/media/?|api/v1/accounts/update_credentials/?|api/v1/profile/?)\Z"
)
_FILES = ("/static/", "/media/")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}


def policy_text(origin: str, forms: str = "") -> str:
    """The Content-Security-Policy: nothing but our own files, and pictures and sound from where posts come from.

    `forms` is a further place to which the answer to a form may lead.
    """
    goals = f"'self' {forms}".rstrip()
    media = "'self' https: data:" if origin.startswith("https://") else "'self' https: http: data:"
    return (
        f"default-src 'none'; img-src {media}; media-src {media}; style-src 'self'; script-src 'self';"
        f" connect-src 'self'; form-action {goals}; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    )


Refusal = Callable[[Request, int, str, str], Response]
"""(request, status, message, reason) -> the answer, as a page or for programs."""


def _plainly(_request: Request, status: int, message: str, reason: str) -> Response:
    return JSONResponse({"error": message, "reason": reason}, status)


class Door:
    """The outermost layer. A header that a proxy sets is believed only from the proxies that the operator named."""

    def __init__(self, app: ASGIApp, *, origin: str, trusted: Sequence[str], refuse: Refusal = _plainly) -> None:
        self.app = app
        self.refuse = refuse
        self.pages = Limit(burst=600, seconds=0.05, clock=lambda: time.monotonic_ns() // 1_000_000)
        self.trusted = tuple(ip_network(each) for each in trusted)
        headers = dict(_HEADERS, **{"content-security-policy": policy_text(origin)})
        if origin.startswith("https://"):
            headers["strict-transport-security"] = "max-age=31536000"
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        address = client_address(scope, self.trusted)
        scope["client"] = (address, 0)
        # Our own machine or proxy is nobody in particular: a limit that all visitors share would shut all of them out.
        scope["fediblog.party"] = "" if not address or is_trusted(address, self.trusted) else party(address)
        request = log.Request(secrets.token_hex(4))
        mark = log.REQUEST.set(request)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message.get("headers", ())
                named = {name for name, _ in given}
                ours = (pair for pair in self.headers if pair[0] not in named)
                message = {**message, "headers": [*given, *ours]}  # another answer may share them
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, answer)
            else:
                await self.app(scope, capped(scope, receive), answer)
        except Exception:
            status = 500
            raise
        finally:
            self._note(scope, status, time.perf_counter() - started, request.facts)
            log.REQUEST.reset(mark)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to what is turned away before anything else looks at it."""
        if not is_text(
            scope["query_string"]
        ):  # not to be read by anybody, so not by a page of ours that says so either
            return PlainTextResponse("There is no such address.\n", 400)
        if is_too_large(scope):
            return self.refuse(Request(scope), 413, too_large(scope), "too-large")
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL takes none
            return self.refuse(Request(scope), 400, text("error.not-found"), "not-found")
        if wait := self._wait(scope):
            TURNED_AWAY.add("pages")
            again = {"Retry-After": str(wait), "Cache-Control": "no-store"}
            return PlainTextResponse("Slow down, please.\n", 429, headers=again)
        return None

    def _wait(self, scope: Scope) -> int:
        """Seconds until the address may read again; files are no trouble."""
        if scope["method"] == "POST" or not scope["fediblog.party"] or scope["path"].startswith(_FILES):
            return 0
        return self.pages.take(scope["fediblog.party"])

    def _note(self, scope: Scope, status: int, seconds: float, facts: dict[str, object]) -> None:
        """One line, and the counts; 499 is a visitor who went away before there was an answer."""
        REQUESTS.add(getattr(scope.get("route"), "path", "none"), str(status or 499))
        REQUEST_SECONDS.add(seconds)
        known = {"method": scope["method"], "path": scope["path"], "status": status or 499}
        log.line("request", known | {"ms": round(seconds * 1000, 1)} | facts)


def header(scope: Scope, name: bytes) -> str:
    """The field of that name (in lower case), its lines joined as RFC 9110 §5.3 has it; '' if there is none."""
    return b", ".join([value for given, value in scope["headers"] if given == name]).decode("latin-1")


def limit_of(scope: Scope) -> int:
    """Bytes that the request may bring."""
    with_pictures = scope["method"] in ("POST", "PATCH") and _WITH_PICTURES.match(scope["path"])
    kind = header(scope, b"content-type") if with_pictures else ""
    return MOST_WITH_PICTURES if kind.lower().startswith("multipart/form-data") else MOST


def too_large(scope: Scope) -> str:
    """What somebody is told who sent more, and what they can do."""
    limit = limit_of(scope)
    return text("error.pictures-too-large" if limit > MOST else "error.too-large", n=limit // 1_000_000)


def is_text(raw: bytes) -> bool:
    """Whether bytes of an address are UTF-8; most are percent-encoded and so are ASCII."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_too_large(scope: Scope) -> bool:
    """Whether the request says beforehand that it brings too much."""
    length = header(scope, b"content-length")
    return length.isascii() and length.isdigit() and int(length[:15]) > limit_of(scope)


def capped(scope: Scope, receive: Receive) -> Receive:
    """The body as it comes in, cut off with an error where a request without a length brings too much."""
    taken, limit = 0, limit_of(scope)

    async def more() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken <= limit:
            return message
        scope["fediblog.too-large"] = True
        return {"type": "http.disconnect"}

    return more


def client_address(scope: Scope, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The address that the request comes from: behind our own proxies the last one that they did not add."""
    peer = scope["client"][0] if scope.get("client") else ""
    hops = [hop.strip() for hop in header(scope, b"x-forwarded-for").split(",") if hop.strip()]
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
