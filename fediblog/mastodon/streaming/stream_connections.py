"""Streams over WebSocket and as server-sent events: who may listen, and what is said on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from fediblog.actions import reader_actions
from fediblog.errors import FediblogError, Forbidden, Invalid, Refused, TooOften
from fediblog.federation.site import Site
from fediblog.mastodon import endpoint_table
from fediblog.mastodon.calls import Unauthorized, respond
from fediblog.mastodon.streaming import streams
from fediblog.mastodon.streaming.hub import MOST_STREAMS, Hub, Listener
from fediblog.mastodon.streaming.stream_messages import Message
from fediblog.mastodon.streaming.streams import Stream
from fediblog.store.people.apps import AccessToken

HEARTBEAT = 15.0  # seconds, so that nothing in between takes the connection for dead
PATIENCE = 10.0  # seconds in which one message must have been taken
LONGEST_FRAME = 4_096  # characters of what an app sends
POLICY_VIOLATION, TRY_LATER = 1008, 1013  # RFC 6455 §7.4.1, and its registry
_CODES = {"": 1000, "slow": TRY_LATER, "stopping": 1001}
_SUBPROTOCOL = "sec-websocket-protocol"


def _token_in(connection: Request | WebSocket) -> str:
    """The token in the header, the query or, for browsers, the subprotocol."""
    kind, _, value = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and value:
        return value.strip()
    return connection.query_params.get("access_token") or connection.headers.get(_SUBPROTOCOL, "").strip()


async def _known(connection: Request | WebSocket, site: Site) -> AccessToken:
    given = _token_in(connection)
    if not given:
        raise Unauthorized("api.token-missing")
    return await endpoint_table.known(site, given)


async def _checked(site: Site, given: dict[str, object], token: AccessToken) -> Stream:
    """The stream that was asked for. Raises Invalid, Forbidden, or NotFound for somebody else's list."""
    stream = streams.stream_of(given)
    streams.admit(stream, token)
    if stream.kind == streams.LIST:
        await site.db.read(reader_actions.own_list, token.account or 0, int(stream.about))  # raises NotFound
    return stream


# --- WebSocket


async def socket(websocket: WebSocket) -> None:
    """One connection for any number of streams, which come and go by messages of the app."""
    site: Site = websocket.app.state.site
    hub = site.keep(Hub)
    try:
        token = await _known(websocket, site)
        first = dict(websocket.query_params)
        wanted = {await _checked(site, dict(first), token)} if first.get("stream") else set()
        listener = await hub.join(token)
    except FediblogError as error:
        await _deny(websocket, error)
        return
    listener.streams |= wanted
    try:
        await websocket.accept(subprotocol=_subprotocol(websocket))
        await _converse(websocket, site, listener)
    finally:
        hub.leave(listener)


def _subprotocol(websocket: WebSocket) -> str | None:
    """The first that the browser offers: it takes no answer for a refusal. Some carry their token so."""
    first = websocket.headers.get(_SUBPROTOCOL, "").partition(",")[0].strip()
    return first if first and len(first) <= endpoint_table.LONGEST_TOKEN else None


async def _deny(websocket: WebSocket, error: FediblogError) -> None:
    """Before the handshake is done, HTTP says it best (ASGI's response to a WebSocket)."""
    reply = endpoint_table.refusal(error, websocket.scope)
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(respond(reply))
    else:
        await websocket.close(TRY_LATER if isinstance(error, TooOften) else POLICY_VIOLATION)


async def _converse(websocket: WebSocket, site: Site, listener: Listener) -> None:
    """Until either side ends it."""
    tasks = [asyncio.create_task(_tell(websocket, listener)), asyncio.create_task(_listen(websocket, site, listener))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(RuntimeError, WebSocketDisconnect):  # it may be closed already
        await websocket.close(_CODES.get(listener.closed, POLICY_VIOLATION))


async def _tell(websocket: WebSocket, listener: Listener) -> None:
    while (message := await listener.waiting.get()) is not None:
        frame = {"stream": message.label, "event": message.event}
        if message.payload:  # some events have none: apps would take an empty one for broken JSON
            frame["payload"] = message.payload
        async with asyncio.timeout(PATIENCE):
            await websocket.send_text(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))


async def _listen(websocket: WebSocket, site: Site, listener: Listener) -> None:
    while True:
        try:
            said = await websocket.receive_text()
        except (WebSocketDisconnect, KeyError):  # KeyError: bytes, which nobody has reason to send
            return
        try:
            await _obey(site, listener, said)
        except Refused as error:
            reply = endpoint_table.refusal(error, websocket.scope)
            async with asyncio.timeout(PATIENCE):
                await websocket.send_text(json.dumps({**reply.body, "status": reply.status}))


async def _obey(site: Site, listener: Listener, said: str) -> None:
    try:
        asked = json.loads(said) if len(said) <= LONGEST_FRAME else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or asked.get("type") not in ("subscribe", "unsubscribe"):
        raise Invalid("type", "api.stream-message")
    if asked["type"] == "unsubscribe":
        listener.streams.discard(streams.stream_of(asked))
        return
    stream = await _checked(site, asked, listener.token)
    if len(listener.streams) >= MOST_STREAMS:
        raise Forbidden("api.too-many-streams")
    listener.streams.add(stream)


# --- Server-sent events (HTML Standard §9.2)


async def events(request: Request) -> Response:
    """One stream, named by the path, as server-sent events."""
    site: Site = request.app.state.site
    hub = site.keep(Hub)
    name = request.path_params.get("rest", "").strip("/").replace("/", ":") or request.query_params.get("stream", "")
    if name == "health":
        return PlainTextResponse("OK", headers={"Cache-Control": "no-store"})
    try:
        token = await _known(request, site)
        given: dict[str, object] = {**request.query_params, "stream": name}
        if request.query_params.get("only_media") in ("true", "1") and name.startswith(streams.PUBLIC):
            given["stream"] = f"{name}:media"
        stream = await _checked(site, given, token)
        listener = await hub.join(token)
    except FediblogError as error:
        return respond(endpoint_table.refusal(error, request.scope))
    listener.streams.add(stream)
    headers = {"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(hub, listener), media_type="text/event-stream", headers=headers)


async def _lines(hub: Hub, listener: Listener) -> AsyncIterator[str]:
    try:
        yield ":)\n"
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    message: Message | None = await listener.waiting.get()
            except TimeoutError:
                yield ":thump\n"
                continue
            if message is None:
                return
            # Without data a browser drops an event (HTML Standard §9.2.6); apps know this word from Mastodon.
            yield f"event: {message.event}\ndata: {message.payload or 'undefined'}\n\n"
    finally:
        hub.leave(listener)


ROUTES: list[BaseRoute] = [
    WebSocketRoute("/api/v1/streaming", socket),
    WebSocketRoute("/api/v1/streaming/{rest:path}", socket),
    Route("/api/v1/streaming", events),
    Route("/api/v1/streaming/{rest:path}", events),
]
