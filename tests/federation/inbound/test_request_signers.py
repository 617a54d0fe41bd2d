"""Keys that were changed: every door that verifies one asks for it once, together with the others, and then pauses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import fediblog
from fediblog.errors import Refused
from fediblog.federation.inbound.signed_get import asker
from fediblog.protocol import cavage
from fediblog.protocol.signatures import IncomingRequest
from tests.federation.stranger import ORIGIN, Home, Person, home
from tests.world import keys_of

Door = Callable[[Home, Person, Person], Awaitable[bool]]


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


async def by_inbox(at_home: Home, bob: Person, signer: Person) -> bool:
    receipt = await at_home.send(signer, bob.does("Follow", at_home.alice.uri), key_id=bob.key_id)
    assert receipt.status == 202 or receipt.reason == "signature-bad"
    return receipt.status == 202


async def by_signed_get(at_home: Home, bob: Person, signer: Person) -> bool:
    fields = {"host": "home.test", "accept": "application/activity+json"}
    added = cavage.sign("GET", f"{ORIGIN}/p/1", fields, b"", bob.key_id, signer.key, at_home.clock.now // 1000)
    headers = fields | {name.lower(): value for name, value in added.items()}
    try:
        found = await asker(at_home.site, IncomingRequest("GET", "/p/1", tuple(headers.items()), b""))
    except Refused as refusal:
        if refusal.reason != "signature-bad":
            raise
        return False
    return found is not None and found.uri == bob.uri


async def by_proof(at_home: Home, bob: Person, signer: Person) -> bool:
    """Passed on by carol, with a proof of bob's."""
    carol = Person(at_home.web, "carol.test", "carol")
    await at_home.know(carol)
    post = await at_home.writes()
    before = len(at_home.web.asked)
    like = signer.proves(bob.does("Like", post.uri, post.id), at_home.clock.now, f"{bob.uri}#curve")
    assert (await at_home.send(carol, like)).status == 202
    await at_home.work()
    assert len(at_home.web.asked) - before <= 1
    return [row[0] for row in await at_home.ask("select post from reaction where post = :id", id=post.id)] == [post.id]


DOORS = [by_inbox, by_signed_get, by_proof]


def rotate(at_home: Home, bob: Person, name: str) -> Person:
    """Bob's documents tell new keys under the old ids; returns whoever signs with them."""
    rsa, curve = keys_of("bob.test", name)
    held = {"id": f"{bob.uri}#curve", "type": "Multikey", "controller": bob.uri, "publicKeyMultibase": curve.public}
    key = {"id": bob.key_id, "owner": bob.uri, "publicKeyPem": rsa.public}
    signer = Person(at_home.web, "bob.test", name)
    bob.publish(publicKey=key, assertionMethod=[held])
    return signer


@pytest.mark.parametrize("door", DOORS)
async def test_a_key_that_was_changed_a_moment_ago_is_asked_for_again(at_home: Home, bob: Person, door: Door) -> None:
    await at_home.know(bob)
    for name in ("bob-fresh", "bob-again"):  # the second time at once: what brought something new begins no pause
        signer = rotate(at_home, bob, name)
        assert await door(at_home, bob, signer)
    assert at_home.web.asked.count(bob.uri) == 3


@pytest.mark.parametrize("door", DOORS)
async def test_the_pause_begins_when_asking_brought_nothing_new(at_home: Home, bob: Person, door: Door) -> None:
    await at_home.know(bob)
    mallory = Person(at_home.web, "bob.test", "mallory")
    for _ in range(3):
        assert not await door(at_home, bob, mallory)
    assert at_home.web.asked.count(bob.uri) == 2
    assert await door(at_home, bob, bob)
    at_home.clock.forward(minutes=6)
    assert not await door(at_home, bob, mallory)
    assert at_home.web.asked.count(bob.uri) == 3


@pytest.mark.parametrize("known", [True, False])
async def test_requests_at_once_share_one_fetch(at_home: Home, bob: Person, known: bool) -> None:
    if known:
        await at_home.know(bob)
        at_home.clock.forward(hours=1)
    signer = rotate(at_home, bob, "bob-fresh")
    before = at_home.web.asked.count(bob.uri)
    exchange, arrived = at_home.web.exchange, asyncio.Event()

    async def slow(*args: Any, **more: Any) -> Any:
        await arrived.wait()
        return await exchange(*args, **more)

    at_home.web.exchange = slow  # type: ignore[method-assign]
    asked = [asyncio.create_task(door(at_home, bob, signer)) for door in (by_inbox, by_signed_get) for _ in range(5)]
    async with asyncio.timeout(20):
        for _ in range(200):
            await asyncio.sleep(0)
        asked[0].cancel()  # one that is broken off does not end it for the others
        arrived.set()
        done = await asyncio.gather(*asked, return_exceptions=True)
    assert done[1:] == [True] * 9
    assert at_home.web.asked.count(bob.uri) == before + 1


def test_no_door_verifies_a_signature_by_itself() -> None:
    """All go through the one module that asks for a changed key."""
    folder = Path(fediblog.__file__).parent
    found = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.py")
        if re.search(r"signatures\.prove\(|import prove\b|proofs\.verify\(", path.read_text("utf-8"))
    }
    assert found == {"federation/inbound/request_signers.py", "federation/inbound/forwarded.py"}
