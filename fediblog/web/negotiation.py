"""Routes that answer in ActivityPub, some at the address of a page, with who asks checked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from fediblog.domain.documents import Json
from fediblog.errors import Refused
from fediblog.federation.inbound.signed_get import asker
from fediblog.federation.site import Site
from fediblog.protocol.jsontext import encode
from fediblog.protocol.negotiate import ACTIVITY_TYPE, wants_activity
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.tx import Tx

P = ParamSpec("P")
T = TypeVar("T")

VARY = "Accept, Cookie, Signature"
PUBLIC = "public, max-age=60"
PRIVATE = "private, no-store"


class ActivityRoute(Route):
    """Matches only requests that ask for ActivityPub; others go on to the page at the same address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the path matches, and the request's Accept asks for ActivityPub."""
        match, child = super().matches(scope)
        if match != Match.NONE and not wants_activity(Headers(scope=scope).get("accept", "")):
            return Match.NONE, {}
        return match, child


def site_of(request: Request) -> Site:
    """The site that the request came to."""
    site: Site = request.app.state.site
    return site


def incoming_of(scope: Scope, body: bytes = b"") -> IncomingRequest:
    """The request as signatures see it: path and query exactly as received."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    target = raw.split(b"?", 1)[0] + (b"?" + query if query else b"")
    headers = tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
    return IncomingRequest(scope["method"], target.decode("latin-1"), headers, body)


async def ask(
    request: Request, question: Callable[Concatenate[Tx, int, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """One read: `question(tx, viewer, …)` for the remote account that signed the request, 0 for anybody."""
    site = site_of(request)
    account = await asker(site, incoming_of(request.scope))
    if account is None and site.settings.authorized_fetch:
        raise Refused("signature-missing", key="refusal.answers-signed")
    return await site.db.read(question, account.id if account else 0, *args, **kwargs)


def tag_of(body: bytes) -> str:
    """The ETag of a body (RFC 9110 §8.8.3). BLAKE2, since pages are long, and it is fast."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def document(
    request: Request,
    value: Mapping[str, Json],
    *,
    status: int = 200,
    public: bool = True,
    media_type: str = ACTIVITY_TYPE,
) -> Response:
    """A JSON answer. Public ones may be kept for a minute and have an ETag; those for one asker are kept by nobody."""
    body = encode(dict(value))
    headers = {"Vary": VARY, "Cache-Control": PUBLIC if public else PRIVATE}
    signed = "signature" in request.headers or "signature-input" in request.headers
    if public and not signed and status == 200:
        tag = tag_of(body)
        headers["ETag"] = tag
        if tag in (part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
    elif signed:
        headers["Cache-Control"] = PRIVATE
    return Response(body, status, headers=headers, media_type=media_type)
