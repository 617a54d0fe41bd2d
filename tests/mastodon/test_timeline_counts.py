"""A timeline of thirty takes as many queries as one of five, the first time and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from fediblog.actions import reaction_actions
from fediblog.domain.documents import Visibility
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.readers import notification_policy
from fediblog.store.tx import Tx
from tests.mastodon.counting import statements
from tests.mastodon.server import Server
from tests.store import makers

pytestmark = pytest.mark.slow

Fill = Callable[[Server, int], Awaitable[str]]
"""Makes so many things and returns the path of the list of them."""
FEW, MANY = 5, 30


async def written(server: Server, count: int) -> None:
    for number in range(count):
        await server.publish("bob", f"@alice #tag <https://example.org/a> {number}")


async def home(server: Server, count: int) -> str:
    await server.follow("alice", "bob")
    await written(server, count)
    for number in range(count):
        other = await server.publish("carol", f"For others {number}")
        await server.write(reaction_actions.boost, server.site.urls, server.people["bob"].id, other.id)
    return "/api/v1/timelines/home?limit=40"


async def public(server: Server, count: int) -> str:
    await written(server, count)
    return "/api/v1/timelines/public?limit=40"


async def tag(server: Server, count: int) -> str:
    await written(server, count)
    return "/api/v1/timelines/tag/tag?limit=40"


async def link(server: Server, count: int) -> str:
    await written(server, count)
    return "/api/v1/timelines/link?limit=40&url=https://example.org/a"


async def of_list(server: Server, count: int) -> str:
    await server.follow("alice", "bob")
    api = await server.api("alice")
    made = await api.post("/api/v1/lists", {"title": "x"})
    await api.post(f"/api/v1/lists/{made['id']}/accounts", {"account_ids": [str(server.people["bob"].id)]})
    await written(server, count)
    return f"/api/v1/timelines/list/{made['id']}?limit=40"


async def bookmarks(server: Server, count: int) -> str:
    api = await server.api("alice")
    for number in range(count):
        post = await server.publish("bob", f"@alice {number}")
        await api.post(f"/api/v1/statuses/{post.id}/bookmark")
        await api.post(f"/api/v1/statuses/{post.id}/favourite")
    return "/api/v1/bookmarks?limit=40"


async def favourites(server: Server, count: int) -> str:
    return (await bookmarks(server, count)).replace("bookmarks", "favourites")


async def notifications(server: Server, count: int) -> str:
    await written(server, count)
    return "/api/v1/notifications?limit=80"


async def grouped(server: Server, count: int) -> str:
    await written(server, count)
    return "/api/v2/notifications?limit=80"


def _strangers(tx: Tx, account: int, count: int) -> None:
    notification_policy.put(tx, account, {"not_following": "filter"})
    for number in range(count):
        stranger = makers.remote(tx, f"stranger{tx.now}{number}")
        tx.run(
            "insert into notice (id, account, kind, actor, created, filtered) values (:id, :a, 'follow', :s, :now, 1)",
            id=tx.new_id(),
            a=account,
            s=stranger.id,
            now=tx.now,
        )


async def requests(server: Server, count: int) -> str:
    server.clock.forward(seconds=1)
    await server.write(_strangers, server.people["alice"].id, count)
    return "/api/v1/notifications/requests?limit=80"


async def conversations(server: Server, count: int) -> str:
    for number in range(count):
        await server.publish("bob", f"Psst @alice {number}", visibility=Visibility.DIRECT)
    return "/api/v1/conversations?limit=40"


async def search(server: Server, count: int) -> str:
    await written(server, count)
    return "/api/v2/search?type=statuses&q=example&limit=40"


async def trends(server: Server, count: int) -> str:
    for number in range(count):
        post = await server.publish("bob", f"#tag{number}x")
        await server.write(reaction_actions.like, server.site.urls, server.people["alice"].id, post.id)
    return "/api/v1/trends/statuses?limit=40"


async def filters(server: Server, count: int) -> str:
    api = await server.api("alice")
    for number in range(count):
        await api.post("/api/v2/filters", {"title": f"{number}", "context": ["home"], "keywords_attributes": []})
    return "/api/v2/filters"


FILLS: tuple[Fill, ...] = (
    home, public, tag, link, of_list, bookmarks, favourites, notifications, grouped, requests, conversations, search,
    trends, filters,
)  # fmt: skip


@pytest.mark.parametrize("fill", FILLS, ids=lambda fill: fill.__name__)
async def test_a_longer_list_takes_no_more_queries(server: Server, fill: Fill) -> None:
    await server.person("carol")
    alice = await server.api("alice")
    context = server.site.keep(EntityContext)
    counts: list[tuple[int, int]] = []
    for count in (FEW, MANY):
        path = await fill(server, count)
        await alice.get(path)  # the token's last use is noted
        for memory in (context.counts, context.people, context.posts, context.trends):
            memory.clear()
        with statements() as anew:
            found = await alice.get(path)
        with statements() as again:
            await alice.get(path)
        things = max(found.values(), key=len) if isinstance(found, dict) else found
        assert len(things) >= count
        counts.append((len(anew), len(again)))
    assert counts[0] == counts[1]
    assert counts[1][1] <= 24
