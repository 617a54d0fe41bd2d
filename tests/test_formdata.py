"""Bodies of forms: the same however they are cut on their way, bounded, and never read as less than was sent."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message

from fediblog import formdata
from fediblog.formdata import FormBroken, FormTooLarge, Limits

LIMITS = Limits(fields=20, files=3, size=100_000)
NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P"), exclude_characters='"\\%'), min_size=1, max_size=20
)
VALUES = st.text(st.characters(codec="utf-8"), max_size=200)
PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n%b\r\n'
END = b"--b--\r\n"


def request(kind: str, chunks: Sequence[bytes]) -> Request:
    waiting = [*chunks, b""]

    async def receive() -> Message:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", kind.encode())]}
    return Request(scope, receive)


async def read(body: bytes, kind: str = "multipart/form-data; boundary=b", limits: Limits = LIMITS) -> FormData:
    return await formdata.read(request(kind, [body]), limits)


@given(
    fields=st.dictionaries(NAMES, VALUES, max_size=8),
    file=st.none() | st.binary(max_size=300),
    size=st.integers(1, 50),
)
async def test_a_form_is_what_was_sent_however_it_is_cut(fields: dict[str, str], file: bytes | None, size: int) -> None:
    files = {"a file": ("a name.png", file)} if file is not None else None
    sent = httpx.Request("POST", "https://blog.test/", data=fields, files=files)
    body = sent.read()
    if not body:
        return
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    for kept in (True, False):
        limits = Limits(fields=20, files=3, size=100_000, files_kept=kept)
        found = await formdata.read(request(sent.headers["content-type"], chunks), limits)
        assert {name: found[name] for name in fields if name != "a file"} == {
            name: value for name, value in fields.items() if name != "a file"
        }
        if file is not None:
            chosen = found.getlist("a file")[-1]
            assert isinstance(chosen, UploadFile)
            assert (chosen.filename, await chosen.read()) == ("a name.png", file if kept else b"")


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"--b\r\nnonsense",
        b"--b\r\nA: b\r\n\r\nno name\r\n--b--\r\n",
        PART % (b"source", b"cut off her"),
        (PART % (b"source", b"whole")) + FILE % b"cut off her",
        b"--c\r\nA: b\r\n\r\nanother boundary\r\n--c--\r\n",
    ],
)
async def test_what_is_broken_is_refused_rather_than_half_read(body: bytes) -> None:
    with pytest.raises(FormBroken):
        await read(body)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'b' * 5000}"]
)
async def test_parts_without_a_boundary_are_no_form(kind: str) -> None:
    with pytest.raises(FormBroken):
        await read((PART % (b"a", b"b")) + END, kind)


async def test_nothing_is_an_empty_form() -> None:
    for kind in ("multipart/form-data; boundary=b", "application/x-www-form-urlencoded"):
        assert not await read(b"", kind)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ((PART % (b"a", b"x" * 60_000)) * 2 + END, "0.1 MB of text"),
        ((PART % (b"a" * 3_000, b"")) * 19 + (PART % (b"a", b"x" * 50_000)) + END, "0.1 MB of text"),
        ((PART % (b"a", b"")) * 21 + END, "20 fields"),
        (FILE % b"x" * 4 + END, "3 files"),
    ],
)
@pytest.mark.parametrize("kept", [True, False])
async def test_more_than_the_limits_is_told_which(body: bytes, told: str, kept: bool) -> None:
    with pytest.raises(FormTooLarge, match=told):
        await read(body, limits=Limits(fields=20, files=3, size=100_000, files_kept=kept))
    assert await read((FILE % (b"x" * 500_000)) + END)  # a file is no text


@pytest.mark.parametrize(
    ("body", "told"), [(b"a=" + b"x" * 100_000, "0.1 MB of text"), (b"a=b&" * 20 + b"a=b", "20 fields")]
)
async def test_an_urlencoded_form_has_the_same_limits(body: bytes, told: str) -> None:
    with pytest.raises(FormTooLarge, match=told):
        await read(body, "application/x-www-form-urlencoded")


async def test_letters_that_came_as_they_are_are_read_as_utf_8() -> None:
    found = await read("a=über&b=%C3%BCber+all&c=&d".encode(), "application/x-www-form-urlencoded; charset=UTF-8")
    assert dict(found) == {"a": "über", "b": "über all", "c": "", "d": ""}


async def test_a_long_urlencoded_form_is_decoded_while_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def noted(text: str, **options: Any) -> list[tuple[str, str]]:
        threads.append(threading.get_ident())
        return parse_qsl(text, **options)

    monkeypatch.setattr(formdata, "parse_qsl", noted)
    for count in (10, 10_000):
        found = await read(b"a=" + b"%C3%BC" * count, "application/x-www-form-urlencoded")
        assert found["a"] == "ü" * count
    here = threading.get_ident()
    assert [each == here for each in threads] == [True, False]
    with pytest.raises(FormTooLarge, match="20 fields"):
        await read(b"a=" + b"x" * 60_000 + b"&a=b" * 20, "application/x-www-form-urlencoded")
