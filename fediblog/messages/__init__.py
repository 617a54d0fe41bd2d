"""What people read, in each language: `text("de", "post.likes", n=3)`, with its values and the right plural.

A catalogue is gettext's: `<language>/LC_MESSAGES/fediblog.po`, in which `msgid` is a key such as `nav.stream`. It is
read as it is, so that nothing must be compiled; `python -m fediblog.messages.catalogues` keeps it whole.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from gettext import c2py
from importlib.resources import files
from typing import NamedTuple

from fediblog.messages.program import called

ENGLISH = "en"  # of logs, and of what programs and other servers are told
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "fr": "Français", "es": "Español"}
"""The complete ones, with their own names for themselves."""
PROGRAM = called(sys.argv[0])
"""What stands for `{program}` in each message."""

Phrase = Callable[[str], str]
"""A message in the language that it is called with."""

_PLURAL = re.compile(r"^Plural-Forms:.*\bplural=([^;\n]+)", re.MULTILINE)


class Catalogue(NamedTuple):
    """All messages of a language by their keys; those that depend on a number have forms, of which `plural` chooses."""

    messages: Mapping[str, str | tuple[str, ...]]
    plural: Callable[[int], int]


def text(language: str, key: str, /, **values: object) -> str:
    """The message of that key with its values filled in; a message with several forms is chosen by the value `n`."""
    found = catalogue(language)
    message = found.messages[key]
    if not isinstance(message, str):
        number = values["n"]
        message = message[found.plural(number if isinstance(number, int) else 0)]
    return message.format(program=PROGRAM, **values) if values or "{program}" in message else message


def phrase(key: str, /, **values: object) -> Phrase:
    """The same, for when the language is known."""
    return lambda language: text(language, key, **values)


def known(key: str) -> bool:
    """Whether there is a message of that key."""
    return key in catalogue(ENGLISH).messages


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language."""
    path = files(__name__) / language / "LC_MESSAGES" / "fediblog.po"
    return read(path.read_text(encoding="utf-8").splitlines())


def read(lines: Iterable[str]) -> Catalogue:
    """The catalogue that a .po file holds: of the format what GNU gettext 0.22 writes, without contexts."""
    messages: dict[str, list[str]] = {}
    key, forms = "", [""]
    for line in lines:
        word, quote, rest = line.partition('"')
        if not quote or word[:1] == "#":
            continue
        piece = json.loads(quote + rest) if "\\" in rest else rest[:-1]
        if word == "msgid ":
            key, forms = piece, []
        elif word == "msgid_plural ":
            continue
        elif word:
            forms.append(piece)
            messages[key] = forms
        elif forms:
            forms[-1] += piece
        else:
            key += piece
    rule = _PLURAL.search(messages.pop("", [""])[0])
    shown = {key: forms[0] if len(forms) == 1 else tuple(forms) for key, forms in messages.items()}
    return Catalogue(shown, c2py(rule[1] if rule else "0"))
