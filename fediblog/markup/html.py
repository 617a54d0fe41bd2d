"""The type of safe HTML, and what can be read from it as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape as _escape
from html import unescape
from typing import Final, NewType

from fediblog.markup.tokens import Open, names, tokenise

Html = NewType("Html", str)
"""HTML that may stand in a page as it is. Only `escape` and the sanitiser make it."""

CLEANER_VERSION: Final = 1
"""Stored with what was cleaned; grows when a rule changes, so that older rows can be cleaned again."""

_PARAGRAPHS: Final = names(
    "address article aside blockquote center details div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6"
    " header hr main nav ol p pre section summary table ul"
)
_LINES: Final = names("caption dd dt li tr")
_CELLS: Final = frozenset(("td", "th"))
# White space of HTML; others, such as the no-break space, are characters.
_SPACES: Final = re.compile("[ \t\n\f\r]+")
ELLIPSIS: Final = "…"
_HASHTAG: Final = re.compile('class="mention hashtag"[^>]*>#<span>([^<]*)</span>')


@dataclass(frozen=True, slots=True)
class MentionTarget:
    """The account that a mention means: its id, the page that the link leads to, and `user@host` or `user`."""

    uri: str
    url: str
    handle: str


def escape(text: str) -> Html:
    """The text, shown as it is."""
    return Html(_escape(text))


class _Page:
    """Lays text out: remembers the line breaks that are due before the next visible character."""

    def __init__(self, alts: bool = True) -> None:
        self.alts = alts
        self.parts: list[str] = []
        self.breaks = 0
        self.pre = 0
        self.space = False

    def add(self, text: str) -> None:
        if self.pre:
            self._put(text)
            return
        line = _SPACES.sub(" ", text)
        if line.startswith(" "):
            self.space = True
        if bare := line.strip(" "):
            self._put(bare)
            self.space = line.endswith(" ")

    def _put(self, text: str) -> None:
        if self.breaks:
            self.parts.append("\n" * self.breaks if self.parts else "")
        elif self.space and self.parts:
            self.parts.append(" ")
        self.breaks, self.space = 0, False
        self.parts.append(text)

    def open(self, token: Open) -> None:
        if token.name == "br":
            self.breaks = min(self.breaks + 1, 2)
        elif token.name == "img":
            if self.alts:
                self.add(unescape(token.attributes.get("alt", "")))
        elif token.name in _CELLS:
            self.space = True
        else:
            self._block(token.name)
        if token.name == "pre":
            self.pre += 1

    def close(self, name: str) -> None:
        self._block(name)
        if name == "pre":
            self.pre = max(self.pre - 1, 0)

    def _block(self, name: str) -> None:
        if name in _PARAGRAPHS:
            self.breaks = 2
        elif name in _LINES:
            self.breaks = max(self.breaks, 1)


def plain(html: str, limit: int | None = None, *, alts: bool = True, enough: int | None = None) -> str:
    """The text of HTML, clean or not, with an empty line between paragraphs. Never to be taken for HTML again.

    Pictures stand there with their alternative text, unless `alts` is False. Of a long text no more is read than
    has `enough` characters, white space left out.
    """
    page, seen = _Page(alts), 0
    for token in tokenise(html):
        if isinstance(token, str):
            page.add(text := unescape(token))
            if enough is not None and (seen := seen + len("".join(text.split()))) > enough:
                break
        elif isinstance(token, Open):
            page.open(token)
        else:
            page.close(token.name)
    made = "".join(page.parts).strip()
    return made if limit is None else made[:limit]


def excerpt(html: str, limit: int) -> str:
    """The beginning of HTML's text in one line of at most `limit` characters, ending with a whole word.

    What pictures show is no part of it.
    """
    return shortened(one_line(html), limit)


def one_line(html: str, enough: int | None = None) -> str:
    """HTML's text in one line, without what pictures show; `enough` as `plain` has it."""
    return " ".join(plain(html, alts=False, enough=enough).split())


def shortened(line: str, limit: int) -> str:
    """The beginning of a line, at most `limit` characters, ending with a whole word."""
    if len(line) <= limit:
        return line
    head = line[: max(limit - 1, 0)]
    if not line[len(head)].isspace():
        # A word of more than half the line is cut rather than dropped.
        word = head.rfind(" ")
        head = head[:word] if word > limit // 2 else head
    return head.rstrip(" ,;:–—-") + ELLIPSIS


def hashtags_in(html: str) -> Iterator[str]:
    """The hashtags that stand in the text of a post of ours, one after another, as written, without `#`."""
    return (unescape(found[1]) for found in _HASHTAG.finditer(html))
