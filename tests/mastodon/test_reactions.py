"""Who likes a post or sets emoji beside it is one person: in every number, and beside every face."""

from __future__ import annotations

import re
from typing import Any

from fediblog.inbox import Facts, apply
from fediblog.protocol.activities import read_activity
from tests.mastodon.server import Server
from tests.store.makers import remote

FOX = {"type": "Emoji", "name": ":fox:", "icon": {"type": "Image", "url": "https://far.example/fox.png"}}


async def _react(both: Server, handle: str, uri: str, *actions: dict[str, Any]) -> None:
    actor = await both.write(remote, handle, "far.example")

    for number, action in enumerate(actions):
        activity = {"id": f"{actor.uri}/{number}", "type": "Like", "actor": actor.uri, "object": uri, **action}
        read = read_activity(activity)
        assert read is not None
        await both.write(apply, both.site.urls, read, Facts(actor=actor))
        both.clock.forward(seconds=1)


async def test_a_person_counts_once_everywhere(both: Server) -> None:
    post = await both.publish("alice")
    await _react(both, "zoe", post.uri, {}, {"content": "\U0001f389"}, {"type": "EmojiReact", "content": "\u2764"})
    await _react(both, "yan", post.uri, {"type": "EmojiReact", "content": ":fox:", "tag": [FOX]}, {"type": "Dislike"})
    await _react(both, "xav", post.uri, {"type": "Dislike"})
    alice, nobody = await both.api("alice"), await both.api()

    status = await alice.get(f"/api/v1/statuses/{post.id}")
    likers = await alice.get(f"/api/v1/statuses/{post.id}/favourited_by")
    told = await alice.get("/api/v1/notifications")
    grouped = (await alice.get("/api/v2/notifications"))["notification_groups"]
    accept = {"accept": "application/activity+json"}
    collection = (await nobody.http.get(post.likes, headers=accept)).json()
    document = (await nobody.http.get(post.uri, headers=accept)).json()
    page = (await nobody.http.get(post.url, headers={"accept": "text/html"})).text
    trend = await nobody.get("/api/v1/trends/statuses")

    assert status["favourites_count"] == len(likers) == 2
    assert [each["type"] for each in told] == ["favourite", "favourite"]
    assert sum(each["notifications_count"] for each in grouped) == 2
    assert (collection["totalItems"], len(collection["items"])) == (2, 2)
    assert document["likes"]["totalItems"] == 2
    assert [each["favourites_count"] for each in trend] == [2]
    faces = page.partition('class="faces"')[2].partition("</ul>")[0]
    assert faces.count("<li>") == 2
    assert "2 people like this" in faces
    assert re.findall(r'class="reaction">([^<]+)<', faces) == ["\U0001f389"]
    fox = re.findall(r'class="emoji reaction" src="/media/emoji/[^"]+" alt="([^"]+)"', faces)
    assert fox == [":fox:"]
