"""Reads HTML of any quality as a flat stream of tokens, in time proportional to its length.

It follows the tokeniser of the HTML standard (section 13.2.5) as far as a post needs. Nothing here decides what is
safe: the sanitiser does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Text(NamedTuple):
    """Text with its character references as written; never holds a `<` but as its only character."""

    data: str


class Open(NamedTuple):
    """A start tag; its attributes as written, the first one where a name comes twice."""

    name: str
    attributes: dict[str, str]


class Close(NamedTuple):
    """An end tag."""

    name: str


Token = Text | Open | Close


def names(text: str) -> frozenset[str]:
    """A set of names, written as one line."""
    return frozenset(text.split())


# Elements whose content is no text for readers; all is left out until their end tag.
HIDDEN: Final = names(
    "annotation annotation-xml iframe noembed noframes noscript script style svg template textarea title xmp"
)
_TAG: Final = re.compile(r"</?[A-Za-z][^ \t\n\f\r/>]*")
_COMMENT_END: Final = re.compile("--!?>")
_GAP: Final = re.compile("[ \t\n\f\r/]*")
_SPACE: Final = re.compile("[ \t\n\f\r]*")
_KEY: Final = re.compile("=?[^ \t\n\f\r/>=]*")
_BARE: Final = re.compile("[^ \t\n\f\r>]*")
_ENDS: Final = {name: re.compile(f"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE) for name in HIDDEN}


def tokenise(html: str) -> Iterator[Token]:
    """All tokens of `html`, without comments, declarations and hidden elements. A tag that never ends is dropped."""
    at, size = 0, len(html)
    while at < size:
        start = html.find("<", at)
        if start < 0:
            yield Text(html[at:])
            return
        if start > at:
            yield Text(html[at:start])
        token, at = _markup(html, start)
        if isinstance(token, Open) and token.name in HIDDEN:
            at = _after_hidden(html, token.name, at)
        elif token is not None:
            yield token


def _markup(html: str, start: int) -> tuple[Token | None, int]:
    """What begins with the `<` at `start`, and the place after it."""
    if html.startswith("<!--", start):
        # From inside the opening mark, since `<!-->` and `<!--->` are whole comments.
        found = _COMMENT_END.search(html, start + 2)
        return None, found.end() if found else len(html)
    if tag := _TAG.match(html, start):
        attributes, at = _attributes(html, tag.end())
        if at < 0:
            return None, len(html)
        if html[start + 1] == "/":
            return Close(html[start + 2 : tag.end()].lower()), at
        return Open(html[start + 1 : tag.end()].lower(), attributes), at
    if html[start + 1 : start + 2] in ("!", "?", "/"):
        end = html.find(">", start)
        return None, len(html) if end < 0 else end + 1
    return Text("<"), start + 1


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes from `at` on and the place after the tag; -1 if the tag never ends."""
    found: dict[str, str] = {}
    while True:
        at = _end(_GAP, html, at)
        if at >= len(html):
            return found, -1
        if html[at] == ">":
            return found, at + 1
        stop = _end(_KEY, html, at)
        key, value = html[at:stop].lower(), ""
        at, mark = stop, _end(_SPACE, html, stop)
        if html.startswith("=", mark):
            value, at = _value(html, _end(_SPACE, html, mark + 1))
            if at < 0:
                return found, -1
        found.setdefault(key, value)


def _value(html: str, at: int) -> tuple[str, int]:
    """The attribute value at `at`, and the place after it; -1 if its quotation mark is never closed."""
    quote = html[at : at + 1]
    if quote in ("'", '"'):
        stop = html.find(quote, at + 1)
        return html[at + 1 : stop], stop + 1 or -1
    stop = _end(_BARE, html, at)
    return html[at:stop], stop


def _after_hidden(html: str, name: str, at: int) -> int:
    """The place after the end tag of a hidden element that was opened just before `at`."""
    found = _ENDS[name].search(html, at)
    if not found:
        return len(html)
    _, after = _attributes(html, found.end())
    return len(html) if after < 0 else after


def _end(pattern: re.Pattern[str], html: str, at: int) -> int:
    """Where a pattern that matches the empty string too stops matching."""
    found = pattern.match(html, at)
    return found.end() if found else at
