"""How a post is shown elsewhere, by what was seen of those programs."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.domain.documents import PUBLIC, Attachment, Mention, Note
from fediblog.markup.html import Html
from fediblog.prepare import elsewhere
from fediblog.protocol.notes import write_note

PICTURES = tuple(Attachment(kind="Image", url=f"https://blog.test/media/{n}.webp") for n in range(6))
NOTE = Note(
    uri="https://blog.test/p/1",
    kind="Note",
    author="https://blog.test/u/ann",
    to=(PUBLIC,),
    content=Html("<p>The text</p>"),
    url="https://blog.test/@ann/1",
    attachments=PICTURES,
)
ARTICLE = replace(NOTE, kind="Article", title="On Tides", summary="Ebb &amp; flow", warning="")


def test_mastodon_shows_a_note_whole_with_four_pictures() -> None:
    found = elsewhere.on_mastodon(write_note(replace(NOTE, summary="Careful")))
    assert (found.warning, found.text, found.title, found.pictures) == ("Careful", "The text", "", 4)


def test_mastodon_throws_the_text_of_an_article_away_and_takes_its_summary_for_no_warning() -> None:
    found = elsewhere.on_mastodon(write_note(ARTICLE))
    assert (found.title, found.text, found.link, found.warning) == ("On Tides", "Ebb & flow", ARTICLE.url, "")


def test_misskey_takes_the_summary_of_an_article_for_a_warning() -> None:
    found = elsewhere.on_misskey(write_note(ARTICLE))
    assert (found.warning, found.text, found.pictures) == ("Ebb & flow", "The text", 6)


def test_lemmy_shows_what_mentions_a_community_and_is_addressed_to_it() -> None:
    club = "https://lemmy.test/c/club"
    named = replace(ARTICLE, mentions=(Mention(href=club, name="@club@lemmy.test"),))
    assert not elsewhere.on_lemmy(write_note(ARTICLE)).shown
    assert not elsewhere.on_lemmy(write_note(named)).shown
    found = elsewhere.on_lemmy(write_note(replace(named, cc=(club,))))
    assert (found.shown, found.title, found.text) == (True, "On Tides", "The text")


def test_feeds_and_cards_tell_nothing_that_a_warning_hides() -> None:
    for note in (replace(ARTICLE, warning="Ends of novels", sensitive=True), replace(NOTE, summary="Ends of novels")):
        for found in (elsewhere.in_a_feed(note), elsewhere.on_a_card(note)):
            assert "The text" not in found.text
            assert found.pictures == 0
    assert elsewhere.in_a_feed(ARTICLE).text == "The text"
    assert elsewhere.on_a_card(ARTICLE).text == "Ebb & flow"


def test_the_preview_reads_the_very_document_that_is_sent() -> None:
    places = [each.place for each in elsewhere.of(write_note(ARTICLE), ARTICLE)]
    assert places == ["mastodon", "misskey", "lemmy", "feed", "card"]
