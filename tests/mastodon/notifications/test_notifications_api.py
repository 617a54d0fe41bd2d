"""Notifications, one by one: what is told, to whom, and who has to ask first."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import moderation_actions, reaction_actions
from fediblog.domain.documents import Visibility
from fediblog.store.readers import notifications
from tests.mastodon.server import Api, Server
from tests.mastodon.timelines.test_timelines_api import ids, walk

LIST = "/api/v1/notifications"


async def happen(server: Server) -> dict[str, int]:
    """Bob follows Alice, mentions her, likes and boosts her post, and answers it."""
    urls, bob, alice = server.site.urls, server.people["bob"].id, server.people["alice"].id
    post = await server.publish("alice", "Hello")
    await server.follow("bob", "alice")
    await server.publish("bob", "Hi @alice")
    await server.write(reaction_actions.like, urls, bob, post.id)
    await server.write(reaction_actions.boost, urls, bob, post.id)
    await server.publish("bob", "An answer", reply_to=post.id)
    await server.write(lambda tx: notifications.add(tx, alice, "move", bob, content="https://x.test"))
    return {"post": post.id, "bob": bob, "alice": alice}


async def test_everything_that_happened_is_told_by_its_kind(both: Server) -> None:
    facts = await happen(both)
    api = await both.api("alice")
    found = await api.get(LIST)
    assert [each["type"] for each in found] == ["mention", "reblog", "favourite", "mention", "follow"]
    assert found[1]["status"]["id"] == str(facts["post"])
    assert all(each["account"]["acct"] == "bob" for each in found)
    assert await walk(api, f"{LIST}?limit=2") == ids(found)
    types = [each["type"] for each in await api.get(LIST, **{"types[]": ["favourite", "moved"]})]
    assert types == ["moved", "favourite"]
    assert [each["type"] for each in await api.get(f"{LIST}?exclude_types[]=mention&exclude_types[]=follow")] == [
        "reblog",
        "favourite",
    ]
    assert await api.get(LIST, account_id=str(facts["alice"])) == []
    one = await api.get(f"{LIST}/{found[0]['id']}")
    assert one == found[0]


async def test_they_are_read_dismissed_and_cleared(both: Server) -> None:
    await happen(both)
    api, other = await both.api("alice"), await both.api("bob")
    found = await api.get(LIST)
    assert (await api.get(f"{LIST}/unread_count"))["count"] == 5
    assert await other.status("GET", f"{LIST}/{found[0]['id']}") == 404
    assert await other.status("POST", f"{LIST}/{found[0]['id']}/dismiss") == 404
    await api.post("/api/v1/markers", {"notifications": {"last_read_id": found[1]["id"]}})
    assert (await api.get(f"{LIST}/unread_count"))["count"] == 1
    await api.post(f"{LIST}/{found[0]['id']}/dismiss")
    assert ids(await api.get(LIST)) == ids(found)[1:]
    await api.post(f"{LIST}/clear")
    assert await api.get(LIST) == []
    narrow = await both.api("alice", "read:statuses")
    assert await narrow.status("GET", LIST) == 403


async def test_of_whom_one_blocks_or_what_one_may_not_see_nothing_is_told(server: Server) -> None:
    facts = await happen(server)
    api = await server.api("alice")
    await server.write(moderation_actions.block, server.site.urls, facts["alice"], facts["bob"])
    assert await api.get(LIST) == []


async def ask(api: Api, **policy: str) -> Any:
    answer = await api.call("PATCH", "/api/v2/notifications/policy", json=policy)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_strangers_wait_until_they_are_let_in(both: Server) -> None:
    server = both
    await server.person("carol")
    api = await server.api("alice")
    policy = await ask(api, for_not_following="filter")
    assert policy["for_not_following"] == "filter"
    await server.publish("bob", "Hi @alice")
    await server.publish("bob", "Hi again @alice")
    await server.publish("carol", "Carol to @alice")
    assert await api.get(LIST) == []
    assert (await api.get(f"{LIST}/unread_count"))["count"] == 0
    assert [each["filtered"] for each in await api.get(LIST, include_filtered="true")] == [True] * 3
    summary = (await api.get("/api/v2/notifications/policy"))["summary"]
    assert summary == {"pending_requests_count": 2, "pending_notifications_count": 3}
    waiting = await api.get(f"{LIST}/requests")
    assert {each["account"]["acct"]: each["notifications_count"] for each in waiting} == {"bob": "2", "carol": "1"}
    bob = next(each for each in waiting if each["account"]["acct"] == "bob")
    assert bob["last_status"]["content"].startswith("<p>Hi again")
    assert await api.get(f"{LIST}/requests/{bob['id']}") == bob
    assert len(await walk(api, f"{LIST}/requests?limit=1")) == 2
    await api.post(f"{LIST}/requests/{bob['id']}/accept")
    assert ["filtered" in each for each in await api.get(LIST)] == [False, False]
    await server.publish("bob", "Third @alice")
    assert len(await api.get(LIST)) == 3
    carol = next(each for each in waiting if each["account"]["acct"] == "carol")
    await api.post(f"{LIST}/requests/dismiss", {"id": [carol["id"], "1"]})
    assert await api.get(f"{LIST}/requests") == []
    assert await api.status("POST", f"{LIST}/requests/{carol['id']}/accept") == 404
    assert (await api.get(f"{LIST}/requests/merged")) == {"merged": True}


async def test_what_is_dropped_is_never_told_and_the_old_policy_says_the_same(both: Server) -> None:
    server = both
    api = await server.api("alice")
    await ask(api, for_private_mentions="drop", for_not_followers="filter")
    old = await api.get("/api/v1/notifications/policy")
    assert (old["filter_private_mentions"], old["filter_not_followers"], old["filter_new_accounts"]) == (
        True,
        True,
        False,
    )
    await server.publish("bob", "Psst @alice", visibility=Visibility.DIRECT)
    assert await api.get(LIST, include_filtered="true") == []
    answer = await api.call("PATCH", "/api/v1/notifications/policy", data={"filter_private_mentions": "false"})
    assert answer.json()["filter_private_mentions"] is False
    assert (await api.call("PATCH", "/api/v2/notifications/policy", json={"for_not_following": "x"})).status_code == 422
    await server.publish("bob", "Psst again @alice", visibility=Visibility.DIRECT)
    assert len(await api.get(LIST, include_filtered="true")) == 1
    assert len(await (await server.api("bob")).get(f"{LIST}/requests")) == 0


@pytest.mark.parametrize("where", ["/api/v1/notifications", "/api/v2/notifications"])
async def test_numbers_that_apps_remember_of_before_still_count(both: Server, where: str) -> None:
    """What was counted otherwise is above 2^53: the notice of that number, or the latest where it is unknown."""
    facts = await happen(both)
    known, unknown = 1 << 60, (1 << 60) + 1
    api = await both.api("alice")
    numbers = [int(each) for each in ids(await api.get("/api/v1/notifications"))]
    sql = "insert into former_notice (account, former, id) values (:account, :former, :id)"
    await both.write(lambda tx: tx.run(sql, account=facts["alice"], former=known, id=numbers[2]))

    async def told(**asked: int) -> list[int]:
        found = await api.get(where, **asked)
        if isinstance(found, dict):
            return [each["most_recent_notification_id"] for each in found["notification_groups"]]
        return [int(each) for each in ids(found)]

    everything = await told()
    assert everything == numbers
    for name in ("since_id", "min_id"):
        assert await told(**{name: known}) == numbers[:2]
        assert await told(**{name: unknown}) == []
    assert await told(max_id=known) == numbers[3:]
    assert await told(max_id=unknown) == numbers
    assert (await api.get(f"/api/v1/notifications/{known}"))["id"] == str(numbers[2])
    assert await api.status("GET", f"/api/v1/notifications/{unknown}") == 404
    latest = await both.read(notifications.counted, facts["alice"])
    for given, read in ((known, numbers[2]), (unknown, latest)):
        await api.post("/api/v1/markers", {"notifications": {"last_read_id": str(given)}})
        found = await api.get("/api/v1/markers", **{"timeline[]": "notifications"})
        assert found["notifications"]["last_read_id"] == str(read)
