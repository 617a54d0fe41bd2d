"""JSON in its one canonical form: JSON Canonicalization Scheme, RFC 8785."""

from __future__ import annotations

import json
import math
import re

MAX_DEPTH = 100  # far over what a document may have, far under what Python can nest
MAX_EXACT = 1 << 53  # integers up to here are the same number in ECMAScript

_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?")


def canonical(value: object) -> bytes:
    """`value` as canonical UTF-8. ValueError for what JSON in ECMAScript's numbers and Unicode cannot say."""
    return _write(value, 0).encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate


def number(value: int | float) -> str:
    """A number as ECMAScript writes it (RFC 8785 §3.2.2.3): the fewest digits that mean the same double."""
    if isinstance(value, int) and abs(value) <= MAX_EXACT:
        return str(value)
    try:
        double = float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None
    if not math.isfinite(double):
        raise ValueError("the number is not finite")
    return _ecmascript(double)


def _ecmascript(double: float) -> str:
    """Number::toString of ECMAScript. Python finds the same digits, and places the point and exponent otherwise."""
    found = _NUMBER.fullmatch(repr(double))
    if not found:
        raise ValueError("the number has no decimal form")
    sign, whole, fraction, exponent = found[1], found[2], found[3] or "", int(found[4] or 0)
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + exponent - (len(whole + fraction) - len(digits))  # digits before the decimal point
    digits = digits.rstrip("0")
    if not digits:
        return "0"  # of either sign
    if 0 < point <= 21:
        whole, rest = digits[:point].ljust(point, "0"), digits[point:]
        return sign + whole + (f".{rest}" if rest else "")
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{point - 1:+d}"


def _write(value: object, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise ValueError("the document is nested too deeply")
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int() | float():
            return number(value)
        case list() | tuple():
            return f"[{','.join(_write(item, depth + 1) for item in value)}]"
        case dict():
            return _object(value, depth)
    raise ValueError("there is a value that JSON does not have")


def _object(value: dict[object, object], depth: int) -> str:
    names = [name for name in value if isinstance(name, str)]
    if len(names) < len(value):
        raise ValueError("the names of an object must be text")
    names.sort(key=lambda name: name.encode("utf-16-be"))  # by UTF-16 code units (§3.2.3)
    return "{" + ",".join(f"{_string(name)}:{_write(value[name], depth + 1)}" for name in names) + "}"


def _string(text: str) -> str:
    """`json` escapes what §3.2.2.2 asks for and nothing else."""
    return json.dumps(text, ensure_ascii=False)
