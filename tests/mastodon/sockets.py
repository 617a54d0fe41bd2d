"""A WebSocket to the application itself, without a network: what an app says and hears."""

from __future__ import annotations

import asyncio
import json
import re
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from tests.mastodon.server import conform

EVENTS = {  # and what they tell; others tell a number, or nothing
    **dict.fromkeys(("update", "status.update"), "Status"),
    "notification": "Notification",
    "conversation": "Conversation",
    "announcement": "Announcement",
}
PATIENCE = 5.0  # seconds; only a mistake waits so long


class Closed(Exception):
    """The server ended the connection, or did not let it begin."""


class Socket:
    """`async with Socket(app, token=…, stream="user") as socket: await socket.hear()`."""

    def __init__(self, app: Any, *, token: str = "", by: str = "header", **query: str) -> None:
        headers = [(b"host", b"blog.test")]
        if by == "header" and token:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        if by == "subprotocol":
            headers.append((b"sec-websocket-protocol", token.encode()))
        if by == "query":
            query["access_token"] = token
        self._scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "wss",
            "path": "/api/v1/streaming",
            "raw_path": b"/api/v1/streaming",
            "query_string": urlencode(query).encode(),
            "headers": headers,
            "client": ("192.0.2.9", 5000),
            "server": ("blog.test", 443),
            "subprotocols": [token] if by == "subprotocol" else [],
            "extensions": {"websocket.http.response": {}},
        }
        self._app = app
        self._in: asyncio.Queue[Any] = asyncio.Queue()
        self._out: asyncio.Queue[Any] = asyncio.Queue()
        self._stuck = asyncio.Event()
        self._stuck.set()
        self.subprotocol: str | None = None
        self.status = 101

    async def __aenter__(self) -> Socket:
        self._task = asyncio.create_task(self._app(self._scope, self._in.get, self._send))
        self._in.put_nowait({"type": "websocket.connect"})
        first = await self._next()
        if first["type"] != "websocket.accept":
            self.status = first.get("status", 403)
            await self._task
            raise Closed(self.status)
        self.subprotocol = first.get("subprotocol")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stuck.set()
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, PATIENCE)

    async def _send(self, message: Any) -> None:
        await self._stuck.wait()
        self._out.put_nowait(message)

    async def _next(self) -> Any:
        return await asyncio.wait_for(self._out.get(), PATIENCE)

    def stall(self) -> None:
        """The app takes nothing any more."""
        self._stuck.clear()

    def go_on(self) -> None:
        """The app takes what comes again."""
        self._stuck.set()

    async def hear(self) -> dict[str, Any]:
        """The next message. Raises Closed with the code when the server ends it."""
        message = await self._next()
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        found: dict[str, Any] = json.loads(message["text"])
        told = found.get("payload", "")
        if entity := EVENTS.get(found.get("event", "")):
            conform(entity, json.loads(told), found["event"])
        else:
            assert re.fullmatch(r"\d*", told), found
        return found

    async def update(self) -> tuple[list[str], str, Any]:
        """Stream, event and payload of the next message."""
        said = await self.hear()
        payload = said["payload"]
        return said["stream"], said["event"], json.loads(payload) if payload[:1] in "{[" else payload

    def say(self, **message: Any) -> None:
        """Send a message."""
        self._in.put_nowait({"type": "websocket.receive", "text": json.dumps(message)})

    async def obeyed(self) -> None:
        """What was said so far has been dealt with: messages are, one after another, and this one is refused."""
        self.say(type="nothing")
        assert (await self.hear())["status"] == 422

    def nothing(self) -> bool:
        """Whether nothing has come."""
        return self._out.empty()

    async def drained(self) -> int:
        """The code with which the server ends the connection, whatever it said before."""
        while (message := await self._next())["type"] != "websocket.close":
            pass
        code: int = message["code"]
        return code
