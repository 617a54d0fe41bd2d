"""The text of a post as a page shows it: what helps readers is added here, and is sent to no other server.

Tables scroll in a region of their own, pictures have their size and smaller copies, headings a link to themselves,
footnotes a name. All is put into cleaned HTML, whose attributes hold neither `<` nor `>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from html import escape, unescape
from typing import Final, NamedTuple

from markupsafe import Markup

from fediblog.domain.documents import Attachment
from fediblog.domain.memo import Memo
from fediblog.domain.posts import Post
from fediblog.markup.html import shortened
from fediblog.markup.slug import slugify
from fediblog.messages import text
from fediblog.protocol.previews import warning
from fediblog.web.components import emoji_images
from fediblog.web.components.page_links import Links

CONTENTS_FROM: Final = 3
"""Headings of a text that has a table of contents, if it is also LONG."""
LONG: Final = 6_000
"""Characters of HTML: about three minutes."""
_COPIES: Final = (1280, 400)  # pixels of the longer side of a copy: of the larger, if the file is larger still
_SIZES: Final = "(min-width: 46em) 42rem, 100vw"
_BESIDE: Final = {"2": "(min-width: 46em) 21rem, 50vw", "3": "(min-width: 46em) 14rem, 34vw"}
"""HTML's `sizes` of a picture in the column, and by how many stand beside each other in a row of their figure."""
_FIGURE: Final = 4_000  # characters before a picture in which its figure is looked for
_GRID: Final = re.compile('<figure class="grid grid-([0-9])')
_LABEL: Final = 80  # characters that name a table
_HEAD: Final = 2_000  # characters of a table in which its name is looked for

MOST_KEPT: Final = 128
LONGEST_KEPT: Final = 100_000  # characters
_SHOWN: Memo[tuple[str, int], str] = Memo(MOST_KEPT)

_SPECIAL: Final = re.compile("<(?:h[1-6]|img|pre|table|sup class)")
_HEADING: Final = re.compile("<h([1-6])([^>]*)>(.*?)</h[1-6]>", re.DOTALL)
_TAG: Final = re.compile("<[^>]*>")
_ID: Final = re.compile(' id="([^"]*)"')
_SIMPLE: Final = re.compile('<(?:img|pre|table|/table|sup class="fn-ref"|section class="footnotes"|a href="#fn-)[^>]*>')
_SOURCE: Final = re.compile(' src="([^"]*)"')
_TABLE_NAMES: Final = re.compile("<caption[^>]*>(.*?)</caption>|<th[^>]*>(.*?)</th>", re.DOTALL)


class Heading(NamedTuple):
    """A heading of a text: how far below the title, where a link to it leads, and what it says."""

    level: int
    id: str
    words: str


def content(language: str, post: Post, links: Links) -> Markup:
    """The text of a post, which was cleaned on its way in."""
    html = post.content
    if _SPECIAL.search(html):
        html = _decorated(language, post)
    return emoji_images.pictured(html, post.emoji, links.emoji, partial(links.shown_in, post))


def needs_more(post: Post) -> bool:
    """Whether the page shows the text otherwise than as it is stored."""
    return _SPECIAL.search(post.content) is not None


def contents(post: Post) -> list[Heading]:
    """The table of contents of a long text: its headings and those one level below; empty if it needs none."""
    if not post.is_article or len(post.content) < LONG or warning(post):
        return []
    found = [heading for heading, _ in _headings(post)]
    highest = min((each.level for each in found), default=0)
    shown = [each for each in found if each.level <= highest + 1 and each.words]
    return shown if len(shown) >= CONTENTS_FROM else []


def _headings(post: Post) -> Iterator[tuple[Heading, re.Match[str]]]:
    """The headings; those of an article stand below its title, whatever its author made of them."""
    lower = 1 if post.title and "<h1" in post.content else 0
    taken: dict[str, int] = {}
    for found in _HEADING.finditer(post.content):
        words = _words(found[3])
        given = _ID.search(found[2])
        name = given[1] if given else "-".join(filter(None, (f"sec-p{post.id}", slugify(words, 60))))
        if not given:
            taken[name] = taken.get(name, 0) + 1
            name = name if taken[name] == 1 else f"{name}-{taken[name]}"
        yield Heading(min(int(found[1]) + lower, 6), name, words), found


def _words(html: str) -> str:
    """The text of a heading or a cell, in one line."""
    return " ".join(unescape(_TAG.sub("", html)).split())


def _decorated(language: str, post: Post) -> str:
    """The text with all that is added to it: what was made is remembered, since it takes as long as half a page."""
    key, made_of = (language, post.id), (post.content, post.attachments, post.title, post.local)
    shown = _SHOWN.get(key, made_of)
    if shown is None:
        html = "".join(_with_anchors(language, post)) if "<h" in post.content else post.content
        shown = _SIMPLE.sub(lambda found: _piece(language, post, found), html)
        if len(shown) <= LONGEST_KEPT:
            _SHOWN.put(key, made_of, shown)
    return shown


def _with_anchors(language: str, post: Post) -> Iterator[str]:
    html, done = post.content, 0
    label = escape(text(language, "text.link-here"))
    for heading, found in _headings(post):
        rest, name = _ID.sub("", found[2]), escape(heading.id)
        anchor = f'<a class="anchor" href="#{name}" aria-label="{label}"></a>' if post.title else ""
        yield html[done : found.start()]
        yield f'<h{heading.level} id="{name}"{rest}>{found[3]}{anchor}</h{heading.level}>'
        done = found.end()
    yield html[done:]


def _piece(language: str, post: Post, found: re.Match[str]) -> str:
    """What a page has in place of one tag."""
    tag = found[0]
    match tag[1:4]:
        case "img":
            return _picture(tag, post, _room(found.string, found.start()))
        case "pre":
            return f'{tag[:-1]} tabindex="0">'
        case "tab":
            label = escape(_table_label(language, found.string[found.end() : found.end() + _HEAD]))
            return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{tag}'
        case "/ta":
            return f"{tag}</div>"
        case "sec":
            label = escape(text(language, "text.notes"))
            return f'<section class="footnotes notes-foot" aria-label="{label}">'
        case "a h" if 'class="fn-back"' in tag:
            return f'{tag[:-1]} aria-label="{escape(text(language, "text.back"))}">'
        case "a h" if "id=" in tag:
            number = found.string[found.end() : found.string.find("<", found.end())]
            return f'{tag[:-1]} aria-label="{escape(text(language, "text.note", n=number))}">'
    return tag


def _table_label(language: str, html: str) -> str:
    """What a table is about: its caption, or its columns."""
    head = html.partition("</table")[0].partition("</tr>")[0]
    names = [_words(caption or column) for caption, column in _TABLE_NAMES.findall(head)]
    named = shortened(", ".join(filter(None, names)), _LABEL)
    return text(language, "text.table-of", name=named) if named else text(language, "text.table")


def _room(html: str, at: int) -> str:
    """How wide the picture that stands there is shown, as HTML's `sizes`; four stand in two rows."""
    since = max(at - _FIGURE, 0)
    figure = html.rfind("<figure", since, at)
    if figure < 0 or html.find("</figure", figure, at) >= 0:
        return _SIZES
    beside = _GRID.match(html, figure)
    return _BESIDE.get("2" if beside[1] == "4" else beside[1], _SIZES) if beside else _SIZES


def _picture(tag: str, post: Post, room: str) -> str:
    """A picture within the text: its size, so that nothing jumps, and of ours a copy for small screens."""
    source = _SOURCE.search(tag)
    address = unescape(source[1]) if source else ""
    more = "" if " loading=" in tag else ' loading="lazy"'
    file = next((each for each in post.attachments if address in (each.url, each.preview)), None)
    if file is not None:
        more += _sized(file, post.local, tag, room)
        tag = tag.replace(' alt=""', f' alt="{escape(file.alt)}"')
    return f'{tag[:-1]}{more} decoding="async">'


def _sized(file: Attachment, own: bool, tag: str, room: str) -> str:
    """Attributes that say how large a file is. What moves may be WebP, and its copy does not."""
    if not (file.width and file.height):
        return ""
    size = "" if " width=" in tag or " height=" in tag else f' width="{file.width}" height="{file.height}"'
    longer = max(file.width, file.height)
    side = next((side for side in _COPIES if side < longer), 0)
    if not (own and file.preview and side and file.media_type != "image/webp"):
        return size
    copy = f"{escape(file.preview)} {round(file.width * side / longer)}w"
    return f'{size} srcset="{copy}, {escape(file.url)} {file.width}w" sizes="{room}"'
