"""Posts: every odd shape is read, and we read what we write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fediblog.domain.documents import (
    PUBLIC,
    Attachment,
    Emoji,
    InteractionPolicy,
    Json,
    Mention,
    Note,
    Option,
    Picture,
    Poll,
    Rule,
    Source,
)
from fediblog.protocol.json_values import fields, kinds
from fediblog.protocol.notes import is_bare, read_note, write_note, write_vote
from fediblog.protocol.questions import is_vote
from fediblog.protocol.tag_array import read_quote_link, sort
from tests.protocol.generated import anything, notes, objects

ME = "https://a.example/users/me"
POST = "https://a.example/posts/1"
OTHER = "https://b.example/posts/2"
FILE = "https://files.example/1.png"


def read(**changes: Json) -> Note:
    note = read_note(document(**changes))
    assert note is not None
    return note


def document(**changes: Json) -> dict[str, Any]:
    plain = {"id": POST, "type": "Note", "attributedTo": ME, "content": "<p>x</p>"}
    return {key: value for key, value in (plain | changes).items() if value is not None}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(notes())
def test_we_read_what_we_write(note: Note) -> None:
    written = write_note(note, tag_base="https://alice.example/tags/", can_quote=[PUBLIC], first_replies=f"{POST}/r")
    policy = InteractionPolicy(quote=Rule(automatic=(PUBLIC,)))
    proof = "" if note.quote else None
    assert read_note(json.loads(json.dumps(written))) == replace(note, policy=policy, quote_proof=proof)


TEXTS = "name nameMap summary summaryMap content contentMap dcterms:subject source mediaType language @context"
OTHERS = "audience quote quoteUri updated sensitive conversation context duration tag likes image attachment replies"


@given(objects, st.sampled_from(TEXTS.split()), anything)
def test_what_is_null_is_read_like_what_is_absent(odd: dict[str, Json], key: str, value: Json) -> None:
    told = document() | odd | {key: value}
    absent = {key: value for key, value in told.items() if value is not None}
    assert read_note(told) == read_note(absent) == read_note(dict.fromkeys(f"{TEXTS} {OTHERS}".split()) | absent)


@given(st.lists(anything | st.fixed_dictionaries({"type": st.lists(st.sampled_from(["Mention", "Link", 1]))})))
def test_tags_are_sorted_by_every_kind_they_have(value: list[Json]) -> None:
    found = sort(value)
    for kind in ("Mention", "Link", *found):
        assert found.get(kind, []) == [tag for tag in map(fields, value) if kind in kinds(tag)]


@given(anything)
def test_reading_never_raises(value: Json) -> None:
    read_note(value)


@given(objects)
def test_reading_a_note_with_odd_properties_never_raises(odd: dict[str, Json]) -> None:
    for kind in ("Question", "Event", "Video"):
        read_note(document() | odd | {"type": kind})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "tag:a.example,2024:1"},
        {"type": "Tombstone"},
        {"type": None},
        {"attributedTo": None},
        {"attributedTo": {}},
        {"attributedTo": "https://b.example/users/me"},  # somebody of another server wrote it? then it is not here
    ],
)
def test_essentials(changes: dict[str, Json]) -> None:
    assert read_note(document(**changes)) is None


@pytest.mark.parametrize(
    "claimed",
    [
        ME,
        {"id": ME, "type": "Person"},
        [{"id": "https://a.example/c/1", "type": "Group"}, {"id": ME, "type": "Person"}],
        ["https://b.example/", ME],
    ],
)
def test_author(claimed: Json) -> None:
    assert read(attributedTo=claimed).author == ME


def test_a_group_alone_is_the_author() -> None:
    assert read(attributedTo=[{"id": "https://a.example/c/1", "type": "Group"}]).author == "https://a.example/c/1"


def test_addresses() -> None:
    note = read(to="as:Public", cc=[f"{ME}/followers", {"id": OTHER}], audience=["https://c.example/g", "Public"])
    assert note.to == (PUBLIC,)
    assert note.cc == (f"{ME}/followers", OTHER, "https://c.example/g")
    assert read(to=None, cc={}).cc == ()


@pytest.mark.parametrize(
    ("changes", "content", "language"),
    [
        ({}, "<p>x</p>", ""),
        ({"content": None, "contentMap": {"de": "ja", "en": "yes"}}, "ja", "de"),
        ({"content": "yes", "contentMap": {"de": "ja", "en": "yes"}}, "yes", "en"),
        ({"content": "other", "contentMap": {"de": "ja"}}, "other", "de"),
        ({"contentMap": {"und": "<p>x</p>"}}, "<p>x</p>", ""),
        ({"contentMap": "x", "language": {"identifier": "fr"}}, "<p>x</p>", "fr"),
        ({"language": "pt-BR"}, "<p>x</p>", "pt-BR"),
        ({"@context": ["https://www.w3.org/ns/activitystreams", {"@language": "eo"}]}, "<p>x</p>", "eo"),
        ({"@context": {"@language": "und"}}, "<p>x</p>", ""),
        ({"content": 7}, "", ""),
    ],
)
def test_content_and_language(changes: dict[str, Json], content: str, language: str) -> None:
    note = read(**changes)
    assert (note.content, note.language) == (content, language)


def test_content_is_capped() -> None:
    assert len(read(content="x" * 300_000).content) == 100_000
    assert len(read(type="Article", content="x" * 300_000).content) == 300_000


@pytest.mark.parametrize("blank", [None, "", "\u200b", 3])
def test_an_empty_warning_is_none(blank: Json) -> None:
    assert read(summary=blank).summary == ""


def test_warnings_and_abstracts() -> None:
    article = read(type="Article", summary="<p>About</p>", **{"dcterms:subject": ["blood", "spiders"]})
    assert (article.summary, article.warning) == ("<p>About</p>", "blood, spiders")
    assert read(summaryMap={"en": "cw"}).summary == "cw"


def test_titles() -> None:
    assert read(type="Page", name="A\ntitle").title == "A title"
    assert read(type="Page", nameMap={"en": "A title"}).title == "A title"
    assert read(name=5).title == ""


def test_media_type_and_source() -> None:
    assert read(mediaType="text/markdown").media_type == "text/markdown"
    assert read(mediaType="audio/mpeg").media_type == "text/html"
    assert read(source="typed").source == Source(content="typed")
    assert read(source={"content": "typed", "mediaType": "text/x.misskeymarkdown"}).source == Source(
        content="typed", media_type="text/x.misskeymarkdown"
    )
    assert read(source={"mediaType": "text/plain"}).source is None


@pytest.mark.parametrize("parent", [OTHER, {"id": OTHER}, {"type": "Link", "href": OTHER}, [OTHER]])
def test_in_reply_to(parent: Json) -> None:
    assert read(inReplyTo=parent).in_reply_to == OTHER


def test_tags() -> None:
    note = read(
        tag=[
            {"type": "Mention", "href": "https://b.example/u", "name": "@u@b.example"},
            {"type": "Mention", "href": "https://b.example/v"},
            {"type": "Mention", "name": "@w@b.example"},
            {"type": "Mention", "name": "@w"},
            {"type": "Hashtag", "name": "#One"},
            {"type": "Hashtag", "name": "two"},
            {"type": "Hashtag", "name": "#ONE"},
            {"type": "Hashtag"},
            {"type": ["Emoji"], "id": None, "name": ":x:", "icon": {"type": "Image", "url": FILE}},
            {"type": "CommunityPostTag", "name": "no"},
            "nonsense",
            None,
        ]
    )
    assert note.mentions == (
        Mention(href="https://b.example/u", name="@u@b.example"),
        Mention(href="https://b.example/v"),
        Mention(href="", name="@w@b.example"),
    )
    assert note.hashtags == ("One", "two")
    assert note.emoji == (Emoji(name="x", url=FILE),)


def test_one_tag_needs_no_list_and_many_are_capped() -> None:
    assert read(tag={"type": "Hashtag", "name": "#one"}).hashtags == ("one",)
    assert len(read(tag=[{"type": "Hashtag", "name": f"#t{n}"} for n in range(500)]).hashtags) == 50


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"type": "Image", "url": FILE}, Attachment(kind="Image", url=FILE)),
        ({"type": "Document", "url": FILE, "mediaType": "image/png", "name": "alt"},
         Attachment(kind="Document", url=FILE, media_type="image/png", alt="alt")),
        ({"type": "Image", "url": FILE, "summary": "long", "name": "short"},
         Attachment(kind="Image", url=FILE, alt="long")),
        ({"type": "Image", "url": [{"type": "Link", "href": FILE, "mediaType": "image/png", "width": 3, "height": 2}]},
         Attachment(kind="Image", url=FILE, media_type="image/png", width=3, height=2)),
        ({"type": "Image", "url": {"href": FILE}}, Attachment(kind="Image", url=FILE)),
        ({"type": "Link", "href": "https://c.example/", "name": "A page"},
         Attachment(kind="Link", url="https://c.example/", alt="A page")),
        ({"type": "Image", "url": FILE, "focalPoint": [-0.5, 9], "blurhash": "LE"},
         Attachment(kind="Image", url=FILE, focus=(-0.5, 1.0), blurhash="LE")),
        ({"type": "Video", "url": FILE, "duration": "PT1M", "icon": {"type": "Image", "url": "https://c.example/p"}},
         Attachment(kind="Video", url=FILE, duration=60, preview="https://c.example/p")),
    ],
)  # fmt: skip
def test_attachments(given: Json, found: Attachment) -> None:
    assert read(attachment=given).attachments == (found,)
    assert read(attachment=[None, {"type": "PropertyValue"}, given]).attachments == (found,)


@pytest.mark.parametrize("odd", [None, "x", {}, {"type": "Image"}, {"type": "Image", "url": "data:x"}, [[]]])
def test_no_attachments(odd: Json) -> None:
    assert read(attachment=odd).attachments == ()


def test_attachments_are_capped() -> None:
    assert len(read(attachment=[{"type": "Image", "url": f"{FILE}?{n}"} for n in range(99)]).attachments) == 16


def test_polls() -> None:
    option = {"type": "Note", "name": "a", "replies": {"type": "Collection", "totalItems": 3}}
    misskey = {"type": "Note", "content": "b", "_misskey_votes": 4}
    note = read(type="Question", oneOf=[option, misskey, option, {}], endTime="1970-01-01T00:00:01Z", votersCount=7)
    assert note.poll is not None
    assert note.poll.options == (Option(name="a", votes=3), Option(name="b", votes=4))
    assert (note.poll.multiple, note.poll.ends, note.poll.closed, note.poll.voters) == (False, 1000, None, 7)
    several = read(type="Question", oneOf=[], anyOf=[{"name": str(n)} for n in range(100)], closed=True).poll
    assert several is not None
    assert (several.multiple, len(several.options), several.closed) == (True, 20, 0)
    closed = read(type="Question", oneOf=option, closed="1970-01-01T00:00:02Z").poll
    assert closed is not None
    assert closed.closed == 2000
    assert read(type="Question").poll is None
    assert read(oneOf=[option]).poll is None


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": OTHER},
        {"quoteUri": OTHER},
        {"quoteUrl": OTHER},
        {"quoteURL": OTHER},
        {"_misskey_quote": OTHER},
        {"quote": {"id": OTHER, "type": "Note"}},
        {"quoteUrl": "", "_misskey_quote": OTHER},
        {"tag": {"type": "Link", "rel": "https://misskey-hub.net/ns#_misskey_quote", "href": OTHER}},
        {"tag": [{"type": "Link", "rel": ["x", "https://w3id.org/fep/044f#quote"], "href": OTHER}]},
    ],
)
def test_quotes(changes: dict[str, Json]) -> None:
    assert read(**changes).quote == OTHER


def test_a_quoted_post_may_be_gone() -> None:
    assert read(quote={"type": "Tombstone", "id": OTHER}, quoteUrl=OTHER).quote == ""


def test_counts_are_believed_where_they_are_embedded() -> None:
    note = read(likes={"id": f"{POST}/likes", "totalItems": 3}, shares=f"{POST}/shares", replies={"totalItems": -1})
    assert (note.likes, note.like_count) == (f"{POST}/likes", 3)
    assert (note.shares, note.share_count) == (f"{POST}/shares", None)
    assert (note.replies, note.reply_count) == ("", None)


def test_threads() -> None:
    note = read(context="https://a.example/contexts/1", conversation="tag:a.example,2024:1")
    assert (note.context, note.conversation) == ("https://a.example/contexts/1", "tag:a.example,2024:1")
    assert read(context="not an address", conversation="two words").conversation == ""


def test_a_video() -> None:
    link = {"type": "Link", "mediaType": "text/html", "href": "https://a.example/w/1"}
    small = {"type": "Link", "mediaType": "video/mp4", "href": "https://a.example/480.mp4", "height": 480}
    large = {
        "type": "Link",
        "mimeType": "video/mp4",
        "href": "https://a.example/1080.mp4",
        "height": 1080,
        "width": 1920,
    }
    huge = {"type": "Link", "mediaType": "video/mp4", "href": "https://a.example/2160.mp4", "height": 2160}
    stream = {"type": "Link", "mediaType": "application/x-mpegURL", "href": "https://a.example/x", "tag": [large, huge]}
    note = read(type="Video", name="V", url=[link, small, stream], icon=[{"url": FILE}], duration="PT29S")
    assert (note.url, note.title, note.duration) == ("https://a.example/w/1", "V", 29)
    assert note.image == Picture(url=FILE)
    video = Attachment(
        kind="Video", url="https://a.example/1080.mp4", media_type="video/mp4", width=1920, height=1080, duration=29,
        preview=FILE,
    )  # fmt: skip
    assert note.attachments == (video,)


def test_audio_and_images_are_files_themselves() -> None:
    sound = read(type="Audio", url={"type": "Link", "href": "https://a.example/1.mp3", "mediaType": "audio/mpeg"})
    assert [(file.kind, file.media_type) for file in sound.attachments] == [("Audio", "audio/mpeg")]
    image = read(type="Image", url=FILE, mediaType="image/png", name="alt")
    assert image.attachments == (Attachment(kind="Image", url=FILE, media_type="image/png", alt="alt"),)
    assert read(type="Image", url="https://a.example/page").attachments == ()


def test_an_event() -> None:
    address = {"type": "PostalAddress", "streetAddress": " ", "addressLocality": "Nantes", "addressCountry": "France"}
    place = {"type": "Place", "name": "Castle", "address": address}
    event = read(type="Event", startTime="1970-01-01T01:00:01+01:00", endTime="soon", location=place).happening
    assert event is not None
    assert (event.starts, event.ends, event.place) == (1000, None, "Castle, Nantes, France")
    online = read(type="Event", location=[None, {"type": "VirtualLocation", "url": "https://meet.example/1"}]).happening
    assert online is not None
    assert online.place == "https://meet.example/1"
    assert read().happening is None


def test_votes() -> None:
    vote = write_vote(uri=f"{ME}#votes/1", author=ME, to="https://b.example/u", question=OTHER, option="yes")
    note = read_note(vote)
    assert note is not None
    assert is_bare(note)
    poll = Poll(options=(Option(name="yes"), Option(name="no")))
    assert is_vote(note, poll)
    assert is_vote(read(name="no", content="<br>", inReplyTo=OTHER), poll)
    assert not is_vote(read(name="perhaps", content=None, inReplyTo=OTHER), poll)
    assert not is_vote(read(type="Article", name="yes", inReplyTo=OTHER), poll)
    assert not is_vote(note, None)
    assert (note.title, note.in_reply_to, note.to) == ("yes", OTHER, ("https://b.example/u",))
    assert not is_bare(read(name="a reply with a title", inReplyTo=OTHER))
    assert not is_bare(read(name="no parent", content=None))


def test_a_note_of_ours_has_no_name_and_an_article_has_a_preview() -> None:
    note = read(inReplyTo=OTHER, quote=OTHER, tag={"type": "Hashtag", "name": "#Ü"}, updated="2024-01-01T00:00:00Z")
    written = write_note(note, tag_base="https://a.example/tags/", can_quote=[], can_reply=[ME])
    assert "name" not in written
    assert written["quote"] == written["quoteUri"] == written["_misskey_quote"] == OTHER
    tagged = written["tag"]
    assert isinstance(tagged, list)
    assert tagged[0] == {"type": "Hashtag", "name": "#Ü", "href": "https://a.example/tags/%C3%BC"}
    assert read_quote_link(sort(written["tag"])) == OTHER
    assert written["interactionPolicy"] == {
        "canQuote": {"automaticApproval": []},
        "canReply": {"automaticApproval": [ME]},
    }
    article = read(type="Article", name="A <title>", summary="<p>About</p>", image=FILE, url="https://a.example/a?b&c")
    preview: Any = write_note(article)["preview"]
    assert preview["type"] == "Note"
    assert "name" not in preview
    assert preview["content"] == (
        "<p><strong>A &lt;title&gt;</strong></p><p>About</p>"
        '<p><a href="https://a.example/a?b&amp;c">https://a.example/a?b&amp;c</a></p>'
    )
    assert preview["attachment"] == [{"type": "Image", "mediaType": "image/png", "url": FILE}]
    assert "updated" not in write_note(article)


def test_alternative_text_is_written_where_either_kind_of_reader_looks() -> None:
    file: Any = write_note(read(attachment={"type": "Image", "url": FILE, "name": "alt"}))["attachment"]
    assert file == [{"type": "Image", "mediaType": "image/png", "url": FILE, "name": "alt", "summary": "alt"}]
