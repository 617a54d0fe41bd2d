"""What one is to others: follows and how they are meant, blocks, mutes, notes, requests, hidden servers."""

from __future__ import annotations

from typing import Any

from fediblog.actions import account_actions, reaction_actions
from fediblog.domain.accounts import Account
from fediblog.store.people import accounts, relations
from fediblog.store.posts import posts, timelines
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.accounts.test_accounts_api import ids, pages
from tests.mastodon.server import Api, Server
from tests.store.makers import home_of, notices_of, post, remote


async def relation(api: Api, account: Account) -> Any:
    [found] = await api.get("/api/v1/accounts/relationships", id=account.id)
    return found


def _arrive(tx: Tx, author: Account, **changes: Any) -> int:
    """A post of somebody elsewhere, as it is taken in."""
    number = post(tx, author, **changes)
    stored = posts.stored(tx, number)
    assert stored is not None
    timelines.spread(tx, stored)
    notifications.add_for_listeners(tx, stored)
    return number


async def test_follow_and_how_it_is_meant(both: Server) -> None:
    alice, bob, api = both.people["alice"], both.people["bob"], await both.api("alice")
    found = await api.post(f"/api/v1/accounts/{bob.id}/follow", {"reblogs": False, "notify": True, "languages": ["de"]})
    assert (found["following"], found["showing_reblogs"], found["notifying"]) == (True, False, True)
    assert found["languages"] == ["de"]
    german = await both.publish("bob", "Guten Tag", language="de-AT")
    english = await both.publish("bob", "Good day", language="en")
    unsaid = await both.publish("bob", "?")
    mine = await both.publish("alice", "mine")
    await both.publish("bob", "to Alice", reply_to=mine.id, language="de")
    carol = await both.person("carol")
    theirs = await both.publish("carol", "Carol's", language="de")
    await both.write(reaction_actions.boost, both.site.urls, bob.id, theirs.id)
    home = [each.post.id for each in await both.read(home_of, alice.id)]
    assert english.id not in home
    assert theirs.id not in home
    assert {german.id, unsaid.id, mine.id} < set(home)
    told = await both.read(notices_of, alice.id)
    assert {each.post.id for each in told if each.kind == "status" and each.post} == {german.id, english.id, unsaid.id}
    found = await api.post(f"/api/v1/accounts/{bob.id}/follow", {"reblogs": True, "languages": []})
    assert (found["showing_reblogs"], found["notifying"], found["languages"]) == (True, True, None)
    late = await both.publish("carol", "again", language="fr")
    await both.write(reaction_actions.boost, both.site.urls, bob.id, late.id)
    assert late.id in [each.post.id for each in await both.read(home_of, alice.id)]
    found = await api.post(f"/api/v1/accounts/{bob.id}/unfollow")
    assert (found["following"], found["notifying"], found["showing_reblogs"]) == (False, False, False)
    assert await api.status("POST", f"/api/v1/accounts/{alice.id}/follow") == 422
    assert await api.status("POST", "/api/v1/accounts/1/follow") == 404
    assert await api.status("POST", f"/api/v1/accounts/{bob.id}/follow", json={"languages": ["klingon"]}) == 422
    await both.write(accounts.set_state, carol.id, "suspended")
    assert await api.status("POST", f"/api/v1/accounts/{carol.id}/follow") == 403
    assert await (await both.api("alice", "read")).status("POST", f"/api/v1/accounts/{bob.id}/follow") == 403


async def test_requests_are_let_in_or_not(both: Server) -> None:
    bob, carol = both.people["bob"], await both.person("carol")
    await both.write(
        wording.update_profile, both.site.urls, both.people["alice"].id, account_actions.ProfileChanges(locked=True)
    )
    alice, api = both.people["alice"], await both.api("alice")
    for name in ("bob", "carol"):
        found = await (await both.api(name)).post(f"/api/v1/accounts/{alice.id}/follow")
        assert (found["following"], found["requested"]) == (False, True)
    assert (await relation(api, bob))["requested_by"] is True
    assert sorted(ids(await pages(api, "/api/v1/follow_requests?limit=1"))) == sorted([bob.id, carol.id])
    me = await api.get("/api/v1/accounts/verify_credentials")
    assert me["source"]["follow_requests_count"] == 2
    assert (await api.post(f"/api/v1/follow_requests/{bob.id}/authorize"))["followed_by"] is True
    assert (await api.post(f"/api/v1/follow_requests/{carol.id}/reject"))["requested_by"] is False
    assert await api.status("POST", f"/api/v1/follow_requests/{carol.id}/authorize") == 404
    assert await api.get("/api/v1/follow_requests") == []
    assert await (await both.api("bob")).get("/api/v1/follow_requests") == []
    assert (await api.post(f"/api/v1/accounts/{bob.id}/remove_from_followers"))["followed_by"] is False
    assert (await api.post(f"/api/v1/accounts/{bob.id}/remove_from_followers"))["followed_by"] is False


async def test_block_mute_and_note(both: Server) -> None:
    alice, bob, api = both.people["alice"], both.people["bob"], await both.api("alice")
    other = await both.api("bob")
    await both.follow("bob", "alice")
    found = await api.post(f"/api/v1/accounts/{bob.id}/mute", {"duration": 3600})
    assert (found["muting"], found["muting_notifications"]) == (True, True)
    assert found["muting_expires_at"] is not None
    [muted] = await api.get("/api/v1/mutes")
    assert (muted["id"], muted["mute_expires_at"]) == (str(bob.id), found["muting_expires_at"])
    mine = await both.publish("alice")
    await both.write(reaction_actions.like, both.site.urls, bob.id, mine.id)
    assert [each.kind for each in await both.read(notices_of, alice.id)] == ["follow"]
    found = await api.post(f"/api/v1/accounts/{bob.id}/mute", {"notifications": False})
    assert (found["muting_notifications"], found["muting_expires_at"]) == (False, None)
    await both.write(reaction_actions.boost, both.site.urls, bob.id, mine.id)
    assert [each.kind for each in await both.read(notices_of, alice.id)] == ["boost", "follow"]
    assert (await api.post(f"/api/v1/accounts/{bob.id}/unmute"))["muting"] is False
    await api.post(f"/api/v1/accounts/{bob.id}/mute", {"duration": 60})
    both.clock.now += 61_000
    assert await api.get("/api/v1/mutes") == []
    assert (await relation(api, bob))["muting"] is False
    assert (await api.post(f"/api/v1/accounts/{bob.id}/note", {"comment": " a friend "}))["note"] == "a friend"
    assert (await relation(other, alice))["note"] == ""
    assert await api.status("POST", f"/api/v1/accounts/{bob.id}/note", json={"comment": "x" * 2001}) == 422
    assert (await api.post(f"/api/v1/accounts/{bob.id}/note", {}))["note"] == ""
    found = await api.post(f"/api/v1/accounts/{bob.id}/block")
    assert (found["blocking"], found["followed_by"]) == (True, False)
    assert (await relation(other, alice))["blocked_by"] is True
    assert ids(await api.get("/api/v1/blocks")) == [bob.id]
    assert await other.get("/api/v1/blocks") == []
    assert await other.status("POST", f"/api/v1/accounts/{alice.id}/follow") == 403
    assert (await api.post(f"/api/v1/accounts/{bob.id}/unblock"))["blocking"] is False
    assert await api.get("/api/v1/blocks") == []


async def test_endorsements_and_familiar_followers(both: Server) -> None:
    alice, bob, api = both.people["alice"], both.people["bob"], await both.api("alice")
    carol = await both.person("carol")
    assert await api.status("POST", f"/api/v1/accounts/{bob.id}/endorse") == 422
    for name in ("bob", "carol"):
        await both.follow("alice", name)
    assert (await api.post(f"/api/v1/accounts/{bob.id}/pin"))["endorsed"] is True
    assert (await api.post(f"/api/v1/accounts/{carol.id}/endorse"))["endorsed"] is True
    nobody = await both.api()
    assert ids(await pages(nobody, f"/api/v1/accounts/{alice.id}/endorsements?limit=1")) == [carol.id, bob.id]
    await api.post(f"/api/v1/accounts/{bob.id}/unpin")
    await api.post(f"/api/v1/accounts/{carol.id}/unfollow")
    assert await api.get("/api/v1/endorsements") == []
    await both.follow("bob", "carol")
    one, two = await api.get(f"/api/v1/accounts/familiar_followers?id[]={carol.id}&id[]={bob.id}")
    assert (one["id"], ids(one["accounts"]), two["accounts"]) == (str(carol.id), [bob.id], [])
    shown = await api.get(f"/api/v1/accounts/relationships?id[]={carol.id}&id[]={bob.id}&id[]=12")
    assert [each["following"] for each in shown] == [False, True]


async def test_a_hidden_server_is_seen_and_heard_no_more(both: Server) -> None:
    alice, api = both.people["alice"], await both.api("alice")
    far, near = await both.write(remote, "zoe", "far.example"), await both.write(remote, "yan", "near.example")
    for each in (far, near):
        await both.write(relations.put_follow, alice.id, each.id, f"{alice.uri}/f{each.id}", "accepted")
        await both.write(relations.put_follow, each.id, alice.id, f"{each.uri}/f", "accepted")
        await both.write(notifications.add, alice.id, "follow", each.id)
    await api.post("/api/v1/domain_blocks", {"domain": "Far.example"})
    assert await api.get("/api/v1/domain_blocks") == ["far.example"]
    found = await relation(api, far)
    assert (found["domain_blocking"], found["following"], found["followed_by"]) == (True, False, False)
    assert (await relation(api, near))["following"] is True
    sent = await both.read(lambda tx: [row.kind for row in tx.all("select kind from outgoing order by id")])
    assert sent == ["Undo", "Reject"]
    await both.write(notifications.add, alice.id, "mention", far.id)
    assert [each.actor.id for each in await both.read(notices_of, alice.id)] == [near.id]
    await both.write(relations.put_follow, alice.id, far.id, f"{alice.uri}/again", "accepted")
    hidden, shown = await both.write(_arrive, far), await both.write(_arrive, near)
    assert [each.id for each in await both.read(home_of, alice.id)] == [shown]
    assert await (await both.api("bob")).get("/api/v1/domain_blocks") == []
    assert await api.status("DELETE", "/api/v1/domain_blocks", params={"domain": "far.example"}) == 200
    assert [each.id for each in await both.read(home_of, alice.id)] == [shown, hidden]
    for wrong in ("blog.test", "no host", ""):
        assert await api.status("POST", "/api/v1/domain_blocks", json={"domain": wrong}) == 422
