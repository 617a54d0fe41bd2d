"""Where other servers deliver: one inbox for everybody here, and one for each account."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fediblog.federation.inbound.receive import receive as take_in
from fediblog.federation.site import Site
from fediblog.web import path_convertors
from fediblog.web.activitypub.activitypub_routes import account_here
from fediblog.web.activitypub.inbox_limits import InboxLimits, body_of, claimed_host, party_of
from fediblog.web.negotiation import incoming_of

_ACCEPTED = Response(status_code=202)
_FAILED = "fediblog.failed"


class Inbox:
    """An application of its own, since most of all requests go here.

    What Starlette puts around a function that makes a response of a request would cost them more than it does for them.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if error := scope.pop(_FAILED, None):
            raise error
        answer = await _answer(scope, receive)
        await answer(scope, receive, send)


class Shortcut:
    """In front of the router: takes what is posted to the shared inbox, which is most of all requests.

    What fails goes on to the router and fails there again, so that errors become answers in one place.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == _SHARED.path:
            scope["route"], scope["path_params"] = _SHARED, {}
            try:
                await _SHARED.app(scope, receive, send)
            except Exception as error:
                scope[_FAILED] = error
            else:
                return
        await self.app(scope, receive, send)


async def _answer(scope: Scope, receive: Receive) -> Response:
    app: Starlette = scope["app"]
    site: Site = app.state.site
    owner: int | None = scope["path_params"].get("number")
    limits, party = site.keep(InboxLimits), party_of(scope)
    limits.check(party)
    with limits.enter(party, claimed_host(scope["headers"])):
        if owner is not None:
            await site.db.read(account_here, owner)  # 404 or 410, where nobody is
        body = await body_of(receive, limits.timers)
        async with limits.slots.take():
            receipt = await take_in(site, incoming_of(scope, body), inbox_owner=owner)
    if receipt.status == 202:
        return _ACCEPTED
    if receipt.status < 500:
        limits.note_refused(party)
    headers = {"Retry-After": str(receipt.retry_after)} if receipt.retry_after else {}
    return JSONResponse({"error": receipt.message, "reason": receipt.reason}, receipt.status, headers=headers)


path_convertors.register()
_SHARED = Route("/inbox", Inbox(), methods=["POST"])
ROUTES: list[BaseRoute] = [
    _SHARED,
    Route("/a/{number:number}/inbox", Inbox(), methods=["POST"]),
    Route("/actor/inbox", Inbox(), methods=["POST"]),
]
