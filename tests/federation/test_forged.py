"""Forgeries that have worked against servers of this kind: each does nothing here, and its honest twin does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from fediblog.federation.inbound import receive
from fediblog.federation.lookups import resolve
from fediblog.store.people import accounts, host_rules
from fediblog.store.posts import posts
from fediblog.store.queues import incoming_queue
from tests import host_blocks
from tests.federation.stranger import Home, Person, home
from tests.world import keys_of

Json = dict[str, Any]


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


@pytest.fixture
def eve(at_home: Home) -> Person:
    """The forger, on a server of her own."""
    return Person(at_home.web, "eve.test", "eve")


@pytest.fixture
def neighbour(at_home: Home) -> Person:
    """A forger on bob's own server."""
    return Person(at_home.web, "bob.test", "mallory")


async def state(at_home: Home) -> list[Any]:
    """Everything that a forgery might change."""
    return [
        await at_home.ask("select uri, content, visibility, state, account, pinned from post order by id"),
        await at_home.ask("select follower, followed, state from follow order by follower, followed"),
        await at_home.ask("select account, post, kind from reaction order by account"),
        await at_home.ask("select account, post from boost order by account"),
        await at_home.ask("select uri, name, handle, domain, state, moved_to from account where handle = 'bob'"),
        await at_home.ask("select uri, public from signing_key where uri like 'https://bob%' order by uri"),
        await at_home.ask("select account, target from block"),
        await at_home.ask("select uri from tombstone"),
    ]


Forge = Callable[[Home, Person, Json], Json]


def _update(home: Home, bob: Person, note: Json) -> Json:
    return bob.does("Update", {**note, "content": "<p>forged</p>", "updated": "2025-06-02T10:00:00Z"}, 9)


FORGED: dict[str, Forge] = {
    "update of a post": _update,
    "update of a profile": lambda home, bob, note: bob.does("Update", {**bob.document, "name": "Forged"}, 9),
    "delete of a post": lambda home, bob, note: bob.does("Delete", note["id"], 9),
    "delete of an account": lambda home, bob, note: bob.does("Delete", bob.uri, 9),
    "undo of a follow": lambda home, bob, note: bob.does("Undo", bob.does("Follow", home.alice.uri), 9),
    "undo of a follow by id": lambda home, bob, note: bob.does("Undo", bob.does("Follow", home.alice.uri)["id"], 9),
    "undo of a like": lambda home, bob, note: bob.does("Undo", bob.does("Like", _ours(home)), 9),
    "undo of a like by id": lambda home, bob, note: bob.does("Undo", bob.does("Like", _ours(home))["id"], 9),
    "undo of a boost": lambda home, bob, note: bob.does("Undo", bob.does("Announce", _ours(home)), 9),
    "undo of a boost by id": lambda home, bob, note: bob.does("Undo", bob.does("Announce", _ours(home))["id"], 9),
    "block": lambda home, bob, note: bob.does("Block", home.alice.uri, 9),
    "pin": lambda home, bob, note: bob.does("Add", note["id"], 9, target=f"{bob.uri}/featured"),
    "move": lambda home, bob, note: bob.does("Move", bob.uri, 9, target="https://bob.test/u/newbob"),
}


def _ours(home: Home) -> str:
    return home.site.urls.post(_POSTS[id(home)])


_POSTS: dict[int, int] = {}


async def prepared(at_home: Home, bob: Person) -> Json:
    """Bob is followed, follows, liked, boosted and wrote; the note he wrote."""
    await at_home.follows(bob)
    post = await at_home.writes()
    _POSTS[id(at_home)] = post.id
    note = bob.note()
    Person(at_home.web, "bob.test", "newbob", {"alsoKnownAs": [bob.uri]})
    for activity in (
        bob.does("Follow", at_home.alice.uri),
        bob.creates(note),
        bob.does("Like", post.uri),
        bob.does("Announce", post.uri),
    ):
        assert (await at_home.send(bob, activity)).status == 202
    return note


@pytest.mark.parametrize("who", ["eve", "neighbour"])
@pytest.mark.parametrize("what", FORGED)
async def test_nobody_does_it_in_another_name(
    at_home: Home, bob: Person, eve: Person, neighbour: Person, what: str, who: str
) -> None:
    """The forger signs with a good key of her own: as the actor, and in the name of bob."""
    note = await prepared(at_home, bob)
    forger = eve if who == "eve" else neighbour
    await at_home.know(forger)
    before = await state(at_home)
    activity = FORGED[what](at_home, bob, note)
    await at_home.send(forger, activity)  # bob as the actor
    if what not in ("block",):
        own = {**activity, "actor": forger.uri, "id": f"{forger.uri}#forged"}
        if isinstance(activity["object"], dict) and "actor" in activity["object"]:
            own["object"] = {**activity["object"], "actor": bob.uri}
        await at_home.send(forger, own)
    await at_home.work()
    assert await state(at_home) == before
    assert (await at_home.send(bob, activity)).status == 202
    await at_home.work()
    assert await state(at_home) != before


async def with_key(at_home: Home, forger: Person, activity: Json, key_id: str) -> receive.Receipt:
    receipt = await at_home.send(forger, activity, key_id=key_id)
    await at_home.work()
    return receipt


@pytest.mark.parametrize("way", ["key document", "owner in the key", "two owners", "actor on another host"])
async def test_a_key_must_be_listed_by_its_owner(at_home: Home, bob: Person, eve: Person, way: str) -> None:
    """The key's own document may claim any owner: only the owner's document counts."""
    public = keys_of("eve.test", "eve")[0].public
    follow = bob.does("Follow", at_home.alice.uri)
    key_id = "https://eve.test/keys/1"
    match way:
        case "key document":
            at_home.web.put(key_id, {"id": key_id, "type": "Key", "owner": bob.uri, "publicKeyPem": public})
        case "owner in the key":
            eve.publish(publicKey={"id": eve.key_id, "owner": bob.uri, "publicKeyPem": public}, assertionMethod=[])
            key_id = eve.key_id
        case "two owners":
            key = {"id": "https://bob.test/files/key", "owner": bob.uri, "publicKeyPem": public}
            at_home.web.put(key["id"], key)  # something that eve put on bob's server
            key_id = key["id"]
        case _:
            at_home.web.put(
                key_id, {**bob.document, "publicKey": {"id": key_id, "owner": bob.uri, "publicKeyPem": public}}
            )
    receipt = await with_key(at_home, eve, follow, key_id)
    assert receipt.status == 401, receipt
    assert await at_home.count("follow") == 0
    assert await at_home.ask("select uri from signing_key where uri = :k", k=key_id) == []
    assert (await at_home.send(bob, follow)).status == 202
    assert await at_home.count("follow") == 1


async def test_an_uploaded_file_is_no_document(at_home: Home, bob: Person) -> None:
    at_home.web.put(bob.uri, bob.document, kind="application/json")
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri))).status == 401 or (
        await at_home.count("follow") == 0
    )
    for kind in ("application/ld+json", "text/plain", "image/png", "application/json; x=application/activity+json"):
        at_home.web.put(bob.uri, bob.document, kind=kind)
        with pytest.raises(Exception, match="fetched-type"):
            await resolve.actor(at_home.site, bob.uri, fresh=True)
    bob.publish()
    assert (await resolve.actor(at_home.site, bob.uri, fresh=True)).uri == bob.uri


async def test_a_document_with_a_foreign_id_takes_nobody_over(at_home: Home, bob: Person, eve: Person) -> None:
    await at_home.know(bob)
    before = await state(at_home)
    fake = {**bob.document, "name": "Forged", "inbox": "https://bob.test/u/bob/inbox"}
    at_home.web.put("https://eve.test/u/fake", fake)
    with pytest.raises(Exception, match="id-mismatch"):
        await resolve.actor(at_home.site, "https://eve.test/u/fake")
    assert await state(at_home) == before
    found = await resolve.anything(at_home.site, "https://eve.test/u/fake")
    assert found is not None
    assert found.uri == bob.uri  # as bob's own server has it
    assert await state(at_home) == before


async def test_a_redirect_lends_no_authority(at_home: Home, bob: Person, eve: Person) -> None:
    """An open redirect on bob's server leads to eve's."""
    uri = "https://bob.test/go?to=eve"
    at_home.web.redirects[uri] = "https://eve.test/u/fake"
    at_home.web.put("https://eve.test/u/fake", {**bob.document, "id": uri, "publicKey": []})
    with pytest.raises(Exception, match="redirect-elsewhere"):
        await resolve.actor(at_home.site, uri)
    assert await at_home.ask("select uri from account where uri = :uri", uri=uri) == []


async def test_an_url_is_no_proof_of_origin(at_home: Home, bob: Person, eve: Person) -> None:
    await at_home.follows(eve)
    note = eve.note(url="https://bob.test/n/bob/1", attributedTo=[bob.uri, eve.uri])
    await at_home.send(eve, eve.creates(note))
    await at_home.work()
    assert await at_home.ask("select a.handle from post p join account a on a.id = p.account") == [("eve",)]
    spoof = {**bob.note(2), "id": "https://eve.test/n/spoof", "url": "https://bob.test/n/bob/2"}
    await at_home.send(eve, eve.creates(spoof, 2))
    await at_home.work()
    assert await at_home.count("post") == 1


async def test_an_activity_id_of_another_server_is_refused(at_home: Home, bob: Person, eve: Person) -> None:
    """Else eve could have bob's activity taken for one that was seen."""
    honest = bob.creates(bob.note(tag=[{"type": "Mention", "href": at_home.alice.uri}], cc=[at_home.alice.uri]))
    receipt = await at_home.send(eve, {**eve.does("Like", "https://home.test/p/1"), "id": honest["id"]})
    assert (receipt.status, receipt.reason) == (403, "foreign-activity-id")
    assert await at_home.count("seen") == 0
    await at_home.send(eve, eve.does("Undo", honest["id"]))
    await at_home.send(eve, eve.does("Delete", honest["object"]["id"]))
    assert await at_home.count("early") == 0
    await at_home.send(bob, honest)
    assert await at_home.count("post") == 1


async def test_ours_are_never_touched_from_elsewhere(at_home: Home, eve: Person) -> None:
    post = await at_home.writes()
    document = {"id": post.uri, "type": "Note", "attributedTo": eve.uri, "content": "forged", "to": ["as:Public"]}
    profile = {**eve.document, "id": at_home.alice.uri}
    for number, activity in enumerate(
        (
            eve.does("Update", document),
            eve.does("Create", document),
            eve.does("Delete", post.uri),
            eve.does("Delete", at_home.alice.uri),
            eve.does("Update", profile),
            eve.does("Create", {**document, "attributedTo": at_home.alice.uri}),
            eve.does("Add", post.uri, target=at_home.alice.featured),
            eve.does("Undo", at_home.site.urls.activity(post.id)),
        )
    ):
        await at_home.send(eve, {**activity, "id": f"https://eve.test/x/{number}"})
    await at_home.work()
    assert await at_home.ask("select uri, content, pinned from post") == [(post.uri, post.content, None)]
    alice = await at_home.site.db.read(accounts.get, at_home.alice.id)
    assert alice is not None
    assert (alice.state, alice.name) == ("active", "Alice")
    assert not any(url.startswith("https://home.test") for url in at_home.web.asked)


async def test_a_signature_for_another_server_is_refused(at_home: Home, bob: Person) -> None:
    body = json.dumps(bob.does("Follow", at_home.alice.uri)).encode()
    receipt = await receive.receive(at_home.site, at_home.request(bob, body, headers={"host": "other.test"}))
    assert receipt.status == 202  # the signer writes the right name over it
    whole = at_home.request(bob, body)
    other = tuple((name, "other.test" if name == "host" else value) for name, value in whole.headers)
    receipt = await receive.receive(at_home.site, type(whole)(whole.method, whole.target, other, whole.body))
    assert (receipt.status, receipt.reason) == (401, "host-not-ours")


async def test_a_signature_for_another_inbox_or_method_is_refused(at_home: Home, bob: Person) -> None:
    whole = at_home.request(bob, json.dumps(bob.does("Follow", at_home.alice.uri)).encode())
    for changed in (
        type(whole)("POST", "/a/1/inbox", whole.headers, whole.body),
        type(whole)("PUT", whole.target, whole.headers, whole.body),
        type(whole)("POST", whole.target, (*whole.headers, ("signature", "x")), whole.body),
    ):
        assert (await receive.receive(at_home.site, changed)).status == 401
    assert await at_home.count("follow") == 0


async def test_linked_data_signatures_and_graphs_count_for_nothing(at_home: Home, bob: Person, eve: Person) -> None:
    like = bob.does("Like", (await at_home.writes()).uri)
    signed = {**like, "signature": {"type": "RsaSignature2017", "creator": bob.key_id, "signatureValue": "x"}}
    assert (await at_home.send(eve, signed)).status == 401
    for key in ("@graph", "@included", "@reverse"):
        assert (await at_home.send(bob, {**like, "object": {"id": like["object"], key: []}})).status == 400
    assert await at_home.count("reaction") == 0
    assert (await at_home.send(bob, signed)).status == 202
    assert await at_home.count("reaction") == 1


async def test_a_handle_needs_the_consent_of_its_domain(at_home: Home, eve: Person, bob: Person) -> None:
    eve.publish(webfinger="eve@bob.test")
    assert (await at_home.know(eve)).domain == "eve.test"
    mallory = Person(at_home.web, "mallory.test", "bob", {"webfinger": "bob@bob.test"})
    assert (await at_home.know(mallory)).domain == "mallory.test"
    assert (await resolve.by_handle(at_home.site, "@bob@bob.test")).uri == bob.uri


async def test_a_suspended_author_does_not_come_in_by_a_boost(at_home: Home, bob: Person, eve: Person) -> None:
    await at_home.follows(bob)
    account = await at_home.know(eve)
    await at_home.site.db.write(accounts.set_state, account.id, "suspended")
    note = eve.note()
    await at_home.send(bob, bob.does("Announce", note["id"]))
    await at_home.work()
    assert await at_home.site.db.read(posts.by_uri, note["id"]) is None
    assert await resolve.post(at_home.site, note["id"]) is None
    await at_home.site.db.write(accounts.set_state, account.id, "active")
    await at_home.site.db.write(host_blocks.block, "eve.test", "")
    assert await resolve.post(at_home.site, note["id"]) is None
    await at_home.site.db.write(host_rules.lift, "eve.test")
    assert await resolve.post(at_home.site, note["id"]) is not None


async def test_nobody_else_widens_the_audience(at_home: Home, bob: Person, eve: Person) -> None:
    note = bob.note(to=[at_home.alice.uri], cc=[], tag=[{"type": "Mention", "href": at_home.alice.uri}])
    await at_home.send(bob, bob.creates(note))
    await at_home.know(eve)
    await at_home.send(bob, bob.does("Announce", note["id"], to=["as:Public"]))
    await at_home.send(eve, eve.does("Create", {**note, "to": ["as:Public"]}))
    await at_home.send(eve, eve.does("Announce", note["id"], to=["as:Public"]))
    await at_home.work()
    assert await at_home.ask("select visibility from post") == [("direct",)]
    assert await at_home.ask("select a.handle from boost b join account a on a.id = b.account") == [("bob",)]
    assert await at_home.site.db.read(incoming_queue.totals) == {}


@pytest.mark.parametrize("verb", ["Like", "Announce", "Create"])
async def test_the_same_thing_again_and_again_moves_no_counter(at_home: Home, bob: Person, verb: str) -> None:
    post = await at_home.writes()
    thing: Any = bob.note(inReplyTo=post.uri) if verb == "Create" else post.uri
    for number in range(4):
        await at_home.send(bob, bob.does(verb, thing, number, to=["as:Public"]))
    whole = await at_home.site.db.read(posts.stored, post.id)
    assert whole is not None
    assert whole.like_total + whole.boost_total + whole.comments == 1
