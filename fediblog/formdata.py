"""The body of a form, urlencoded or multipart/form-data (RFC 7578), read as it comes in and within limits of ours."""

from __future__ import annotations

import asyncio
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from urllib.parse import parse_qsl

from msgspec import Struct
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from fediblog.errors import Refused

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_LONG = 50_000  # characters of an urlencoded form: longer ones take milliseconds to decode, which others wait for
_IN_MEMORY = 1_000_000  # bytes of a file that are not written to the disk


class Limits(Struct, frozen=True, kw_only=True):
    """What a form may bring; `size` is the bytes of all that is no file's content, as they are sent.

    Without `files_kept` the content of files is dropped as it comes in: of each there is but its name, and no byte.
    """

    fields: int
    files: int
    size: int
    files_kept: bool = True


class FormTooLarge(Refused):
    """More than the limits allow; the message says which of them, `n` how much that is."""

    def __init__(self, key: str, n: int | str) -> None:
        super().__init__("too-large", key=key, n=n)


class FormBroken(Refused):
    """Not what the type says that it is."""

    def __init__(self) -> None:
        super().__init__("bad-form", key="error.form-broken")


def kind_of(request: Request) -> str:
    """The media type of the body, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read(request: Request, limits: Limits) -> FormData:
    """The fields and files of a body of one of the two types. Raises FormTooLarge and FormBroken.

    Files stay open until `close`, which whoever answers the request owes it, however that ends.
    """
    if kind_of(request) == MULTIPART:
        found = request.state.files = await _parts(request, limits)
        return found
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.size:
            raise _too_much(limits)
    text = body.decode("utf-8", "replace")
    try:
        pairs = await asyncio.to_thread(_pairs, text, limits) if len(text) > _LONG else _pairs(text, limits)
    except ValueError:
        raise _too_many(limits) from None
    return FormData(list[tuple[str, str | UploadFile]](pairs))


def _pairs(text: str, limits: Limits) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, max_num_fields=limits.fields)


async def close(request: Request) -> None:
    """Close the files that came with the request, if any did."""
    found: FormData | None = getattr(request.state, "files", None)
    if found is not None:
        await found.close()


async def _parts(request: Request, limits: Limits) -> FormData:
    reader = _Reader(limits)
    _, options = parse_options_header(request.headers["content-type"])
    if not options.get(b"boundary"):
        raise FormBroken
    try:
        parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": reader.begin,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_headers_finished": reader.headers_end,
                "on_part_data": reader.data,
                "on_part_end": reader.end,
            },
        )
        async for chunk in request.stream():
            parser.write(chunk)
            await reader.store()
        parser.finalize()
        if reader.is_open:
            raise FormBroken
        for file in reader.files:
            await file.seek(0)
    except BaseException as error:
        for file in reader.files:
            await file.close()
        if isinstance(error, FormParserError):
            raise FormBroken from None
        raise
    return FormData(reader.items)


class _Reader:
    """The parts read so far, and the one that is being read."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.items: list[tuple[str, str | UploadFile]] = []
        self.files: list[UploadFile] = []
        self.is_open = False
        self._fields = 0
        self._size = 0
        self._name = ""
        self._file: UploadFile | None = None
        self._header, self._told, self._disposition = bytearray(), bytearray(), b""
        self._text = bytearray()
        self._waiting: list[tuple[UploadFile, bytes]] = []

    def begin(self) -> None:
        self.is_open, self._disposition, self._text = True, b"", bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._told += data[start:end]

    def header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._told)
        self._header, self._told = bytearray(), bytearray()

    def headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise FormBroken
        self._name = options[b"name"].decode("utf-8", "replace")
        self._file = None
        if b"filename" not in options:
            self._fields += 1
            if self._fields > self.limits.fields:
                raise _too_many(self.limits)
            return
        if len(self.files) == self.limits.files:
            raise FormTooLarge("error.form-files", self.limits.files)
        self._file = self._open(options[b"filename"].decode("utf-8", "replace"))
        self.files.append(self._file)

    def data(self, data: bytes, start: int, end: int) -> None:
        if self._file is None:
            self._count(end - start)
            self._text += data[start:end]
        elif self.limits.files_kept:
            self._waiting.append((self._file, data[start:end]))

    def end(self) -> None:
        self.is_open = False
        self.items.append((self._name, self._text.decode("utf-8", "replace") if self._file is None else self._file))

    async def store(self) -> None:
        """Write what has come of files; what lies on the disk is written in a thread."""
        for file, data in self._waiting:
            await file.write(data)
        self._waiting.clear()

    def _open(self, name: str) -> UploadFile:
        if not self.limits.files_kept:
            return UploadFile(BytesIO(), size=0, filename=name)
        kept = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  see `close`
        return UploadFile(cast(BinaryIO, kept), size=0, filename=name)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self.limits.size:
            raise _too_much(self.limits)


def _too_much(limits: Limits) -> FormTooLarge:
    return FormTooLarge("error.form-size", n=f"{limits.size / 1_000_000:g}")


def _too_many(limits: Limits) -> FormTooLarge:
    return FormTooLarge("error.form-fields", limits.fields)
