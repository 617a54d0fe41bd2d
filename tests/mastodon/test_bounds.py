"""Whatever is asked for, a call takes a bounded number of queries: every row that reads, in a full world."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import reaction_actions
from fediblog.domain.documents import Visibility
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.tx import Tx
from tests.mastodon.counting import statements
from tests.mastodon.server import Api, Server
from tests.mastodon.test_people_counts import _stranger

pytestmark = pytest.mark.slow

MANY = 40  # of everything
MOST = 36  # queries: fewer than the items of each list, so that one for each would be too many
_SHORT = {  # lists of things that cannot be many are not made long here, and some words stand in paths
    "name": "tag1",
    "key": "ungrouped-1",
    "stream": "user",
    "domain": "blocked1.example",
}


async def fill(server: Server, api: Api) -> dict[str, str]:
    """Many of everything; what stands in the places of the paths below each first word."""
    alice, bob = server.people["alice"], server.people["bob"]
    post = await server.publish("alice", "Root #tag1 https://example.org/a")
    for number in range(MANY):
        await server.write(_stranger, alice, bob, number)
        theirs = await server.publish("bob", f"@alice #tag{number} https://example.org/a", reply_to=post.id)
        await server.write(reaction_actions.boost, server.site.urls, alice.id, theirs.id)
        await server.publish("bob", f"Psst @alice {number}", visibility=Visibility.DIRECT)
        await api.post(f"/api/v1/statuses/{theirs.id}/bookmark")
        await api.post(f"/api/v1/statuses/{theirs.id}/favourite")
    await server.follow("alice", "bob")
    members = [row.followed for row in await server.read(_followed, alice.id)]
    listed = await api.post("/api/v1/lists", {"title": "Friends"})
    await api.post(f"/api/v1/lists/{listed['id']}/accounts", {"account_ids": members})
    words = [{"keyword": f"word{number}"} for number in range(MANY)]
    sieve = await api.post("/api/v2/filters", {"title": "x", "context": ["home"], "keywords_attributes": words})
    talks = await api.get("/api/v1/conversations")
    notices = await api.get("/api/v1/notifications")
    reports = await api.get("/api/v1/admin/reports")
    return {
        "accounts": str(alice.id),
        "statuses": str(post.id),
        "lists": listed["id"],
        "filters": sieve["id"],
        "conversations": talks[0]["id"],
        "notifications": notices[0]["id"],
        "reports": reports[0]["id"],
    }


def _followed(tx: Tx, account: int) -> list[Any]:
    return tx.all("select followed from follow where follower = :id and state = 'accepted'", id=account)


async def test_no_call_asks_the_database_once_for_each_item(server: Server) -> None:
    api = Api(server.app, server.site.urls.origin, await server.token("alice"), address="127.0.0.1")
    ids = await fill(server, api)
    counts: dict[str, int] = {}
    for row in ENDPOINTS:
        if row.method != "GET":
            continue
        parts = row.path.split("/")
        for place, part in enumerate(parts):
            if part.startswith("{"):
                parts[place] = _SHORT.get(part[1:-1]) or ids.get(parts[place - 1], "1")
        server.clock.forward(minutes=10)  # what is remembered for a while is not counted as free
        server.site.keep(EntityContext).counts.clear()
        asked = {"limit": "40", "q": "tag", "acct": "bob", "url": "https://example.org/a", "id[]": list(ids.values())}
        with statements() as made:
            answer = await api.call("GET", "/".join(parts), params=asked)
        assert answer.status_code in (200, 404, 422), f"{row.path}: {answer.text[:200]}"
        counts[row.path] = len(made)
    assert {path: count for path, count in counts.items() if count > MOST} == {}
