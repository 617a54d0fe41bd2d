"""What strangers can make us ask: never an address inside, never more than so much, by whichever door they come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.actions import follow_actions
from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.errors import FediblogError, Refused
from fediblog.federation import prepared_actions
from fediblog.federation.lookups import resolve, thread_completion
from fediblog.federation.lookups.fetch_budget import FETCHES
from fediblog.federation.worker import Worker
from fediblog.net import AccessPolicy, Response, SocketEngine
from fediblog.net.http_engine import Headers
from fediblog.store.posts import posts, threads
from tests import host_blocks
from tests.federation.lookups.test_resolve import jrd
from tests.federation.stranger import ACTIVITY, Home, Person, Web
from tests.security.reading import press, reader
from tests.world import ask

INSIDE = [
    "127.0.0.1",
    "10.0.0.5",
    "169.254.169.254",
    "::1",
    "::ffff:127.0.0.1",
    "fd00::1",
    "64:ff9b::7f00:1",
    "0.0.0.0",
]


@dataclass
class Inner:
    """The network around us: names that end in .inner.test lead inside, by the real engine; all others are the web."""

    web: Web
    addresses: list[str]
    looked_up: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sockets = SocketEngine(AccessPolicy(), self.resolve)

    async def resolve(self, host: str, port: int) -> list[str]:
        self.looked_up.append(host)
        return self.addresses

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        if ".inner.test" not in url:
            return await self.web.exchange(method, url, headers, body, limit=limit, deadline=deadline)
        try:
            return await self.sockets.exchange(method, url, headers, body, limit=limit, deadline=deadline)
        except Refused as refusal:
            self.refused.append(refusal.reason)
            raise

    async def close(self) -> None:
        await self.sockets.close()


@pytest.fixture
async def inner(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inner]:
    async def dial(*_args: object) -> None:
        raise AssertionError("a connection to the inside was begun")

    monkeypatch.setattr("fediblog.net.http_engine.dial", dial)
    made = Inner(at_home.web, ["127.0.0.1"])
    at_home.site.client.engine = made
    at_home.site = replace(at_home.site, kept={}, engine=made)  # deliveries go by it
    yield made
    await made.close()


Door = Callable[[Home, Person], Awaitable[Any]]
TARGET = "https://db.inner.test/x"


async def by_key_id(home: Home, bob: Person) -> None:
    assert (await home.send(bob, bob.does("Follow", home.alice.uri), key_id=f"{TARGET}#main-key")).status in (401, 403)


async def by_boost(home: Home, bob: Person) -> None:
    await home.follows(bob)
    await home.send(bob, bob.does("Announce", TARGET))
    await home.work()


async def by_create(home: Home, bob: Person) -> None:
    await home.follows(bob)
    await home.send(bob, bob.does("Create", TARGET, to=[home.alice.uri]))
    await home.work()


async def by_forwarding(home: Home, bob: Person) -> None:
    author = "https://db.inner.test/u"
    stranger = {**bob.does("Create", {"id": TARGET, "type": "Note", "attributedTo": author}), "actor": author}
    await home.send(bob, {**stranger, "id": "https://db.inner.test/a", "to": [home.alice.uri]})
    await home.work()


async def by_parent(home: Home, bob: Person) -> None:
    await home.follows(bob)
    await home.send(bob, bob.creates(bob.note(inReplyTo=TARGET)))
    [(number,)] = await home.ask("select id from post where local = 0")
    await thread_completion.complete(home.site, number)


async def by_replies(home: Home, bob: Person) -> None:
    """A collection on its own server, with an item inside."""
    post = await home.writes()
    note = bob.note(inReplyTo=post.uri, replies="https://bob.test/r")
    home.web.put("https://bob.test/r", {"id": "https://bob.test/r", "type": "Collection", "items": [TARGET]})
    await home.send(bob, bob.creates(note))
    [(number,)] = await home.ask("select id from post where local = 0")
    await thread_completion.complete(home.site, number)


async def by_move(home: Home, bob: Person) -> None:
    await home.follows(bob)
    await home.send(bob, bob.does("Move", bob.uri, target=TARGET))
    await home.work()


async def by_redirect(home: Home, bob: Person) -> None:
    home.web.redirects["https://bob.test/go"] = TARGET
    with pytest.raises(FediblogError):
        await resolve.anything(home.site, "https://bob.test/go")


async def by_redirected_handle(home: Home, bob: Person) -> None:
    url = "https://go.test/.well-known/webfinger?resource=acct%3Aa%40go.test"
    home.web.redirects[url] = TARGET
    with pytest.raises(FediblogError):
        await resolve.by_handle(home.site, "@a@go.test")


async def by_handle(home: Home, bob: Person) -> None:
    with pytest.raises(FediblogError):
        await resolve.by_handle(home.site, "@a@db.inner.test")


async def by_webfinger(home: Home, bob: Person) -> None:
    jrd(home, "go.test", "a@go.test", "a@go.test", TARGET)
    with pytest.raises(FediblogError):
        await resolve.by_handle(home.site, "@a@go.test")


async def by_true_home(home: Home, bob: Person) -> None:
    jrd(home, "go.test", "a@go.test", "a@db.inner.test", "https://go.test/a")
    with pytest.raises(FediblogError):
        await resolve.by_handle(home.site, "@a@go.test")


async def by_host_meta(home: Home, bob: Person) -> None:
    xml = f'<XRD><Link rel="lrdd" template="{TARGET}?q={{uri}}"/></XRD>'.encode()
    home.web.pages["https://go.test/.well-known/host-meta"] = (200, "application/xrd+xml", xml)
    with pytest.raises(FediblogError):
        await resolve.by_handle(home.site, "@a@go.test")


async def by_page(home: Home, bob: Person) -> None:
    html = f'<link rel="alternate" type="{ACTIVITY}" href="{TARGET}">'.encode()
    home.web.pages["https://go.test/page"] = (200, "text/html", html)
    with pytest.raises(FediblogError):
        await resolve.anything(home.site, "https://go.test/page")


async def by_id(home: Home, bob: Person) -> None:
    home.web.put("https://go.test/thing", {**bob.document, "id": TARGET})
    with pytest.raises(FediblogError):
        await resolve.anything(home.site, "https://go.test/thing")


async def by_paste(home: Home, bob: Person) -> None:
    browser = await reader(home.site, home.alice)
    assert (await press(browser, "/find", {"q": TARGET})).status_code == 422


async def by_mention(home: Home, bob: Person) -> None:
    post = await prepared_actions.publish(home.site, home.alice.id, Draft(source="Hello @a@db.inner.test"))
    assert post.mentions == ()


async def by_inbox(home: Home, bob: Person) -> None:
    """Somebody whose name leads inside only when there is something to deliver."""
    person = Person(home.web, "db.inner.test", "eve")
    home.site.client.engine, engine = home.web, home.site.client.engine
    account = await home.know(person)
    home.site.client.engine = engine
    await home.site.db.write(follow_actions.follow, home.site.urls, home.alice.id, account.id)
    await worked(home)


DOORS: list[Door] = [
    *(by_key_id, by_boost, by_create, by_forwarding, by_parent, by_replies, by_move, by_redirect, by_redirected_handle),
    *(by_handle, by_webfinger, by_true_home, by_host_meta, by_page, by_id, by_paste, by_mention, by_inbox),
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
async def test_no_door_leads_inside(at_home: Home, bob: Person, inner: Inner, door: Door) -> None:
    await door(at_home, bob)
    assert inner.looked_up, "it was not even tried, so nothing is tested"
    assert set(inner.refused) == {"address-private"}


@pytest.mark.parametrize("address", INSIDE)
async def test_whatever_address_inside_a_name_leads_to(at_home: Home, bob: Person, inner: Inner, address: str) -> None:
    inner.addresses = ["93.184.216.34", address]  # one good address does not help
    await by_key_id(at_home, bob)
    assert inner.refused == ["address-private"]


INJECTED = [
    "@a@127.0.0.1", "@a@127.0.0.1:8080", "@a@[::1]", "@a@localhost", "@a@db", "@a@db.inner.test/x", "@a@db.inner.test#",
    "@a@db.inner.test?x", "@a@x@db.inner.test", "@a@db.inner.test:22", "@a@0x7f.1", "@a@2130706433", "@a@017700000001",
    "@a@db.inner.test\\@bob.test", "@a@db.inner.test%2f", "@a/../@db.inner.test", "@a@db.inner.test\r\nHost: x",
    "@a@.inner.test", "@a@db.inner.test.", "@a@127.1", "@a@①②⑦.⓪.⓪.①", "https://127.0.0.1/", "https://[::1]/u",
    "http://db.inner.test/", "https://user:pass@db.inner.test/", "https://db.inner.test:8443/", "gopher://db.inner.test/",
    "file:///etc/passwd", "https://db.inner.test\\@bob.test/", "https://0/", "https://db.inner.test%00.bob.test/",
]  # fmt: skip


async def test_what_is_pasted_steers_no_request(at_home: Home, inner: Inner) -> None:
    browser = await reader(at_home.site, at_home.alice)
    for text in INJECTED:
        for path, name in (("/find", "q"), ("/settings/alias", "alias")):
            answer = await press(browser, path, {name: text})
            searched = path == "/find" and " " in text and answer.headers.get("location", "").startswith("/search?")
            assert searched or answer.status_code == 422, (path, text)
        led = await browser.get("/authorize_interaction", params={"uri": text})
        assert led.status_code == 422, text
    assert inner.looked_up == []
    assert at_home.web.asked == []


async def test_nobody_in_particular_makes_us_ask_anybody(at_home: Home, bob: Person, inner: Inner) -> None:
    """Only those who have signed in, or signed a request, cause requests of ours."""
    app = create_app(at_home.site)
    for path in (
        f"/.well-known/webfinger?resource=acct:a@db.inner.test&x={TARGET}",
        f"/.well-known/webfinger?resource={TARGET}",
        f"/people?follow={TARGET}",
        f"/people?handle={TARGET}",
        f"/search?q={TARGET}",
        f"/authorize_interaction?uri={TARGET}",
        f"/write?reply={TARGET}",
        f"/login?next={TARGET}",
        f"/media/{TARGET}",
    ):
        for accept in ("text/html", ACTIVITY):
            await ask(app, "GET", f"https://home.test{path}", {"accept": accept})
    await ask(app, "POST", "https://home.test/find", {}, f"q={TARGET}".encode())
    assert inner.looked_up == []
    assert at_home.web.asked == []


async def test_a_thread_without_a_beginning_is_climbed_once(at_home: Home, bob: Person) -> None:
    """However long the chain is that one activity begins: also when the worker has done all that it left behind."""
    await at_home.follows(bob)
    await worked(at_home)  # what one asks of everybody who is met for the first time
    for number in range(100):
        bob.note(number, inReplyTo=f"https://bob.test/n/bob/{number + 1}")
    before = len(at_home.web.asked)
    await at_home.send(bob, bob.does("Create", "https://bob.test/n/bob/0", "c"))
    await at_home.work()
    await worked(at_home)
    assert len(at_home.web.asked) - before <= FETCHES + 2
    assert 15 < await at_home.count("post") <= resolve.DEPTH + 2


async def test_a_thread_without_an_end_is_not_followed_for_ever(
    at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer names a collection with more of them, which name collections with more of them."""
    monkeypatch.setattr(threads, "THREAD_LIMIT", 60)
    post = await at_home.writes()

    def answer(name: str, above: str, deeper: int) -> str:
        collection = f"https://bob.test/r/{name}"
        note = bob.note(name, inReplyTo=above, replies=collection)
        below = [answer(f"{name}.{number}", note["id"], deeper - 1) for number in range(5)] if deeper else []
        at_home.web.put(collection, {"id": collection, "type": "Collection", "items": below})
        return str(note["id"])

    answer("a", post.uri, 3)  # 156 of them
    root = json.loads(at_home.web.pages["https://bob.test/n/bob/a"][2])
    await at_home.send(bob, bob.creates(root))
    for _ in range(6):
        await worked(at_home)
        at_home.clock.forward(minutes=20)
    assert 50 < await at_home.count("post") < 80


async def worked(at_home: Home) -> None:
    """All that is due is done."""
    worker = Worker(at_home.site, dice=lambda: 0.5)
    await worker.idle()
    await worker.stop()


async def test_a_blocked_server_is_not_asked_by_any_detour(at_home: Home, bob: Person, eve: Person) -> None:
    await at_home.follows(bob)
    await at_home.know(eve)
    note = eve.note()
    await at_home.site.db.write(host_blocks.block, "eve.test", "")
    at_home.web.asked.clear()
    for number, uri in enumerate(
        (note["id"], eve.uri, "https://sub.eve.test/x", "https://eve.test:443/n/eve/1", "https://EVE.test/n/eve/1")
    ):
        await at_home.send(bob, bob.does("Announce", uri, number))
        await at_home.send(bob, bob.creates(bob.note(f"r{number}", inReplyTo=uri, quote=uri), f"r{number}"))
    await at_home.work()
    await worked(at_home)
    with pytest.raises(Refused, match="host-blocked"):
        await resolve.anything(at_home.site, "https://eve.test/other")
    assert not [url for url in at_home.web.asked if "eve.test" in url.lower()]
    assert await at_home.site.db.read(posts.by_uri, note["id"]) is None


async def test_a_failure_is_not_asked_for_again_at_once(at_home: Home, bob: Person) -> None:
    for _ in range(5):
        with pytest.raises(FediblogError):
            await resolve.actor(at_home.site, "https://gone.test/u")
    assert at_home.web.asked.count("https://gone.test/u") == 1


async def test_many_who_ask_for_one_key_cause_few_requests(at_home: Home, bob: Person) -> None:
    bob.publish(publicKey=[], assertionMethod=[])
    await asyncio.gather(*(at_home.send(bob, bob.does("Follow", at_home.alice.uri, n)) for n in range(30)))
    for n in range(30):
        await at_home.send(bob, bob.does("Follow", at_home.alice.uri, n))
    assert at_home.web.asked.count(bob.uri) <= 30  # those that came at the same moment, and none after them
