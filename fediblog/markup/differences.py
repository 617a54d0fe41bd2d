"""What differs between two versions of a plain text, by words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MOST_PIECES = 1_000  # words, or lines, of either version that are compared with each other
MOST_SHOWN = 20_000  # characters of all pieces together
LONGEST_CHANGE = 5_000  # characters of one piece that came or went
MOST_CHANGES = 300  # pieces
LONGEST_SAME = 300  # characters that stand in both versions and are shown
_WORD = re.compile(r"\s*\S+|\s+")


class ChangedPiece(NamedTuple):
    """Some words that stand in both versions, only in the earlier one (`del`) or only in the later one (`ins`)."""

    kind: Literal["same", "del", "ins"]
    text: str


def differences(before: str, after: str) -> list[ChangedPiece]:
    """The two texts as one, in order; of what is long and the same only its beginning and its end.

    The words between the first and the last change are compared or, where these are too many, the lines and then the
    words of each that changed; where the lines are too many, too, one text stands for the other. It ends with an
    ellipsis where more differs than is shown.
    """
    pieces, shown = list[ChangedPiece](), 0
    for kind, text in _joined(_compared(_words(before), _words(after))):
        pieces.append(ChangedPiece(kind, _shortened(text) if kind == "same" else text[:LONGEST_CHANGE]))
        shown += len(pieces[-1].text)
        if shown >= MOST_SHOWN or len(pieces) >= MOST_CHANGES:
            return [*pieces, ChangedPiece("same", " …")]
    return pieces


def _words(text: str) -> list[str]:
    """Its words, each with the white space before it."""
    return _WORD.findall(text)


def _compared(before: Sequence[str], after: Sequence[str], *, by_words: bool = True) -> Iterator[ChangedPiece]:
    start, most = 0, min(len(before), len(after))
    while start < most and before[start] == after[start]:
        start += 1
    end = 0
    while end < most - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    yield ChangedPiece("same", "".join(before[:start]))
    if len(old) <= MOST_PIECES and len(new) <= MOST_PIECES:
        for kind, a, b, c, d in SequenceMatcher(None, old, new).get_opcodes():
            if kind == "equal":
                yield ChangedPiece("same", "".join(old[a:b]))
            elif by_words:
                yield ChangedPiece("del", "".join(old[a:b]))
                yield ChangedPiece("ins", "".join(new[c:d]))
            else:
                yield from _compared(_words("".join(old[a:b])), _words("".join(new[c:d])))
    elif by_words and max(len(old), len(new)) > MOST_PIECES and "\n" in "".join((*old, *new)):
        lines = ("".join(each).splitlines(keepends=True) for each in (old, new))
        yield from _compared(*lines, by_words=False)
    else:
        yield ChangedPiece("del", "".join(old))
        yield ChangedPiece("ins", "".join(new))
    yield ChangedPiece("same", "".join(before[len(before) - end :]))


def _joined(pieces: Iterator[ChangedPiece]) -> Iterator[ChangedPiece]:
    """Without empty ones; those of one kind that follow each other as one."""
    last: ChangedPiece | None = None
    for each in pieces:
        if not each.text:
            continue
        if last is not None and last.kind == each.kind:
            last = ChangedPiece(last.kind, last.text + each.text)
            continue
        if last is not None:
            yield last
        last = each
    if last is not None:
        yield last


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_SAME:
        return text
    half = LONGEST_SAME // 2
    return f"{text[:half]} … {text[-half:]}"
