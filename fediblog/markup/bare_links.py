"""Finds web addresses in plain text and says which may be linked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

ADDRESS_LIMIT: Final = 2048
"""Characters of an address that is linked."""

_SCHEME: Final = re.compile("https?://", re.IGNORECASE)
_STOPS: Final = frozenset('<>"`\\^|')
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
# Punctuation that ends the sentence rather than the address; of other scripts all of it does.
_TRAIL: Final = frozenset(".,;:!?'*_~")
# Quotation marks, brackets and the punctuation of scripts that put no space behind it end an address; these do not,
# as they stand inside of words: middle dots, the apostrophe, the section sign, the ellipsis of a shortened address.
_QUOTES: Final = frozenset(("Ps", "Pe", "Pi", "Pf", "Po"))
_WITHIN: Final = frozenset("\u00b7\u2027\u30fb\u2019\u00a7\u2026")
_LATIN: Final = "\u024f"  # the last letter of the alphabets in which a scheme before them is part of a longer word
_WEB: Final = re.compile("https?://[^/?#]", re.IGNORECASE)


def address_end(text: str, start: int) -> int:
    """Where the address that begins at `start` ends; `start` itself if none begins there.

    A closing bracket belongs to the address only if the address opened it, so that
    `(https://a.example/b_(c))` and `[https://a.example](…)` are read as their writers meant them.
    """
    scheme = _SCHEME.match(text, start)
    if not scheme or not text[scheme.end() : scheme.end() + 1].isalnum():
        return start
    open_brackets = dict.fromkeys(_PAIRS.values(), 0)
    end = scheme.end()
    while end < len(text) and end - start < ADDRESS_LIMIT:
        char = text[end]
        if char.isspace() or char in _STOPS or not char.isprintable() or _ends(char):
            break
        if char in open_brackets:
            open_brackets[char] += 1
        elif char in _PAIRS:
            if not open_brackets[_PAIRS[char]]:
                break
            open_brackets[_PAIRS[char]] -= 1
        end += 1
    while end > start and _trails(text[end - 1]):
        end -= 1
    return end


def _ends(char: str) -> bool:
    return not char.isascii() and char not in _WITHIN and unicodedata.category(char) in _QUOTES


def _trails(char: str) -> bool:
    return char in _TRAIL if char.isascii() else unicodedata.category(char)[0] == "P"


def begins_word(text: str, start: int) -> bool:
    """Whether an address may begin at `start`: not inside of a word, which letters of other scripts are not part of."""
    before = text[start - 1 : start]
    return not (before.isalnum() and before <= _LATIN)


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each web address in the text."""
    done = 0
    for scheme in _SCHEME.finditer(text):
        start = scheme.start()
        if start < done or not begins_word(text, start):
            continue
        done = address_end(text, start)
        if done > start:
            yield start, done


def web_address(value: str) -> str | None:
    """An address that may be linked: http or https with a host, in one piece, harmless inside an attribute."""
    value = value.strip()
    return _quoted(value) if _WEB.match(value) and value.isprintable() else None


def link_address(value: str) -> str | None:
    """A web address, or somebody's e-mail address."""
    value = value.strip()
    if value[:7].lower() == "mailto:" and value.isprintable():
        return _quoted(value)
    return web_address(value)


def own_path(value: str) -> str | None:
    """A path on our own site: one leading slash exactly, since browsers read `//a` and `/\\a` as another host."""
    if value[:1] != "/" or value[1:2] in ("/", "\\") or "\\" in value or not value.isprintable():
        return None
    return _quoted(value)


def _quoted(value: str) -> str | None:
    """Nothing if it becomes too long, so that what is given back is always taken again, and as it is."""
    value = value.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E").replace('"', "%22")
    return value if len(value) <= ADDRESS_LIMIT else None
