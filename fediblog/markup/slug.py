"""Turns a title into the readable part of an address."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from typing import Final

SLUG_LIMIT: Final = 80


def slugify(title: str, limit: int = SLUG_LIMIT) -> str:
    """Lower-case words joined by hyphens; empty if the title has no word.

    Latin letters lose their accents; letters of other scripts stay, since browsers show them readably.
    """
    words: list[str] = []
    letters: list[str] = []
    for char in unicodedata.normalize("NFKD", title[: limit * 8].casefold()):
        if unicodedata.combining(char):
            if letters and not letters[-1].isascii():
                letters.append(char)
        elif char.isalnum() or unicodedata.category(char)[0] == "M":
            letters.append(char)
        elif letters and char not in "'’":
            words.append("".join(letters))
            letters = []
    words.append("".join(letters))
    return _joined([unicodedata.normalize("NFC", word) for word in words if word], limit)


def first_free(slug: str, taken: Container[str]) -> str:
    """`slug`, or the first of slug-2, slug-3 … that is not taken."""
    candidate, number = slug, 1
    while candidate in taken:
        number += 1
        candidate = f"{slug}-{number}"
    return candidate


def _joined(words: list[str], limit: int) -> str:
    """As many whole words as fit, or the beginning of the first one."""
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word
        if len(longer) > limit:
            break
        slug = longer
    return slug or "".join(words[:1])[:limit]
