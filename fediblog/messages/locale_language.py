"""The language of whoever sits at the terminal, by the locale of the environment (POSIX.1-2017 §8.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fediblog.messages import ENGLISH, LANGUAGES

_NAMES = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set and not empty counts


def spoken(environment: Mapping[str, str]) -> str:
    """One of `LANGUAGES`: that of a locale such as de_AT.UTF-8; English for C, and where there is no such catalogue."""
    locale = next(filter(None, map(environment.get, _NAMES)), "")
    language = re.split("[_.@-]", locale)[0].lower()
    return language if language in LANGUAGES else ENGLISH
