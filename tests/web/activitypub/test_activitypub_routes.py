"""What other servers call: documents, collections, who may see them, and what has been deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from fediblog.actions import post_actions, reaction_actions
from fediblog.actions.post_actions import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.protocol.actors import read_actor
from fediblog.protocol.notes import read_note
from fediblog.store.posts import posts
from tests import wording
from tests.world import JSON, World, ask

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
A = "alice.test"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(A) as made:
        yield made


@pytest.fixture
async def alice(world: World) -> Account:
    return await world.person(A, "alice")


async def document(world: World, uri: str, status: int = 200) -> dict[str, Any]:
    answer = await world.get(A, uri)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/activity+json; charset=utf-8"
    assert "Accept" in answer.headers["vary"]
    found: dict[str, Any] = answer.json()
    return found


async def test_an_actor_can_be_read_back(world: World, alice: Account) -> None:
    found = await document(world, alice.uri)
    actor = read_actor(found)
    assert actor is not None
    assert (actor.uri, actor.handle, actor.webfinger) == (alice.uri, "alice", "alice@alice.test")
    assert [key.kind for key in actor.keys] == ["rsa", "ed25519"]
    assert found["publicKey"]["id"] == f"{alice.uri}#main-key"
    assert found["endpoints"]["sharedInbox"] == "https://alice.test/inbox"
    assert (await world.get(A, f"/@{alice.handle}")).json() == found


@pytest.mark.parametrize("accept", ["application/activity+json", "application/ld+json", "*/*", "application/json"])
async def test_programs_get_the_document_and_people_the_page(world: World, alice: Account, accept: str) -> None:
    answer = await world.get(A, alice.uri, accept)
    assert answer.headers["content-type"].startswith("application/activity+json")
    page = await world.get(A, alice.uri, HTML)
    assert (page.status_code, page.headers["location"]) == (303, "https://alice.test/@alice")


async def test_the_server_itself_has_an_actor(world: World) -> None:
    actor = read_actor(await document(world, "/actor"))
    assert actor is not None
    assert actor.kind == "Application"
    assert actor.uri == "https://alice.test/actor"


async def test_an_article_has_all_that_readers_elsewhere_need(world: World, alice: Account) -> None:
    draft = Draft(source="Text with a #Tag and [a link](/about).", title="On oaks", summary="Short.", language="en")
    post = await world.do(A, wording.publish, alice.id, draft)
    found = await document(world, post.uri)
    note = read_note(found)
    assert note is not None
    assert (note.kind, note.title, note.url) == ("Article", "On oaks", post.url)
    assert found["summary"] == "Short."
    assert found["preview"]["type"] == "Note"
    assert found["contentMap"] == {"en": found["content"]}
    assert 'href="https://alice.test/about"' in found["content"]
    assert found["replies"]["totalItems"] == found["likes"]["totalItems"] == found["shares"]["totalItems"] == 0
    assert (await world.get(A, urlsplit(post.url).path)).json() == found
    assert found["to"] == [PUBLIC]
    page = await world.get(A, post.uri, HTML)
    assert (page.status_code, page.headers["location"]) == (303, post.url)


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_what_is_not_for_everybody_is_not_there(world: World, alice: Account, visibility: Visibility) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Secret.", visibility=visibility))
    missing = await world.get(A, "/p/1")
    for path in (post.uri, f"{post.uri}/replies", f"{post.uri}/likes", f"/x/{post.id}", f"/c/{post.id}"):
        answer = await world.get(A, path)
        assert (answer.status_code, answer.text) == (missing.status_code, missing.text)
    page = await world.get(A, f"{alice.outbox}?before=9223372036854775807")
    assert page.json().get("orderedItems", []) == []
    assert (await document(world, alice.outbox))["totalItems"] == 0


async def test_drafts_are_not_there_either(world: World, alice: Account) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Not yet.", state="draft"))
    assert (await world.get(A, post.uri)).status_code == 404


async def test_what_is_deleted_answers_410_with_a_tombstone(world: World, alice: Account) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Soon gone."))
    await world.do(A, post_actions.delete, alice.id, post.id)
    found = await document(world, post.uri, 410)
    assert (found["type"], found["formerType"], found["id"]) == ("Tombstone", "Note", post.uri)
    assert found["@context"]
    assert (await world.get(A, post.uri, HTML)).status_code == 410


async def test_the_outbox_is_paged_and_newest_first(world: World, alice: Account) -> None:
    written = [await world.do(A, wording.publish, alice.id, Draft(source=f"Number {n}.")) for n in range(45)]
    whole = await document(world, alice.outbox)
    assert whole["totalItems"] == 45
    uris: list[str] = []
    following = whole["first"]
    while following:
        page = await document(world, following)
        uris += [item["object"]["id"] for item in page["orderedItems"]]
        following = page.get("next", "")
    assert uris == [post.uri for post in reversed(written)]


async def test_a_boost_can_be_fetched_by_its_id(world: World, alice: Account) -> None:
    bob = await world.person(A, "bob")
    post = await world.do(A, wording.publish, alice.id, Draft(source="Pass it on."))
    await world.do(A, reaction_actions.boost, bob.id, post.id)
    shares = await document(world, f"{post.uri}/shares")
    assert shares["totalItems"] == 1
    announce = await document(world, shares["items"][0])
    assert (announce["type"], announce["object"], announce["actor"]) == ("Announce", post.uri, bob.uri)
    assert announce["to"] == [PUBLIC]
    await world.do(A, reaction_actions.boost, alice.id, post.id, Visibility.UNLISTED)
    (entry, _) = (await document(world, f"{alice.outbox}?before={2**63 - 1}"))["orderedItems"]
    assert (entry["to"], entry["cc"]) == ([alice.followers], [PUBLIC, alice.uri])
    fetched = await document(world, entry["id"])
    assert (fetched["to"], fetched["cc"]) == (entry["to"], entry["cc"])


async def test_replies_and_the_whole_thread_are_collections_of_ids(world: World, alice: Account) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Question?"))
    first = await world.do(A, wording.publish, alice.id, Draft(source="Answer.", reply_to=post.id))
    second = await world.do(A, wording.publish, alice.id, Draft(source="More.", reply_to=first.id))
    replies = await document(world, (await document(world, f"{post.uri}/replies"))["first"])
    assert replies["items"] == [first.uri]
    thread = await document(world, f"/c/{post.id}")
    assert thread["totalItems"] == 3
    assert (await document(world, thread["first"]))["orderedItems"] == [post.uri, first.uri, second.uri]
    assert (await document(world, second.uri))["context"] == thread["id"]


async def test_unchanged_documents_are_not_sent_twice(world: World, alice: Account) -> None:
    first = await world.get(A, alice.uri)
    again = await ask(world.network.apps[A], "GET", alice.uri, {"accept": JSON, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_signature_that_is_there_must_be_good(world: World, alice: Account) -> None:
    headers = {"accept": JSON, "signature": 'keyId="https://x.test/key",signature="AAAA",headers="date"'}
    answer = await ask(world.network.apps[A], "GET", alice.outbox, headers)
    assert answer.status_code == 401
    assert answer.json()["reason"].startswith("signature-")


async def test_pinned_posts_are_the_featured_collection(world: World, alice: Account) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Read this first."))
    await world.do(A, post_actions.pin, alice.id, post.id)
    found = await document(world, alice.featured)
    assert [item["id"] for item in found["orderedItems"]] == [post.uri]
    stored = await world.read(A, posts.stored, post.id)
    assert stored is not None
    assert stored.pinned


@pytest.mark.parametrize(
    "resource",
    [
        "acct:alice@alice.test",
        "acct%3Aalice%40alice.test",
        "alice@alice.test",
        "@alice@alice.test",
        "acct:ALICE@Alice.Test",
        "https://alice.test/@alice",
        "HTTPS://ALICE.test:443/@Alice",
        "ACTOR",
    ],
)
async def test_webfinger_knows_every_form(world: World, alice: Account, resource: str) -> None:
    asked = resource.replace("ACTOR", alice.uri)
    answer = await world.get(A, f"/.well-known/webfinger?resource={asked}", "application/jrd+json")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/jrd+json")
    assert answer.headers["access-control-allow-origin"] == "*"
    found = answer.json()
    assert found["subject"] == "acct:alice@alice.test"
    own = [link for link in found["links"] if link["rel"] == "self"]
    assert own == [{"rel": "self", "type": "application/activity+json", "href": alice.uri}]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("resource=acct:nobody@alice.test", 404),
        ("resource=acct:alice@bob.test", 404),
        ("resource=mailto:alice@alice.test", 404),
        ("resource=%00", 400),
    ],
)
async def test_webfinger_says_what_is_wrong(world: World, alice: Account, query: str, status: int) -> None:
    answer = await world.get(A, f"/.well-known/webfinger?{query}", "*/*")
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "reason"}


async def test_nodeinfo_and_host_meta(world: World, alice: Account) -> None:
    links = (await world.get(A, "/.well-known/nodeinfo", "*/*")).json()["links"]
    for link in links:
        found = (await world.get(A, link["href"], "*/*")).json()
        assert found["software"]["name"] == "fediblog"
        assert found["usage"]["users"]["total"] == 1
    assert "{uri}" in (await world.get(A, "/.well-known/host-meta", "*/*")).text
    assert (await world.get(A, "/.well-known/host-meta.json", "*/*")).json()["links"][0]["rel"] == "lrdd"
    assert (await world.get(A, "/healthz", "*/*")).text == "ok\n"
