"""The outermost layer: whose address is believed, what is cut off, which headers every answer has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fediblog.web.middleware import (
    MOST,
    MOST_WITH_PICTURES,
    Proxies,
    RequestMiddleware,
    client_address,
    is_length_known,
    policy_text,
)

TRUSTED = Proxies(("127.0.0.0/8", "10.1.0.0/16"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not our proxy: what it says is not believed
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # the visitor may write anything in front
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"),  # two proxies of ours
        ("127.0.0.1", "6.6.6.6\n198.51.100.1", "198.51.100.1"),  # a proxy that adds a line of its own
        ("127.0.0.1", "", "127.0.0.1"),
        ("", "198.51.100.1", "198.51.100.1"),  # a Unix socket
        ("127.0.0.1", "nonsense", "nonsense"),
    ],
)
def test_forwarded_addresses_are_believed_from_our_proxies_only(peer: str, forwarded: str, expected: str) -> None:
    lines = [(b"x-forwarded-for", line.encode()) for line in forwarded.split("\n") if line]
    scope = {"type": "http", "client": (peer, 1234) if peer else None}
    assert client_address(scope, lines, TRUSTED) == expected


async def _echo(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{request.client.host if request.client else ''} {len(body)}")


def _client() -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/{path:path}", _echo, methods=["GET", "POST"])])
    middleware = RequestMiddleware(app, origin="https://blog.test", trusted=("127.0.0.0/8",))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(middleware, client=("127.0.0.1", 9)), base_url="https://blog.test"
    )


async def test_every_answer_has_the_headers_that_protect() -> None:
    async with _client() as client:
        answer = await client.get("/", headers={"x-forwarded-for": "198.51.100.7"})
    assert answer.text == "198.51.100.7 0"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize(("status", "content", "shown"), [(202, "", False), (202, "later", True), (200, "", True)])
async def test_only_an_empty_answer_to_a_delivery_has_no_policy_for_pages(
    status: int, content: str, shown: bool
) -> None:
    middleware = RequestMiddleware(PlainTextResponse(content, status), origin="https://blog.test", trusted=())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(middleware), base_url="https://blog.test") as client:
        answer = await client.post("/inbox")
    assert ("content-security-policy" in answer.headers) is shown
    assert answer.headers["x-content-type-options"] == "nosniff"


MULTIPART = "multipart/form-data; boundary=x"


@pytest.mark.parametrize(
    ("path", "kind", "limit"),
    [
        ("/", MULTIPART, MOST),
        ("/inbox", "application/activity+json", MOST),
        ("/login", "application/x-www-form-urlencoded", MOST),
        ("/write", "application/x-www-form-urlencoded", MOST),
        ("/write/x", MULTIPART, MOST),
        ("/settings/password", MULTIPART, MOST),
        ("/write", MULTIPART, MOST_WITH_PICTURES),
        ("/write/123", MULTIPART, MOST_WITH_PICTURES),
        ("/settings", MULTIPART, MOST_WITH_PICTURES),
        ("/api/v2/media", MULTIPART, MOST_WITH_PICTURES),
        ("/api/v1/media/", MULTIPART, MOST_WITH_PICTURES),
        ("/api/v1/accounts/update_credentials", MULTIPART, MOST_WITH_PICTURES),
        ("/api/v1/profile", MULTIPART, MOST_WITH_PICTURES),
        ("/api/v1/statuses", MULTIPART, MOST),
    ],
)
async def test_too_large_a_body_is_refused_before_it_is_read(path: str, kind: str, limit: int) -> None:
    async with _client() as client:
        headers = {"content-type": kind, "content-length": str(limit + 1)}
        refused = await client.post(path, content=b"x", headers=headers)
        taken = await client.post(path, content=b"x", headers=headers | {"content-length": str(limit)})
    assert (refused.status_code, taken.status_code) == (413, 200)
    assert refused.json()["reason"] == "too-large"


async def test_a_body_of_unknown_length_is_cut_off() -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * (MOST // 2)

    async with _client() as client:
        with pytest.raises(ClientDisconnect):
            await client.post("/", content=stream())


@pytest.mark.parametrize(
    ("names", "known"),
    [
        ((), False),
        (("content-length",), True),
        (("transfer-encoding",), False),
        (("content-length", "transfer-encoding"), False),  # whichever counts, the body is counted as well
    ],
)
def test_a_body_is_counted_unless_its_length_was_said(names: tuple[str, ...], known: bool) -> None:
    assert is_length_known([(name.encode(), b"1") for name in names]) is known


async def test_what_an_answer_says_itself_is_left_as_it_is() -> None:
    given = {"Referrer-Policy": "no-referrer", "X-Own": "1"}
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("", headers=given))])
    middleware = RequestMiddleware(app, origin="https://blog.test", trusted=())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(middleware), base_url="https://blog.test") as client:
        answer = await client.get("/")
    assert answer.headers.get_list("referrer-policy") == ["no-referrer"]
    assert answer.headers["x-own"] == "1"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_pages_load_nothing_from_elsewhere() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in policy_text().split(";"))
    assert {rules.pop("default-src"), rules.pop("base-uri"), rules.pop("frame-ancestors")} == {"'none'"}
    assert set(rules.values()) == {"'self'"}
    assert {"img-src", "media-src", "style-src", "script-src", "connect-src", "manifest-src"} <= set(rules)
