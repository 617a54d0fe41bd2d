"""Conversations: private posts by thread, for those who take part."""

from __future__ import annotations

from fediblog.actions import post_actions
from fediblog.domain.documents import Visibility
from tests.mastodon.server import Server
from tests.mastodon.timelines.test_timelines_api import ids, walk

LIST = "/api/v1/conversations"
DIRECT = Visibility.DIRECT


async def test_private_posts_make_a_conversation_for_each_who_takes_part(both: Server) -> None:
    server = both
    await server.person("carol")
    first = await server.publish("bob", "Psst @alice", visibility=DIRECT)
    api, bob, carol = await server.api("alice"), await server.api("bob"), await server.api("carol")
    (found,) = await api.get(LIST)
    assert found["unread"] is True
    assert [each["acct"] for each in found["accounts"]] == ["bob"]
    assert found["last_status"]["id"] == str(first.id)
    (his,) = await bob.get(LIST)
    assert (his["unread"], [each["acct"] for each in his["accounts"]]) == (False, ["alice"])
    assert await carol.get(LIST) == []
    assert await api.get("/api/v1/timelines/home") == []
    assert (await api.post(f"{LIST}/{found['id']}/read"))["unread"] is False
    answer = await server.publish("alice", "Yes @bob", visibility=DIRECT, reply_to=first.id)
    other = await server.publish("carol", "Hey @alice", visibility=DIRECT)
    assert ids([each["last_status"] for each in await api.get(LIST)]) == [str(other.id), str(answer.id)]
    assert len(await walk(api, f"{LIST}?limit=1")) == 2
    assert ids(await api.get("/api/v1/timelines/direct")) == [str(other.id), str(answer.id)]
    (again,) = await bob.get(LIST)
    assert (again["id"], again["unread"]) == (his["id"], True)
    await server.write(post_actions.delete, server.site.urls, server.people["alice"].id, answer.id)
    assert (await bob.get(LIST))[0]["last_status"]["id"] == str(first.id)
    for method, path in (("POST", "/read"), ("POST", "/unread"), ("DELETE", "")):
        assert await carol.status(method, f"{LIST}/{found['id']}{path}") == 404, path
    assert await api.status("DELETE", f"{LIST}/{found['id']}") == 200
    assert len(await api.get(LIST)) == 1
