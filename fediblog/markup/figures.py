"""Pictures and quotations as they stand in a text: figures with captions, pictures side by side, who said it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from fediblog.markup.clean import picture_address

if TYPE_CHECKING:
    from markdown_it.token import Token

WIDTHS: Final = ("wide", "out")
"""What may stand behind the `#` of a picture's address: as wide as the page, or out of the column at its end."""
BESIDE: Final = 4
"""Pictures in one row at most."""

_BREAKS: Final = ("softbreak", "hardbreak")
_DASHES: Final = ("— ", "– ", "-- ")


def lay_out(tokens: Sequence[Token]) -> None:
    """Make figures of paragraphs that begin with lines of nothing but pictures, and name who is quoted.

    What follows the pictures on lines of its own is their caption, else their titles are. In a quotation the last line
    names who said it if it begins with a dash.
    """
    for opened, line, closed in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opened.type == "paragraph_open" and not opened.hidden and line.children:
            _make_figure(opened, line, closed)
    for line, closed, end in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if end.type == "blockquote_close" and closed.type == "paragraph_close" and line.children:
            line.children = _cited(line.children)


def _make_figure(opened: Token, line: Token, closed: Token) -> None:
    """Of a paragraph, unless it is one of text."""
    children = line.children or []
    end = _pictures_end(children)
    images = [each for each in children[:end] if each.type == "image"]
    if not images:
        return
    caption = children[end:] or _titles(images)
    widths = [width for each in images if (width := address_of(each)[1])]
    classes = [*(["grid", f"grid-{min(len(images), BESIDE)}"] if len(images) > 1 else []), *widths[:1]]
    opened.type, closed.type = "figure_open", "figure_close"
    opened.tag = closed.tag = "figure"
    if classes:
        opened.attrSet("class", " ".join(classes))
    line.children = [each for each in children[:end] if each.type not in (*_BREAKS, "text")]
    if caption:
        line.children += [_token("figcaption", 1), *caption, _token("figcaption", -1)]


def _pictures_end(children: Sequence[Token]) -> int:
    """Behind the lines that hold nothing but pictures, which may be links; 0 if the first one is none."""
    at = end = 0
    while at < len(children):
        kind = children[at].type
        if kind in _BREAKS:
            end = at + 1
        elif kind == "link_open" and [each.type for each in children[at + 1 : at + 3]] == ["image", "link_close"]:
            at += 2
        elif not (kind == "image" or (kind == "text" and not children[at].content.strip())):
            break
        elif kind == "image" and not picture_address(str(children[at].attrs.get("src", ""))):
            return 0
        at += 1
    else:
        end = at
    return end


def address_of(image: Token) -> tuple[str, str]:
    """Where a picture lies, and how wide it shall stand: one of WIDTHS, or nothing."""
    whole = str(image.attrs.get("src", ""))
    address, _, word = whole.rpartition("#")
    return (address, word) if word in WIDTHS else (whole, "")


def _titles(images: Sequence[Token]) -> list[Token]:
    """The titles of pictures as their caption, in place of what a pointer shows."""
    titles = [str(title) for each in images if (title := each.attrs.pop("title", ""))]
    if not titles:
        return []
    text = _token("", 0, "text")
    text.content = " · ".join(titles)
    return [text]


def _cited(children: list[Token]) -> list[Token]:
    """The last paragraph of a quotation."""
    start = max((at + 1 for at, each in enumerate(children) if each.type in _BREAKS and each.level == 0), default=0)
    if start == len(children) or not children[start].content.startswith(_DASHES):
        return children
    before = [*children[: start - 1], _token("br", 0, "hardbreak")] if start else []
    return [*before, _token("cite", 1), *children[start:], _token("cite", -1)]


def _token(tag: str, nesting: int, kind: str = "") -> Token:
    from markdown_it.token import Token

    return Token(kind or f"{tag}_{'open' if nesting > 0 else 'close'}", tag, nesting)  # type: ignore[arg-type]
