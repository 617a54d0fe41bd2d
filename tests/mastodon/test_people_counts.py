"""Thirty people in a list take as many queries as five."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import account_actions, reaction_actions
from fediblog.domain.accounts import Account
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.people import host_rules, relation_lists, relations
from fediblog.store.posts import tags
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from tests import host_blocks, wording
from tests.mastodon.counting import statements
from tests.mastodon.server import Api, Server
from tests.store.makers import post, remote

pytestmark = pytest.mark.slow

FEW, MANY = 5, 30


def _stranger(tx: Tx, alice: Account, bob: Account, number: int) -> None:
    """Somebody who is everything to Alice that one can be."""
    far = remote(tx, f"far{number}", f"far{number}.example", discoverable=True)
    written = post(tx, far, hashtags=(f"tag{number}",))
    for one, other, state in ((alice, far, "accepted"), (far, bob, "accepted"), (far, alice, "pending")):
        relations.put_follow(tx, one.id, other.id, f"{one.uri}/{other.id}", state)
    friend = remote(tx, f"friend{number}", "friends.example", discoverable=True)
    relations.put_follow(tx, far.id, friend.id, f"{far.uri}/{friend.id}", "accepted")
    off = remote(tx, f"off{number}", "off.example")
    tx.run("insert into block values (:a, :b, :u, 1)", a=alice.id, b=off.id, u=f"u:{off.id}")
    relations.mute(tx, alice.id, off.id)
    relation_lists.endorse(tx, alice.id, far.id)
    relation_lists.mute_host(tx, alice.id, f"hidden{number}.example")
    tags.follow(tx, alice.id, f"tag{number}")
    moderation.report(tx, f"r:{number}", far.id, off.id, [f"{far.uri}/{written}"], "Look")
    host_blocks.block(tx, f"blocked{number}.example")
    host_rules.allow(tx, [f"allowed{number}.example"])


def paths(alice: Account, bob: Account, strangers: list[int]) -> list[str]:
    """Every list of people, tags and reports that Alice can ask for."""
    asked = "&".join(f"id[]={number}" for number in strangers)
    own = f"/api/v1/accounts/{alice.id}"
    lists = ["blocks", "mutes", "follow_requests", "endorsements", "domain_blocks", "followed_tags", "directory"]
    return [
        *(f"/api/v1/{name}?limit=40" for name in lists),
        *(f"/api/v1/admin/{name}?limit=40" for name in ("accounts", "reports", "domain_blocks", "domain_allows")),
        *(f"{own}/{name}?limit=40" for name in ("following", "endorsements", "statuses")),
        f"/api/v1/accounts/{bob.id}/followers?limit=40",
        f"/api/v1/accounts?{asked}",
        f"/api/v1/accounts/relationships?{asked}",
        f"/api/v1/accounts/familiar_followers?{asked}",
        "/api/v1/accounts/search?q=far&limit=40",
        "/api/v2/suggestions?limit=40",
    ]


async def counted(server: Server, api: Api, path: str, least: int) -> int:
    server.site.keep(EntityContext).counts.clear()
    with statements() as asked:
        found: Any = await api.get(path)
    assert len(found) >= least, path
    return len(asked)


async def test_a_longer_list_of_people_takes_no_more_queries(server: Server) -> None:
    alice, bob, api = server.people["alice"], server.people["bob"], await server.api("alice")
    await server.write(wording.update_profile, server.site.urls, bob.id, account_actions.ProfileChanges())
    await api.get("/api/v1/accounts/verify_credentials")  # the token's last use is noted
    counts: list[dict[str, int]] = []
    made = 0
    for count in (FEW, MANY):
        for number in range(made, count):
            await server.write(_stranger, alice, bob, number)
            await server.publish("alice", f"#tag{number} @bob")
            theirs = await server.publish("bob", f"@alice #tag{number}")
            await server.write(reaction_actions.boost, server.site.urls, alice.id, theirs.id)
        made = count
        rows = await server.read(lambda tx: tx.all("select id from account where handle like 'far%' order by id"))
        asked = paths(alice, bob, [row.id for row in rows])
        counts.append({path.partition("?")[0]: await counted(server, api, path, count) for path in asked})
    assert counts[0] == counts[1]
    assert max(counts[0].values()) <= 25, counts[0]
