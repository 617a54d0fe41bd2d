"""The reader of answers, fed with bytes."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.errors import Refused
from fediblog.net.response import MAX_FIELDS, ResponseReader
from tests.net.conftest import reply


def read(data: bytes, method: str = "GET", limit: int = 1000, step: int = 1 << 20) -> ResponseReader:
    reader = ResponseReader(method, limit)
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    return reader


def refusal(data: bytes, limit: int = 1000) -> str:
    with pytest.raises(Refused) as refused:
        read(data, limit=limit)
    return refused.value.reason


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "data",
    [
        reply(b"hello"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"he", b"llo"),
        reply(gzip.compress(b"hello", mtime=0), Content_Encoding="gzip"),
        reply(gzip.compress(b"hel", mtime=0) + gzip.compress(b"lo", mtime=0), Content_Encoding="X-GZIP"),
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + reply(b"hello"),
        reply(b"hello", Upgrade="h2,h2c", Connection="Upgrade"),
    ],
)
def test_an_answer_in_any_framing_and_in_any_pieces(data: bytes, step: int) -> None:
    reader = read(data, step=step)
    assert reader.done
    assert reader.reusable
    assert (reader.status, reader.body) == (200, b"hello")
    assert "link" not in dict(reader.headers)


def test_a_body_that_ends_with_the_connection() -> None:
    reader = read(b"HTTP/1.0 200 OK\r\n\r\nhello")
    assert not reader.done
    assert reader.finish()
    assert (reader.body, reader.reusable) == (b"hello", False)


def test_a_body_with_a_length_does_not_end_with_the_connection() -> None:
    assert not read(reply(b"hello")[:-1]).finish()
    assert not read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n").finish()
    cut = b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello", mtime=0)[:-9]
    assert not read(cut).finish()


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(status: str) -> None:
    reader = read(f"HTTP/1.1 {status}\r\n\r\n".encode())
    assert reader.done
    assert reader.body == b""


def test_head_has_no_body_whatever_its_length_says() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nContent-Encoding: br\r\n\r\n", method="HEAD")
    assert (reader.done, reader.body) == (True, b"")


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"x", b"\0\0"])
def test_more_than_was_asked_for_makes_the_connection_useless(extra: bytes) -> None:
    reader = read(reply(b"hello") + extra)
    assert (reader.body, reader.reusable) == (b"hello", False)


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        reply(b"not gzip at all", Content_Encoding="gzip"),
        reply(gzip.compress(b"hello", mtime=0)[:-4], Content_Encoding="gzip"),
    ],
)
def test_what_is_not_an_answer_is_refused(data: bytes) -> None:
    assert refusal(data) == "answer-malformed"


def test_an_encoding_that_was_not_asked_for_is_refused() -> None:
    assert refusal(reply(b"x", Content_Encoding="br")) == "answer-encoding"


@pytest.mark.parametrize(
    "data",
    [
        reply(b"x" * 1001),
        reply(b"x" * 1001)[:-1001],  # at its length already
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"x" * 600, b"x" * 600),
        b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1001,
        reply(gzip.compress(b"x" * 1001, mtime=0), Content_Encoding="gzip"),
        reply(gzip.compress(b"x", mtime=0) * 50, Content_Encoding="gzip"),  # too large as sent
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(MAX_FIELDS + 1)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
    ],
)
def test_what_is_too_large_is_refused(data: bytes) -> None:
    assert refusal(data) == "answer-too-large"


def test_exactly_the_limit_is_not_too_large() -> None:
    assert read(reply(b"x" * 1000)).done
    assert len(read(reply(gzip.compress(b"x" * 1000, mtime=0), Content_Encoding="gzip")).body) == 1000


def test_a_gzip_bomb_is_refused_before_it_unfolds() -> None:
    bomb = gzip.compress(bytes(20_000_000), mtime=0)
    data = reply(bomb, Content_Encoding="gzip")
    reader = ResponseReader("GET", 100_000)
    tracemalloc.start()
    with pytest.raises(Refused):
        reader.feed(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(reader.body) <= 100_000
    assert peak < 1_000_000


@pytest.mark.parametrize(("method", "status"), [("GET", "500 Oh"), ("POST", "202 Accepted"), ("POST", "404 No")])
def test_of_other_answers_the_status_matters_and_the_body_is_cut(method: str, status: str) -> None:
    for data in (reply(b"x" * 2000, status), reply(b"", status).replace(b"Content-Length: 0", b"A: b") + b"x" * 2000):
        reader = read(data, method=method)
        assert (reader.done, reader.cut, reader.reusable) == (True, True, False)
        assert len(reader.body) <= 1000
        assert str(reader.status) == status[:3]


def test_how_long_the_server_keeps_the_connection() -> None:
    assert read(reply(Keep_Alive="timeout=5, max=100")).keep_seconds == 5
    assert read(reply(Keep_Alive="x")).keep_seconds is None
    assert not read(reply(Connection="close")).reusable


def outcome(reader: ResponseReader, data: bytes) -> str:
    try:
        reader.feed(data)
    except Refused as refused:
        return refused.reason
    return "answer-whole" if reader.finish() else "answer-unfinished"


@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    reader = ResponseReader("GET", 50)
    assert outcome(reader, start + data).startswith("answer-")
    assert len(reader.body) <= 50
