"""JSON in its one canonical form: JSON Canonicalization Scheme, RFC 8785."""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 100  # far over what a document may have, far under what Python can nest
MAX_EXACT = (1 << 53) - 1  # beyond these ECMAScript has only doubles


def canonical(value: object) -> bytes:
    """`value` as canonical UTF-8. ValueError for what JSON in ECMAScript's numbers and Unicode cannot say."""
    import rfc8785  # no start waits for it

    return rfc8785.dumps(_in_ecmascript(value, 0))


def _in_ecmascript(value: Any, depth: int) -> Any:
    """JSON with the numbers of ECMAScript: an integer that no double is becomes the nearest one (RFC 8785 §3.2.2.3)."""
    if depth > MAX_DEPTH:
        raise ValueError("the document is nested too deeply")
    match value:
        case int() if abs(value) > MAX_EXACT:
            try:
                return float(value)
            except OverflowError:
                raise ValueError("the number is too large") from None
        case list() | tuple():
            return [_in_ecmascript(each, depth + 1) for each in value]
        case dict():
            return {name: _in_ecmascript(each, depth + 1) for name, each in value.items()}
    return value
