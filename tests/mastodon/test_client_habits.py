"""What client libraries do that the API's documentation does not say, and that works with Mastodon."""

from __future__ import annotations

from tests.mastodon.server import Server


async def test_put_and_patch_are_the_same(server: Server) -> None:
    """masto.js has PATCH for every change."""
    api = await server.api("alice")
    made = await api.post("/api/v1/lists", {"title": "Choir"})
    for method, title in (("PATCH", "Chorus"), ("PUT", "Band")):
        answer = await api.call(method, f"/api/v1/lists/{made['id']}", json={"title": title})
        assert answer.json()["title"] == title
    answer = await api.call("PUT", "/api/v1/accounts/update_credentials", json={"display_name": "A."})
    assert answer.json()["display_name"] == "A."


async def test_questions_may_have_a_body(server: Server) -> None:
    """Mastodon.py asks for familiar followers so."""
    api, bob = await server.api("alice"), str(server.people["bob"].id)
    answer = await api.call("GET", "/api/v1/accounts/familiar_followers", json={"id": [bob]})
    assert [each["id"] for each in answer.json()] == [bob]
    answer = await api.call(
        "GET", "/api/v1/accounts/familiar_followers", content=b"{", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400


async def test_lists_may_be_marked_twice(server: Server) -> None:
    """Mastodon.py sends the ids of requests so."""
    api, bob = await server.api("alice"), await server.api("bob")
    await api.call("PATCH", "/api/v2/notifications/policy", json={"for_not_following": "filter"})
    await bob.post("/api/v1/statuses", {"status": "@alice psst"})
    (waiting,) = await api.get("/api/v1/notifications/requests")
    await api.post("/api/v1/notifications/requests/accept", data={"id[][]": waiting["id"]})
    assert await api.get("/api/v1/notifications/requests") == []
