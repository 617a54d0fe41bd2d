"""Cleans what most people send: paragraphs of text with line breaks, links and spans, well-formed as it is.

How an HTML parser reads such a text, and how the sanitiser writes it again, is certain beforehand: there is nothing in
it that a parser moves, ends early or repeats. So it is written at once, by the same rules for values. Whatever is
unusual in any way is left to the sanitiser; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from fediblog.markup.bare_links import ADDRESS_LIMIT

Value = Callable[[str, str, str], str | None]
"""Takes an element, an attribute and its value; returns what is kept of the value, or None."""

_BREAKS: Final = frozenset(("br", "br/", "br /"))
_BARE: Final = frozenset(("b", "code", "del", "em", "i", "p", "s", "span", "strong", "u"))
_WITH_VALUES: Final = re.compile('(a|p|span)((?: ++[a-z-]+="[^"]*")++)')
_ATTRIBUTE: Final = re.compile(' ([a-z-]+)="([^"]*)"')
_VALUE: Final = re.compile("[A-Za-z0-9 _+#.-]*")
# What every parser takes for an address, and leaves as it is: its host is neither a number nor written in another way.
_ADDRESS: Final = re.compile(
    r"https?://(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)++[a-z]{2,}(?::[0-9]{1,4})?"
    r'(?:[/?#][^ "&<>]*+(?:&amp;[^ "&<>]*+)*+)?'
)
_OTHER_REFERENCE: Final = re.compile("&(?!(?:amp|lt|gt|quot|#39);)")
_DEPTH: Final = 20


def usual(html: str, allowed: Mapping[str, frozenset[str]], value: Value, rel: str) -> str | None:
    """What the sanitiser makes of a tidy text, its links with that `rel`; None if only the sanitiser can tell."""
    if html.startswith("\ufeff"):  # which a parser takes for a byte order mark
        return None
    text, *pieces = html.split("<")
    if html.count(">") != len(pieces) or "\xa0" in html or ("&" in html and _OTHER_REFERENCE.search(html)):
        return None
    out, inside = [_text(text)], list[str]()
    for piece in pieces:
        tag, end, text = piece.partition(">")
        if tag[:1] == "/":
            fits = bool(inside) and inside.pop() == tag[1:]
        elif tag in _BREAKS:
            tag, fits = "br", True
        else:
            name = tag.partition(" ")[0]
            fits = _fits(name, inside)
            inside.append(name)
            if tag not in _BARE:
                tag = _start(tag, allowed, value, rel)
        if not (fits and end and tag):
            return None
        out.append(f"<{tag}>{_text(text)}")
    return None if inside else "".join(out)


def _fits(name: str, inside: Sequence[str]) -> bool:
    """Whether a parser leaves such an element where it begins."""
    if name == "p":
        return not inside
    return len(inside) < _DEPTH and (name != "a" or "a" not in inside)


def _start(tag: str, allowed: Mapping[str, frozenset[str]], value: Value, rel: str) -> str:
    """A start tag with what is kept of its attributes; empty if one of them is unusual."""
    parts = _WITH_VALUES.fullmatch(tag)
    if not parts:
        return ""
    name, attributes = parts.groups()
    given = _ATTRIBUTE.findall(attributes)
    kept, written = allowed[name], name
    if len(dict(given)) != len(given):
        return ""
    for key, content in given:
        if key not in kept:
            continue
        if key == "href":
            if not (_ADDRESS.fullmatch(content) and content.isprintable() and len(content) <= ADDRESS_LIMIT):
                return ""
            written += f' href="{content}"'
        elif not _VALUE.fullmatch(content):
            return ""
        elif (what := value(name, key, content)) is not None:
            written += f' {key}="{what}"'
    return f'{written} rel="{rel}"' if name == "a" else written


def _text(text: str) -> str:
    """A text as the sanitiser writes it: with quotes as they are."""
    return text.replace("&#39;", "'").replace("&quot;", '"') if "&" in text else text
