"""What is shown in the place of a picture that is not there yet: its BlurHash, or nothing to be seen."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

_WIDE, _HIGH = 16, 12  # pixels: whoever shows it stretches it
_RGB, _GREY_ALPHA = 2, 4  # colour types of PNG


@lru_cache(maxsize=256)
def blurred(blurhash: str) -> bytes:
    """A PNG of what a BlurHash says; a clear pixel where it says nothing."""
    from blurhash import decode  # type: ignore[import-untyped]

    try:
        rows = decode(blurhash, _WIDE, _HIGH)
        lines = b"".join(b"\0" + bytes(round(value) for pixel in row for value in pixel) for row in rows)
    except (ValueError, IndexError, KeyError, TypeError):
        return CLEAR
    return _png(_WIDE, _HIGH, _RGB, lines)


def _png(width: int, height: int, colour_type: int, lines: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


CLEAR = _png(1, 1, _GREY_ALPHA, b"\0\0\0")
