"""Inboxes that lie on another host than the account: micro.blog with a domain of one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fediblog.actions import moderation_actions
from fediblog.actions.drafts import Draft
from fediblog.errors import Refused
from fediblog.federation.lookups import resolve
from fediblog.store.people import accounts, foreign_inboxes
from tests import wording
from tests.federation.stranger import Home, Person, home

SHARED = "hub.test"
WIDE, SOFT = "\uff48ub.test", "h\u00adub.test"  # which the client asks as hub.test


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


def own_domain(at_home: Home, host: str) -> Person:
    """Somebody with a domain of their own, whose inboxes are at the hub."""
    endpoints = {"sharedInbox": f"https://{SHARED}/inbox"}
    return Person(at_home.web, host, "bob", {"inbox": f"https://{SHARED}/{host}/inbox", "endpoints": endpoints})


async def test_such_an_account_is_followed_and_gets_what_it_follows(at_home: Home) -> None:
    bob = own_domain(at_home, "bob.test")
    found = await at_home.follows(bob)
    assert (found.inbox, found.shared_inbox) == (f"https://{SHARED}/bob.test/inbox", "")
    assert (await at_home.send(bob, bob.does("Follow", at_home.alice.uri))).status == 202
    await at_home.site.db.write(wording.publish, at_home.site.urls, at_home.alice.id, Draft(source="Hello"))
    assert {row[0] for row in await at_home.ask("select inbox from delivery")} == {found.inbox}


async def test_a_host_that_has_signed_nothing_gets_but_a_few(at_home: Home) -> None:
    """Else a server could name inboxes at another that never asked for anything."""
    for number in range(foreign_inboxes.MOST):
        await at_home.know(own_domain(at_home, f"b{number}.test"))
    late = own_domain(at_home, "late.test")
    with pytest.raises(Refused, match="inbox-elsewhere"):
        await at_home.know(late)
    await resolve.actor(at_home.site, "https://b0.test/u/bob", fresh=True)  # those that are known stay
    hub = Person(at_home.web, SHARED, "hub")
    await at_home.know(hub)  # it is known, and has still said nothing
    with pytest.raises(Refused, match="inbox-elsewhere"):
        await resolve.actor(at_home.site, late.uri, fresh=True)
    assert (await at_home.send(hub, hub.does("Follow", at_home.alice.uri))).status == 202
    assert (await resolve.actor(at_home.site, late.uri, fresh=True)).uri == late.uri


async def test_a_host_is_one_however_it_is_written(at_home: Home) -> None:
    """As the client asks it: else each spelling would get five more, and a block would not hold."""
    for number in range(foreign_inboxes.MOST):
        await at_home.know(own_domain(at_home, f"b{number}.test"))
    late = Person(at_home.web, "late.test", "bob", {"inbox": f"https://{WIDE}/late.test/inbox"})
    with pytest.raises(Refused, match="inbox-elsewhere"):
        await at_home.know(late)
    await at_home.site.db.write(moderation_actions.block_host, at_home.site.urls, SHARED)
    for spelling in (WIDE, SOFT):
        with pytest.raises(Refused, match="host-blocked"):
            await resolve.actor(at_home.site, f"https://{spelling}/u/eve")
    assert at_home.web.asked[-1].startswith("https://late.test/")


@pytest.mark.parametrize("host", [SHARED, "bob.test"])
async def test_a_block_of_either_host_holds(at_home: Home, host: str) -> None:
    db, urls = at_home.site.db, at_home.site.urls
    bob = own_domain(at_home, "bob.test")
    await at_home.follows(bob)
    await db.write(moderation_actions.block_host, urls, host)
    assert (await at_home.send(bob, bob.creates(bob.note()))).status == 403
    assert await at_home.count("post") == 0
    other = own_domain(at_home, "other.test" if host == SHARED else "www.bob.test")
    with pytest.raises(Refused, match="host-blocked"):
        await at_home.know(other)
    for each in {SHARED, "bob.test"} - {host}:  # lifting another block brings nobody back
        await db.write(moderation_actions.block_host, urls, each)
        await db.write(moderation_actions.unblock_host, urls, each)
    found = await db.read(accounts.by_uri, bob.uri)
    assert found is not None
    assert found.state == "suspended"
    await db.write(moderation_actions.unblock_host, urls, host)
    found = await db.read(accounts.by_uri, bob.uri)
    assert found is not None
    assert found.state == "active"


async def test_no_account_elsewhere_has_its_inbox_here(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    await at_home.know(bob)
    path = at_home.alice.inbox.removeprefix(at_home.site.urls.origin)
    for number, origin in enumerate((at_home.site.urls.origin, "https://Home.Test:443")):
        ours = {**bob.document, "inbox": origin + path}
        bob.publish(inbox=origin + path)
        with pytest.raises(Refused, match="inbox-is-ours"):
            await resolve.actor(at_home.site, bob.uri, fresh=True)
        assert (await at_home.send(bob, bob.does("Update", ours, number))).status == 202
        found = await at_home.site.db.read(accounts.by_uri, bob.uri)
        assert found is not None
        assert found.inbox == f"{bob.uri}/inbox", origin
