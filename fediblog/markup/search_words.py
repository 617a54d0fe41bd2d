"""Words as full-text search knows them: those of a text, those of a query, and where they stand in what is shown.

Both databases store and compare the words that are made here, whatever they would make of a text themselves. A word is
folded: compatibility form, no case, no accents. Scripts without spaces between words, and Hangul, whose particles are
written together with the word, are cut into pairs of characters; the last one stands alone as well, so that each
character begins a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from html import unescape
from itertools import groupby
from typing import Final

from msgspec import Struct

from fediblog.hashtags import SIGNS, is_part, key
from fediblog.markup.html import ELLIPSIS

LONGEST_WORD: Final = 64  # characters; the rest of a longer one means nothing
LONGEST_TEXT: Final = 100_000  # characters of HTML whose words are found; of a longer text, those of its beginning
MOST_WORDS: Final = 250_000  # characters of the words of a text: at most 1 MB, what PostgreSQL takes
LONGEST_QUERY: Final = 500  # characters
MOST_TERMS: Final = 16  # of a query
SHORTEST_BEGINNING: Final = 3  # letters of the last word of a query that also finds longer words
EXCERPT: Final = 240  # characters around the first hit
_FOLDED: Final = 200  # chunks of a text that are folded at a time
_SPARE: Final = 20  # characters by which it may be longer, to end with a word
_FEW: Final = 3  # words before it that are not left out

# Hiragana, Katakana, Bopomofo, ideographs, Hangul; Thai, Lao, Myanmar, Khmer.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u318f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUNS: Final = f"[{_UNSPACED}]+|[^{_UNSPACED}]+"  # compiled when it is needed, since that takes 10 ms of a start
_FIRST: Final = f"[{_UNSPACED}]"
_PLAIN: Final = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "_\n")}
# Letters that have a stroke or are two, and have no decomposition.
_LETTERS: Final = dict(zip("øłđħıæœðþŧ", ("o", "l", "d", "h", "i", "ae", "oe", "d", "th", "t"), strict=True))
_TATWEEL: Final = "\u0640"  # only draws an Arabic word out
_ATTRIBUTES: Final = r'(?:[^>"]|"[^"]*")*'
_IMAGE: Final = re.compile(f"<img\\b({_ATTRIBUTES})>")
_ALT: Final = re.compile(r'\balt="([^"]*)"')
_INLINE: Final = re.compile(
    r"</?(?:a|abbr|b|bd[io]|cite|code|del|dfn|em|i|ins|kbd|mark|q|s|samp|small|span|strong|su[bp]|u|var|wbr)"
    f"(?=[\\s>/]){_ATTRIBUTES}>"
)
_TAG: Final = re.compile(f"<{_ATTRIBUTES}>")
_TERMS: Final = re.compile(r'(-?)"([^"]*)"?|(\S+)')
_QUOTES: Final = str.maketrans(dict.fromkeys("“”„«»", '"'))


class Term(Struct, frozen=True):
    """Words that must follow one another; mostly one. `open`: the last one may be the beginning of a longer word.

    `runs` are what `words` were cut from: the same, but for scripts without spaces.
    """

    words: tuple[str, ...]
    runs: tuple[str, ...]
    open: bool = False


class Query(Struct, frozen=True):
    """What somebody looks for: every one of the terms and hashtags, and none of `without`."""

    terms: tuple[Term, ...] = ()
    tags: tuple[str, ...] = ()
    without: tuple[Term, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing, so that nothing is found."""
        return not (self.terms or self.tags)


class Piece(Struct, frozen=True):
    """Some of a text that is shown; `hit` if it is what was looked for."""

    text: str
    hit: bool = False


@lru_cache(maxsize=4096)
def _folded_as(char: str) -> str:
    """What a character of a decomposed text, without case, becomes: itself, nothing, other letters, or a space."""
    category = unicodedata.category(char)
    if category[0] == "M":
        at = unicodedata.combining(char)  # points of Hebrew and Arabic; accents of Latin, Greek and Cyrillic
        return "" if 10 <= at <= 35 or 200 <= at <= 240 or unicodedata.name(char, "").startswith("VARIATION") else char
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "So":
        return f" {char} "  # an emoji is a word
    if category == "Cf" or char == _TATWEEL:
        return ""
    return _LETTERS.get(char, char) if char.isalnum() or char in "_\n" else " "


def fold(text: str) -> str:
    """The text without case and accents, with a space for whatever is part of no word; line breaks stay."""
    if text.isascii():
        return text.lower().translate(_PLAIN)
    whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    apart = unicodedata.normalize("NFD", whole)
    return unicodedata.normalize("NFC", apart.translate({ord(char): _folded_as(char) for char in set(apart)}))


def words_of(text: str) -> list[str]:
    """The words of a plain text, in order."""
    return [word for run in _runs(fold(text)) for word in _cut(run)]


def _runs(folded: str) -> Iterator[str]:
    """What stands together: a word, or characters of a script without spaces."""
    for chunk in folded.split():
        if chunk.isascii():
            yield chunk[:LONGEST_WORD]
            continue
        for run in re.findall(_RUNS, chunk):
            yield run if _is_unspaced(run) else run[:LONGEST_WORD]


def _is_unspaced(run: str) -> bool:
    return not run.isascii() and re.match(_FIRST, run) is not None


def signs_of(text: str) -> set[str]:
    """The characters of scripts without spaces in a folded text: what is looked for by one of them."""
    return set() if text.isascii() else set("".join(re.findall(f"[{_UNSPACED}]+", text)))


def is_sign(word: str) -> bool:
    """Whether a word of a query is a single character of such a script: then it is looked for in all pairs."""
    return len(word) == 1 and _is_unspaced(word)


def _cut(run: str, *, is_last: bool = False) -> list[str]:
    """The words of a run; of the last one of a term those that say that the text goes on as it does."""
    if _is_unspaced(run):
        pairs = [run[at : at + 2] for at in range(len(run) - 1)]
        return pairs if is_last and pairs else [*pairs, run[-1]]
    return [run]


def text_of(html: str, *, alts: bool = True) -> str:
    """The text of cleaned HTML, with what its pictures show if `alts`; what is a block stands in lines of its own."""
    if alts and "<img" in html:
        html = _IMAGE.sub(_shown, html)
    return unescape(_TAG.sub("\n", _INLINE.sub("", html)))


def _shown(image: re.Match[str]) -> str:
    alt = _ALT.search(image[1])
    return f" {alt[1]} " if alt else " "


def read_query(text: str) -> Query:
    """What somebody looks for, as typed: words, "words in this order", #hashtags, and -what must not be there.

    The last word may be the beginning of a longer one. Any text is a query; what means nothing in it is left out.
    """
    line = text[:LONGEST_QUERY].strip().translate(_QUOTES)
    terms, tags, without = list[Term](), list[str](), list[Term]()
    for found in _TERMS.finditer(line):
        dash, phrase, chunk = found.groups()
        if chunk and chunk[0] in SIGNS and (tag := key(chunk)) and all(map(is_part, tag)):
            tags.append(tag)
            continue
        if chunk and chunk[0] == "-" and len(chunk) > 1:
            dash, chunk = "-", chunk[1:]
        term = _term(chunk or phrase or "", is_open=bool(chunk) and not dash and found.end() == len(line))
        if term is not None:
            (without if dash else terms).append(term)
    return Query(tuple(dict.fromkeys(terms[:MOST_TERMS])), tuple(dict.fromkeys(tags[:MOST_TERMS])),
                 tuple(dict.fromkeys(without[:MOST_TERMS])))  # fmt: skip


def _term(text: str, *, is_open: bool) -> Term | None:
    runs = tuple(_runs(fold(text)))[:MOST_TERMS]
    if not runs:
        return None
    words = tuple(word for run in runs[:-1] for word in _cut(run)) + tuple(_cut(runs[-1], is_last=True))
    if _is_unspaced(runs[-1]):
        return Term(words, runs, len(runs[-1]) == 1)  # alone it begins each pair that it stands in
    return Term(words, runs, is_open and len(runs[-1]) >= SHORTEST_BEGINNING)


def score(query: Query, words: str, title: str) -> float:
    """How well a post answers the query: by its title above all, then by how often it says so for its length.

    `words` are those of the text, `title` those of the title, with a space before, between and after them.
    """
    found, length = 0.0, 1 + len(words) / 2_000
    for term in query.terms:
        whole = f" {' '.join(term.words)} "
        begun = whole[:-1] if term.open else whole
        often: float = words.count(whole)
        if term.open:
            often = (often + words.count(begun)) / 2
        found += often / (often + length) + 2 * (whole in title) + (begun in title)
    return found


def marked(query: Query, text: str, limit: int = EXCERPT) -> list[Piece]:
    """The text around the first hit, in one line of about `limit` characters, with the hits marked.

    Without a hit it is the beginning of the text.
    """
    chunks = text.split()
    first = _first_hit(query, chunks)
    begin, before, cut = first, limit // 3, 0
    if chunks and len(chunks[first]) > limit:  # a script without spaces
        line = fold(chunks[first])
        found = min((at for term in query.terms for run in term.runs if (at := line.find(run)) >= 0), default=0)
        cut = max(found - before, 0)
        chunks[first] = chunks[first][cut:]
    while begin and not cut and (before := before - len(chunks[begin - 1]) - 1) >= 0:
        begin -= 1
    if begin <= _FEW and not cut:
        begin = 0
    shown, end, room = [Piece(f"{ELLIPSIS} ")] if begin or cut else [], begin, limit
    while end < len(chunks) and room > 0:
        shown += [Piece(" ")] if end > begin else []
        chunk = chunks[end][: room + _SPARE]
        shown += _pieces(query, chunk) if _holds(query, fold(chunk)) else [Piece(chunk)]
        room -= len(chunks[end]) + 1
        end += 1
    return _shortened(_joined(shown), limit + _SPARE, is_cut=end < len(chunks))


def _first_hit(query: Query, chunks: Sequence[str]) -> int:
    """The place of the first that has something that is looked for; 0 if none has. No more is folded than must be."""
    for start in range(0, len(chunks), _FOLDED):
        folded = fold("\n".join(chunks[start : start + _FOLDED]))
        if any(run in folded for term in query.terms for run in term.runs):
            for at, line in enumerate(folded.split("\n"), start):
                if _holds(query, line):
                    return at
    return 0


def _holds(query: Query, line: str) -> bool:
    """Whether a folded text has something that is looked for; quick where it has not."""
    for term in query.terms:
        for run in term.runs:
            if run in line and any(_found(term, run, other) for other in _runs(line)):
                return True
    return False


def _found(term: Term, run: str, other: str) -> list[tuple[int, int]]:
    """Where in a run of a text one that is looked for stands, from and to."""
    if _is_unspaced(run):
        return [found.span() for found in re.finditer(re.escape(run), other)]
    begins = term.open and run is term.runs[-1] and other.startswith(run)
    return [(0, len(other))] if other == run or begins else []


def _pieces(query: Query, chunk: str) -> list[Piece]:
    """What stands between two spaces, with the hits in it marked."""
    signs = _signs(chunk)
    folded = [fold(sign) for sign in signs]
    origin = [at for at, each in enumerate(folded) for _ in each]
    line, place, hits = "".join(folded), 0, set[int]()
    for run in _runs(line):
        place = line.index(run, place)
        for term in query.terms:
            for wanted in term.runs:
                for start, stop in _found(term, wanted, run):
                    hits.update(origin[place + start : place + stop])
        place += len(run)
    return [Piece(sign, at in hits) for at, sign in enumerate(signs)]


def _signs(text: str) -> list[str]:
    """The characters, each with the accents and points that follow it."""
    signs = list[str]()
    for char in text:
        if signs and (unicodedata.category(char)[0] == "M" or not fold(char)):
            signs[-1] += char
        else:
            signs.append(char)
    return signs


def _shortened(pieces: list[Piece], limit: int, *, is_cut: bool) -> list[Piece]:
    """The beginning of what is shown, with an ellipsis where more of it would follow."""
    shown = list[Piece]()
    for each in pieces:
        shown.append(Piece(each.text[:limit], each.hit))
        limit -= len(each.text)
        if limit <= 0:
            return [*shown, Piece(ELLIPSIS)]
    return [*shown, Piece(f" {ELLIPSIS}")] if is_cut else shown


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same text in as few pieces as it can be."""
    return [Piece("".join(each.text for each in same), hit) for hit, same in groupby(pieces, lambda each: each.hit)]
