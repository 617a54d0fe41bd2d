"""What every request passes through: whose address it comes from, its id, the headers that protect, the log line."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fediblog import log
from fediblog.counters import REQUEST_SECONDS, REQUESTS, TURNED_AWAY
from fediblog.limits import Limit, party
from fediblog.messages import ENGLISH, Phrase, phrase, text
from fediblog.messages.accept_language import wanted

MOST = 2_000_000  # bytes of a request
MOST_WITH_PICTURES = 70_000_000  # bytes where pictures are sent: several, as phones take them
_WITH_PICTURES = re.compile(
    r"/(?:write(?:/[0-9]+|/picture)?|settings|api/v[12]/media/?|api/v1/accounts/update_credentials/?|api/v1/profile/?)\Z"
)
_DIGITS = len(str(MOST))
_LOOKED_AT = frozenset({b"content-length", b"transfer-encoding", b"x-forwarded-for"})  # here
_FILES = ("/static/", "/media/")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}
_OPENER = b"cross-origin-opener-policy"
_IN_POP_UPS = (
    "/login",
    "/oauth/",
)  # apps in browsers open these, and wait for word from that window
_UNSNIFFED = (b"x-content-type-options", b"nosniff")


def policy_text(forms: str = "") -> str:
    """The Content-Security-Policy: nothing but our own files. Pictures of other servers come from here as well.

    `forms` is a further place to which the answer to a form may lead.
    """
    goals = f"'self' {forms}".rstrip()
    return (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'; font-src 'self';"
        f" connect-src 'self'; form-action {goals}; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
    )


Fields = Sequence[tuple[bytes, bytes]]
"""Headers, their names in lower case."""

Refusal = Callable[[Request, int, str, Phrase], Response]
"""(request, status, reason, message) -> the answer, as a page or for programs."""


def _plainly(_request: Request, status: int, reason: str, message: Phrase) -> Response:
    return JSONResponse({"error": message(ENGLISH), "reason": reason}, status)


class RequestMiddleware:
    """The outermost layer: finds the client's address, refuses what is too large or too often, adds headers, logs.

    A header that a proxy sets is believed only from the proxies that the operator named.
    """

    def __init__(self, app: ASGIApp, *, origin: str, trusted: Iterable[str], refuse: Refusal = _plainly) -> None:
        self.app = app
        self.refuse = refuse
        self.pages = Limit(burst=600, seconds=0.05, clock=lambda: time.monotonic_ns() // 1_000_000)
        self.proxies = Proxies(trusted)
        headers = dict(_HEADERS, **{"content-security-policy": policy_text()})
        if origin.startswith("https://"):
            headers["strict-transport-security"] = "max-age=31536000"
        self.headers = {name.encode(): value.encode() for name, value in headers.items()}
        self.headers_of_pop_ups = {name: value for name, value in self.headers.items() if name != _OPENER}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        fields = [pair for pair in scope["headers"] if pair[0] in _LOOKED_AT]
        address = client_address(scope, fields, self.proxies)
        scope["client"] = (address, 0)
        # Our own machine or proxy is nobody in particular: a limit that all visitors share would shut all of them out.
        scope["fediblog.party"] = "" if not address or is_trusted(address, self.proxies) else party(address)
        request = log.Request(f"{random.getrandbits(32):08x}")  # names it in the log, and protects nothing
        mark = log.REQUEST.set(request)
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self._protected(scope["path"], status, message.get("headers", ()))}
            await send(message)

        try:
            refusal = self._refusal(scope, fields)
            if refusal is not None:
                await refusal(scope, receive, answer)
            else:
                await self.app(scope, receive if is_length_known(fields) else capped(scope, receive), answer)
        except Exception:
            status = 500
            raise
        finally:
            self._note(scope, status, time.perf_counter() - started, request.facts)
            log.REQUEST.reset(mark)

    def _protected(self, path: str, status: int, given: Fields) -> Fields:
        """The headers of an answer, and ours that it does not have. A list of its own: answers may share theirs."""
        said = dict(given)
        if status == 202 and said.get(b"content-length") == b"0":
            return [*given, _UNSNIFFED]  # nothing to be shown or framed, and most answers are such
        ours = self.headers_of_pop_ups if path.startswith(_IN_POP_UPS) else self.headers
        if ours.keys().isdisjoint(said):
            return [*given, *ours.items()]
        return [*given, *(pair for pair in ours.items() if pair[0] not in said)]

    def _refusal(self, scope: Scope, fields: Fields) -> Response | None:
        """The answer to what is turned away before anything else looks at it."""
        if not is_text(scope["query_string"]):  # so not to be read by a page of ours that says so either
            return PlainTextResponse(_plain(scope, "error.no-address"), 400)
        if is_too_large(scope, fields):
            return self.refuse(Request(scope), 413, "too-large", too_large(scope))
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL takes none
            return self.refuse(Request(scope), 400, "not-found", phrase("error.not-found"))
        if wait := self._wait(scope):
            TURNED_AWAY.add("pages")
            again = {"Retry-After": str(wait), "Cache-Control": "no-store"}
            return PlainTextResponse(_plain(scope, "error.title-429"), 429, headers=again)
        return None

    def _wait(self, scope: Scope) -> int:
        """Seconds until the address may read again; files are no trouble."""
        if scope["method"] == "POST" or not scope["fediblog.party"] or scope["path"].startswith(_FILES):
            return 0
        return self.pages.take(scope["fediblog.party"])

    def _note(self, scope: Scope, status: int, seconds: float, facts: dict[str, object]) -> None:
        """Write the log line of a request and count it; 499 is a visitor who went away before there was an answer."""
        REQUESTS.add(getattr(scope.get("route"), "path", "none"), str(status or 499))
        REQUEST_SECONDS.add(seconds)
        known = {"method": scope["method"], "path": scope["path"], "status": status or 499}
        log.line("request", {**known, "ms": f"{seconds * 1000:.1f}", **facts})


def header(fields: Fields, name: bytes) -> str:
    """The field of that name (in lower case), its lines joined as RFC 9110 §5.3 has it; '' if there is none."""
    return b", ".join([value for given, value in fields if given == name]).decode("latin-1")


def limit_of(scope: Scope) -> int:
    """Bytes that the request may bring."""
    with_pictures = scope["method"] in ("POST", "PATCH") and _WITH_PICTURES.match(scope["path"])
    kind = header(scope["headers"], b"content-type") if with_pictures else ""
    return MOST_WITH_PICTURES if kind.lower().startswith("multipart/form-data") else MOST


def too_large(scope: Scope) -> Phrase:
    """The message for somebody who sent more than the limit, with what they can do."""
    limit = limit_of(scope)
    return phrase("error.pictures-too-large" if limit > MOST else "error.too-large", n=limit // 1_000_000)


def _plain(scope: Scope, key: str) -> str:
    """A message as a line of plain text."""
    return f"{text(wanted(scope['headers'], ENGLISH), key)}\n"


def is_text(raw: bytes) -> bool:
    """Whether bytes of an address are UTF-8; most are percent-encoded and so are ASCII."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_too_large(scope: Scope, fields: Fields) -> bool:
    """Whether the request says beforehand that it brings too much."""
    length = header(fields, b"content-length")
    if len(length) < _DIGITS:
        return False
    return length.isascii() and length.isdigit() and int(length[:15]) > limit_of(scope)


def is_length_known(fields: Fields) -> bool:
    """Whether the body ends where the request said beforehand: the server takes no more of it than that."""
    names = [name for name, _ in fields]
    return b"content-length" in names and b"transfer-encoding" not in names


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


class Proxies:
    """The networks of our own proxies. Compared as one thing, so that a question about them is quickly found again."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(each) for each in networks)

    def has(self, address: str) -> bool:
        """Whether the address is in one of the networks."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


@lru_cache(maxsize=4096)
def is_trusted(address: str, proxies: Proxies) -> bool:
    """Whether the address is one of our own proxies."""
    return proxies.has(address)


def client_address(scope: Scope, fields: Fields, proxies: Proxies) -> str:
    """The address that the request comes from: behind our own proxies the last one that they did not add."""
    address: str = scope["client"][0] if scope.get("client") else ""
    if forwarded := header(fields, b"x-forwarded-for"):
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        # A Unix socket has no address: only our own proxy can reach it.
        while hops and (not address or is_trusted(address, proxies)):
            address = hops.pop()
    return address
