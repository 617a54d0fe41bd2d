"""What every string from outside passes before anything else looks at it."""

from __future__ import annotations

import re
from typing import Final

MARKDOWN: Final = "text/markdown"
PLAIN: Final = "text/plain"
"""The two kinds of source that authors hand in. In plain text only addresses, mentions and hashtags mean anything."""

NAME_LIMIT: Final = 200
"""Characters of a display name."""

WORDS_A_MINUTE: Final = 220
CHARACTERS_A_MINUTE: Final = 500
# Hiragana, Katakana and ideographs; compiled when it is needed, since that takes 2 ms of a start.
_UNSPACED: Final = "[\u3040-\u30ff\u3400-\u9fff]"
# C0 and C1 controls without tab and newline, lone surrogates, and the non-characters of all 17 planes.
_UNFIT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
# Characters that turn the direction of what follows them: U+061C, U+200E, U+200F, U+202A-E, U+2066-9.
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Characters without a width, with which a name looks like another. U+200C and U+200D stay between two visible
# characters: Persian and Indic scripts, and emoji of several parts, are written with them.
_NO_WIDTH: Final = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028\u2029\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0]"
)
_EMOJI: Final = re.compile(r"(?<![A-Za-z0-9:]):([A-Za-z0-9_]{2,64}):(?![A-Za-z0-9:])")  # the bounds that Mastodon knows


def emoji_named(*texts: str) -> tuple[str, ...]:
    """Names of custom emoji that texts or their HTML may mean, each once."""
    return tuple(dict.fromkeys(name for text in texts if ":" in text for name in _EMOJI.findall(text)))


def tidy(text: str, limit: int | None = None) -> str:
    """The text as sent, without what no text has: controls (tab and newline stay), lone surrogates, non-characters.

    The limit counts characters and comes first, so that nothing works on more than that.
    """
    if limit is not None:
        text = text[:limit]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.replace("\n", " ").isprintable():  # which nothing unfit is
        return text
    # Of a long text it is far quicker to look at each character once.
    return _UNFIT.sub("", text) if _UNFIT.search("".join(set(text))) else text


def one_line(text: str, limit: int | None = None) -> str:
    """The text with all white space runs as one space."""
    line = " ".join(tidy(text if limit is None else text[: limit * 4]).split())
    return line if limit is None else line[:limit].rstrip()


def reading_time(text: str) -> int:
    """How many minutes a text takes to read, at least one; a script without spaces is counted by characters."""
    unspaced = 0 if text.isascii() else len(re.findall(_UNSPACED, text))
    minutes = len(text.split()) / WORDS_A_MINUTE + unspaced / CHARACTERS_A_MINUTE
    return max(round(minutes), 1)


def display_name(text: str) -> str:
    """A name that can neither turn the page's direction nor hide characters; empty if nothing visible is left."""
    name = _NO_WIDTH.sub("", _BIDI.sub("", text[: NAME_LIMIT * 4]))
    return one_line(name, NAME_LIMIT).strip("\u200c\u200d ")
