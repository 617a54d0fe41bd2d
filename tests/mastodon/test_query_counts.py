"""A list of thirty takes as many queries as a list of five."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.tx import Tx
from tests.mastodon.counting import statements
from tests.mastodon.server import Server
from tests.mastodon.statuses.test_media_api import uploaded
from tests.mastodon.statuses.test_statuses_api import _stranger_quotes
from tests.store import makers

pytestmark = pytest.mark.slow

Fill = Callable[[Server, int], Awaitable[str]]
"""Makes so many things and returns the path of the list of them."""
FEW, MANY = 5, 30


async def several(server: Server, count: int) -> str:
    ids = []
    for number in range(count):
        picture = await uploaded(server, "alice")
        made = await server.publish("alice", f"@bob #tag{number} {picture}")
        ids.append(f"id[]={made.id}")
    return "/api/v1/statuses?" + "&".join(ids)


async def thread(server: Server, count: int) -> str:
    root = await server.publish("alice", "Root")
    for number in range(count):
        await server.publish("bob" if number % 2 else "alice", f"Answer #{number}x", reply_to=root.id)
    return f"/api/v1/statuses/{root.id}/context"


async def line(server: Server, count: int) -> str:
    last = await server.publish("alice", "Root")
    for _ in range(count):
        last = await server.publish("bob", "Below", reply_to=last.id)
    return f"/api/v1/statuses/{last.id}/context"


def _like(tx: Tx, post: int, number: int) -> None:
    stranger = makers.remote(tx, f"liker{number}")
    tx.run(
        "insert into reaction (account, post, kind, uri, created) values (:a, :p, 'like', :u, 0)",
        a=stranger.id,
        p=post,
        u=f"https://far.example/{post}/{number}",
    )
    tx.run(
        "insert into boost (id, account, post, uri, created) values (:id, :a, :p, :u, 0)",
        id=tx.new_id(),
        a=stranger.id,
        p=post,
        u=f"https://far.example/{post}/{number}",
    )


async def likers(server: Server, count: int) -> str:
    post = await server.publish("alice", "Liked")
    for number in range(count):
        await server.write(_like, post.id, number)
    return f"/api/v1/statuses/{post.id}/favourited_by"


async def boosters(server: Server, count: int) -> str:
    return (await likers(server, count)).replace("favourited_by", "reblogged_by")


async def quoting(server: Server, count: int) -> str:
    post = await server.publish("alice", "Quoted")
    for number in range(count):
        await server.write(_stranger_quotes, post, number)
    return f"/api/v1/statuses/{post.id}/quotes?limit=40"


async def own_quotes(server: Server, count: int) -> str:
    for number in range(count):
        post = await server.publish("alice", "Quoted", quotable="followers")
        await server.publish("alice", f"Look {number}", quote=post.id)
    return f"/api/v1/accounts/{server.people['alice'].id}/statuses?limit=40"


async def waiting(server: Server, count: int) -> str:
    for number in range(count):
        at = server.clock() + 1_000_000 + number * 1000
        await server.publish("alice", f"@bob {number}", state="scheduled", scheduled=at)
    return "/api/v1/scheduled_statuses?limit=40"


async def history(server: Server, count: int) -> str:
    post, api = await server.publish("alice", "One"), await server.api("alice")
    for number in range(count):
        server.clock.forward(seconds=1)
        await api.call("PUT", f"/api/v1/statuses/{post.id}", json={"status": f"Now {number}"})
    return f"/api/v1/statuses/{post.id}/history"


FILLS: tuple[Fill, ...] = (several, thread, line, likers, boosters, quoting, own_quotes, waiting, history)


@pytest.mark.parametrize("fill", FILLS, ids=lambda fill: fill.__name__)
async def test_a_longer_list_takes_no_more_queries(server: Server, fill: Fill) -> None:
    alice = await server.api("alice")
    counts = []
    for count in (FEW, MANY):
        path = await fill(server, count)
        await alice.get(path)  # the token's last use is noted
        context = server.site.keep(EntityContext)
        context.counts.clear()
        with statements() as asked:
            found = await alice.get(path)
        things = [each for part in found.values() for each in part] if isinstance(found, dict) else found
        assert len(things) >= count
        counts.append(len(asked))
    assert counts[0] == counts[1], asked
