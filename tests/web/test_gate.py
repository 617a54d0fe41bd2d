"""Before the inboxes: whom a request is counted for, and how its body is waited for."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message

from fediblog.errors import Refused
from fediblog.federation.alarms import Alarms
from fediblog.web.gate import MAX_ACTIVITY, body_of, claimed_host

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

    return await body_of(receive, Alarms())


async def test_a_body_is_put_together_up_to_its_limit() -> None:
    assert await _body() == b""
    assert await _body(b"a", b"", b"bc") == b"abc"
    assert len(await _body(b"x" * MAX_ACTIVITY)) == MAX_ACTIVITY
    with pytest.raises(Refused) as refused:
        await _body(b"x" * MAX_ACTIVITY, b"x")
    assert refused.value.reason == "too-large"
    with pytest.raises(ClientDisconnect):
        await _body(b"a", broken=True)
