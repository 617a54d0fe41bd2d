"""Short lists that are kept as JSON in one column. Few texts are stored very often, so what they say is remembered."""

from __future__ import annotations

import json
from functools import lru_cache


@lru_cache(maxsize=2048)
def strings(text: str) -> tuple[str, ...]:
    """A list of strings."""
    return tuple(json.loads(text))


@lru_cache(maxsize=512)
def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """A list of pairs of strings."""
    return tuple((first, second) for first, second in json.loads(text))


@lru_cache(maxsize=2048)
def text_of(texts: tuple[str, ...]) -> str:
    """A list of strings as it is stored."""
    return json.dumps(texts)
