"""One envelope for all verbs: reading every shape, and what the builders say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from fediblog.domain.documents import PUBLIC, Activity, Emoji, Json
from fediblog.protocol import activities
from fediblog.protocol.activities import read_activity
from tests.protocol.generated import anything, objects

ME = "https://a.example/users/me"
YOU = "https://b.example/users/you"
POST = "https://b.example/posts/1"
ID = "https://a.example/activities/1"


def read(**changes: Json) -> Activity:
    activity = read_activity({"id": ID, "type": "Like", "actor": ME, "object": POST} | changes)
    assert activity is not None
    return activity


@given(anything)
def test_reading_never_raises(value: Json) -> None:
    read_activity(value)


@given(objects)
def test_reading_odd_properties_never_raises(odd: dict[str, Json]) -> None:
    read_activity(odd | {"type": "Announce", "actor": ME, "object": odd | {"type": "Undo"}})


@pytest.mark.parametrize(
    "actor", [ME, {"id": ME, "type": "Person"}, [ME], [{"id": ME}, YOU], {"type": "Person", "id": ME, "inbox": 4}]
)
def test_actor(actor: Json) -> None:
    assert read(actor=actor).actor == ME


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": None},
        {"actor": 4},
        {"actor": {"name": "x"}},
        {"type": None},
        {"type": 7},
        {"type": []},
        {"type": "Note"},
        {"type": "Person"},
        {"type": "OrderedCollection"},
    ],
)
def test_essentials(changes: dict[str, Json]) -> None:
    assert read_activity({"id": ID, "type": "Like", "actor": ME, "object": POST} | changes) is None


def test_an_activity_without_an_id_is_transient() -> None:
    assert read(id=None).uri == ""
    assert read(id="SCRUBBED").uri == ""


def test_unknown_verbs_are_read_and_known_ones_preferred() -> None:
    assert read(type="sports:Fan").kind == "sports:Fan"
    assert read(type=["Odd", "as:Like"]).kind == "Like"


@pytest.mark.parametrize(
    ("object", "uri", "kind"),
    [
        (POST, POST, ""),
        ({"id": POST}, POST, ""),
        ({"id": POST, "type": "Tombstone"}, POST, "Tombstone"),
        ({"type": ["Odd", "Note"], "id": POST}, POST, "Note"),
        ({"type": "Odd", "id": POST}, POST, "Odd"),
        ([POST, ME], POST, ""),
        ([{"id": POST, "type": "Note"}], POST, "Note"),
        ({}, "", ""),
        ([], "", ""),
        (None, "", ""),
    ],
)
def test_object(object: Json, uri: str, kind: str) -> None:
    activity = read(object=object)
    assert (activity.object_uri, activity.object_kind) == (uri, kind)
    assert activity.object == (object[0] if isinstance(object, list) and len(object) == 1 else object)


def test_activities_within_activities_end_at_two_levels() -> None:
    like: dict[str, Json] = {"id": f"{ID}/3", "type": "Like", "actor": YOU, "object": POST}
    undo: dict[str, Json] = {"id": f"{ID}/2", "type": "Undo", "actor": YOU, "object": like}
    announce = read(type="Announce", object=undo)
    assert announce.route == ("Announce", "Undo")
    assert announce.inner is not None
    assert announce.inner.inner is not None
    assert announce.inner.inner.kind == "Like"
    deep = read(type="Announce", object={"type": "Announce", "actor": ME, "object": undo})
    assert deep.inner is not None
    assert deep.inner.inner is not None
    assert deep.inner.inner.inner is None
    assert deep.inner.inner.object_uri == f"{ID}/3"


def test_only_an_undo_lends_its_actor() -> None:
    bare: dict[str, Json] = {"type": "Follow", "object": YOU}
    undone = read(type="Undo", object=bare).inner
    assert undone is not None
    assert undone.actor == ME
    assert read(type="Accept", object=bare).inner is None
    assert read(type="Accept", object=bare).route == ("Accept", "Follow")


def test_the_rest_of_the_envelope() -> None:
    activity = read(
        type="Accept",
        target={"id": YOU},
        origin=[ME],
        result="https://a.example/stamps/1",
        instrument={"type": "Note", "id": POST},
        content="because",
        to="as:Public",
        cc=[YOU],
        audience=[YOU, "https://c.example/g"],
        published="1970-01-01T00:00:01Z",
        updated=["1970-01-01T00:00:02Z"],
        tag={"type": "Emoji", "name": ":x:", "icon": {"url": POST}},
    )
    assert (activity.target, activity.origin, activity.instrument) == (YOU, ME, POST)
    assert (activity.result, activity.content) == ("https://a.example/stamps/1", "because")
    assert (activity.to, activity.cc) == ((PUBLIC,), (YOU, "https://c.example/g"))
    assert (activity.published, activity.updated) == (1000, 2000)
    assert activity.emoji == (Emoji(name="x", url=POST),)
    assert activity.raw["type"] == "Accept"


def test_misskey_names_reactions_its_own_way() -> None:
    assert read(_misskey_reaction="⭐").content == "⭐"


def test_a_report_names_several() -> None:
    assert activities.object_uris(read(type="Flag", object=[YOU, POST, {"id": POST}])) == (YOU, POST)


def built(document: dict[str, Json]) -> tuple[dict[str, Any], Activity]:
    sent: dict[str, Any] = json.loads(json.dumps(document))
    activity = read_activity(sent)
    assert activity is not None
    assert next(iter(sent)) == "@context"
    assert isinstance(sent["actor"], str)
    assert json.dumps(sent).count('"@context"') == 1
    return sent, activity


NOTE: dict[str, Json] = {
    "@context": "x", "id": "https://a.example/1", "type": "Note", "attributedTo": ME, "to": [PUBLIC], "cc": [YOU],
    "published": "1970-01-01T00:00:01Z", "bto": [YOU],
}  # fmt: skip


def test_what_is_written_is_read() -> None:
    written = activities.write_activity(
        "Create", uri=ID, actor=ME, object=NOTE, to=(PUBLIC,), cc=(YOU,), published=1000, content=""
    )
    sent, create = built(written)
    assert create == Activity(
        kind="Create",
        actor=ME,
        uri=ID,
        object=sent["object"],
        object_uri="https://a.example/1",
        object_kind="Note",
        to=(PUBLIC,),
        cc=(YOU,),
        published=1000,
    )
    assert "bto" not in sent["object"]
    assert "content" not in sent, "what is empty is left out"


def test_a_tombstone_says_what_was_there() -> None:
    assert activities.tombstone(POST, "Article") == {"id": POST, "type": "Tombstone", "formerType": "Article"}
    assert activities.tombstone(ID, deleted=0) == {"id": ID, "type": "Tombstone", "deleted": "1970-01-01T00:00:00Z"}


def test_an_authorization_names_both_posts() -> None:
    stamp = activities.quote_authorization(f"{POST}/stamp", YOU, "https://a.example/1", POST)
    assert (stamp["interactingObject"], stamp["interactionTarget"]) == ("https://a.example/1", POST)
    assert activities.grantor(stamp, "https://a.example/1", POST) == YOU
    assert activities.grantor(stamp, POST, "https://a.example/1") == ""
    like = activities.reply_authorization(f"{POST}/stamp", YOU, f"{ME}/likes/1", POST, "Like")
    assert (like["type"], like["interactionTarget"]) == ("LikeAuthorization", POST)


def test_blind_copies_never_leave() -> None:
    document: dict[str, Json] = {"bto": [YOU], "to": [ME], "object": {"bcc": YOU, "id": POST, "object": {"bto": 1}}}
    assert activities.strip_blind(document) == {"to": [ME], "object": {"id": POST, "object": {}}}
