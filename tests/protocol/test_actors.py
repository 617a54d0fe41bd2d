"""Actors and keys: what is essential, what is dropped, and that we read what we write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from fediblog.domain.documents import Actor, Emoji, Json, Key, Picture, ProfileField
from fediblog.protocol.actors import key_uris, read_actor, read_key, write_actor
from tests.protocol.generated import actors, anything, objects

ME = "https://a.example/users/me"
PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"
ED_PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAAAA\n-----END PUBLIC KEY-----\n"
MULTIKEY = "z6MkweqJajqa5jRAJTBVxxu47oCdB7HzmYbBKN8VGbFJmKkC"


def document(**changes: Json) -> dict[str, Any]:
    plain = {"id": ME, "type": "Person", "preferredUsername": "me", "inbox": f"{ME}/inbox"}
    return {key: value for key, value in (plain | changes).items() if value is not None}


def read(**changes: Json) -> Actor:
    actor = read_actor(document(**changes))
    assert actor is not None
    return actor


@given(actors())
def test_we_read_what_we_write(actor: Actor) -> None:
    assert read_actor(json.loads(json.dumps(write_actor(actor)))) == actor


@given(anything)
def test_reading_never_raises(value: Json) -> None:
    read_actor(value)
    read_key(value)
    key_uris(value)


@given(objects)
def test_reading_an_actor_with_odd_properties_never_raises(odd: dict[str, Json]) -> None:
    read_actor(document() | odd)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "tag:a.example,2024:me"},
        {"type": None},
        {"type": "Note"},
        {"preferredUsername": None},
        {"preferredUsername": "a b"},
        {"preferredUsername": ".me"},
        {"preferredUsername": "me-"},
        {"preferredUsername": "me@b.example"},
        {"preferredUsername": "x" * 129},
        {"inbox": None},
        {"inbox": "http://a.example/users/me/inbox"},
        {"inbox": "http://b.example/inbox"},
    ],
)
def test_essentials(changes: dict[str, Json]) -> None:
    assert read_actor(document(**changes)) is None


@pytest.mark.parametrize("handle", ["me", "Me_2", "first.last", "a-b", "mastodon.social", "a--.b"])
def test_handles_of_others(handle: str) -> None:
    assert read(preferredUsername=handle).handle == handle


def test_sites_that_may_name_an_actor_as_their_author() -> None:
    named = ["Blog.Example", "blog.example", 5, "https://a.example", "a b", "b.example:8443", ""]
    assert read(attributionDomains=named).attribution_domains == ("blog.example", "b.example:8443")
    assert read(attributionDomains="one.example").attribution_domains == ("one.example",)
    assert read(attributionDomains={"a": 1}).attribution_domains == ()


def test_the_webfinger_address_may_stand_for_the_handle() -> None:
    actor = read(preferredUsername=None, webfinger="acct:me@A.example")
    assert (actor.handle, actor.webfinger) == ("me", "me@a.example")
    assert read(webfinger="me@a.example/path").webfinger == ""


def test_type_may_be_a_list() -> None:
    assert read(type=["schema:Thing", "Service"]).kind == "Service"


def test_collections_of_another_origin_are_dropped() -> None:
    actor = read(
        followers="https://b.example/followers",
        featured="https://b.example/featured",
        outbox={"id": f"{ME}/outbox"},
        endpoints={"sharedInbox": "https://b.example/inbox"},
    )
    assert (actor.followers, actor.featured, actor.outbox, actor.shared_inbox) == ("", "", f"{ME}/outbox", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoints": {"sharedInbox": "https://a.example/inbox"}},
        {"sharedInbox": "https://a.example/inbox"},
        {"sharedInbox": "https://a.example/inbox", "endpoints": "https://a.example/endpoints"},
    ],
)
def test_the_shared_inbox_stands_in_two_places(changes: dict[str, Json]) -> None:
    assert read(**changes).shared_inbox == "https://a.example/inbox"


ICON = "https://a.example/i.png"


@pytest.mark.parametrize(
    "icon",
    [
        ICON,
        {"url": ICON},
        {"type": "Image", "url": {"type": "Link", "href": ICON}},
        {"type": "Image", "url": [{"type": "Link", "href": ICON, "mediaType": "image/png"}]},
        {"type": "Link", "href": ICON},
        [{"url": "https://a.example/small.png", "width": 48}, {"url": ICON, "width": 120}],
        [None, ICON],
    ],
)
def test_pictures(icon: Json) -> None:
    found = read(icon=icon).icon
    assert found is not None
    assert found.url == ICON
    assert read(icon={"url": ICON, "mediaType": "image/PNG", "name": "me"}).icon == Picture(
        url=ICON, media_type="image/png", alt="me"
    )


def test_fields_emoji_and_aliases() -> None:
    actor = read(
        attachment=[
            {"type": "PropertyValue", "name": "Site", "value": "<a>x</a>"},
            {"type": "Note", "name": "no", "value": "no"},
            {"type": "PropertyValue", "name": "", "value": "no"},
            *({"type": "PropertyValue", "name": f"{n}", "value": "v" * 2000} for n in range(40)),
        ],
        tag={"type": "Emoji", "name": ":x:", "id": None, "icon": {"url": ICON}},
        alsoKnownAs="https://b.example/me",
    )
    assert actor.fields[0] == ProfileField(name="Site", value="<a>x</a>")
    assert len(actor.fields) == 16
    assert len(actor.fields[1].value) == 1000
    assert actor.emoji == (Emoji(name="x", url=ICON),)
    assert actor.also_known_as == ("https://b.example/me",)
    assert read(alsoKnownAs=[1, None, "https://b.example/me"]).also_known_as == ("https://b.example/me",)


def test_a_single_profile_field_may_be_no_list() -> None:
    assert read(attachment={"type": "schema:PropertyValue", "name": "a", "value": "b"}).fields[0].name == "a"


KEY: dict[str, Json] = {"id": f"{ME}#main-key", "owner": ME, "publicKeyPem": PEM}
OWNED = Key(uri=f"{ME}#main-key", owner=ME, kind="rsa", public=PEM)


@pytest.mark.parametrize(
    ("key", "held"),
    [
        (KEY, (OWNED,)),
        ([KEY], (OWNED,)),
        ([KEY, KEY], (OWNED,)),
        (KEY | {"owner": {"id": ME}}, (OWNED,)),
        (KEY | {"owner": None}, (OWNED,)),
        (KEY | {"owner": "https://a.example/users/other"}, ()),
        (KEY | {"id": "https://b.example/key"}, ()),
        (KEY | {"publicKeyPem": ""}, ()),
        (f"{ME}#main-key", ()),
        (7, ()),
    ],
)
def test_public_keys(key: Json, held: tuple[Key, ...]) -> None:
    assert read(publicKey=key).keys == held


def test_kinds_of_keys() -> None:
    multikey = {"id": f"{ME}#ed", "type": "Multikey", "controller": ME, "publicKeyMultibase": MULTIKEY}
    actor = read(publicKey=KEY | {"publicKeyPem": ED_PEM}, assertionMethod=[multikey, multikey | {"id": 4}, f"{ME}#x"])
    assert [(key.kind, key.uri) for key in actor.keys] == [("ed25519", f"{ME}#main-key"), ("ed25519", f"{ME}#ed")]
    assert read(assertionMethod=multikey | {"publicKeyMultibase": "zDnaeUKTWUXc1"}).keys == ()
    assert read(assertionMethod=multikey | {"publicKeyMultibase": "z4MXj1wBzi9jUsty"}).keys[0].kind == "rsa"
    many = [KEY | {"id": f"{ME}#{n}"} for n in range(50)]
    assert len(read(publicKey=many).keys) == 10


def test_key_uris_are_claims_with_or_without_the_key() -> None:
    assert key_uris({"publicKey": f"{ME}#1", "assertionMethod": [{"id": f"{ME}#2"}]}) == (f"{ME}#1", f"{ME}#2")


def test_documents_behind_a_key_id() -> None:
    stub = {"id": ME, "type": "Person", "preferredUsername": "me", "publicKey": KEY}
    assert read_key(stub) == OWNED  # GoToSocial: no inbox, no name
    assert read_key(stub, f"{ME}#main-key") == OWNED
    assert read_key(stub, ME) == OWNED
    assert read_key(stub, f"{ME}#other") is None
    assert read_key(KEY | {"type": "CryptographicKey"}) == OWNED
    assert read_key(KEY, f"{ME}#other") is None
    multikey = {"id": f"{ME}#ed", "type": "Multikey", "controller": ME, "publicKeyMultibase": MULTIKEY}
    assert read_key(multikey) == Key(uri=f"{ME}#ed", owner=ME, kind="ed25519", public=MULTIKEY)
    assert read_key({"id": f"{ME}#ed", "publicKeyMultibase": MULTIKEY}) is None
    assert read_key({"id": ME, "publicKey": KEY | {"owner": "https://b.example/"}}) is None


def test_the_shape_that_others_expect() -> None:
    actor = read(publicKey=KEY)
    written = write_actor(actor)
    assert isinstance(written["@context"], list)
    assert written["@context"][0] == "https://www.w3.org/ns/activitystreams"
    assert written["publicKey"] == KEY
    assert written["attachment"] == []
    assert written["discoverable"] is False
    assert "memorial" not in written
