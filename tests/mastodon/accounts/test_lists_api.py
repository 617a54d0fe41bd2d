"""Lists: theirs who made them, with people whom they follow, and a timeline each."""

from __future__ import annotations

from fediblog.actions import follow_actions
from tests.mastodon.server import Server
from tests.mastodon.timelines.test_timelines_api import ids


async def test_lists_are_made_filled_and_have_a_timeline(both: Server) -> None:
    server = both
    carol = await server.person("carol")
    bob = server.people["bob"]
    await server.follow("alice", "bob")
    api = await server.api("alice")
    made = await api.post("/api/v1/lists", {"title": "Friends", "replies_policy": "none"})
    path = f"/api/v1/lists/{made['id']}"
    assert await api.status("POST", f"{path}/accounts", json={"account_ids": [str(carol.id)]}) == 404
    await api.post(f"{path}/accounts", data={"account_ids[]": [str(bob.id)]})
    await server.follow("alice", "carol")
    one = await server.publish("bob", "From Bob")
    two = await server.publish("carol", "From Carol")
    await server.publish("bob", "An answer", reply_to=two.id)
    timeline = f"/api/v1/timelines/list/{made['id']}"
    assert ids(await api.get(timeline)) == [str(one.id)]
    changed = await api.call("PUT", path, json={"replies_policy": "followed", "exclusive": True})
    assert changed.json()["title"] == "Friends"
    assert len(await api.get(timeline)) == 2
    assert ids(await api.get("/api/v1/timelines/home")) == [str(two.id)]
    assert ids(await api.get(f"{path}/accounts")) == [str(bob.id)]
    assert ids(await api.get(f"{path}/accounts?limit=0")) == [str(bob.id)]
    assert await api.get("/api/v1/lists") == [changed.json()] == [await api.get(path)]
    await server.write(follow_actions.unfollow, server.site.urls, server.people["alice"].id, bob.id)
    assert await api.get(f"{path}/accounts") == []
    await api.post(f"{path}/accounts", {"account_ids": [str(carol.id)]})
    answer = await api.call("DELETE", f"{path}/accounts", json={"account_ids": [str(carol.id)]})
    assert answer.status_code == 200
    assert await api.get(f"{path}/accounts") == []
    assert await api.status("POST", "/api/v1/lists", json={"title": " "}) == 422
    assert await api.status("DELETE", path) == 200
    assert await api.get("/api/v1/lists") == []


async def test_nobody_reaches_the_lists_of_others(server: Server) -> None:
    made = await (await server.api("alice")).post("/api/v1/lists", {"title": "Mine"})
    other = await server.api("bob")
    path = f"/api/v1/lists/{made['id']}"
    calls = [("GET", path), ("PUT", path), ("DELETE", path), ("GET", f"{path}/accounts"), ("POST", f"{path}/accounts")]
    calls += [("DELETE", f"{path}/accounts"), ("GET", f"/api/v1/timelines/list/{made['id']}")]
    for method, where in calls:
        assert await other.status(method, where, params={"title": "x", "account_ids[]": "1"}) == 404, where
    assert await other.get("/api/v1/lists") == []
