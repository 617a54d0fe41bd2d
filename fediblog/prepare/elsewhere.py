"""How a post of ours is shown elsewhere: read from the document that is sent, by the rules of who shows it."""

from __future__ import annotations

from msgspec import Struct

from fediblog.domain.documents import Json, Note
from fediblog.markup.html import escape, plain, shortened
from fediblog.protocol import json_values, previews

MOST_ON_MASTODON = 4  # files of a post that it keeps
_SHOWN = 2_000  # characters of a text; the rest is alike
_READ = 4 * _SHOWN  # characters of HTML in which they are looked for

Document = dict[str, Json]


class Appearance(Struct, frozen=True, kw_only=True):
    """A post in one place. Below a `warning` the rest is shown once somebody opens it.

    `place` is mastodon, misskey, lemmy, feed or card; `link` the page here, where it stands for the text.
    """

    place: str
    title: str = ""
    warning: str = ""
    text: str = ""
    link: str = ""
    pictures: int = 0
    shown: bool = True


def of(document: Document, note: Note) -> list[Appearance]:
    """Every place of which we know how it shows the post: `document` is what is sent of `note`."""
    return [on_mastodon(document), on_misskey(document), on_lemmy(document), in_a_feed(note), on_a_card(note)]


def on_mastodon(document: Document) -> Appearance:
    """Notes and questions whole; of an article the title, the summary and a link (`ActivityPub::Parser::StatusParser`).

    The text of an article is thrown away, and its summary is no warning there.
    """
    pictures = min(_pictures(document), MOST_ON_MASTODON)
    if document.get("type") != "Article":
        return Appearance(
            place="mastodon", warning=_text(document, "summary"), text=_content(document), pictures=pictures
        )
    return Appearance(
        place="mastodon",
        title=_text(document, "name"),
        text=plain(_text(document, "summary")),
        link=json_values.url(document.get("url")) or "",
        pictures=pictures,
    )


def on_misskey(document: Document) -> Appearance:
    """The whole text; a summary stands before it as a content warning, also that of an article."""
    return Appearance(
        place="misskey",
        warning=plain(_text(document, "summary")),
        text=_content(document),
        pictures=_pictures(document),
    )


def on_lemmy(document: Document) -> Appearance:
    """Only in a community that the post names: it must be among the mentions and be addressed."""
    addressed = {*json_values.addresses(document.get("to")), *json_values.addresses(document.get("cc"))}
    tags = map(json_values.fields, json_values.listed(document.get("tag")))
    named = {json_values.url(each.get("href")) for each in tags if each.get("type") == "Mention"}
    if not named & addressed:
        return Appearance(place="lemmy", shown=False)
    return Appearance(
        place="lemmy", title=_text(document, "name"), text=_content(document), pictures=_pictures(document)
    )


def in_a_feed(note: Note) -> Appearance:
    """Title and text; of a post with a warning no more than is told without opening it."""
    warning = previews.warning(note)
    return Appearance(
        place="feed",
        title=note.title,
        warning=warning,
        text=previews.written_abstract(note) if warning else _beginning(note.content),
        pictures=0 if previews.hides_pictures(note) else _all_pictures(note),
    )


def on_a_card(note: Note) -> Appearance:
    """Where somebody posts the link: title, a line of what it is about, and one picture if any may be shown."""
    return Appearance(
        place="card",
        title=note.title,
        text=previews.words(note, previews.ABSTRACT),
        pictures=0 if previews.picture(note) is None else 1,
    )


def _text(document: Document, key: str) -> str:
    return json_values.text(document.get(key), _READ)


def _content(document: Document) -> str:
    return _beginning(json_values.text(document.get("content"), _READ + 1))


def _beginning(html: str) -> str:
    head = html if len(html) <= _READ else html[:_READ].rpartition("<")[0]  # ends with a whole tag
    return shortened(plain(head), _SHOWN)


def _pictures(document: Document) -> int:
    kinds = [json_values.fields(each).get("type") for each in json_values.listed(document.get("attachment"))]
    return sum(kind in ("Image", "Document") for kind in kinds)


def _all_pictures(note: Note) -> int:
    beside = {each.url for each in note.attachments} | ({note.image.url} if note.image else set())
    return note.content.count("<img ") + sum(escape(url) not in note.content for url in beside)
