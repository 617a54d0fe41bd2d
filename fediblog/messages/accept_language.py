"""The language that a browser asks for, among those that there are (RFC 9110 §12.5.4, RFC 4647 §3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from fediblog.messages import LANGUAGES

NAME = b"accept-language"
_LONGEST = 400  # bytes: what is longer says nothing


def wanted(headers: Iterable[tuple[bytes, bytes]], otherwise: str) -> str:
    """The best one of `LANGUAGES` for a request with these headers (names in lower case); `otherwise` where none fits.

    Several lines are one list (RFC 9110 §5.3), so that two requests which say the same get the same.
    """
    return chosen(b",".join([value for name, value in headers if name == NAME]), otherwise)


def chosen(header: bytes, otherwise: str) -> str:
    """The best one of `LANGUAGES` for the whole value of the header, which is empty where there is none."""
    if not header or len(header) > _LONGEST:  # what is kept of answers is bounded, too
        return otherwise
    return best(header, otherwise)


@lru_cache(maxsize=512)
def best(header: bytes, otherwise: str) -> str:
    """The best one of `LANGUAGES` by the weights in the header."""
    found, weight = otherwise, 0.0
    for part in header.decode("latin-1").lower().split(","):
        name, _, parameter = part.partition(";")
        language = _lookup(name.strip(), otherwise)
        if language and (quality := _quality(parameter)) > weight:  # of two alike the first
            found, weight = language, quality
    return found


def _lookup(tag: str, otherwise: str) -> str:
    """The language that serves a range such as de-at or *; '' if there is none."""
    if tag == "*":
        return otherwise
    while tag and tag not in LANGUAGES:
        tag = tag.rpartition("-")[0]
    return tag


def _quality(parameter: str) -> float:
    """What stands behind the semicolon, from 0 to 1; what cannot be read is 0."""
    name, _, value = parameter.replace(" ", "").partition("=")
    if not name:
        return 1.0
    digits = value.replace(".", "", 1)
    if name != "q" or not (digits.isascii() and digits.isdigit() and len(value) <= 5):
        return 0.0
    return min(float(value), 1.0)
