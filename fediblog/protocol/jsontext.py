"""JSON as text: strict, bounded decoding of what strangers send, and the compact encoding of what we send."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Iterator

from msgspec.json import Encoder

from fediblog.domain.documents import Json
from fediblog.errors import Refused
from fediblog.protocol.contexts import CONTEXT, without_context
from fediblog.protocol.json_values import BIGGEST

LIMIT = 1_000_000  # bytes
DEPTH = 40
MOST_MARKS = 60_000  # strings, brackets and commas: more of them than a thousand tags have

# Possessive, and an unterminated string runs to the end of the text: linear whatever is sent.
_MARKS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|,|([\[{])|([\]}])', re.DOTALL)
_OPENS, _CLOSES = 1, 2
_ENCODER = Encoder()  # of a megabyte it makes JSON in half a millisecond, and holds the interpreter no longer than that
_CONTEXT_TEXT = b'{"@context":%b,' % _ENCODER.encode(CONTEXT)


def decode(body: bytes | str, *, limit: int = LIMIT, depth: int = DEPTH) -> Json:
    """The value in `body`, or Refused: nothing comes out that a database, a template or a recursion would choke on."""
    text = _text_of(body, limit)
    refuse_deep_or_many(text, depth)
    try:
        value: Json = _DECODER.decode(text)
    except RecursionError:
        raise Refused("json-too-deep", n=depth) from None
    except ValueError as error:
        raise Refused("json-invalid", str(error)) from None
    if ("\\u" in text and _is_odd(text)) or not (isinstance(body, bytes) or text.isascii()):
        _refuse_odd_characters(value)
    return value


def refuse_deep_or_many(text: str, depth: int = DEPTH, most: int = MOST_MARKS) -> None:
    """Refuse what is nested deeper, or has more strings, brackets and commas; costs what `most` marks cost, at most."""
    opened = text.count("[") + text.count("{")
    # So few brackets cannot be nested deeper, and so few values have no more marks: true of nearly all that comes.
    if opened <= depth and (len(text) <= most or opened + text.count(",") <= most // 4):
        return
    deep = 0
    for number, mark in enumerate(_MARKS.finditer(text)):
        if number == most:
            raise Refused("json-too-many", n=most)
        kind = mark.lastindex
        if kind == _OPENS:
            deep += 1
            if deep > depth:
                raise Refused("json-too-deep", n=depth)
        elif kind == _CLOSES:
            deep -= 1


def decode_object(body: bytes | str, *, limit: int = LIMIT, depth: int = DEPTH) -> dict[str, Json]:
    """Like `decode`, for documents, which are always objects."""
    value = decode(body, limit=limit, depth=depth)
    if not isinstance(value, dict):
        raise Refused("json-not-an-object")
    return value


def encode(value: Json) -> bytes:
    """Compact UTF-8."""
    if isinstance(value, dict) and len(value) > 1 and value.get("@context") is CONTEXT:
        # Ours is a third of what we send and always the same: written once, and in front, where it belongs.
        return _CONTEXT_TEXT + _ENCODER.encode(without_context(value))[1:]
    return _ENCODER.encode(value)


def _text_of(body: bytes | str, limit: int) -> str:
    if len(body) > limit:
        raise Refused("too-large", key="refusal.document-too-large", n=limit)
    if isinstance(body, str):
        return body.removeprefix("\ufeff")
    try:
        return body.removeprefix(BOM_UTF8).decode()  # which some servers put in front (RFC 8259 §8.1 lets us ignore it)
    except UnicodeDecodeError as error:
        raise Refused("not-utf8", str(error)) from None


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Readers that take the first and readers that take the last of two would see two documents.
        raise Refused("json-duplicate-key")
    return found


def _whole(digits: str) -> int:
    if len(digits) > 20:  # int() is quadratic, and refuses more than 4300 digits
        return -BIGGEST if digits.startswith("-") else BIGGEST
    return max(-BIGGEST, min(BIGGEST, int(digits)))


def _real(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Refused("json-not-finite")
    return number


def _constant(name: str) -> float:
    raise Refused("json-not-finite", key="refusal.json-not-a-number", name=name)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_float=_real, parse_constant=_constant)


def _is_odd(text: str) -> bool:
    """Whether an escape in what was UTF-8 may stand for a NUL or half of a surrogate pair, which UTF-8 cannot hold."""
    return "\\u0000" in text or "\\ud" in text or "\\uD" in text


def _refuse_odd_characters(value: Json) -> None:
    for text in _strings_in(value):
        if "\0" in text:
            raise Refused("json-nul")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Refused("json-lone-surrogate") from None


def _strings_in(value: Json) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case list() as items:
                waiting.extend(items)
            case dict() as pairs:
                waiting.extend(pairs)
                waiting.extend(pairs.values())
