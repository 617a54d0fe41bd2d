"""Who sent it? A request counts only with a signature that covers it whole, by a key that its own actor lists."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest

from fediblog.app import create_app
from fediblog.counters import BUGS
from fediblog.errors import Refused
from fediblog.federation.inbound import receive
from fediblog.federation.lookups import document_fetch, resolve
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.protocol import cavage
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.people import accounts
from tests.federation.stranger import ACTIVITY, Home, Person
from tests.world import ask, keys_of

WHOLE = ("(request-target)", "host", "date", "digest", "content-type")
Fields = dict[str, str]


def signed(
    home: Home, who: Person, document: Any, names: Sequence[str] = WHOLE, *, at: int = 0, change: Fields | None = None,
    parameters: str = "", algorithm: str = "rsa-sha256", key_id: str = "", created: int | None = None,
    expires: int | None = None, spoil: bool = False, target: str = "/inbox",
) -> IncomingRequest:  # fmt: skip
    """A delivery that is signed over exactly these parts; `at` seconds from now; `change` comes after signing."""
    body = json.dumps(document).encode()
    digest = f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"
    fields = {"host": "home.test", "content-type": ACTIVITY, "digest": digest}
    fields |= {"date": cavage.write_date(home.clock.now // 1000 + at)}
    text = cavage.base(names, "POST", target, list(fields.items()), created, expires)
    assert text is not None
    made = bytearray(who.key.sign(text))
    made[7] ^= 1 if spoil else 0
    times = "".join(f",{name}={value}" for name, value in (("created", created), ("expires", expires)) if value)
    fields["signature"] = (
        f'keyId="{key_id or who.key_id}",algorithm="{algorithm}",headers="{" ".join(names)}"{times}{parameters},'
        f'signature="{base64.b64encode(made).decode()}"'
    )
    return IncomingRequest("POST", target, tuple((fields | (change or {})).items()), body)


async def test_the_honest_twin_of_all_below_is_taken(at_home: Home, bob: Person) -> None:
    follow = bob.does("Follow", at_home.alice.uri)
    now = at_home.clock.now // 1000
    newer = ("(request-target)", "(created)", "host", "digest")
    for incoming in (
        signed(at_home, bob, follow),
        signed(at_home, bob, follow, at=-3500),
        signed(at_home, bob, follow, at=3500),
        signed(at_home, bob, follow, algorithm="hs2019"),
        signed(at_home, bob, follow, newer, algorithm="hs2019", created=now, expires=now + 60),
    ):
        receipt = await receive.receive(at_home.site, incoming)
        assert receipt.status == 202, receipt
    assert await at_home.count("follow") == 1


FOREIGN = "https://eve.test/u/eve#main-key"
SHA512 = f"SHA-512={base64.b64encode(hashlib.sha512(b'x').digest()).decode()}"
BAD: dict[str, dict[str, Any]] = {
    "the body is not covered": {"names": WHOLE[:3]},
    "the host is not covered": {"names": ("(request-target)", "date", "digest")},
    "the target is not covered": {"names": WHOLE[1:]},
    "the time is not covered": {"names": ("(request-target)", "host", "digest")},
    "nothing is covered": {"names": ("date",)},
    "another body": {"change": {"digest": f"SHA-256={base64.b64encode(bytes(32)).decode()}"}},
    "a digest of a kind that is not checked": {"change": {"digest": SHA512}},
    "no digest": {"change": {"digest": ""}},
    "another host": {"change": {"host": "other.test"}},
    "an empty host": {"change": {"host": ""}},
    "another date": {"change": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}},
    "an old date": {"at": -3700},
    "a date to come": {"at": 3700},
    "one bit is wrong": {"spoil": True},
    "an unknown algorithm": {"algorithm": "none"},
    "a weak algorithm": {"algorithm": "rsa-sha1"},
    "hmac with the public key": {"algorithm": "hmac-sha256"},
    "a key id twice": {"parameters": f',keyId="{FOREIGN}"'},
    "headers twice": {"parameters": ',headers="date"'},
    "a name twice in another case": {"parameters": ',KEYID="x"'},
    "a parameter without an end": {"parameters": ',x="'},
    "created with an old algorithm": {"names": (*WHOLE, "(created)"), "created": 1_750_000_000},
}


@pytest.mark.parametrize("what", BAD)
async def test_a_signature_that_leaves_a_gap_is_refused(at_home: Home, bob: Person, what: str) -> None:
    await at_home.know(bob)
    before = len(at_home.web.asked)
    incoming = signed(at_home, bob, bob.does("Follow", at_home.alice.uri), **BAD[what])
    receipt = await receive.receive(at_home.site, incoming)
    assert receipt.status == 401, receipt
    assert await at_home.count("follow") == 0
    if what != "one bit is wrong":
        assert len(at_home.web.asked) == before  # nobody makes us ask around with what is wrong by itself


@pytest.mark.parametrize("which", ["expired", "created long ago", "created in the future"])
async def test_times_in_the_signature_count(at_home: Home, bob: Person, which: str) -> None:
    now = at_home.clock.now // 1000
    created, expires = {
        "expired": (now - 60, now - 1),
        "created long ago": (now - 4000, now + 60),
        "created in the future": (now + 4000, now + 8000),
    }[which]
    names = ("(request-target)", "(created)", "host", "digest")
    follow = bob.does("Follow", at_home.alice.uri)
    incoming = signed(at_home, bob, follow, names, algorithm="hs2019", created=created, expires=expires)
    assert (await receive.receive(at_home.site, incoming)).reason == "signature-stale"


@pytest.mark.parametrize("name", ["signature", "digest", "host", "date"])
async def test_a_header_that_comes_twice_is_read_in_no_way_that_helps_a_forger(
    at_home: Home, bob: Person, name: str
) -> None:
    whole = signed(at_home, bob, bob.does("Follow", at_home.alice.uri))
    value = dict(whole.headers)[name]
    for pair in ((name, "x"), (name, value)):
        for headers in ((*whole.headers, pair), (pair, *whole.headers)):
            receipt = await receive.receive(at_home.site, IncomingRequest("POST", whole.target, headers, whole.body))
            assert receipt.status == 401, receipt
    assert await at_home.count("follow") == 0


async def test_a_signature_counts_for_one_inbox(at_home: Home, bob: Person) -> None:
    whole = signed(at_home, bob, bob.does("Follow", at_home.alice.uri))
    for target in ("/inbox?x", "/inbox/", f"/a/{at_home.alice.id}/inbox", "//inbox", "/Inbox"):
        receipt = await receive.receive(at_home.site, IncomingRequest("POST", target, whole.headers, whole.body))
        assert receipt.reason == "signature-bad"


ODD_IDS = [
    "https://[bad",
    "https://[::1",
    "x",
    "https://bob.test:99999/u",
    "https://%00",
    "//",
    " ",
]


@pytest.mark.parametrize(
    "key_id", [*ODD_IDS, "http://bob.test/u/bob#main-key", "javascript:1", "https://bob.test@eve.test/"]
)
async def test_a_key_id_may_be_anything_and_is_refused_if_it_is_no_address(
    at_home: Home, bob: Person, key_id: str
) -> None:
    before = BUGS.total()
    follow = bob.does("Follow", at_home.alice.uri)
    receipt = await receive.receive(at_home.site, signed(at_home, bob, follow, key_id=key_id))
    assert receipt.status in (401, 403), receipt
    fetch = {"accept": ACTIVITY, "host": "home.test", "date": cavage.write_date(at_home.clock.now // 1000)}
    text = cavage.base(("(request-target)", "host", "date"), "GET", "/actor", list(fetch.items())) or b""
    value = base64.b64encode(bob.key.sign(text)).decode()
    fetch["signature"] = f'keyId="{key_id}",headers="(request-target) host date",signature="{value}"'
    answer = await ask(create_app(at_home.site), "GET", f"{at_home.alice.uri}/outbox", dict(fetch) | {"x": "y"})
    assert answer.status_code in (400, 401, 403), answer.text
    assert BUGS.total() == before


async def test_a_key_of_ours_signs_nothing_from_elsewhere(at_home: Home, bob: Person) -> None:
    """Not even if it were right: what we do is not sent to ourselves."""
    key_id = f"{at_home.alice.uri}#main-key"
    for actor in (bob.uri, at_home.alice.uri):
        follow = {**bob.does("Follow", at_home.alice.uri), "actor": actor}
        receipt = await receive.receive(at_home.site, signed(at_home, bob, follow, key_id=key_id))
        assert receipt.status in (401, 403), receipt
    assert await at_home.count("follow") == 0
    assert at_home.web.asked == []


async def test_a_neighbour_cannot_occupy_the_name_of_a_key(at_home: Home, bob: Person) -> None:
    """Somebody on bob's server lists a key under bob's key id, before bob is known here or after."""
    mallory = Person(at_home.web, "bob.test", "mallory")
    own = {"id": bob.key_id, "owner": mallory.uri, "publicKeyPem": keys_of("bob.test", "mallory")[0].public}
    mallory.publish(publicKey=own, assertionMethod=[])
    await at_home.know(mallory)
    forged = await at_home.send(mallory, bob.does("Follow", at_home.alice.uri), key_id=bob.key_id)
    assert forged.status == 401
    at_home.clock.forward(minutes=6)
    for number in range(2):
        assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri, number))).status == 202
    found = await at_home.ask(
        "select a.handle from signing_key k join account a on a.id = k.account where k.uri = :uri", uri=bob.key_id
    )
    assert found == [("bob",)]
    before = len(at_home.web.asked)
    await resolve.actor(at_home.site, mallory.uri, fresh=True)
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri, 3))).status == 202
    assert len(at_home.web.asked) == before + 1
    assert (
        await at_home.send(mallory, bob.does("Undo", bob.does("Follow", at_home.alice.uri), 4), key_id=bob.key_id)
    ).status == 401


async def test_a_key_is_kept_under_its_own_id_only(at_home: Home, bob: Person, eve: Person) -> None:
    """A document found under one address that says it is another key's is stored under neither."""
    at_home.web.put(
        "https://eve.test/k", {"id": bob.key_id, "owner": bob.uri, "publicKeyPem": keys_of("eve.test", "eve")[0].public}
    )
    receipt = await at_home.send(eve, eve.does("Follow", at_home.alice.uri), key_id="https://eve.test/k")
    assert receipt.status == 401
    assert await at_home.ask(
        "select count(*) from signing_key where uri in ('https://eve.test/k', :k)", k=bob.key_id
    ) == [(0,)]


@pytest.mark.parametrize("how", ["deleted", "suspended"])
async def test_who_is_gone_or_shut_out_is_not_heard_though_the_signature_is_good(
    at_home: Home, bob: Person, how: str
) -> None:
    account = await at_home.know(bob)
    post = await at_home.writes()
    if how == "deleted":
        at_home.web.put(bob.uri, {"id": bob.uri, "type": "Tombstone"}, status=410)
        assert (await at_home.send(bob, bob.does("Delete", bob.uri))).status == 202
    else:
        await at_home.site.db.write(accounts.set_state, account.id, how)
    for number, verb in enumerate(("Follow", "Like", "Announce", "Flag", "Block")):
        await at_home.send(bob, bob.does(verb, at_home.alice.uri if verb in ("Follow", "Block") else post.uri, number))
    await at_home.send(bob, bob.creates(bob.note(inReplyTo=post.uri)))
    await at_home.work()
    for table in ("follow", "reaction", "boost", "report", "block"):
        assert await at_home.count(table) == 0, table
    assert await at_home.count("post") == 1


TRICKS = ["@graph", "@included", "@reverse", "@nest"]


@pytest.mark.parametrize("trick", TRICKS[:3])
async def test_what_is_fetched_is_plain_json_without_tricks(at_home: Home, bob: Person, trick: str) -> None:
    for uri, document in ((bob.uri, bob.document), (bob.note()["id"], bob.note())):
        at_home.web.put(uri, {**document, trick: []})
        with pytest.raises(Refused, match="jsonld-trick"):
            await document_fetch.document(at_home.site, uri, Budget())


@pytest.mark.parametrize(
    "page",
    [
        b'{"id":"x","id":"https://bob.test/u/bob"}',
        b"{" * 500,
        b"[]",
        b'{"id": 1e999}',
        b'{"id": NaN}',
        b"\xff\xfe",
        b"",
    ],
)
async def test_what_is_fetched_is_strict_json(at_home: Home, bob: Person, page: bytes) -> None:
    at_home.web.pages[bob.uri] = (200, ACTIVITY, page)
    with pytest.raises(Refused):
        await resolve.actor(at_home.site, bob.uri)
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri))).status in (400, 401)


async def test_an_actor_stays_who_it_is(at_home: Home, bob: Person, eve: Person) -> None:
    """Neither an Update nor a fetched document binds an id of somebody else's, or of ours, to another key."""
    alice_before = await at_home.ask("select * from account where id = :id", id=at_home.alice.id)
    keys_before = await at_home.ask("select * from signing_key where account = :id", id=at_home.alice.id)
    await at_home.know(bob)
    await at_home.know(eve)
    bob_before = await at_home.ask("select uri, inbox, name from account where handle = 'bob'")
    for uri in (bob.uri, at_home.alice.uri, at_home.site.urls.instance_actor):
        document = {**eve.document, "id": uri, "publicKey": {**eve.document["publicKey"], "owner": uri}}
        await at_home.send(eve, eve.does("Update", document, uri[-3:]))
        at_home.web.put("https://eve.test/u/eve", document)
        with pytest.raises(Refused):
            await resolve.actor(at_home.site, eve.uri, fresh=True)
    await at_home.work()
    assert await at_home.ask("select uri, inbox, name from account where handle = 'bob'") == bob_before
    assert await at_home.ask("select * from account where id = :id", id=at_home.alice.id) == alice_before
    assert await at_home.ask("select * from signing_key where account = :id", id=at_home.alice.id) == keys_before


@pytest.mark.parametrize("field", ["inbox", "outbox", "followers", "featured"])
async def test_an_actors_addresses_are_of_its_own_origin(at_home: Home, field: str) -> None:
    """Else its followers, or we, could be sent wherever it likes; its own inbox alone may lie elsewhere."""
    person = Person(at_home.web, "eve.test", "eve", {field: "https://bob.test/u/bob/" + field})
    with_shared = Person(at_home.web, "eve.test", "shared", {"endpoints": {"sharedInbox": "https://bob.test/inbox"}})
    if field == "inbox":
        assert (await at_home.know(person)).inbox == "https://bob.test/u/bob/inbox"
    else:
        assert getattr(await at_home.know(person), field) == ""
    assert (await at_home.know(with_shared)).shared_inbox == ""
