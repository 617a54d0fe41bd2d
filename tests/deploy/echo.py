"""A small application that tells what a proxy made of a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


def make_app() -> Starlette:
    """The application under test. Its two streaming routes show that lines arrive before the answer ends."""
    heard = asyncio.Event()

    async def tell(request: Request) -> Response:
        length = 0
        async for chunk in request.stream():
            length += len(chunk)
        return JSONResponse(
            {
                "method": request.method,
                "target": request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode(),
                "http_version": request.scope["http_version"],
                "headers": dict(request.headers),
                "length": length,
                "connection": list(request.scope["client"]),
            }
        )

    async def stream(request: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            yield b"first\n"
            await heard.wait()
            yield b"second\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    async def hear(request: Request) -> Response:
        heard.set()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/api/v1/streaming/user", stream),
            Route("/heard", hear, methods=["POST"]),
            Route("/{path:path}", tell, methods=["GET", "POST"]),
        ]
    )
