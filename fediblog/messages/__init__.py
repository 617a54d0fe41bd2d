"""The one catalogue of what people read: `text("key", n=3)` in plain English, with the right plural."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


def text(key: str, /, **values: object) -> str:
    """The message of that key with its values filled in; a message with several forms is chosen by the value `n`."""
    message = catalogue()[key]
    if isinstance(message, dict):
        message = message["one"] if values.get("n") == 1 else message["other"]
    return message.format(**values) if values else message


def known(key: str) -> bool:
    """Whether there is a message of that key."""
    return key in catalogue()


@cache
def catalogue(language: str = "en") -> dict[str, str | dict[str, str]]:
    """All messages of a language by their keys."""
    found: dict[str, str | dict[str, str]] = json.loads(
        (files(__name__) / f"{language}.json").read_text(encoding="utf-8")
    )
    return found
