"""The door of the inboxes: what is believed, what is answered, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fediblog.federation.inbound import receive
from fediblog.federation.lookups.decoding import LONG, plain_document
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.people import accounts, hosts, relations
from fediblog.store.posts import posts
from fediblog.store.queues import delivery_queue, incoming_queue
from fediblog.store.tx import Tx
from tests import host_blocks
from tests.federation.stranger import ACTIVITY, Home, Person, home
from tests.world import keys_of


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


@pytest.fixture
def carol(at_home: Home) -> Person:
    return Person(at_home.web, "carol.test", "carol")


async def nothing_stored(at_home: Home) -> bool:
    return not any([await at_home.count(each) for each in ("post", "follow", "reaction", "incoming", "seen", "early")])


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_a_follow_by_a_stranger_is_accepted(at_home: Home, bob: Person, scheme: str) -> None:
    receipt = await at_home.send(bob, bob.does("Follow", at_home.alice.uri), scheme=scheme)
    assert receipt.status == 202, receipt
    stored = await at_home.site.db.read(accounts.by_uri, bob.uri)
    assert stored is not None
    assert stored.domain == "bob.test"
    assert await at_home.site.db.read(relations.is_following, stored.id, at_home.alice.id)
    assert await at_home.ask("select kind, subject from outgoing") == [("Accept", bob.uri)]


BAD_BODIES: list[tuple[str, bytes, int]] = [
    ("json-invalid", b"{", 400),
    ("json-invalid", b"", 400),
    ("json-not-an-object", b"[]", 400),
    ("json-not-finite", b'{"type":"Like","x":NaN}', 400),
    ("json-duplicate-key", b'{"type":"Like","type":"Undo"}', 400),
    ("json-nul", b'{"type":"Like","x":"a\\u0000"}', 400),
    ("json-lone-surrogate", b'{"type":"Like","x":"\\ud800"}', 400),
    ("json-too-deep", b'{"a":' * 50 + b"1" + b"}" * 50, 400),
    ("json-too-deep", b"[" * 100_000, 400),
    ("json-too-many", b"[" + b"1," * 100_000 + b"1]", 400),
    ("not-utf8", b'{"type":"Like","x":"\xff"}', 400),
    ("too-large", b'{"x":"' + b"a" * 1_000_000 + b'"}', 413),
    ("not-an-activity", b'{"type":"Like"}', 400),
    ("not-an-activity", b'{"type":5,"actor":{},"object":[[]]}', 400),
    ("jsonld-trick", b'{"type":"Like","actor":"https://bob.test/u/bob","@graph":[]}', 400),
    ("actor-is-ours", b'{"type":"Like","actor":"https://home.test/a/1","object":"https://home.test/p/1"}', 403),
]


@pytest.mark.parametrize(("reason", "body", "status"), BAD_BODIES, ids=lambda value: str(value)[:30])
async def test_what_is_no_activity_is_refused_with_a_reason(
    at_home: Home, bob: Person, reason: str, body: bytes, status: int
) -> None:
    receipt = await at_home.send(bob, body)
    assert (receipt.status, receipt.reason) == (status, reason)
    assert 0 < len(receipt.message) < 200
    assert await nothing_stored(at_home)
    assert await at_home.refusals() == [reason]
    assert at_home.web.asked == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 415),
        ({"content-type": "text/html"}, 415),
        ({"content-type": "application/ld+json"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"content-type": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}, 202),
        ({"content-type": "application/activity+json; charset=utf-8"}, 202),
    ],
)
async def test_types_of_content(at_home: Home, bob: Person, headers: dict[str, str], status: int) -> None:
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri), headers=headers)).status == status


async def test_an_unsigned_activity_is_refused(at_home: Home, bob: Person) -> None:
    body = json.dumps(bob.does("Follow", at_home.alice.uri)).encode()
    incoming = IncomingRequest("POST", "/inbox", (("content-type", ACTIVITY), ("host", "home.test")), body)
    receipt = await receive.receive(at_home.site, incoming)
    assert (receipt.status, receipt.reason) == (401, "signature-missing")
    assert at_home.web.asked == []


@pytest.mark.parametrize("body", [b"[" * 900_000, b"[" + b"1," * 3_000 + b"1]", b'{"x":"' + b"a" * 60_000 + b'"}'])
async def test_nothing_long_is_decoded_for_who_signed_nothing(
    at_home: Home, bob: Person, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_work(_body: bytes) -> dict[str, Any]:
        raise AssertionError

    monkeypatch.setattr("fediblog.federation.lookups.decoding.plain_document", at_work)
    unsigned = IncomingRequest("POST", "/inbox", (("content-type", ACTIVITY), ("host", "home.test")), body)
    assert (await receive.receive(at_home.site, unsigned)).reason == "signature-missing"
    whole = at_home.request(bob, body)
    changed = IncomingRequest("POST", whole.target, whole.headers, body + b" ")
    assert (await receive.receive(at_home.site, changed)).reason == "digest-mismatch"
    await at_home.site.db.write(host_blocks.block, "bob.test", "spam")
    assert (await at_home.send(bob, body)).reason == "host-blocked"
    at_home.clock.forward(hours=2)
    assert (await receive.receive(at_home.site, whole)).reason == "signature-stale"
    assert at_home.web.asked == []


async def test_what_is_long_is_decoded_in_a_thread_and_taken_all_the_same(
    at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def at_work(body: bytes) -> dict[str, Any]:
        if len(body) > LONG:
            threads.append(threading.current_thread())
        return plain_document(body)

    monkeypatch.setattr("fediblog.federation.lookups.decoding.plain_document", at_work)
    follow = bob.does("Follow", at_home.alice.uri)
    assert (await at_home.send(bob, follow | {"summary": "a" * 60_000})).status == 202
    assert threading.main_thread() not in threads
    assert len(threads) == 1
    assert await at_home.count("follow") == 1


async def test_a_changed_body_is_refused_before_anything_is_fetched(at_home: Home, bob: Person) -> None:
    whole = at_home.request(bob, json.dumps(bob.does("Follow", at_home.alice.uri)).encode())
    changed = IncomingRequest("POST", whole.target, whole.headers, whole.body.replace(b"Follow", b"Likeit"))
    receipt = await receive.receive(at_home.site, changed)
    assert (receipt.status, receipt.reason) == (401, "digest-mismatch")
    assert at_home.web.asked == []


async def test_an_old_signature_is_refused(at_home: Home, bob: Person) -> None:
    whole = at_home.request(bob, json.dumps(bob.does("Follow", at_home.alice.uri)).encode())
    at_home.clock.forward(hours=2)
    assert (await receive.receive(at_home.site, whole)).reason == "signature-stale"


async def test_a_blocked_server_is_refused_without_a_look_up(at_home: Home, bob: Person) -> None:
    await at_home.site.db.write(host_blocks.block, "bob.test", "spam")
    receipt = await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert (receipt.status, receipt.reason) == (403, "host-blocked")
    assert at_home.web.asked == []


async def test_a_suspended_account_is_refused(at_home: Home, bob: Person) -> None:
    account = await at_home.know(bob)
    await at_home.site.db.write(accounts.set_state, account.id, "suspended")
    receipt = await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert (receipt.status, receipt.reason) == (403, "account-suspended")


async def test_a_key_without_a_document_of_its_owner_is_refused(at_home: Home, bob: Person) -> None:
    at_home.web.pages.clear()
    receipt = await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert (receipt.status, receipt.reason) == (401, "key-missing")
    at_home.web.down.add("carol.test")
    carol = Person(at_home.web, "carol.test", "carol")
    receipt = await at_home.send(carol, carol.does("Follow", at_home.alice.uri))
    assert receipt.status == 503
    assert receipt.retry_after


async def test_a_key_that_was_no_good_is_left_alone_for_a_while(at_home: Home, bob: Person) -> None:
    bob.publish(publicKey=[], assertionMethod=[])
    for _ in range(3):
        assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri))).reason == "key-unreadable"
    assert at_home.web.asked == [bob.uri]
    at_home.clock.forward(minutes=6)
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert at_home.web.asked == [bob.uri] * 2


async def test_the_key_id_may_be_the_actor_or_an_address_of_its_own(at_home: Home, bob: Person) -> None:
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri), key_id=bob.uri)).status == 202
    before = len(at_home.web.asked)
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri, 2), key_id=bob.uri)).status == 202
    assert len(at_home.web.asked) == before
    carol = Person(at_home.web, "carol.test", "carol")
    key = {"id": f"{carol.uri}/main-key", "owner": carol.uri, "publicKeyPem": keys_of("carol.test", "carol")[0].public}
    carol.publish(publicKey=key, assertionMethod=[])
    stub = {"id": carol.uri, "type": "Person", "preferredUsername": "carol", "publicKey": key}
    at_home.web.put(f"{carol.uri}/main-key", stub)
    follow = carol.does("Follow", at_home.alice.uri)
    assert (await at_home.send(carol, follow, key_id=f"{carol.uri}/main-key")).status == 202


async def test_what_came_in_ends_the_silence_of_a_server(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)

    def fail(tx: Tx) -> None:
        hosts.remember_scheme(tx, "bob.test", "cavage")
        delivery_queue.host_failed(tx, "bob.test", "timeout", lambda _failures, _since: 2 * at_home.clock.now)

    await at_home.site.db.write(fail)
    await at_home.send(bob, bob.creates(bob.note()))
    assert await at_home.ask("select failures, next_try from host") == [(0, at_home.clock.now)]


async def test_a_crowded_door_stores_first(at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await at_home.know(bob)
    monkeypatch.setattr(receive, "AT_ONCE", 0)
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri))).status == 202
    assert await at_home.count("follow") == 0
    assert await at_home.count("incoming") == 1
    await at_home.work()
    assert await at_home.count("follow") == 1
    assert await at_home.count("incoming") == 0


async def test_a_full_queue_asks_to_come_again(at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    await at_home.follows(bob)
    monkeypatch.setattr(incoming_queue, "HOST_SHARE", 1)
    assert (await at_home.send(bob, bob.does("Create", bob.note(1)["id"], 1))).status == 202
    receipt = await at_home.send(bob, bob.does("Create", bob.note(2)["id"], 2))
    assert receipt.status == 503
    assert receipt.retry_after


async def test_what_cannot_be_fetched_now_waits(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.does("Create", note["id"]))
    at_home.web.down.add("bob.test")
    await at_home.work()
    assert await at_home.ask("select state, tries from incoming") == [("waiting", 1)]
    at_home.clock.forward(hours=1)
    [item] = await at_home.site.db.write(incoming_queue.claim)
    assert item.tries == 2


async def test_a_poisonous_activity_is_put_aside_and_hinders_nobody(
    at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_home.follows(bob)

    def broken(*_args: Any, **_more: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("fediblog.inbox.post_handlers.put_post", broken)
        assert (await at_home.send(bob, bob.creates(bob.note()))).status == 202
        await at_home.send(bob, bob.does("Create", bob.note(2)["id"], 2))
        for _ in range(3):
            await at_home.work()
            at_home.clock.forward(hours=5)
    assert await at_home.ask("select state, tries from incoming") == [("dead", 3)] * 2
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri))).status == 202


async def test_copies_at_once_have_one_effect(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    note = bob.note(inReplyTo=post.uri)
    receipts = await asyncio.gather(*(at_home.send(bob, bob.creates(note)) for _ in range(10)))
    assert {each.status for each in receipts} == {202}
    assert await at_home.count("post") == 2
    assert await at_home.notices() == [("reply", "bob")]


# Forwarded: somebody else than the actor delivers.


async def test_a_forwarded_answer_is_asked_for_at_its_origin(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    note = bob.note(inReplyTo=post.uri, content="<p>true</p>")
    forged = bob.creates({**note, "content": "<p>forged</p>"})
    assert (await at_home.send(carol, forged)).status == 202
    assert await at_home.site.db.read(posts.by_uri, note["id"]) is None
    await at_home.work()
    found = await at_home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    assert found.content == "<p>true</p>"


async def test_a_proof_speaks_for_the_actor(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    proven = bob.proves(bob.does("Like", post.uri), at_home.clock.now)
    assert (await at_home.send(carol, proven)).status == 202
    await at_home.work()
    assert await at_home.ask("select a.handle from reaction r join account a on a.id = r.account") == [("bob",)]


@pytest.mark.parametrize("how", ["changed", "other key", "foreign method"])
async def test_a_proof_that_does_not_hold_proves_nothing(at_home: Home, bob: Person, carol: Person, how: str) -> None:
    post = await at_home.writes()
    await at_home.know(bob)
    like = bob.does("Like", post.uri)
    activity = {
        "changed": bob.proves(like, at_home.clock.now) | {"id": f"{like['id']}-other"},
        "other key": carol.proves(like, at_home.clock.now, method=f"{bob.uri}#curve"),
        "foreign method": carol.proves(like, at_home.clock.now),
    }[how]
    await at_home.send(carol, activity)
    await at_home.work()
    assert await at_home.count("reaction") == 0
    assert await at_home.refusals() == ["signer-is-not-actor"]


async def test_a_forwarded_delete_is_believed_if_the_post_is_gone(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    note = bob.note(inReplyTo=post.uri)
    await at_home.send(bob, bob.creates(note))
    await at_home.send(carol, bob.does("Delete", note["id"], 1))
    await at_home.work()
    assert await at_home.count("post") == 2
    del at_home.web.pages[note["id"]]
    await at_home.send(carol, bob.does("Delete", note["id"], 2))
    await at_home.work()
    assert await at_home.count("post") == 1


# Whatever is sent: a receipt, and no error of ours.

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = ["id", "type", "actor", "object", "target", "to", "cc", "attributedTo", "inReplyTo", "content", "name", "tag"]
VERBS = ["Follow", "Create", "Update", "Undo", "Like", "Announce", "Delete", "Accept", "Move", "Flag", "Add", "Block"]
URIS = [
    "https://bob.test/u/bob",
    "https://bob.test/n/bob/1",
    "https://home.test/a/1",
    "https://home.test/p/1",
    "https://else.test/",
]


def things(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    value = inner | st.sampled_from([*URIS, *VERBS, "Note", "Person", "Question"]) | JSON
    return st.dictionaries(st.sampled_from(NAMES), value, max_size=8) | st.lists(value, max_size=3)


ACTIVITIES = st.recursive(st.sampled_from(URIS), things, max_leaves=10)


@pytest.mark.slow
async def test_any_activity_at_all_gets_a_receipt(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    loop = asyncio.get_running_loop()
    statuses: list[int] = []

    async def try_one(kind: str, thing: Any, extra: Any) -> None:
        activity = {**extra, "type": kind, "actor": bob.uri, "object": thing}
        receipt = await at_home.send(bob, activity)
        statuses.append(receipt.status)
        assert receipt.reason != "failed", activity
        await at_home.work()

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(VERBS), ACTIVITIES, st.dictionaries(st.sampled_from(NAMES), ACTIVITIES, max_size=5))
    def run(kind: str, thing: Any, extra: Any) -> None:
        asyncio.run_coroutine_threadsafe(try_one(kind, thing, extra), loop).result(20)

    await asyncio.to_thread(run)
    assert set(statuses) <= {202, 400, 401, 403}
    assert await at_home.ask("select error from incoming") == []


async def test_the_owner_of_a_key_without_a_handle_is_refused_for_that(at_home: Home, bob: Person) -> None:
    bob.publish(preferredUsername="")
    receipt = await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    assert (receipt.status, receipt.reason) == (401, "key-owner-invalid")


@pytest.mark.parametrize("shape", ["no author", "list of one", "both"])
async def test_a_post_without_an_author_or_in_a_list_is_read(at_home: Home, bob: Person, shape: str) -> None:
    await at_home.follows(bob)
    note = bob.note()
    if shape != "list of one":
        del note["attributedTo"]
    create = bob.creates(note)
    create["object"] = note if shape == "no author" else [note]
    assert (await at_home.send(bob, create)).status == 202
    assert await at_home.ask("select a.handle from post p join account a on a.id = p.account") == [("bob",)]


async def test_an_activity_in_a_list_of_one_is_read(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    post = await at_home.writes()
    like = bob.does("Like", [post.uri])
    assert (await at_home.send(bob, like)).status == 202
    assert await at_home.count("reaction") == 1
    assert (await at_home.send(bob, bob.does("Undo", [like]))).status == 202
    assert await at_home.count("reaction") == 0
    assert (await at_home.send(bob, bob.does("Update", [{**bob.document, "name": "Robert"}]))).status == 202
    assert await at_home.ask("select name from account where handle = 'bob'") == [("Robert",)]
