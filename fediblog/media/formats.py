"""The picture formats that we read and write, told apart by their first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fediblog.domain.documents import PICTURE_TYPES

SUFFIXES: Final[Mapping[str, str]] = {media_type: suffix for suffix, media_type in PICTURE_TYPES.items()}
"""Media types and their file name endings; nothing else is ever stored or served as a picture."""

MEDIA_TYPES: Final[Mapping[str, str]] = PICTURE_TYPES

PLAYED: Final[Mapping[str, str]] = {
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".webm": "video/webm",
    ".ogg": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
}
"""File name endings of copies of what browsers play, and their media types."""

_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_GIFS: Final = (b"GIF87a", b"GIF89a")
_AVIF_BRANDS: Final = (b"avif", b"avis")
_PLAYED_BEGIN: Final = {b"\x1a\x45\xdf\xa3": ".webm", b"OggS": ".ogg", b"ID3": ".mp3", b"fLaC": ".flac"}


def media_type(data: bytes) -> str | None:
    """What the bytes are, whatever their sender says; None if it is nothing that we read."""
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(_GIFS):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in _AVIF_BRANDS:
        return "image/avif"
    return None


def played_suffix(data: bytes) -> str | None:
    """The ending for a film or a sound, by its bytes; None if it is nothing that browsers play."""
    if data[4:8] == b"ftyp" and data[8:12] not in _AVIF_BRANDS:
        return ".m4a" if data[8:11] == b"M4A" else ".mp4"
    if data[:4] == b"RIFF":
        return ".wav" if data[8:12] == b"WAVE" else None
    if data[:2] in (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"):
        return ".mp3"
    return next((suffix for first, suffix in _PLAYED_BEGIN.items() if data.startswith(first)), None)


def focal_point(x: object, y: object) -> tuple[float, float] | None:
    """The point of a picture that stays visible, each of -1 (left, bottom) to 1 (right, top); None if it is none."""
    if isinstance(x, bool) or isinstance(y, bool) or not isinstance(x, int | float) or not isinstance(y, int | float):
        return None
    if x != x or y != y:  # NaN
        return None
    return _clamp(x), _clamp(y)


def _clamp(value: float) -> float:
    return float(max(-1.0, min(1.0, value)))
