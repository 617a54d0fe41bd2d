"""An httpx client over the guarded engine, for code that speaks httpx.

Imported by its own name alone, since httpx takes a tenth of the start.
"""

from __future__ import annotations

import httpx

from fediblog.net.access_policy import AccessPolicy
from fediblog.net.client import MAX_DOCUMENT
from fediblog.net.http_engine import Engine

# The engine frames and decodes by itself.
_OF_REQUEST = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_OF_ANSWER = frozenset(
    {"content-length", "transfer-encoding", "connection", "content-encoding", "keep-alive", "set-cookie"}
)


class EngineTransport(httpx.AsyncBaseTransport):
    """An httpx transport over an engine. What the engine refuses is raised as Refused or Unavailable."""

    def __init__(self, engine: Engine, policy: AccessPolicy, limit: int = MAX_DOCUMENT) -> None:
        self._engine = engine
        self._policy = policy
        self._limit = limit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        headers = [(name, value) for name, value in request.headers.multi_items() if name not in _OF_REQUEST]
        answer = await self._engine.exchange(
            request.method, str(request.url), headers, body, limit=self._limit, deadline=self._policy.deadline
        )
        fields = [(name, value) for name, value in answer.headers if name not in _OF_ANSWER]
        return httpx.Response(answer.status, headers=fields, content=answer.body, request=request)


def http_client(engine: Engine, policy: AccessPolicy, limit: int = MAX_DOCUMENT) -> httpx.AsyncClient:
    """A client without proxies from the environment, without redirects, and without cookies."""
    return httpx.AsyncClient(
        transport=EngineTransport(engine, policy, limit),
        headers={"user-agent": policy.user_agent},
        trust_env=False,
        follow_redirects=False,
        timeout=policy.deadline,
    )
