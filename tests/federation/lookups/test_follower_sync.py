"""Two servers that disagree on who follows whom set it right by themselves (FEP-8fcf)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.errors import Refused
from fediblog.federation import prepared_actions
from fediblog.federation.inbound.receive import receive
from fediblog.federation.lookups import follower_sync
from fediblog.inbox import follower_differences
from fediblog.protocol import cavage, rfc9421
from fediblog.protocol.follower_digest import HEADER, digest, read_header
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.people import followers_by_host, relations
from fediblog.store.queues import job_kinds, job_queue
from tests.federation.pair import Pair
from tests.federation.stranger import ACTIVITY, ORIGIN, Home, Person, home
from tests.world import JSON, Sent


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


def told(pair: Pair) -> list[Sent]:
    """What was sent to Ben's server with a word about its people."""
    return [each for each in pair.world.network.posts(pair.far) if HEADER in each.headers]


async def settle_later(pair: Pair) -> None:
    pair.world.clock.forward(ms=follower_sync.PAUSE)
    await pair.world.settle()


async def carol_follows(pair: Pair) -> Account:
    """Somebody else on Ben's server."""
    carol = await pair.world.person(pair.far, "carol")
    await prepared_actions.follow(pair.world.sites[pair.far], carol.id, f"@{pair.ann.acct}")
    await pair.world.settle()
    return carol


async def test_it_is_told_with_what_is_for_followers_only(pair: Pair) -> None:
    await pair.follow()
    await pair.publish("for all")
    await pair.publish("for one @ben", visibility=Visibility.DIRECT)
    assert told(pair) == []
    await pair.publish("for you", visibility=Visibility.FOLLOWERS)
    (sent,) = told(pair)
    found = read_header(sent.headers[HEADER])
    assert found is not None
    assert (found.collection, found.digest) == (pair.ann.followers, digest([pair.ben.uri]))
    assert HEADER in sent.headers["signature"], "it is signed"
    assert await pair.world.read(pair.far, job_queue.waiting, job_kinds.SYNC_FOLLOWERS, 9) == 0, "they agree"


async def test_a_follow_that_the_other_side_does_not_know_ends_here_too(pair: Pair) -> None:
    await pair.follow()
    await carol_follows(pair)
    await pair.world.sites[pair.near].db.write(relations.unfollow, (await pair.ben_here()).id, pair.ann.id)
    await pair.publish("for you", visibility=Visibility.FOLLOWERS)
    assert (await pair.at_ben()).following, "not at once: something may be on its way"
    await settle_later(pair)
    assert not (await pair.at_ben()).following


async def test_a_follow_whose_answer_was_lost_is_granted(pair: Pair) -> None:
    await pair.follow()
    ann = await pair.ann_there()
    db = pair.world.sites[pair.far].db
    await db.write(relations.put_follow, pair.ben.id, ann.id, "https://far.test/follow", "pending")
    await pair.publish("for you", visibility=Visibility.FOLLOWERS)
    await settle_later(pair)
    assert (await pair.at_ben()).following
    assert (await pair.at_ann()).following


async def test_a_follow_that_is_not_known_here_is_undone_there(pair: Pair) -> None:
    await pair.follow()
    await pair.world.sites[pair.far].db.write(relations.unfollow, pair.ben.id, (await pair.ann_there()).id)
    await pair.publish("for you", visibility=Visibility.FOLLOWERS)
    await settle_later(pair)
    assert not (await pair.at_ann()).following
    assert not (await pair.at_ben()).following
    (undo,) = pair.world.network.posts(pair.near, "Undo")
    assert (undo.document["actor"], undo.document["object"]["object"]) == (pair.ben.uri, pair.ann.uri)


async def test_the_list_is_for_the_server_whose_people_are_on_it(pair: Pair) -> None:
    await pair.follow()
    url = f"{pair.ann.followers}_sync"
    assert (await pair.world.get(pair.near, url, JSON)).status_code == 401
    far = pair.world.sites[pair.far]
    answer = await far.client.fetch(url, accept=JSON, sign=await far.keys.instance())
    found = json.loads(answer.body)
    assert (answer.status, found["id"], found["totalItems"]) == (200, url, 1)
    assert found["orderedItems"] == [pair.ben.uri]
    assert "no-store" in (answer.header("cache-control") or "")
    assert await pair.world.read(pair.near, followers_by_host.followers_at, pair.ann.id, "three.test", 9) == []


async def test_of_too_many_nothing_is_told(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_sync, "MOST_LISTED", 1)
    await pair.follow()
    await carol_follows(pair)
    await pair.publish("for you", visibility=Visibility.FOLLOWERS)
    assert told(pair) == []


def about(person: Person, **changes: str) -> str:
    """A header that tells of other followers than are known here."""
    given = {"collectionId": f"{person.uri}/followers", "url": f"{person.uri}/sync", "digest": "ab" * 32, **changes}
    return ", ".join(f'{name}="{value}"' for name, value in given.items())


async def deliver(place: Home, person: Person, value: str, *, signed: bool = True, scheme: str = "cavage") -> None:
    """Something by `person` that is nothing to us, with a header about its followers."""
    body = json.dumps(person.does("Like", "https://nowhere.test/1")).encode()
    fields = {"content-type": ACTIVITY, "host": "home.test", HEADER: value}
    sign = rfc9421.sign if scheme == "rfc9421" else cavage.sign
    now, also = place.clock.now // 1000, [HEADER] if signed else []
    added = sign("POST", f"{ORIGIN}/inbox", fields, body, person.key_id, person.key, now, also)
    whole = fields | {name.lower(): text for name, text in added.items()}
    assert (await receive(place.site, IncomingRequest("POST", "/inbox", tuple(whole.items()), body))).status == 202


async def waiting(place: Home) -> list[Any]:
    return await place.ask("select subject, payload from job where kind = 'sync-followers'")


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_what_differs_is_looked_into_once(at_home: Home, bob: Person, scheme: str) -> None:
    for _ in range(3):
        await deliver(at_home, bob, about(bob), scheme=scheme)
    assert await waiting(at_home) == [(bob.uri, json.dumps({"url": f"{bob.uri}/sync"}))]


async def test_what_agrees_is_not(at_home: Home, bob: Person) -> None:
    await deliver(at_home, bob, about(bob, digest="0" * 64))
    await at_home.follows(bob)
    await deliver(at_home, bob, about(bob, digest=digest([at_home.alice.uri])))
    assert await waiting(at_home) == []


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
async def test_what_is_not_signed_is_not_believed(at_home: Home, bob: Person, scheme: str) -> None:
    await deliver(at_home, bob, about(bob), signed=False, scheme=scheme)
    assert await waiting(at_home) == []


async def test_nobody_tells_of_the_followers_of_others(at_home: Home, bob: Person) -> None:
    await deliver(at_home, bob, about(bob, collectionId="https://bob.test/u/rob/followers"))
    await deliver(at_home, bob, about(bob, url="https://elsewhere.test/sync"))
    await deliver(at_home, bob, about(bob, url=f"{ORIGIN}/a/1/followers_sync"))
    await deliver(at_home, bob, "nonsense")
    assert await waiting(at_home) == []


def listed(person: Person, items: list[str], **more: Any) -> None:
    """What is found at the address of the list."""
    url = f"{person.uri}/sync"
    person.web.put(url, {"id": url, "type": "OrderedCollection", "orderedItems": items, **more})


@pytest.mark.parametrize(
    "more", [{"totalItems": 1}, {"first": "https://bob.test/u/bob/sync?page=1"}, {"next": "https://bob.test/2"}]
)
async def test_half_a_list_ends_nothing(at_home: Home, bob: Person, more: dict[str, Any]) -> None:
    await at_home.follows(bob)
    listed(bob, [], **more)
    with pytest.raises(Refused):
        await follower_sync.synchronize(at_home.site, bob.uri, f"{bob.uri}/sync")
    assert await at_home.count("follow") == 1


async def test_a_list_that_cannot_be_had_ends_nothing(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    for url in (f"{bob.uri}/sync", "https://elsewhere.test/sync"):
        with pytest.raises(Refused):
            await follower_sync.synchronize(at_home.site, bob.uri, url)
    assert await at_home.count("follow") == 1


async def test_only_so_many_are_changed_at_a_time(at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower_differences, "MOST", 2)
    await at_home.know(bob)
    ours = [at_home.site.urls.actor(number) for number in range(3)] + ["https://third.test/u/1"]
    listed(bob, [*ours, at_home.alice.uri])
    await follower_sync.synchronize(at_home.site, bob.uri, f"{bob.uri}/sync")
    assert await at_home.count("outgoing") == 0, "Alice is beyond the limit"
    listed(bob, [at_home.alice.uri])
    await follower_sync.synchronize(at_home.site, bob.uri, f"{bob.uri}/sync")
    assert await at_home.count("outgoing") == 1
