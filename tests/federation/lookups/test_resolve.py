"""From an id, a handle or an address to an account or a post."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.errors import Gone, NotFound, Refused
from fediblog.federation.lookups import document_fetch, resolve
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from tests import host_blocks
from tests.federation.stranger import ACTIVITY, Home, Person, home


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


def jrd(at_home: Home, host: str, asked: str, subject: str, uri: str) -> None:
    """Have a host answer WebFinger."""
    url = f"https://{host}/.well-known/webfinger?resource={quote(f'acct:{asked}', safe='')}"
    link = {"rel": "self", "type": ACTIVITY, "href": uri}
    at_home.web.put(url, {"subject": f"acct:{subject}", "links": [link]}, kind="application/jrd+json")


@pytest.mark.parametrize("text", ["@bob@bob.test", "bob@bob.test", " @bob@BOB.test "])
async def test_a_handle_is_looked_up(at_home: Home, bob: Person, text: str) -> None:
    found = await resolve.anything(at_home.site, text)
    assert isinstance(found, Account)
    assert (found.uri, found.acct) == (bob.uri, "bob@bob.test")
    before = len(at_home.web.asked)
    await resolve.by_handle(at_home.site, text)
    assert len(at_home.web.asked) == before


async def test_a_handle_may_live_on_another_domain(at_home: Home, bob: Person) -> None:
    """The server is social.bob.test, the handle ends in @bob.test: each asked says the same."""
    there = Person(at_home.web, "social.bob.test", "bobby")
    jrd(at_home, "bob.test", "bobby@bob.test", "bobby@bob.test", there.uri)
    jrd(at_home, "social.bob.test", "bobby@social.bob.test", "bobby@bob.test", there.uri)
    assert (await resolve.actor(at_home.site, there.uri)).acct == "bobby@bob.test"
    assert (await resolve.by_handle(at_home.site, "bobby@bob.test")).uri == there.uri
    assert (await resolve.by_handle(at_home.site, "bobby@social.bob.test", fresh=True)).acct == "bobby@bob.test"


async def test_a_handle_that_its_domain_does_not_know_is_refused(at_home: Home, bob: Person) -> None:
    jrd(at_home, "eve.test", "bob@eve.test", "bob@carol.test", "https://eve.test/u/bob")
    jrd(at_home, "carol.test", "bob@carol.test", "bob@eve.test", "https://eve.test/u/bob")
    with pytest.raises(Refused, match="handle-unconfirmed"):
        await resolve.by_handle(at_home.site, "bob@eve.test")
    with pytest.raises(NotFound):
        await resolve.by_handle(at_home.site, "nobody@bob.test")
    assert await at_home.count("account") == 2


async def test_host_meta_knows_whom_to_ask(at_home: Home, bob: Person) -> None:
    person = Person(at_home.web, "old.test", "ann")
    resource = quote("acct:ann@old.test", safe="")
    page = at_home.web.pages.pop(f"https://old.test/.well-known/webfinger?resource={resource}")
    at_home.web.pages[f"https://old.test/wf/{resource}"] = page
    xml = b'<XRD><Link rel="lrdd" template="https://old.test/wf/{uri}"/></XRD>'
    at_home.web.pages["https://old.test/.well-known/host-meta"] = (200, "application/xrd+xml", xml)
    assert (await resolve.by_handle(at_home.site, "ann@old.test")).uri == person.uri
    assert at_home.web.signed == {person.uri}  # all that leads there is public


async def test_documents_are_asked_for_with_a_signature_and_handles_without(at_home: Home, bob: Person) -> None:
    await resolve.by_handle(at_home.site, "bob@bob.test")
    assert len(at_home.web.asked) == 2
    assert at_home.web.signed == {bob.uri}


@pytest.mark.parametrize("text", ["alice@home.test", "@alice@home.test", "https://home.test/@alice"])
async def test_our_own_people_are_never_fetched(at_home: Home, text: str) -> None:
    found = await resolve.anything(at_home.site, text)
    assert isinstance(found, Account)
    assert found.id == at_home.alice.id
    assert await resolve.anything(at_home.site, "https://home.test/p/99") is None
    with pytest.raises(NotFound):
        await resolve.by_handle(at_home.site, "nobody@home.test")
    with pytest.raises(NotFound):
        await resolve.actor(at_home.site, "https://home.test/a/99")
    assert at_home.web.asked == []


@pytest.mark.parametrize("text", ["", "nonsense", "ftp://bob.test/x", "@bob@", "javascript:alert(1)"])
async def test_text_that_means_nothing(at_home: Home, text: str) -> None:
    assert await resolve.anything(at_home.site, text) is None
    assert at_home.web.asked == []


async def test_a_page_names_its_activity_form(at_home: Home, bob: Person) -> None:
    note = bob.note(url="https://bob.test/@bob/1")
    html = f'<html><head><link rel="alternate" type="{ACTIVITY}" href="{note["id"]}"></head>'.encode()
    at_home.web.pages["https://bob.test/@bob/1"] = (200, "text/html", html)
    found = await resolve.anything(at_home.site, "https://bob.test/@bob/1")
    assert isinstance(found, Post)
    assert found.uri == note["id"]
    before = len(at_home.web.asked)
    assert await resolve.anything(at_home.site, "https://bob.test/@bob/1") == found
    assert len(at_home.web.asked) == before


async def test_a_page_that_somebody_else_claims_is_asked_for_where_it_lies(at_home: Home, bob: Person) -> None:
    page, eve = "https://bob.test/@bob", Person(at_home.web, "eve.test", "eve")
    bob.publish(url=page)
    at_home.web.put(page, bob.document)
    eve.publish(url=page)
    claimed = await at_home.know(eve)
    assert claimed.url == eve.uri
    found = await resolve.anything(at_home.site, page)
    assert isinstance(found, Account)
    assert found.uri == bob.uri
    article = await at_home.writes(title="Ours")
    note = bob.note(1, url="https://bob.test/@bob/1")
    at_home.web.put(note["url"], note)
    for number, claims in enumerate((article.url, note["url"]), 7):
        told = eve.note(number, url=claims, to=[PUBLIC, at_home.alice.uri], published="2020-01-01T00:00:00Z")
        assert (await at_home.send(eve, eve.creates(told, number))).status == 202
        await at_home.work()
    for address, meant in ((article.url, article.uri), (note["url"], note["id"])):
        post = await resolve.anything(at_home.site, address)
        assert isinstance(post, Post)
        assert post.uri == meant


async def test_what_is_above_a_post_comes_with_it(at_home: Home, bob: Person) -> None:
    notes = [bob.note(0)]
    for number in range(1, 5):
        notes.append(bob.note(number, inReplyTo=notes[-1]["id"]))
    found = await resolve.post(at_home.site, notes[-1]["id"])
    assert found is not None
    assert await at_home.count("post") == 5
    root = await at_home.site.db.read(posts.by_uri, notes[0]["id"])
    assert root is not None
    assert found.root == root.id


async def test_a_thread_without_end_is_not_climbed_for_ever(at_home: Home, bob: Person) -> None:
    for number in range(60):
        bob.note(number, inReplyTo=f"https://bob.test/n/bob/{number + 1}")
    assert await resolve.post(at_home.site, "https://bob.test/n/bob/0") is not None
    assert await at_home.count("post") < 22
    assert len(at_home.web.asked) <= 20
    circle = bob.note("a", inReplyTo="https://bob.test/n/bob/b")
    bob.note("b", inReplyTo=circle["id"])
    assert await resolve.post(at_home.site, circle["id"]) is not None


async def test_a_budget_ends(at_home: Home, bob: Person) -> None:
    with pytest.raises(Refused, match="budget-spent"):
        await resolve.actor(at_home.site, bob.uri, budget=Budget(0))


async def test_what_is_gone_is_said_to_be_gone(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    assert not await resolve.confirm_gone(at_home.site, bob.uri)
    at_home.web.put(bob.uri, {"type": "Tombstone"}, status=410)
    with pytest.raises(Gone):
        await resolve.actor(at_home.site, bob.uri, fresh=True)
    assert await resolve.confirm_gone(at_home.site, bob.uri)
    at_home.web.put(bob.uri, {"id": bob.uri, "type": "Tombstone"})
    assert await resolve.confirm_gone(at_home.site, bob.uri)
    del at_home.web.pages[bob.uri]
    assert await resolve.confirm_gone(at_home.site, bob.uri)
    assert await resolve.post(at_home.site, "https://bob.test/n/none") is None


async def test_a_suspended_account_is_not_fetched_back(at_home: Home, bob: Person) -> None:
    account = await at_home.know(bob)
    await at_home.site.db.write(accounts.set_state, account.id, "suspended")
    with pytest.raises(Refused, match="account-suspended"):
        await resolve.actor(at_home.site, bob.uri, fresh=True)


async def test_the_id_in_a_document_is_asked_once_more(at_home: Home, bob: Person) -> None:
    at_home.web.put("https://bob.test/@bob", bob.document)
    found = await resolve.anything(at_home.site, "https://bob.test/@bob")
    assert isinstance(found, Account)
    assert found.uri == bob.uri
    assert at_home.web.asked[:2] == ["https://bob.test/@bob", bob.uri]


@pytest.mark.parametrize("fragment", ["", "#it"])
async def test_an_id_that_its_own_server_redirects_is_believed(at_home: Home, bob: Person, fragment: str) -> None:
    """An actor and a post; the document says the very id that was asked for."""
    at_home.web.redirects[bob.uri] = f"{bob.uri}.json"
    at_home.web.put(f"{bob.uri}.json", bob.document)
    uri = f"https://bob.test/n/7{fragment}"
    at_home.web.redirects["https://bob.test/n/7"] = "https://bob.test/objects/7"
    at_home.web.put("https://bob.test/objects/7", bob.note(7, id=uri))
    assert (await resolve.actor(at_home.site, bob.uri)).uri == bob.uri
    found = await resolve.post(at_home.site, uri)
    assert found is not None
    assert found.uri == uri


async def test_an_actor_may_be_a_part_of_its_document(at_home: Home, bob: Person) -> None:
    uri = "https://bob.test/#me"
    at_home.web.put("https://bob.test/", {**bob.document, "id": uri, "publicKey": []})
    assert (await resolve.actor(at_home.site, uri)).uri == uri


@pytest.mark.parametrize("what", ["upload", "attachment", "page", "elsewhere", "another id"])
async def test_what_a_redirect_leads_to_must_be_a_document_of_that_id(at_home: Home, bob: Person, what: str) -> None:
    uri = "https://bob.test/go?to=1"
    place = {"upload": "https://bob.test/media/1.json", "elsewhere": "https://eve.test/1"}.get(
        what, "https://bob.test/1"
    )
    at_home.web.redirects[uri] = place
    kind = "application/json" if what == "page" else ACTIVITY
    at_home.web.put(place, bob.note(1, id=uri if what != "another id" else "https://bob.test/2"), kind=kind)
    if what == "attachment":
        at_home.web.headers[place] = (("content-disposition", "attachment"),)
    assert await resolve.post(at_home.site, uri) is None


async def test_no_redirect_leads_to_a_server_that_is_blocked(at_home: Home) -> None:
    redirects = {"https://bob.test/1": "https://eve.test/1", "https://eve.test/1": "https://bob.test/2"}
    at_home.web.redirects.update(redirects)
    await at_home.site.db.write(host_blocks.block, "eve.test", "")
    with pytest.raises(Refused, match="host-blocked"):
        await document_fetch.fetch(at_home.site, "https://bob.test/1", Budget(), elsewhere=True)
    assert at_home.web.asked == ["https://bob.test/1"]


@pytest.mark.parametrize("how", ["header", "relative", "escaped"])
async def test_a_page_names_its_activity_form_in_other_ways(at_home: Home, bob: Person, how: str) -> None:
    note, page = bob.note(url="https://bob.test/@bob/1"), "https://bob.test/@bob/1"
    kind = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    links = {"relative": f'type="{ACTIVITY}"', "escaped": f"type='{kind.replace(chr(34), '&quot;')}'"}
    link = f'<link rel="alternate" {links[how]} href="../n/bob/1">' if how in links else ""
    at_home.web.pages[page] = (200, "text/html", f"<html><head>{link}</head>".encode())
    if how == "header":
        at_home.web.headers[page] = (("link", f'</n/bob/1>; rel="alternate"; type="{ACTIVITY}"'),)
    found = await resolve.anything(at_home.site, page)
    assert isinstance(found, Post)
    assert found.uri == note["id"]
