"""Notifications in groups."""

from __future__ import annotations

from fediblog.actions import reaction_actions
from tests.mastodon.notifications.test_notifications_api import happen
from tests.mastodon.server import Server

LIST = "/api/v2/notifications"


async def test_favourites_of_one_post_are_told_together(both: Server) -> None:
    server = both
    facts = await happen(server)
    await server.person("carol")
    await server.write(reaction_actions.like, server.site.urls, server.people["carol"].id, facts["post"])
    api = await server.api("alice")
    found = await api.get(LIST)
    groups = found["notification_groups"]
    assert [each["type"] for each in groups] == ["favourite", "mention", "reblog", "mention", "follow"]
    assert groups[0]["notifications_count"] == 2
    assert groups[0]["sample_account_ids"] == [str(server.people["carol"].id), str(facts["bob"])]
    assert groups[0]["status_id"] == str(facts["post"])
    assert {each["acct"] for each in found["accounts"]} == {"bob", "carol"}
    assert (await api.get(f"{LIST}/unread_count"))["count"] == 5
    key = groups[0]["group_key"]
    assert [each["acct"] for each in await api.get(f"{LIST}/{key}/accounts")] == ["carol", "bob"]
    assert (await api.get(f"{LIST}/{key}"))["notification_groups"][0]["notifications_count"] == 2
    alone = await api.get(f"{LIST}?grouped_types[]=follow")
    assert len(alone["notification_groups"]) == 6
    partly = await api.get(f"{LIST}?expand_accounts=partial_avatars")
    assert [each["acct"] for each in partly["partial_accounts"]] == []
    first = await api.call("GET", f"{LIST}?limit=1")
    assert first.json()["notification_groups"] == groups[:1]
    assert f"max_id={groups[0]['most_recent_notification_id']}" in first.headers["link"]
    above = await api.get(f"{LIST}?limit=1&min_id={groups[2]['most_recent_notification_id']}")
    assert above["notification_groups"][0]["group_key"] == groups[1]["group_key"]
    await api.post(f"{LIST}/{key}/dismiss")
    assert len((await api.get(LIST))["notification_groups"]) == 4
    single = groups[1]["group_key"]
    assert single.startswith("ungrouped-")
    await api.post(f"{LIST}/{single}/dismiss")
    other = await server.api("bob")
    for method, path in (("GET", key), ("POST", f"{groups[3]['group_key']}/dismiss"), ("GET", "nonsense-1-2-3")):
        assert await other.status(method, f"{LIST}/{path}") == 404, path
