"""The one form in which hashtags are stored, compared, linked and looked for, however somebody typed them."""

from __future__ import annotations

import unicodedata

SIGNS = "#\uff03"
"""What stands before a hashtag: the number sign, and the one that Japanese and Chinese keyboards have."""


def key(name: str) -> str:
    """The hashtag without its sign, in compatibility form (NFKC) and case folded (Unicode Standard, D145)."""
    bare = name.strip().lstrip(SIGNS)
    if bare.isascii():
        return bare.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).casefold())
