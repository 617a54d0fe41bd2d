"""Reads HTML of any quality as a flat stream of tokens, in time proportional to its length.

It follows the tokeniser of the HTML standard (section 13.2.5) as far as a post needs. Nothing here decides what is
safe: the sanitiser does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class Open(NamedTuple):
    """A start tag; its attributes as written, the first one where a name comes twice."""

    name: str
    attributes: dict[str, str]


class Close(NamedTuple):
    """An end tag."""

    name: str


Token = str | Open | Close
"""Text is a plain `str`, its character references as written; it never holds a `<` but as its only character."""


def names(text: str) -> frozenset[str]:
    """A set of names, written as one line."""
    return frozenset(text.split())


# Elements whose content is no text for readers; all is left out until their end tag.
HIDDEN: Final = names(
    "annotation annotation-xml iframe noembed noframes noscript script style svg template textarea title xmp"
)
_TAG: Final = re.compile(r"<(/?)([A-Za-z][^ \t\n\f\r/>]*)(>?)")
_COMMENT_END: Final = re.compile("--!?>")
# The end of a tag, or an attribute with its value in one of three forms; nothing, if the text ends before the tag does.
# What is repeated is never tried again in another way (`*+`, `++`), so that no text takes long.
_ATTRIBUTE: Final = re.compile(
    r"""
    [ \t\n\f\r/]*+
    (?: > | (=[^ \t\n\f\r/>=]*+ | [^ \t\n\f\r/>=]++)
        (?: [ \t\n\f\r]*+ = [ \t\n\f\r]*+ (?: "([^"]*+)" | '([^']*+)' | (?!["']) ([^ \t\n\f\r>]*+) )
          | (?! [ \t\n\f\r]*+ = )))
    """,
    re.VERBOSE,
)
_ENDS: Final = {name: re.compile(f"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE) for name in HIDDEN}


def tokenise(html: str) -> Iterator[Token]:
    """All tokens of `html`, without comments, declarations and hidden elements. A tag that never ends is dropped."""
    at, size = 0, len(html)
    while at < size:
        start = html.find("<", at)
        if start < 0:
            yield html[at:]
            return
        if start > at:
            yield html[at:start]
        token, at = _markup(html, start)
        if isinstance(token, Open) and token.name in HIDDEN:
            at = _after_hidden(html, token.name, at)
        elif token is not None:
            yield token


def _markup(html: str, start: int) -> tuple[Token | None, int]:
    """What begins with the `<` at `start`, and the place after it."""
    if tag := _TAG.match(html, start):
        slash, name, end = tag.groups()
        attributes, at = ({}, tag.end()) if end else _attributes(html, tag.end())
        if at < 0:
            return None, len(html)
        return Close(name.lower()) if slash else Open(name.lower(), attributes), at
    if html.startswith("<!--", start):
        # From inside the opening mark, since `<!-->` and `<!--->` are whole comments.
        found = _COMMENT_END.search(html, start + 2)
        return None, found.end() if found else len(html)
    if html[start + 1 : start + 2] in ("!", "?", "/"):
        end = html.find(">", start)
        return None, len(html) if end < 0 else end + 1
    return "<", start + 1


def _attributes(html: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes from `at` on and the place after the tag; -1 if the tag never ends."""
    found: dict[str, str] = {}
    while match := _ATTRIBUTE.match(html, at):
        at = match.end()
        key, double, single, bare = match.groups("")
        if not key:
            return found, at
        found.setdefault(key.lower(), double or single or bare)
    return found, -1


def _after_hidden(html: str, name: str, at: int) -> int:
    """The place after the end tag of a hidden element that was opened just before `at`."""
    found = _ENDS[name].search(html, at)
    if not found:
        return len(html)
    _, after = _attributes(html, found.end())
    return len(html) if after < 0 else after
