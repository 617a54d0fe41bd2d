"""Sentences that are stored: the key of a message and its values, worded for who reads them, whenever that is."""

from __future__ import annotations

import json

from fediblog.messages import text

_BEGINNING = '{"key":'
_LONGEST = 200  # characters of a value that is a text


def pack(key: str, /, **values: object) -> str:
    """The message as it is stored: JSON of its key and values. A value may be a packed message itself."""
    kept = {name: value if isinstance(value, int) else _cut(str(value)) for name, value in values.items()}
    return json.dumps({"key": key, **kept}, ensure_ascii=False, separators=(",", ":"))


def unpack(language: str, stored: str) -> str:
    """A packed message in that language. What is none, or none that this version knows, is shown as it is."""
    if not stored.startswith(_BEGINNING):
        return stored
    try:
        values = json.loads(stored)
        key = values.pop("key")
        worded = {name: unpack(language, each) if isinstance(each, str) else each for name, each in values.items()}
        return text(language, key, **worded)
    except (ValueError, LookupError, TypeError, AttributeError):
        return stored


def _cut(value: str) -> str:
    return value if value.startswith(_BEGINNING) else value[:_LONGEST]
