"""Finds English of the catalogue where German is to be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from fediblog.messages import ENGLISH, catalogue

_VALUE = re.compile(r"\{[a-z_]+\}")
_LEAST = 6  # letters beside the values, with which a message is known again


def english_in(pieces: Iterable[str]) -> set[str]:
    """Of texts that stand there as wholes (what is between two tags, a line) those that the English catalogue has."""
    exact, patterns, german = _english()
    found = {" ".join(piece.split()) for piece in pieces}
    return {each for each in found if each in exact or (patterns.fullmatch(each) and not german.fullmatch(each))}


@cache
def _english() -> tuple[frozenset[str], re.Pattern[str], re.Pattern[str]]:
    """Messages without values, a pattern for those with values, and one for all that is German."""
    german = catalogue("de").messages
    same = {form for key, each in german.items() for form in _forms(each)}
    forms = {form for each in catalogue(ENGLISH).messages.values() for form in _forms(each)} - same
    with_values = {form for form in forms if _VALUE.search(form)}
    return (
        frozenset(forms - with_values - {"."}),
        _any(filter(_is_telling, with_values)),
        _any(filter(_is_telling, same)),
    )


def _is_telling(form: str) -> bool:
    return len(re.sub("[^A-Za-z]", "", _VALUE.sub("", form))) >= _LEAST


def _forms(message: str | tuple[str, ...]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else message


def _any(forms: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(".+".join(map(re.escape, _VALUE.split(" ".join(form.split())))) for form in forms))
