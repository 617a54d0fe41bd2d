"""Who can be discovered: only those who want to be, and nobody whom one keeps off."""

from __future__ import annotations

from fediblog.actions import account_actions
from fediblog.store.people import relations
from tests import wording
from tests.mastodon.accounts.test_accounts_api import ids
from tests.mastodon.server import Server
from tests.store.makers import post, remote


async def test_the_directory_lists_who_wants_to_be_found(both: Server) -> None:
    alice, bob, api = both.people["alice"], both.people["bob"], await both.api("alice")
    shy = await both.write(remote, "shy", "far.example")
    far = await both.write(remote, "zoe", "far.example", discoverable=True)
    for name in ("alice", "bob"):
        await both.write(wording.update_profile, both.site.urls, both.people[name].id, account_actions.ProfileChanges())
    await both.write(post, shy)
    await both.write(post, far)
    both.clock.now += 1000
    await both.publish("alice")
    assert ids(await api.get("/api/v1/directory", order="new")) == [far.id, bob.id, alice.id]
    assert ids(await api.get("/api/v1/directory")) == [alice.id, far.id]
    assert ids(await (await both.api()).get("/api/v1/directory", local="true", order="new")) == [bob.id, alice.id]
    assert ids(await api.get("/api/v1/directory", order="new", offset=1, limit=1)) == [bob.id]
    await api.post("/api/v1/domain_blocks", {"domain": "far.example"})
    assert ids(await api.get("/api/v1/directory")) == [alice.id]
    assert await api.status("GET", "/api/v1/directory?order=size") == 422


async def test_suggestions_are_friends_of_friends_and_people_here(both: Server) -> None:
    alice, bob, api = both.people["alice"], both.people["bob"], await both.api("alice")
    carol = await both.person("carol")
    for name in ("alice", "bob", "carol"):
        await both.write(wording.update_profile, both.site.urls, both.people[name].id, account_actions.ProfileChanges())
    await both.follow("alice", "bob")
    far = await both.write(remote, "zoe", "far.example", discoverable=True)
    shy = await both.write(remote, "shy", "far.example")
    for each in (far, shy, alice):
        await both.write(relations.put_follow, bob.id, each.id, f"{bob.uri}/{each.id}", "accepted")
    found = await api.get("/api/v2/suggestions")
    assert [(int(each["account"]["id"]), each["sources"]) for each in found] == [
        (far.id, ["friends_of_friends"]),
        (carol.id, ["featured"]),
    ]
    assert await api.status("DELETE", f"/api/v1/suggestions/{far.id}") == 200
    assert await api.status("DELETE", "/api/v1/suggestions/12") == 200
    assert ids(await api.get("/api/v1/suggestions")) == [carol.id]
    await api.post(f"/api/v1/accounts/{carol.id}/mute")
    assert await api.get("/api/v2/suggestions") == []
