"""Hashtags: how they are used, what following one brings home, and what a profile shows."""

from __future__ import annotations

from fediblog.domain.documents import Visibility
from tests.mastodon.accounts.test_accounts_api import ids, pages
from tests.mastodon.accounts.test_relations_api import _arrive
from tests.mastodon.server import Server
from tests.store.makers import DAY, home_of, remote


async def test_a_followed_tag_brings_public_posts_home(both: Server) -> None:
    alice, api = both.people["alice"], await both.api("alice")
    found = await api.post("/api/v1/tags/Cats/follow")
    assert (found["name"], found["following"], found["featuring"]) == ("Cats", True, False)
    far = await both.write(remote, "zoe", "far.example")
    theirs = await both.write(_arrive, far, hashtags=("CATS",))
    await both.write(_arrive, far, hashtags=("dogs",))
    await both.write(_arrive, far, hashtags=("cats",), visibility=Visibility.UNLISTED)
    here = await both.publish("bob", "My #cats and #dogs")
    await both.publish("bob", "for few #cats", visibility=Visibility.FOLLOWERS)

    async def home() -> list[int]:
        return [each.id for each in await both.read(home_of, alice.id)]

    assert await home() == sorted([theirs, here.id], reverse=True)
    assert [each.id for each in await both.read(home_of, both.people["bob"].id)][-1] == here.id
    await api.post("/api/v1/tags/dogs/follow")
    await api.post(f"/api/v1/accounts/{far.id}/block")
    assert await home() == [here.id]
    assert [each["name"] for each in await pages(api, "/api/v1/followed_tags?limit=1")] == ["dogs", "Cats"]
    assert (await api.post("/api/v1/tags/cats/unfollow"))["following"] is False
    assert await home() == [here.id]  # it has another one that she follows
    await api.post("/api/v1/tags/dogs/unfollow")
    assert await home() == []
    assert await (await both.api("bob")).get("/api/v1/followed_tags") == []


async def test_a_tag_tells_how_it_was_used(both: Server) -> None:
    await both.publish("alice", "#Fish")
    both.clock.now += DAY
    await both.publish("alice", "#fish")
    await both.publish("bob", "#fish")
    await both.publish("bob", "secret #fish", visibility=Visibility.DIRECT)
    found = await (await both.api()).get("/api/v1/tags/FISH")
    assert found["name"] == "fish"
    assert "following" not in found
    assert [(day["uses"], day["accounts"]) for day in found["history"][:3]] == [("2", "2"), ("1", "1"), ("0", "0")]
    assert len(found["history"]) == 7
    api = await both.api("alice")
    assert (await api.get("/api/v1/tags/never"))["history"][0]["uses"] == "0"
    for wrong in ("12", "a b", "x" * 101, "a-b"):
        assert await api.status("GET", f"/api/v1/tags/{wrong}") == 404, wrong


async def test_tags_on_a_profile(both: Server) -> None:
    alice, api = both.people["alice"], await both.api("alice")
    for _ in range(2):
        last = await both.publish("alice", "#Cats #dogs")
    await both.publish("alice", "#dogs")
    assert [each["name"] for each in await api.get("/api/v1/featured_tags/suggestions")] == ["dogs", "Cats"]
    added = await api.post("/api/v1/featured_tags", {"name": "#Cats"})
    assert (added["name"], added["statuses_count"]) == ("Cats", "2")
    assert added["last_status_at"] == (await api.get(f"/api/v1/statuses/{last.id}"))["created_at"][:10]
    assert (await api.post("/api/v1/tags/dogs/feature"))["featuring"] is True
    assert [each["name"] for each in await api.get("/api/v1/featured_tags")] == ["Cats", "dogs"]
    nobody = await both.api()
    assert ids(await nobody.get(f"/api/v1/accounts/{alice.id}/featured_tags")) == ids(
        await api.get("/api/v1/featured_tags")
    )
    bob = await both.api("bob")
    assert await bob.get("/api/v1/featured_tags") == []
    assert await bob.status("DELETE", f"/api/v1/featured_tags/{added['id']}") == 404
    assert await api.status("DELETE", f"/api/v1/featured_tags/{added['id']}") == 200
    assert (await api.post("/api/v1/tags/dogs/unfeature"))["featuring"] is False
    assert await api.get("/api/v1/featured_tags") == []
    for number in range(10):
        await api.post(f"/api/v1/tags/tag{number}/feature")
    assert await api.status("POST", "/api/v1/tags/eleven/feature") == 422
    assert await api.status("POST", "/api/v1/featured_tags", json={"name": "no tag"}) == 422
    await api.post("/api/v1/tags/tag1/feature")
