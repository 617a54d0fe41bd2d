"""What is told of a post where it does not stand whole: every text and picture that is derived from one.

A page's description, a card, a feed, a notification, a message to an app: all are made by these functions, and each
asks for the content warning first. Below a warning nothing of the text and none of the pictures is told; of a post
whose pictures alone are sensitive, no picture is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape

from fediblog.domain.documents import Attachment, Note, Picture
from fediblog.markup.html import Html, escape, excerpt, one_line, plain, shortened
from fediblog.markup.search_words import Piece, Query, marked, text_of
from fediblog.markup.tokens import Open, tokenise

_ENOUGH = 2_000  # characters of a beginning: no more of a long text is read
_FIRST = 40_000  # characters of HTML in whose paragraphs that many are looked for first
ABSTRACT = 280  # characters of a text's beginning, where its author wrote no abstract
ABSTRACTED = frozenset(("Article", "Page", "Event"))
"""Kinds whose `summary` is an abstract and no warning (FEP-b2b8)."""
_LINES = 32  # texts whose plain form is remembered
_PLAIN = frozenset(("Note", "Question"))  # their `summary` is stored as plain text
_NO_TEXT = re.compile(  # footnotes, and the link to a quoted post
    r'<sup class="fn-ref">.*?</sup>|<section class="footnotes">.*\Z|<p class="quote-inline">.*?</p>', re.DOTALL
)
_IMAGE = re.compile(r"<img [^>]*>")
_SIZED = re.compile(r"(?:-\d+x\d+|-scaled)?(\.\w+)?(?:\?.*)?$")  # WordPress keeps a picture in several sizes


def warning(note: Note) -> str:
    """The content warning as plain text; empty if there is none."""
    if note.kind in ABSTRACTED:
        return note.warning
    return note.summary if note.kind in _PLAIN or not note.summary else plain(note.summary)


def hides_pictures(note: Note) -> bool:
    """Whether a reader must ask before a picture is shown."""
    return note.sensitive or bool(warning(note))


def beginning(note: Note, limit: int = ABSTRACT) -> str:
    """The beginning of the text, plain, of its paragraphs if it has any; nothing below a warning."""
    return "" if warning(note) else _beginning(note.content, limit)


def unfolded(note: Note, limit: int = ABSTRACT) -> str:
    """The beginning of the text though there is a warning: for what opens below it alone."""
    return _beginning(note.content, limit)


def _beginning(html: str, limit: int = ABSTRACT) -> str:
    if limit > _ENOUGH:
        html = _NO_TEXT.sub("", html)
        return shortened(one_line(_paragraphs(html) or html), limit)
    return shortened(_line(html), limit)


def _line(html: str) -> str:
    """The text of the paragraphs, else the whole text."""
    if len(html) > _FIRST:
        line = _line_of(html[: html.rfind("</p>", 0, _FIRST) + len("</p>")])
        if len(line) > _ENOUGH:
            return line
    return _line_of(html)


@lru_cache(maxsize=_LINES)  # a page tells the beginning in several places and lengths
def _line_of(html: str) -> str:
    html = _NO_TEXT.sub("", html)
    return one_line(_paragraphs(html) or html, _ENOUGH)


def _paragraphs(html: str) -> str:
    found = [part.split("</p>", 1)[0] for part in re.split(r"<p(?: [^>]*)?>", html)[1:]]
    return "".join(f"<p>{text}</p>" for text in found)


def around(note: Note, query: Query) -> list[Piece]:
    """The text around what somebody looked for, plain; the warning, where there is one.

    If it is not in the text, what the files below it show and the answers of a poll, where it is in these.
    """
    if told := warning(note):
        return [Piece(told)]
    found = marked(query, text_of(_NO_TEXT.sub("", note.content[:_FIRST]), alts=False))
    beside = [each.name for each in note.poll.options] if note.poll else []
    beside += [] if hides_pictures(note) else [each.alt for each in note.attachments]
    if any(beside) and not any(each.hit for each in found):
        shown = marked(query, "\n".join(beside))
        return shown if any(each.hit for each in shown) else found
    return found


def written_abstract(note: Note) -> str:
    """The abstract that the author wrote, plain.

    Earlier versions stored the beginning of the text, as a paragraph, where there was none: that is left out.
    """
    if note.kind not in ABSTRACTED or not note.summary:
        return ""
    text = plain(note.summary)
    return "" if note.summary.startswith("<p>") and text == _beginning(note.content) else text


def abstract(note: Note) -> str:
    """What an article is about, plain: the author's words, or the beginning of the text where that may be told."""
    if warning(note):
        return written_abstract(note)
    return plain(note.summary) if note.kind in ABSTRACTED and note.summary else beginning(note)


def abstract_html(note: Note) -> Html:
    """The abstract of a post as cleaned HTML, in the form that another server gave it."""
    if note.summary.startswith("<") and note.kind in ABSTRACTED and (not note.warning or written_abstract(note)):
        return Html(note.summary)  # cleaned when it was stored
    text = abstract(note)
    return Html(f"<p>{escape(text)}</p>") if text else escape("")


def words(note: Note, limit: int) -> str:
    """What stands for the text in one line: the warning, else the author's abstract or the beginning."""
    told = warning(note) or (plain(note.summary) if note.kind in ABSTRACTED and note.summary else "")
    return excerpt(escape(told), limit) if told else _beginning(note.content, limit)


def label(note: Note, limit: int) -> str:
    """What a post is called where only a line is shown: by its title, else by its warning or its first words."""
    return note.title or words(note, limit)


def hashtags(note: Note) -> Sequence[str]:
    """The hashtags: below a warning they are hidden with the text, as Mastodon does."""
    return () if warning(note) else note.hashtags


def picture(note: Note) -> Picture | Attachment | None:
    """The picture that stands for the post on other pages, if any may."""
    if hides_pictures(note):
        return None
    first = note.attachments[0] if note.attachments and note.attachments[0].kind == "Image" else None
    return note.image or first


def gallery(note: Note) -> Sequence[Attachment]:
    """The files that are shown below the text: without the pictures that stand in it, and without the hero."""
    if not note.image and "<img " not in note.content:
        return note.attachments
    shown = {_bare(url) for url, _ in pictures_within(note.content)} | (
        {_bare(note.image.url)} if note.image else set()
    )
    return [each for each in note.attachments if shown.isdisjoint((_bare(each.url), _bare(each.preview)))]


def has_hero(note: Note) -> bool:
    """Whether there is a picture above the text that does not stand in the text as well."""
    if not note.image:
        return False
    return _bare(note.image.url) not in {_bare(url) for url, _ in pictures_within(note.content)}


def pictures_within(html: str) -> list[tuple[str, str]]:
    """Address and alternative text of each picture in cleaned HTML."""
    if "<img " not in html:
        return []
    found = (each.attributes for each in tokenise(html) if isinstance(each, Open) and each.name == "img")
    return [(unescape(each["src"]), unescape(each.get("alt", ""))) for each in found if each.get("src")]


def without_pictures(html: str) -> str:
    """Cleaned HTML with none of its pictures."""
    return _IMAGE.sub("", html)


def _bare(url: str) -> str:
    return _SIZED.sub(r"\1", url)
