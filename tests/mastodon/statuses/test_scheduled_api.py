"""Posts for later, as apps see them."""

from __future__ import annotations

from fediblog.mastodon.entities.base import moment
from fediblog.store.posts import account_posts
from tests.mastodon.server import Server
from tests.mastodon.statuses.test_media_api import uploaded


async def test_a_post_for_later_is_listed_put_off_and_published(both: Server) -> None:
    alice, bob = await both.api("alice"), await both.api("bob")
    at, picture = both.clock() + 3_600_000, await uploaded(both, "alice", "teal")
    asked = {
        "status": "# Later\n\n*x* @bob",
        "content_type": "text/markdown",
        "media_ids": [picture],
        "spoiler_text": "care",
        "visibility": "unlisted",
        "scheduled_at": moment(at),
        "fediblog": {"tags": ["Moon"]},
    }
    made = await alice.post("/api/v1/statuses", asked, headers={"Idempotency-Key": "a"})
    assert made["scheduled_at"] == moment(at)
    assert (made["params"]["text"], made["params"]["spoiler_text"]) == ("# Later\n\n*x* @bob", "care")
    assert (made["params"]["visibility"], made["params"]["media_ids"]) == ("unlisted", [picture])
    again = await alice.post("/api/v1/statuses", asked, headers={"Idempotency-Key": "a"})
    assert again["id"] == made["id"]
    assert [each["id"] for each in await alice.get("/api/v1/scheduled_statuses")] == [made["id"]]
    assert await bob.get("/api/v1/scheduled_statuses") == []
    path = f"/api/v1/scheduled_statuses/{made['id']}"
    assert (await alice.get(path))["media_attachments"][0]["description"] == "teal"
    for method in ("GET", "PUT", "DELETE"):
        assert await bob.status(method, path, json={"scheduled_at": moment(at)}) == 404
    assert await alice.status("PUT", path, json={"scheduled_at": moment(both.clock() + 1000)}) == 422
    assert await alice.status("PUT", path, json={}) == 422
    later = (await alice.call("PUT", path, json={"scheduled_at": moment(at + 1_000_000)})).json()
    assert later["scheduled_at"] == moment(at + 1_000_000)
    assert [each.id for each in await both.read(account_posts.drafts, both.people["alice"].id)] == [int(later["id"])]
    assert await bob.status("GET", f"/api/v1/statuses/{later['id']}") == 404
    both.clock.forward(seconds=4_601)
    await both.world.settle()
    shown = await bob.get(f"/api/v1/statuses/{later['id']}")
    assert (shown["visibility"], shown["spoiler_text"]) == ("unlisted", "care")
    assert shown["fediblog"]["title"] == "Later"
    assert (shown["tags"][0]["name"], shown["media_attachments"][0]["description"]) == ("Moon", "teal")
    assert await alice.get("/api/v1/scheduled_statuses") == []


async def test_too_soon_is_refused_and_the_past_is_now(server: Server) -> None:
    alice = await server.api("alice")
    soon = {"status": "x", "scheduled_at": moment(server.clock() + 60_000)}
    assert await alice.status("POST", "/api/v1/statuses", json=soon) == 422
    now = await alice.post("/api/v1/statuses", {"status": "x", "scheduled_at": moment(server.clock() - 60_000)})
    assert now["content"]
    waiting = await alice.post("/api/v1/statuses", {"status": "x", "scheduled_at": moment(server.clock() + 600_000)})
    assert await alice.status("DELETE", f"/api/v1/scheduled_statuses/{waiting['id']}") == 200
    assert await alice.status("DELETE", f"/api/v1/scheduled_statuses/{waiting['id']}") == 404


async def test_a_poll_for_later_keeps_its_period(server: Server) -> None:
    alice = await server.api("alice")
    asked = {
        "status": "Which?",
        "poll": {"options": ["a", "b"], "expires_in": 700},
        "scheduled_at": moment(server.clock() + 600_000),
    }
    made = await alice.post("/api/v1/statuses", asked)
    assert made["params"]["poll"] == {
        "options": ["a", "b"],
        "expires_in": 700,
        "multiple": False,
        "hide_totals": False,
    }
    path = f"/api/v1/scheduled_statuses/{made['id']}"
    later = (await alice.call("PUT", path, json={"scheduled_at": moment(server.clock() + 900_000)})).json()
    assert later["params"]["poll"]["expires_in"] == 700
