"""Signed requests over the engine: redirects one checked step at a time, the double knock, and failures remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from urllib.parse import urljoin

from msgspec import Struct

from fediblog.errors import Refused, Unavailable
from fediblog.net.access_policy import AccessPolicy
from fediblog.net.guard import Target, check_url
from fediblog.net.host_memory import Failures, Scheme, Schemes, other
from fediblog.net.http_engine import Engine
from fediblog.net.response import Response

# method, url, header fields with names in lower case, body, scheme -> fields to add
Signer = Callable[[str, str, Mapping[str, str], bytes, str], Mapping[str, str]]

MAX_DOCUMENT = 1_000_000  # bytes
MAX_RECEIPT = 64 * 1024  # bytes of the answer to a POST, of which little but the status matters
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_UNDERSTOOD = frozenset({400, 401})  # what a server answers that could not read the signature
_LOCAL = frozenset({"busy", "budget-spent"})  # says nothing about the other side


class _Asked(Struct, frozen=True):
    """A request as it was asked for, whatever redirects and second signatures follow."""

    method: str
    headers: Mapping[str, str]
    body: bytes
    sign: Signer | None
    limit: int
    end: float  # on the client's clock


class Client:
    """The HTTP client of all other floors."""

    def __init__(
        self,
        engine: Engine,
        policy: AccessPolicy,
        *,
        prefer: Callable[[str], Scheme | None] | None = None,
        on_learned: Callable[[str, Scheme], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.policy = policy
        self.schemes = Schemes(prefer, on_learned)
        self._failures = Failures(clock)
        self._clock = clock
        self._turns = asyncio.Semaphore(policy.fetches)

    async def fetch(
        self,
        url: str,
        *,
        accept: str,
        sign: Signer | None = None,
        limit: int = MAX_DOCUMENT,
        deadline: float | None = None,
        max_redirects: int = 3,
        cross_origin: bool = True,
        fresh: bool = False,
        before_redirect: Callable[[str], Awaitable[None]] | None = None,
    ) -> Response:
        """GET `url`, through redirects. The answer may have any status; its `url` is the one that gave it.

        A URL that failed is not asked again for a while: the same failure is given at once, unless `fresh`.
        With `cross_origin` false, a redirect to another origin is refused. `deadline` in seconds is for all steps.
        `before_redirect` gets each address that a redirect leads to before it is asked, and may refuse it.
        """
        key = (url, accept, sign is not None, cross_origin)
        if not fresh and (known := self._failures.recall(key)) is not None:
            return known
        asked = _Asked("GET", self._fields({"accept": accept}), b"", sign, limit, self._end(deadline))
        try:
            await self._wait_for_turn(asked.end - self._clock())
            try:
                answer = await self._follow(url, asked, max_redirects, cross_origin, before_redirect)
            finally:
                self._turns.release()
        except Refused as error:
            if error.reason not in _LOCAL:
                self._failures.note(key, error)
            raise
        except Unavailable as error:
            if error.reason not in _LOCAL:
                self._failures.note(key, error)
            raise
        if answer.status >= 400:
            self._failures.note(key, answer)
        else:
            self._failures.clear(key)
        return answer

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        sign: Signer | None = None,
        *,
        limit: int = MAX_RECEIPT,
        deadline: float | None = None,
    ) -> Response:
        """POST `body`. Redirects are not followed."""
        return await self._knock(url, _Asked("POST", self._fields(headers), body, sign, limit, self._end(deadline)))

    async def close(self) -> None:
        """End all connections."""
        await self.engine.close()

    async def _wait_for_turn(self, seconds: float) -> None:
        if not self._turns.locked():
            await self._turns.acquire()  # at once
            return
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("busy") from None

    async def _follow(
        self,
        url: str,
        asked: _Asked,
        max_redirects: int,
        cross_origin: bool,
        before_redirect: Callable[[str], Awaitable[None]] | None,
    ) -> Response:
        origin = check_url(url, self.policy).origin
        seen: set[str] = set()
        for _ in range(max_redirects + 1):
            target = check_url(url, self.policy)
            if not cross_origin and target.origin != origin:
                raise Refused("redirect-elsewhere", detail=url)
            if target.url in seen:
                raise Refused("redirect-loop", detail=url)
            if seen and before_redirect is not None:
                await before_redirect(target.url)
            seen.add(target.url)
            answer = await self._knock(url, asked)
            location = answer.header("location")
            if answer.status not in _REDIRECTS or not location:
                return answer
            url = _next(url, location)
        raise Refused("too-many-redirects", detail=url)

    async def _knock(self, url: str, asked: _Asked) -> Response:
        """One request; if it is signed and the signature was not understood, once more with the other scheme."""
        if asked.sign is None:
            return await self._once(url, asked, asked.headers)
        target = check_url(url, self.policy)
        scheme = self.schemes.first(target.authority)
        answer = await self._once(url, asked, self._signed(target, asked, asked.sign, scheme))
        if answer.status not in _NOT_UNDERSTOOD:
            return answer
        scheme = other(scheme)
        second = await self._once(url, asked, self._signed(target, asked, asked.sign, scheme))
        if second.status in _NOT_UNDERSTOOD or second.status >= 500:
            return answer
        self.schemes.learn(target.authority, scheme)
        return second

    def _signed(self, target: Target, asked: _Asked, sign: Signer, scheme: Scheme) -> dict[str, str]:
        fields = {"host": target.authority, **asked.headers}
        added = sign(asked.method, target.url, fields, asked.body, scheme)
        return fields | {name.lower(): value for name, value in added.items()}

    async def _once(self, url: str, asked: _Asked, headers: Mapping[str, str]) -> Response:
        left = asked.end - self._clock()
        if left <= 0:
            raise Unavailable("timeout", detail=url)
        return await self.engine.exchange(asked.method, url, headers, asked.body, limit=asked.limit, deadline=left)

    def _fields(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {"user-agent": self.policy.user_agent} | {name.lower(): value for name, value in headers.items()}

    def _end(self, deadline: float | None) -> float:
        return self._clock() + (self.policy.deadline if deadline is None else deadline)


def _next(url: str, location: str) -> str:
    """Where a redirect leads. It is asked like any other address, and may not leave https."""
    with suppress(UnicodeError):
        # A Location is often sent in UTF-8, though it should be ASCII (RFC 9110 section 10.2.2).
        location = location.encode("latin-1").decode()
    try:
        following = urljoin(url, location.strip()).partition("#")[0]
    except ValueError as error:
        raise Refused("address-malformed", detail=str(error), key="refusal.redirect-malformed") from None
    if url[:6].lower() == "https:" and following[:6].lower() != "https:":
        raise Refused("redirect-insecure", detail=following[:200])
    return following
