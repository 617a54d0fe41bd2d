"""The table of the API: what can be called, with which scope, what it gives, and how a call finds its row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partialmethod
from typing import Any, Literal

from msgspec import Struct, field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

from fediblog import formdata, log
from fediblog.domain.scopes import covers
from fediblog.errors import FediblogError, Forbidden, Gone, NotFound, Refused, TooOften, Unavailable
from fediblog.federation.site import Site
from fediblog.http_status import status_of
from fediblog.mastodon import params, throttle
from fediblog.mastodon.calls import Call, Reply, Unauthorized, respond
from fediblog.messages import ENGLISH, text
from fediblog.messages.accept_language import wanted
from fediblog.store.people import apps
from fediblog.store.people.apps import AccessToken
from fediblog.store.tx import Tx

Who = Literal["anybody", "app", "user"]
Handler = Callable[[Call], Awaitable[Any]]
LONGEST_TOKEN = 200  # characters
_TWINS = {"PUT": "PATCH", "PATCH": "PUT"}


class Endpoint(Struct, frozen=True, kw_only=True):
    """One row. `gives` names the entity of the answer, with [] for a list of them; nothing for an empty object.

    `who` says whose token is needed; with "anybody" one may be sent, and must then be good and cover the scope.
    `tier` is how much of an app needs it, from 0 (to log in) to 3 (comfort); `note` what an app's author should know.
    """

    method: str
    path: str
    run: Handler
    scope: str = ""
    who: Who = "user"
    gives: str = ""
    tier: int = 2
    note: str = ""

    @property
    def about(self) -> str:
        """What it does, in the words of its function."""
        return (self.run.__doc__ or "").strip().splitlines()[0]


class Table(Struct):
    """Rows in the order in which they are written down."""

    rows: list[Endpoint] = field(default_factory=list)

    def add(
        self,
        method: str,
        *paths: str,
        scope: str = "",
        who: Who = "user",
        gives: str = "",
        tier: int = 2,
        note: str = "",
    ) -> Callable[[Handler], Handler]:
        """Marks a function as what answers these paths."""

        def keep(run: Handler) -> Handler:
            for path in paths:
                row = Endpoint(
                    method=method, path=path, run=run, scope=scope, who=who, gives=gives, tier=tier, note=note
                )
                self.rows.append(row)
            return run

        return keep

    get = partialmethod(add, "GET")
    post = partialmethod(add, "POST")
    put = partialmethod(add, "PUT")
    patch = partialmethod(add, "PATCH")
    delete = partialmethod(add, "DELETE")


class Finder:
    """Finds the row of a path, without trying all of them one after another."""

    def __init__(self, rows: Iterable[Endpoint]) -> None:
        self._exact: dict[tuple[str, str], Endpoint] = {}
        self._open: dict[tuple[str, int], list[tuple[tuple[str, ...], Endpoint]]] = {}
        for row in rows:
            parts = tuple(row.path.strip("/").split("/"))
            if "{" in row.path:
                self._open.setdefault((row.method, len(parts)), []).append((parts, row))
            elif (row.method, row.path) in self._exact:
                raise ValueError(f"two rows for {row.method} {row.path}")
            else:
                self._exact[row.method, row.path] = row

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """The row and what stands in the path's places. PUT and PATCH are the same, as in Rails: apps send either."""
        found = self._found(method, path)
        return found or (self._found(_TWINS[method], path) if method in _TWINS else None)

    def _found(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """A row without places goes before one with."""
        exact = self._exact.get((method, path))
        if exact is not None:
            return exact, {}
        given = tuple(path.strip("/").split("/"))
        for parts, row in self._open.get((method, len(given)), ()):
            if all(part == each or (part[0] == "{" and each) for part, each in zip(parts, given, strict=True)):
                return row, {part[1:-1]: each for part, each in zip(parts, given, strict=True) if part[0] == "{"}
        return None


async def answer(request: Request, site: Site, finder: Finder) -> Response:
    """Find the row, let the caller in or not, and answer: with an entity, or with what was wrong."""
    path = str(request.scope["path"]).rstrip("/")
    method = "GET" if request.method == "HEAD" else request.method
    found = finder.find(method, path)
    if found is None:
        return respond(Reply({"error": text(language_of(request.scope), "api.not-found")}, 404))
    row, places = found
    request.scope["route"] = row  # the label in the metrics
    used = throttle.RateLimit()
    try:
        reply = await _call(request, site, row, places, used)
    except FediblogError as error:
        reply = refusal(error, request.scope)
    except (HTTPException, ClientDisconnect):  # a body that cannot be read, or breaks off: the application says so
        raise
    except Exception as error:
        log.trouble("bug", error, path=path)
        reply = Reply({"error": text(language_of(request.scope), "error.bug")}, 500)
    reply.headers.update(used.headers)
    return respond(reply)


async def _call(
    request: Request, site: Site, row: Endpoint, places: Mapping[str, str], used: throttle.RateLimit
) -> Reply:
    token = await token_of(request, site)
    used.take(site, request, token)
    admit(row, token)
    try:
        body = await row.run(Call(request, site, token, await params.read(request), places))
    finally:
        await formdata.close(request)
    return body if isinstance(body, Reply) else Reply({} if body is None else body)


def bearer(request: Request) -> str:
    """The token that a request carries in its header, or nothing (RFC 6750 §2.1)."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


async def token_of(request: Request, site: Site) -> AccessToken | None:
    """Whose the request is. Raises Unauthorized for a token that is not good."""
    given = bearer(request)
    if not given:
        return None
    return await known(site, given)


async def known(site: Site, given: str) -> AccessToken:
    """The token itself. Raises Unauthorized for one that is not good."""
    found = await site.db.read(apps.token, apps.digest(given)) if len(given) <= LONGEST_TOKEN else None
    if found is None:
        raise Unauthorized
    if apps.needs_touch(found, site.clock()):
        await site.write_aside(_touch, found)
    return found


def _touch(tx: Tx, token: AccessToken) -> None:
    apps.touch(tx, token)


def admit(row: Endpoint, token: AccessToken | None) -> None:
    """Raises Unauthorized or Forbidden where the token is not what the row asks for."""
    if token is None:
        if row.who != "anybody":
            raise Unauthorized("api.token-missing")
        return
    if row.who == "user" and token.account is None:
        raise Unauthorized("api.needs-user")
    if row.scope and not any(covers(token.scopes, scope) for scope in row.scope.split("|")):
        raise Forbidden("api.scope-missing")


def language_of(scope: Scope) -> str:
    """The language of errors for an app: what it asks for on behalf of its user, else English."""
    return wanted(scope["headers"], ENGLISH)


def refusal(error: FediblogError, scope: Scope) -> Reply:
    """The answer to a call that was refused."""
    language = language_of(scope)
    message = error.sentence(language) if isinstance(error, Refused) else text(language, "error.unavailable")
    headers: dict[str, str] = {}
    if isinstance(error, NotFound | Gone):
        message = text(language, "api.not-found")
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = 'Bearer realm="fediblog"'
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(error.wait)
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(int(error.delay or 60))
    return Reply({"error": message}, status_of(error).api, headers)
