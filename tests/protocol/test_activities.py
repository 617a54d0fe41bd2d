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


def test_create_and_update_take_author_and_audience_from_the_post() -> None:
    sent, create = built(activities.create(ID, NOTE))
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
    assert built(activities.update(ID, NOTE, 5000))[1].published == 5000


def test_update_and_delete_of_an_actor() -> None:
    actor: dict[str, Json] = {"@context": "x", "id": ME, "type": "Person"}
    update = built(activities.update_actor(ID, actor, f"{ME}/followers"))[1]
    assert (update.actor, update.object_uri, update.to, update.cc) == (ME, ME, (PUBLIC,), (f"{ME}/followers",))
    delete = built(activities.delete_actor(ID, ME))[1]
    assert (delete.kind, delete.actor, delete.object, delete.to) == ("Delete", ME, ME, (PUBLIC,))


def test_delete_leaves_a_tombstone() -> None:
    sent, delete = built(activities.delete(ID, ME, "https://a.example/1", former="Article", cc=[YOU]))
    assert sent["object"] == {"id": "https://a.example/1", "type": "Tombstone", "formerType": "Article"}
    assert delete.route == ("Delete", "Tombstone")
    assert activities.tombstone(ID, deleted=0) == {"id": ID, "type": "Tombstone", "deleted": "1970-01-01T00:00:00Z"}


def test_follow_and_its_answers() -> None:
    follow = activities.follow(ID, ME, YOU)
    assert built(follow)[1].to == (YOU,)
    for answer, kind in ((activities.accept, "Accept"), (activities.reject, "Reject")):
        sent, activity = built(answer(f"{POST}/2", YOU, follow))
        assert activity.route == (kind, "Follow")
        assert activity.to == (ME,)
        assert sent["object"]["id"] == ID
        assert "result" not in sent


def test_undo_is_inline_and_goes_where_the_undone_went() -> None:
    undo = built(activities.undo(f"{ID}/undo", activities.like(ID, ME, POST, [YOU])))[1]
    assert undo.route == ("Undo", "Like")
    assert undo.inner is not None
    assert (undo.inner.uri, undo.inner.object_uri, undo.to) == (ID, POST, (YOU,))


def test_reactions_and_boosts() -> None:
    emoji = Emoji(name="x", url="https://a.example/x.png")
    react = built(activities.emoji_react(ID, ME, POST, ":x:", [YOU], emoji))[1]
    assert (react.kind, react.content, react.emoji) == ("EmojiReact", ":x:", (emoji,))
    boost = built(activities.announce(ID, ME, POST, to=[PUBLIC], cc=[YOU], published=0))[1]
    assert (boost.kind, boost.object, boost.cc, boost.published) == ("Announce", POST, (YOU,), 0)


def test_moves_pins_blocks_and_reports() -> None:
    move = built(activities.move(ID, ME, YOU, f"{ME}/followers"))[1]
    assert (move.object_uri, move.target, move.to) == (ME, YOU, (f"{ME}/followers",))
    for build in (activities.add, activities.remove):
        pin = built(build(ID, ME, POST, f"{ME}/featured", [PUBLIC]))[1]
        assert (pin.object_uri, pin.target) == (POST, f"{ME}/featured")
    assert built(activities.block(ID, ME, YOU))[1].to == (YOU,)
    report = built(activities.flag(ID, "https://a.example/actor", [YOU, POST], "spam"))[1]
    assert (activities.object_uris(report), report.content) == ((YOU, POST), "spam")


def test_quotes() -> None:
    request = built(activities.quote_request(ID, ME, POST, NOTE, [YOU]))[1]
    assert (request.object_uri, request.instrument) == (POST, "https://a.example/1")
    accept = built(activities.accept(f"{POST}/2", YOU, request.raw, result=f"{POST}/stamp"))[1]
    assert (accept.route, accept.result) == (("Accept", "QuoteRequest"), f"{POST}/stamp")
    stamp = activities.quote_authorization(f"{POST}/stamp", YOU, "https://a.example/1", POST)
    assert (stamp["interactingObject"], stamp["interactionTarget"]) == ("https://a.example/1", POST)


def test_blind_copies_never_leave() -> None:
    document: dict[str, Json] = {"bto": [YOU], "to": [ME], "object": {"bcc": YOU, "id": POST, "object": {"bto": 1}}}
    assert activities.strip_blind(document) == {"to": [ME], "object": {"id": POST, "object": {}}}
