"""The outermost layer: whose address is believed, what is cut off, which headers every answer has."""

from __future__ import annotations

from ipaddress import ip_network

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fediblog.web.middleware import MAX_BODY, Door, client_address, policy_text

TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not our proxy: what it says is not believed
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # the visitor may write anything in front
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"),  # two proxies of ours
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "198.51.100.1", "198.51.100.1"),  # a Unix socket
        ("127.0.0.1", "nonsense", "nonsense"),
    ],
)
def test_forwarded_addresses_are_believed_from_our_proxies_only(peer: str, forwarded: str, expected: str) -> None:
    scope = {"type": "http", "client": (peer, 1234)} if peer else {"type": "http", "client": None}
    headers = Headers({"x-forwarded-for": forwarded} if forwarded else {})
    assert client_address(scope, headers, TRUSTED) == expected


async def _echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{request.client.host if request.client else ''} {len(body)}")


def _client() -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/", _echo, methods=["GET", "POST"])])
    door = Door(app, origin="https://blog.test", trusted=("127.0.0.0/8",))
    return httpx.AsyncClient(transport=httpx.ASGITransport(door, client=("127.0.0.1", 9)), base_url="https://blog.test")


async def test_every_answer_has_the_headers_that_protect() -> None:
    async with _client() as client:
        answer = await client.get("/", headers={"x-forwarded-for": "198.51.100.7"})
    assert answer.text == "198.51.100.7 0"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["strict-transport-security"]


async def test_too_large_a_body_is_refused_before_it_is_read() -> None:
    async with _client() as client:
        answer = await client.post("/", content=b"x", headers={"content-length": str(MAX_BODY + 1)})
    assert answer.status_code == 413


def test_plain_http_pictures_are_shown_only_where_the_site_itself_is_http() -> None:
    assert "http:" not in policy_text("https://blog.test").replace("https:", "")
    assert "http:" in policy_text("http://127.0.0.1:8080").replace("https:", "")
