"""The least that a server of this make can be: uvicorn, as the server under test runs it, and an empty application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Literal

import uvicorn
import uvloop

from tests.bench import helper

OPTIONS: dict[str, Any] = {
    "http": "httptools",
    "ws": "none",
    "log_config": None,
    "access_log": False,
    "proxy_headers": False,
    "server_header": False,
}


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Takes the request, and accepts it."""
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def serving(app: Any, lifespan: Literal["on", "off"]) -> AsyncIterator[int]:
    """Uvicorn with an application, on a free port, which is what comes of it."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, lifespan=lifespan, **OPTIONS))
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
            raise RuntimeError("the server did not start")
        await asyncio.sleep(0.001)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def main() -> None:
    async with serving(application, "off") as port:
        helper.say(port=port)
        await helper.obey(_nothing)


async def _nothing(_asked: helper.Answer) -> helper.Answer:
    return {}


if __name__ == "__main__":
    uvloop.run(main())
