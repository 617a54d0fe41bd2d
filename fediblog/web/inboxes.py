"""Where other servers deliver: one inbox for everybody here, and one for each account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from fediblog.federation.receive import receive as take_in
from fediblog.web import addresses
from fediblog.web.activitypub import account_here
from fediblog.web.gate import body_of, gate_of
from fediblog.web.negotiation import incoming_of, site_of

_ACCEPTED = Response(status_code=202)


class Inbox:
    """An application of its own, since most of all requests go here.

    What Starlette puts around a function that makes a response of a request would cost them more than it does for them.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await _answer(Request(scope, receive))
        await answer(scope, receive, send)


async def _answer(request: Request) -> Response:
    owner: int | None = request.path_params.get("number")
    gate = gate_of(request)
    gate.check(request)
    with gate.enter(request):
        if owner is not None:
            await site_of(request).db.read(account_here, owner)  # 404 or 410, where nobody is
        body = await body_of(request)
        async with gate.turns.take():
            receipt = await take_in(site_of(request), incoming_of(request, body), inbox_owner=owner)
    if receipt.status == 202:
        return _ACCEPTED
    if receipt.status < 500:
        gate.note_refused(request)
    headers = {"Retry-After": str(receipt.retry_after)} if receipt.retry_after else {}
    return JSONResponse({"error": receipt.message, "reason": receipt.reason}, receipt.status, headers=headers)


addresses.register()
ROUTES: list[BaseRoute] = [
    Route("/inbox", Inbox(), methods=["POST"]),
    Route("/a/{number:number}/inbox", Inbox(), methods=["POST"]),
    Route("/actor/inbox", Inbox(), methods=["POST"]),
]
