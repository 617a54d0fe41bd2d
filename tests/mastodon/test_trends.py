"""Trends: what is talked about in the posts of this week."""

from __future__ import annotations

from fediblog.actions import reacting
from fediblog.domain.documents import Visibility
from tests.mastodon.server import Server
from tests.mastodon.test_timelines import ids


async def test_what_many_use_comes_first_and_what_is_old_or_private_not_at_all(both: Server) -> None:
    server = both
    await server.publish("bob", "Long ago #old <https://example.org/old>")
    server.clock.forward(days=8)
    await server.publish("bob", "#lakes #lakes2 <https://example.org/a>")
    await server.publish("bob", "#lakes again")
    await server.publish("bob", "#secret", visibility=Visibility.FOLLOWERS)
    server.clock.forward(days=1)
    post = await server.publish("bob", "#hills <https://example.org/b>")
    await server.publish("alice", "#Hills too <https://example.org/b>")
    await server.write(reacting.like, server.site.urls, server.people["alice"].id, post.id)
    nobody = await server.api()
    tags = await nobody.get("/api/v1/trends/tags")
    assert [each["name"].lower() for each in tags] == ["hills", "lakes", "lakes2"]
    assert (tags[0]["history"][0]["uses"], tags[0]["history"][0]["accounts"]) == ("2", "2")
    assert tags[1]["history"][1]["uses"] == "2"
    assert len(tags[0]["history"]) == 7
    assert await nobody.get("/api/v1/trends?limit=1&offset=1") == tags[1:2]
    links = await nobody.get("/api/v1/trends/links")
    assert [each["url"] for each in links] == ["https://example.org/b", "https://example.org/a"]
    assert ids(await nobody.get("/api/v1/trends/statuses")) == [str(post.id)]
    await server.publish("alice", "#new")
    assert await nobody.get("/api/v1/trends/tags") == tags
    server.clock.forward(minutes=11)
    assert len(await nobody.get("/api/v1/trends/tags")) == 4
