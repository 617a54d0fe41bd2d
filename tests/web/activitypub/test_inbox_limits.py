"""Before the inboxes: whom a request is counted for, and how its body is waited for."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message

from fediblog.counters import BUGS, REQUESTS
from fediblog.errors import NotFound, Refused, Unavailable
from fediblog.timers import Timers
from fediblog.web.activitypub import inbox_routes
from fediblog.web.activitypub.inbox_limits import MAX_ACTIVITY, body_of, claimed_host
from tests.world import World, ask

_HOST = re.compile(r'keyid="https?://([^/"?#\s]{1,255})', re.IGNORECASE)
_NAMES = st.sampled_from([b"signature", b"signature-input", b"digest"])
_PIECES = [
    b'keyId="',
    b'KEYID="',
    b"https://",
    b"http://",
    b"A.Example",
    b"\xc0",
    b"\xa0",
    b"\x85",
    b"\x1c",
    b'"',
    b"/",
]
_VALUES = st.lists(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=4), st.just(b"x" * 3970))).map(b"".join)


def _host(headers: list[tuple[bytes, bytes]]) -> str:
    """The same as text, with what Starlette makes of headers."""
    for name in ("signature", "signature-input"):
        found = _HOST.search(Headers(raw=headers).get(name, "")[:4000])
        if found:
            return found[1].lower()
    return ""


@given(st.lists(st.tuples(_NAMES, _VALUES), max_size=4))
@example([(b"signature-input", b'x;keyid="https://B.test/k"'), (b"signature", b'keyId="https://A.test/k"')])
@example([(b"signature", b"no key"), (b"signature", b'keyId="https://A.test/k"')])
def test_the_server_that_a_signature_names_is_found_in_bytes_as_in_text(headers: list[tuple[bytes, bytes]]) -> None:
    assert claimed_host(headers) == _host(headers)


async def _body(*chunks: bytes, broken: bool = False) -> bytes:
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.disconnect"} if broken else {"type": "http.request"})

    async def receive() -> Message:
        return messages.pop(0)

    return await body_of(receive, Timers())


async def test_a_body_is_put_together_up_to_its_limit() -> None:
    assert await _body() == b""
    assert await _body(b"a", b"", b"bc") == b"abc"
    assert len(await _body(b"x" * MAX_ACTIVITY)) == MAX_ACTIVITY
    with pytest.raises(Refused) as refused:
        await _body(b"x" * MAX_ACTIVITY, b"x")
    assert refused.value.reason == "too-large"
    with pytest.raises(ClientDisconnect):
        await _body(b"a", broken=True)


@pytest.mark.parametrize("path", ["/inbox", "/actor/inbox"])
@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Unavailable("too-busy", 7), 503, "too-busy"),
        (Refused("too-large", "Too much."), 413, "too-large"),
        (NotFound(), 404, "not-found"),
        (ClientDisconnect(), 400, "broke-off"),
    ],
)
async def test_what_fails_is_answered_alike_in_every_inbox(
    monkeypatch: pytest.MonkeyPatch, path: str, error: Exception, status: int, reason: str
) -> None:
    """The inbox for everybody is not looked for by the router; its errors are."""

    async def fail(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(inbox_routes, "body_of", fail)
    async with World("home.test") as world:
        before = REQUESTS.value(path, str(status))
        app = world.network.apps["home.test"]
        answer = await ask(app, "POST", f"https://home.test{path}", {"accept": "application/json"}, b"{}")
        assert (answer.status_code, answer.json()["reason"]) == (status, reason)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert REQUESTS.value(path, str(status)) == before + 1


async def test_a_bug_in_the_inbox_is_written_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(inbox_routes, "body_of", fail)
    async with World("home.test") as world:
        before = BUGS.total()
        with pytest.raises(ZeroDivisionError):  # goes on to the server, once it has been answered
            await ask(world.network.apps["home.test"], "POST", "https://home.test/inbox", {}, b"{}")
        assert BUGS.total() == before + 1
