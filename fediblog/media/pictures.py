"""Takes a picture's bytes from anybody and returns clean copies in the sizes that pages need."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Literal

from msgspec import Struct

from fediblog.errors import Invalid, Unavailable
from fediblog.media.child_process import bare_environment
from fediblog.media.decoder import PIXELS
from fediblog.media.formats import SUFFIXES, media_type
from fediblog.pacing import slot_within

UPLOAD_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of a picture that somebody uploads."""
OUTPUT_LIMIT: Final = 64 * 1024 * 1024
AT_ONCE: Final = 2
"""Pictures decoded at the same time: each may take a processor and a gigabyte."""
TIMEOUT: Final = 20.0
"""Seconds for one picture."""
PATIENCE: Final = 60.0
"""Seconds that a picture waits for a slot."""

_ENDED: Final = (signal.SIGKILL, signal.SIGTERM)
"""What ends the program whatever the picture is: the system has no memory left, or the service stops."""
_PROBLEMS: Final = (
    "media.damaged",
    "media.no-memory",
    "media.not-a-picture",
    "media.too-many-pixels",
    "media.unreadable",
)

DECODER: Final = (sys.executable, "-I", "-m", "fediblog.media.decoder")

Shape = Literal["post", "avatar", "header", "remote", "emoji"]


class Variant(Struct, frozen=True):
    """One copy of a picture: `full`, `large` or `small`."""

    name: str
    media_type: str
    width: int
    height: int
    data: bytes

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.media_type]


class DecodedPicture(Struct, frozen=True):
    """A picture without metadata. Type and dimensions are those of its `full` variant, which is the first."""

    media_type: str
    width: int
    height: int
    blurhash: str
    variants: tuple[Variant, ...]


async def process(
    data: bytes,
    *,
    shape: Shape = "post",
    limit: int = UPLOAD_LIMIT,
    timeout: float = TIMEOUT,
    program: Sequence[str] = DECODER,
    slots: asyncio.Semaphore | None = None,
) -> DecodedPicture:
    """Decodes the picture in another process and returns its copies; Invalid says what is wrong with it.

    `slots` are of whom the picture is decoded for, as many as there may be decoded at the same time.
    """
    if len(data) > limit:
        raise Invalid("file", "media.too-large", n=limit // (1024 * 1024))
    if media_type(data) is None:
        raise Invalid("file", "media.not-a-picture")
    async with slot_within(slots or asyncio.Semaphore(), PATIENCE, Unavailable("pictures-busy", 60)):
        return _picture(await _run([*program, shape], data, timeout))


async def _run(command: Sequence[str], data: bytes, timeout: float) -> bytes:
    """What the program writes; it is dead when this returns, in whatever way."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=bare_environment(),
    )
    try:
        async with asyncio.timeout(timeout):
            _, output = await asyncio.gather(_feed(process, data), _drain(process))
            code = await process.wait()
    except TimeoutError:
        raise Invalid("file", "media.too-slow") from None
    finally:
        await _end(process)
    if -code in _ENDED:
        raise Unavailable("pictures-busy", 60)
    if code != 0:
        raise _unreadable()
    return output


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    # asyncio notices the end of a process only after the end of its output, so nothing may stay unread.
    while process.stdout is not None and await process.stdout.read(256 * 1024):
        pass
    await process.wait()


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    if process.stdin is None:
        return
    # A program that has seen enough stops reading, which is no error.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.close()


async def _drain(process: asyncio.subprocess.Process) -> bytes:
    output = bytearray()
    while process.stdout is not None and (chunk := await process.stdout.read(256 * 1024)):
        output += chunk
        if len(output) > OUTPUT_LIMIT:
            raise _unreadable()
    return bytes(output)


def _unreadable() -> Invalid:
    return Invalid("file", "media.unreadable")


def _said(key: str) -> Invalid:
    """What the program says is wrong, in the words of ours that it may choose from."""
    return Invalid("file", key, n=PIXELS // 1_000_000) if key in _PROBLEMS else _unreadable()


def _picture(output: bytes) -> DecodedPicture:
    """The program's answer. It has read a stranger's bytes, so its word is checked as well."""
    length = int.from_bytes(output[:4], "big")
    try:
        header = json.loads(output[4 : 4 + length])
        if "error" in header:
            raise _said(str(header["error"]))
        variants = _variants(header["variants"], output, 4 + length)
        first, blurhash = variants[0], str(header["blurhash"])[:100]
    except (ValueError, KeyError, TypeError, IndexError):
        raise _unreadable() from None
    return DecodedPicture(first.media_type, first.width, first.height, blurhash, tuple(variants))


def _variants(described: list[dict[str, Any]], output: bytes, at: int) -> list[Variant]:
    variants = []
    for each in described:
        body = output[at : at + int(each["size"])]
        at += len(body)
        variant = Variant(str(each["name"]), str(each["media_type"]), int(each["width"]), int(each["height"]), body)
        if media_type(body) != variant.media_type or variant.name not in ("full", "large", "small"):
            raise ValueError("not what it is called")
        variants.append(variant)
    return variants
