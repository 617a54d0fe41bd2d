"""HTTP responses: the value, and the reader that builds one from bytes within its limits."""

from __future__ import annotations

import re
import zlib

import httptools
from msgspec import Struct

from fediblog.errors import Refused

MAX_HEAD = 64 * 1024  # bytes of names and values of all header fields
MAX_FIELDS = 200
_PLAIN = ("", "identity")
_GZIP = ("gzip", "x-gzip")
_KEEP_ALIVE = re.compile(r"timeout=([0-9]{1,5})")


class Response(Struct, frozen=True):
    """A whole response. Header names are in lower case; the body is decoded."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str  # the one that was asked, without its fragment; after redirects the last one
    cut: bool = False  # whether the body went on beyond the limit

    def __repr__(self) -> str:
        return f"Response({self.status}, {self.url!r}, {len(self.body)} bytes)"

    def header(self, name: str) -> str | None:
        """The first field of that name."""
        name = name.lower()
        return next((value for key, value in self.headers if key == name), None)


class _Enough(Exception):
    """Stops the parser: all that matters has been read."""


class ResponseReader:
    """Reads one response as it arrives. `limit` bounds the body in bytes, both as sent and as decoded.

    A successful GET that is too large is refused. Of any other response the status is what matters: its body is cut.
    """

    def __init__(self, method: str, limit: int) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.done = False
        self.reusable = False
        self.cut = False
        self.keep_seconds: float | None = None
        self._method = method
        self._limit = limit
        self._head_bytes = 0  # of names and values
        self._received = 0  # bytes, until the header is whole: bounds a field that never ends
        self._in_head = True
        self._until_end = False  # the body ends where the connection ends
        self._chunks: list[bytes] = []
        self._raw_size = 0
        self._size = 0
        self._gzip = False
        self._inflater: zlib._Decompress | None = None
        self._error: Refused | None = None
        self._parser = httptools.HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """What has been read, decoded."""
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises Refused when it is no HTTP response, or is too large."""
        if self._in_head:
            self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._error = Refused("answer-malformed", key="refusal.answer-upgrade")
        except httptools.HttpParserError as error:
            if self._error is None and not self.done:
                self._error = Refused("answer-malformed", detail=str(error))
            self.reusable = False
        if self._error is None and self._in_head and self._received > MAX_HEAD:
            self._error = _large_head()
        if self._error is not None:
            raise self._error

    def finish(self) -> bool:
        """The connection has ended: whether the response is whole."""
        if not self.done and self._until_end and not self._in_head:
            self.done = self._inflater is None or self._inflater.eof
        return self.done

    def release(self) -> None:
        """Drop the parser, which refers back to this object: no work is left for the cycle collector."""
        del self._parser

    def on_message_begin(self) -> None:
        """A second response that nobody asked for makes the connection useless; after a 1xx it is the real one."""
        if self.done:
            self.reusable = False
            raise _Enough

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # a trailer
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD or len(self.headers) >= MAX_FIELDS:
            self._error = _large_head()
            raise _Enough
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self._in_head = False
        length: str | None = None
        chunked = False
        for name, value in self.headers:
            if name == "content-length":
                length = value
            elif name == "transfer-encoding":
                chunked = value.lower().endswith("chunked")
            elif name == "content-encoding":
                self._note_encoding(value.strip().lower())
            elif name == "keep-alive" and (found := _KEEP_ALIVE.search(value)):
                self.keep_seconds = float(found[1])
        self._until_end = length is None and not chunked
        if self._method == "HEAD":
            self.on_message_complete()
        elif length is not None and length.isdecimal() and int(length[:20]) > self._limit:
            self._overflow()

    def on_body(self, data: bytes) -> None:
        if self.done:
            self.reusable = False
            return
        self._raw_size += len(data)
        if self._gzip:
            self._inflate(data)
        else:
            self._take(data)
        if self._raw_size > self._limit:
            self._overflow()

    def on_message_complete(self) -> None:
        if self.done:
            return
        if self.status < 200:  # 100 Continue, 103 Early Hints: the response is yet to come
            self.headers.clear()
            return
        if self._inflater is not None and not self._inflater.eof:
            self._error = Refused("answer-malformed", key="refusal.answer-cut")
            raise _Enough
        self.done = True
        self.reusable = self._parser.should_keep_alive()

    def _note_encoding(self, encoding: str) -> None:
        if encoding in _GZIP:
            self._gzip = True
        elif encoding not in _PLAIN and self._method != "HEAD":
            self._error = Refused("answer-encoding")
            raise _Enough

    def _inflate(self, data: bytes) -> None:
        """Decode at most one byte more than allowed; a gzip file may have several members (RFC 1952 section 2.2)."""
        try:
            while data:
                if self._inflater is None or self._inflater.eof:
                    self._inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
                self._take(self._inflater.decompress(data, self._limit - self._size + 1))
                data = self._inflater.unconsumed_tail or self._inflater.unused_data
        except zlib.error as error:
            self._error = Refused("answer-malformed", detail=str(error), key="refusal.answer-damaged")
            raise _Enough from None

    def _take(self, data: bytes) -> None:
        room = self._limit - self._size
        self._size += len(data)
        if len(data) > room:
            self._chunks.append(data[:room])
            self._overflow()
        elif data:
            self._chunks.append(data)

    def _overflow(self) -> None:
        if self._method == "GET" and 200 <= self.status < 300:
            self._error = Refused("answer-too-large", n=self._limit)
        else:
            self.done = self.cut = True
            self.reusable = False
        raise _Enough


def _large_head() -> Refused:
    return Refused("answer-too-large", key="refusal.answer-head-too-large")
