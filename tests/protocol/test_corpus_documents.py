"""Every document of the corpus is read without an exception; what cannot be read is listed here with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.domain.documents import PUBLIC, Activity, Actor, Attachment, Json, Note
from fediblog.errors import Refused
from fediblog.protocol import authority, json_values
from fediblog.protocol.activities import VERBS, object_uris, read_activity
from fediblog.protocol.actors import key_uris, read_actor, read_key
from fediblog.protocol.attachments import write_attachment
from fediblog.protocol.collections import read_collection
from fediblog.protocol.contexts import refuse_tricks
from fediblog.protocol.hostmeta import read_template
from fediblog.protocol.jsontext import decode, encode
from fediblog.protocol.nodeinfo import read_discovery, read_software
from fediblog.protocol.notes import is_bare, read_note, write_note
from fediblog.protocol.webfinger import read_jrd
from tests.corpus import CORPUS, documents, needs_corpus

pytestmark = needs_corpus

DUPLICATE_KEYS = {"pleroma/question-poll-attachment.json", "pleroma/question-poll-attachment-2.json"}
# Vocabularies, published as JSON-LD graphs; no server sends them as activities
GRAPHS = {"fep/other-fep-0499-none.json", "fep/other-fep-1985-none.json", "fep/other-fep-8a8e-none.json"}

POSTS = {"note", "article", "question", "page", "video", "event", "audio"}
DOCUMENT_KINDS = {"collection", "collectionpage", "webfinger", "nodeinfo", "hostmeta", "actor", "other"} | POSTS

UNREADABLE = {
    "the actor has no inbox: a stub, or cut down for a test": """
        bridgyfed/actor-ap-brid-gy.json bridgyfed/actor-bsky-brid-gy.json bridgyfed/actor-eefake-brid-gy.json
        bridgyfed/actor-fa-brid-gy.json bridgyfed/actor-fed-brid-gy.json bridgyfed/actor-nostr-brid-gy.json
        bridgyfed/actor-other-brid-gy.json fedify/actor-bob.json fedify/actor-handle.json
        fep/actor-fep-1970-person-4.json go-ap/actor-person-with-outbox.json gotosocial/actor-extractpubkey-test-00.json
        gotosocial/actor-http-signatures-00.json gotosocial/actor-normalize-test-05.json
        mastodon/actor-activitypub-13.json mastodon/actor-activitypub-14.json w3c/actor-core-ex13.json
    """,
    "the actor has no handle": "fep/actor-fep-b06c-person-5.json",
    "there is no id, or none of http(s)": """
        fep/actor-fep-e965-person-1.json fep/actor-fep-e965-person-6.json granary/actor-organization.json
        granary/actor-with-icon.json letterbook/actor-public-key-tests-00.json
        socialhome/actor-activitypub-profile-invalid.json w3c/actor-other-context.json w3c/actor-vocabulary-ex34.json
        fep/event-fep-8a8e-event-0.json fep/event-fep-8a8e-event-16.json w3c/event-vocabulary-ex144.json
        gotosocial/note-extractpolicy-test-01.json granary/note-granary-note.json granary/note-quote.json
        w3c/note-index-01.json w3c/note-index-12.json w3c/audio-vocabulary-ex49.json
        granary/article-with-audio-video.json granary/article-with-image-attachment-with-alt.json
        w3c/video-vocabulary-ex134.json
    """,
    "the post has no author": """
        communecter/note-00.json mastodon/note-activitypub-17.json w3c/note-index-06.json w3c/note-core-ex11e.json
        w3c/note-content-map-with-invalid-language-tag.json w3c/note-number-as-content.json
        w3c/note-number-as-name.json fep/event-fep-8a8e-event-26.json fep/event-fep-8a8e-event-9.json
        fep/page-fep-1b12-page-2.json funkwhale/audio-00.json go-ap/article-with-multiple-inreplyto.json
        granary/question-question.json granary/question-multiple-choice.json ktistec/question-spec-03.json
        ktistec/question-spec-05.json mastodon/question-activitypub-03.json w3c/question-vocabulary-ex190.json
    """,
    "the author is of another origin than the post, or no actor by http(s)": """
        communecter/event-00.json fep/note-fep-4adb-note-0.json pasture/note-attributed-to-4.json
        pleroma/note-https-info-pleroma-site-activity.json pleroma/note-https-info-pleroma-site-activity3.json
        pleroma/note-spoofed-pleroma-note.json
    """,
    "the activity has no actor, or one without an id": """
        fedify/announce-announce.json granary/announce-repost.json ktistec/announce-readme-05.json
        funfedi-cases/create-activity-3-null-actor.json granary/create-activity-with-actor.json
        granary/create-activity-with-person-tag.json granary/accept-rsvp.json w3c/accept-vocabulary-ex7.json
        w3c/accept-vocabulary-ex7b.json granary/add-tag-of-as2-from-as.json w3c/add-vocabulary-ex9.json
        granary/undo-object-id.json ktistec/dislike-readme-07.json ktistec/like-readme-06.json
        w3c/delete-vocabulary-ex13.json w3c/remove-vocabulary-ex28.json
    """,
    "the answer names no actor by ActivityPub": """
        fep/webfinger-fep-d556-none-1.json fep/webfinger-fep-d556-none-2.json
        gnusocial/webfinger-winterdienst-webfinger.json gnusocial/webfinger-hacker1-00.json
        gnusocial/webfinger-hacker2-00.json tootik/webfinger-resolve-test-73.json
    """,
}

READERS: list[Callable[[Json], object]] = [
    read_actor, read_key, key_uris, read_note, read_activity, read_collection, read_jrd, read_software, read_discovery,
    json_values.ref, json_values.refs, json_values.addresses, json_values.web_link,
    json_values.moment, json_values.duration, json_values.number, json_values.real, json_values.flag, json_values.kinds,
    json_values.language, json_values.media_type, lambda value: json_values.text(value, 100),
    lambda value: json_values.language_map(value, 100),
]  # fmt: skip


@cache
def corpus() -> dict[str, tuple[str, Json]]:
    """Kind and decoded document by path; host-meta documents and what decoding refuses are left out."""
    found = {}
    for _, body, entry in documents():
        if entry["kind"] != "hostmeta" and entry["path"] not in DUPLICATE_KEYS:
            found[entry["path"]] = (entry["kind"], decode(body))
    return found


@cache
def wire() -> dict[str, Any]:
    """What running servers sent to each other."""
    paths = sorted(CORPUS.glob("wire/*/*.json")) if CORPUS else []
    bodies = {f"{path.parent.name}/{path.stem}": path.read_bytes() for path in paths if ".headers" not in path.suffixes}
    return {name: decode(body) for name, body in bodies.items() if body.startswith(b"{")}  # one is '404 Not Found'


def document(path: str) -> Any:
    return corpus()[path][1]


def note(path: str) -> Note:
    doc = document(path)
    found = read_note(doc.get("object") if doc["type"] in VERBS else doc)
    assert found is not None
    return found


def actor(path: str) -> Actor:
    found = read_actor(document(path))
    assert found is not None
    return found


def activity(path: str) -> Activity:
    found = read_activity(document(path))
    assert found is not None
    return found


def inside(value: Json) -> Iterator[Json]:
    """A value and everything in it."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        yield current
        if isinstance(current, dict):
            waiting.extend(current.values())
        elif isinstance(current, list):
            waiting.extend(current)


def read_as(kind: str, doc: Json) -> object:
    if kind == "actor":
        return read_actor(doc)
    if kind in POSTS:
        return read_note(doc)
    if kind in ("collection", "collectionpage"):
        return read_collection(doc)
    if kind == "webfinger":
        jrd = read_jrd(doc)
        return jrd.uri if jrd else ""
    if kind == "nodeinfo":
        return read_software(doc)[0] or read_discovery(doc)
    return True if kind == "other" else read_activity(doc)


def test_every_reader_reads_everything() -> None:
    for _, doc in corpus().values():
        for value in inside(doc):
            for reader in READERS:
                reader(value)
        assert decode(encode(doc)) == doc


def test_what_is_readable_is_read() -> None:
    unreadable = {path for path, (kind, doc) in corpus().items() if not read_as(kind, doc)}
    expected = {path for paths in UNREADABLE.values() for path in paths.split()}
    assert unreadable == expected


def test_most_of_every_kind_is_read() -> None:
    read: dict[str, int] = {}
    for kind, doc in corpus().values():
        read[kind] = read.get(kind, 0) + bool(read_as(kind, doc))
    assert read["actor"] >= 111
    assert read["note"] >= 65
    assert read["create"] >= 114
    assert read["collection"] + read["collectionpage"] == 66
    assert sum(count for kind, count in read.items() if kind not in DOCUMENT_KINDS) >= 300


def test_duplicate_keys_are_refused() -> None:
    bodies = [body for _, body, entry in documents() if entry["path"] in DUPLICATE_KEYS]
    assert len(bodies) == 2
    for body in bodies:
        with pytest.raises(Refused, match="json-duplicate-key"):
            decode(body)


def test_only_vocabularies_use_the_tricks_of_jsonld() -> None:
    tricky = set()
    for path, (_, doc) in corpus().items():
        try:
            refuse_tricks(doc)
        except Refused:
            tricky.add(path)
    assert tricky == GRAPHS


def test_host_meta_documents_all_name_a_template() -> None:
    templates = [read_template(body.decode()) for _, body, entry in documents() if entry["kind"] == "hostmeta"]
    assert len(templates) == 12
    assert all("{uri}" in template for template in templates)
    assert "https://squeet.me/.well-known/webfinger?resource={uri}" in templates


def typed(attachment: Attachment) -> Attachment:
    """As it is written: with the media type that its address tells, if it has none."""
    kind = attachment.media_type or write_attachment(attachment).get("mediaType", "")
    return replace(attachment, media_type=str(kind))


def test_every_post_survives_being_written_again() -> None:
    for path, (kind, doc) in corpus().items():
        found = read_note(doc) if kind in POSTS else None
        if found is not None and found.kind in ("Note", "Question") and not found.title and not found.warning:
            written = json.loads(json.dumps(write_note(found)))
            again = read_note(written)
            assert again is not None, path
            assert (again.content, again.to, again.cc, again.mentions, again.hashtags) == (
                found.content,
                found.to,
                found.cc,
                found.mentions,
                found.hashtags,
            ), path
            assert (again.attachments, again.poll, again.quote, again.published) == (
                tuple(map(typed, found.attachments)),
                found.poll,
                found.quote,
                found.published,
            ), path


# Invalid on purpose, spoofed, forged


def test_an_activity_about_somebody_elses_things_changes_nothing() -> None:
    created = activity("django-activitypub-toolkit/create-impersonate-attributedto.json")
    assert read_note(created.object) is None  # its author is of another origin
    deleted = activity("django-activitypub-toolkit/delete-others-object.json")
    assert not authority.owner_matches("http://testserver/users/bob", deleted)
    assert not authority.same_origin(deleted.object_uri, deleted.actor)
    updated = activity("django-activitypub-toolkit/update-others-object.json")
    forged = read_note(updated.object)
    assert forged is not None
    assert not authority.object_is_theirs(updated, forged)
    assert not authority.owner_matches(forged.author, updated)


def test_a_signer_does_not_speak_for_another_actor() -> None:
    follow = activity("django-activitypub-toolkit/follow-actor-mismatch.json")
    with pytest.raises(Refused, match="signer-is-not-actor"):
        authority.may_speak("https://evil.example.com/users/mallory", follow)
    with pytest.raises(Refused, match="foreign-activity-id"):
        authority.may_speak(follow.actor, follow)
    cross = activity("fedify/create-cross-origin-actor.json")
    with pytest.raises(Refused, match="foreign-activity-id"):
        authority.may_speak(cross.actor, cross)


def test_forged_webfinger_answers_lead_nowhere() -> None:
    for path in ("gnusocial/webfinger-hacker1-00.json", "gnusocial/webfinger-hacker2-00.json"):
        jrd = read_jrd(document(path))
        assert jrd is not None
        assert jrd.uri == ""
    imposter = read_jrd(document("pleroma/webfinger-graf-imposter-webfinger.json"))
    assert imposter is not None
    assert imposter.handle == ("graf", "poa.st")
    assert authority.origin(imposter.uri) == ("https", "fba.ryona.agenc", 443)  # so poa.st itself has to be asked


def test_invalid_collections_are_harmless() -> None:
    names = ["collection", "collection-ordered-collection"]
    for name in names:
        collection = read_collection(document(f"w3c/{name}-with-non-page-first.json"))
        assert collection is not None
        assert read_collection(collection.first) is None or not collection.items
    for name in ("ordered-collection-with-items", "unordered-collection-with-ordered-items"):
        assert read_collection(document(f"w3c/collection-{name}.json")) is not None


def test_wrong_types_are_dropped() -> None:
    assert json_values.text(document("w3c/note-number-as-content.json")["content"], 10) == ""
    assert json_values.name(document("w3c/note-number-as-name.json")["name"]) == ""
    tagged = document("w3c/note-content-map-with-invalid-language-tag.json")["contentMap"]
    assert set(tagged) == {"de-419-DE"}
    assert json_values.language_map(tagged, 100) == {}
    assert read_activity(document("w3c/other-number-as-actor.json")) is None
    assert read_activity(document("w3c/other-number-as-type.json")) is None
    assert json_values.name(document("w3c/other-name-as-namemap.json").get("name")) == ""
    assert actor("microblogpub/actor-user-with-invalid-also-known-as.json").also_known_as == ()


# What it means


def test_posts_mean_what_their_servers_meant() -> None:
    video = note("peertube/video-peertube-moe-vid.json")
    assert video.author == "https://peertube.moe/accounts/7even"  # of Group and Person
    assert (video.media_type, video.duration, video.share_count, video.hashtags) == ("text/markdown", 29, 2, ("feels",))
    assert [file.media_type for file in video.attachments] == ["video/mp4"]
    page = note("lemmy/page-image-and-link-obj.json")
    assert (page.title, page.language) == ("Post with image and link", "fr")
    assert [file.kind for file in page.attachments] == ["Image", "Link"]
    quote = note("misskey/note-quote.json")
    assert quote.quote == "https://example.com/objects/43479e20-c0f8-4f49-bf7f-13fab8234924"
    assert (quote.summary, quote.conversation) == ("", "")
    assert note("fedibird/note-fedibird-quote-uri.json").conversation.startswith("tag:fedibird.com,2022-01-28:")
    assert [emoji.name for emoji in note("gotosocial/note-extractemojis-test-00.json").emoji] == ["shocked_pikachu"]
    event = note("mobilizon/event-mobilizon-org-event.json").happening
    assert event is not None
    assert event.place == "Cour du Château des Ducs de Bretagne, Nantes, Pays de la Loire, France"
    party = note("funfedi-cases/create-events-0-default.json").happening
    assert party is not None
    assert (party.starts, party.place) == (1_795_802_488_302, "http://localhost")  # '…+00:00Z'
    poll = note("misskey/question-misskey-poll-no-end-date.json").poll
    assert poll is not None
    assert [(option.name, option.votes) for option in poll.options] == [("Working", 0), ("Broken af", 1)]
    article = note("fep/article-fep-b2b8-article-5.json")
    assert article.image is not None
    assert article.url.endswith(".html")
    assert note("mastodon/note-django-activ-post.json").like_count == 1
    assert is_bare(note("mastodon/create-mastodon-vote.json"))


def test_actors_and_their_keys() -> None:
    mitra = actor("mitra/actor-hongminhee.json")
    assert [key.kind for key in mitra.keys] == ["rsa", "ed25519"]
    assert [key.kind for key in actor("streams/actor-sample-mike-2023-12.json").keys] == ["rsa", "ed25519"]
    stub = read_key(document("gotosocial/actor-http-signatures-00.json"))
    assert stub is not None
    assert stub.uri == "https://example.org/users/example_user/main-key"
    alone = read_key(document("fedify/other-key.json"))
    assert alone is not None
    assert (alone.uri, alone.owner) == ("https://example.com/key", "https://example.com/person")


def test_activities_are_routed() -> None:
    assert activity("lemmy/undo-lock-note.json").route == ("Undo", "Lock")
    assert activity("lemmy/delete-user.json").route[0] == "Delete"
    assert activity("mastodon/undo-mastodon-like-1-undo.json").route == ("Undo", "Like")
    assert activity("fep/accept-fep-044f-accept-5.json").result == "https://example.com/users/alice/stamps/1"
    assert len(object_uris(activity("gotosocial/flag-moderation-00.json"))) > 1
    assert activity("funfedi-cases/create-activity-15-as-list-actor.json").actor == "http://host.test/some/actor"
    assert activity("misskey/like-custom-emoji-reaction.json").content


def test_what_was_recorded_between_servers_is_read_whole() -> None:
    assert len(wire()) > 20
    for name, doc in wire().items():
        refuse_tricks(doc)
        if "/activity-" not in name:
            continue
        found = read_activity(doc)
        assert found is not None, name
        assert found.uri, name
        verb, _, kind = name.partition("/activity-")[2].partition("-")
        assert found.kind == verb
        if verb == "Create":
            post = read_note(found.object)
            assert post is not None, name
            assert authority.object_is_theirs(found, post), name
            assert post.kind == kind.split("-")[0]
            assert (PUBLIC in post.to) == (
                kind.count("-") == 0 or kind.endswith(("-reply", "-poll", "-cw", "-attachment"))
            )


def test_what_running_servers_serve_is_read() -> None:
    served = wire()
    hollo = read_actor(served["hollo/actor"])
    assert hollo is not None
    assert {key.kind for key in hollo.keys} == {"rsa", "ed25519"}
    assert read_jrd(served["hollo/webfinger"]) is not None
    assert read_software(served["hollo/nodeinfo"])[0] == "hollo"
    for name in ("followers", "following", "outbox", "featured", "followers-page1", "outbox-page1"):
        assert read_collection(served[f"hollo/{name}"]) is not None, name
    question = read_note(served["hollo/object-Question"])
    assert question is not None
    assert question.poll is not None
    file = read_note(served["hollo/object-Note-attachment"])
    assert file is not None
    assert len(file.attachments) == 1
