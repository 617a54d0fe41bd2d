"""What is shown of others' posts: as much as their kind may have, and nothing that could harm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.domain.documents import Note
from fediblog.markup.clean import ARTICLE_LIMIT, NOTE_LIMIT
from fediblog.prepare.note_cleaner import harmless

AUTHOR = "https://far.example/bob"
BAD = '<p onclick="x()">Hi <script>evil()</script><a href="https://far.example/">there</a></p>'
GOOD = '<p>Hi <a href="https://far.example/" rel="nofollow noopener noreferrer ugc">there</a></p>'


def note(kind: str = "Note", **values: Any) -> Note:
    return Note(uri="https://far.example/1", kind=kind, author=AUTHOR, **values)


@pytest.mark.parametrize("media_type", ["text/html", "text/plain"])
@pytest.mark.parametrize(
    ("kind", "limit"),
    [("Note", NOTE_LIMIT), ("Question", NOTE_LIMIT), ("Article", ARTICLE_LIMIT), ("Page", ARTICLE_LIMIT)],
)
def test_long_is_what_is_long_by_its_kind(kind: str, limit: int, media_type: str) -> None:
    long = harmless(note(kind, content="a" * (limit + 7), media_type=media_type)).content
    assert long.count("a") == limit


def test_what_an_article_says_in_short_keeps_its_form_and_a_warning_does_not() -> None:
    assert harmless(note(summary=BAD)).summary == "Hi there"
    assert harmless(note("Article", summary=BAD)).summary == GOOD
    assert harmless(note(replies="https://far.example/r", likes="https://evil.example/l")).likes == ""


@pytest.mark.parametrize("media_type", ["text/html", "text/markdown"])
def test_pictures_in_the_text_of_an_article_keep_their_place(media_type: str) -> None:
    text = '<p>One</p><p><img src="https://far.example/a.png" alt="A"></p><p>Two</p>'
    if media_type == "text/markdown":
        text = "One\n\n![A](https://far.example/a.png)\n\nTwo"
    for kind in ("Article", "Page"):
        shown = harmless(note(kind, content=text, media_type=media_type)).content
        assert re.search('One.*<img src="https://far.example/a.png" alt="A".*Two', shown, re.DOTALL)
    assert "<img" not in harmless(note(content=text, media_type=media_type)).content


def test_how_long_an_article_takes_is_counted_here() -> None:
    text = f"<p>{'word ' * 900}</p>"
    assert [harmless(note(kind, content=text)).reading_time for kind in ("Article", "Page", "Note")] == [4, 4, 0]


def test_all_else_stays_as_it_was_sent() -> None:
    sent = note(**{name: f"https://far.example/{name}" for name in Note.__struct_fields__[3:]})
    changed = {"title", "summary", "warning", "content", "media_type", "source"}
    kept = harmless(replace(sent, title="", summary="", warning=""))
    for name in set(Note.__struct_fields__) - changed:
        assert getattr(kept, name) == getattr(sent, name), name
    assert (kept.title, kept.summary, kept.warning) == ("", "", "")
    assert (kept.media_type, kept.source) == ("text/html", None)
