"""The one form in which hashtags are stored, compared, linked and looked for, however somebody typed them."""

from __future__ import annotations

import unicodedata

SIGNS = "#\uff03"
"""What stands before a hashtag: the number sign, and the one that Japanese and Chinese keyboards have."""

LIMIT = 100
"""Characters of a hashtag; longer ones are text."""
MOST = 50
"""How many hashtags of a post count; later ones are shown and do nothing."""

# Middle dot, katakana middle dot, zero width non-joiner and joiner: part of words in several scripts.
_INSIDE = frozenset("_\u00b7\u30fb\u200c\u200d")


def is_part(char: str) -> bool:
    """Whether a hashtag goes on with that character."""
    return char.isalnum() or char in _INSIDE or unicodedata.category(char)[0] == "M"


def is_name(name: str) -> bool:
    """Whether characters of a hashtag make one: not too many, and a letter among them."""
    return len(name) <= LIMIT and any(char.isalpha() for char in name)


def first_in(text: str) -> str:
    """The hashtag with which a text begins that somebody gave as one, with or without its sign; '' if none does."""
    bare = text.strip().lstrip(SIGNS)
    name = bare[: next((at for at, char in enumerate(bare) if not is_part(char)), len(bare))]
    return name if is_name(name) else ""


def key(name: str) -> str:
    """The hashtag without its sign, in compatibility form (NFKC) and case folded (Unicode Standard, D145)."""
    bare = name.strip().lstrip(SIGNS)
    if bare.isascii():
        return bare.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).casefold())
