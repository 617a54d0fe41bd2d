"""What those who listen are told, and what they are not: old news, and how a server that stops takes its leave."""

from __future__ import annotations

import pytest

from fediblog.mastodon.streaming import hub
from fediblog.store.queues import events
from fediblog.store.tx import Tx
from tests.mastodon.server import Server
from tests.mastodon.sockets import Closed, Socket


async def test_what_happened_before_is_nobodys_news(both: Server) -> None:
    await both.publish("alice", "Before anybody listened")
    token = await both.token("alice")
    async with Socket(both.app, token=token, stream="user") as socket:
        await both.site.keep(hub.Hub).tell()
        assert socket.nothing()
        post = await both.publish("alice", "Now")
        assert (await socket.update())[2]["id"] == str(post.id)


def _crowd(tx: Tx) -> None:
    for _ in range(events.MOST + 10):
        events.publish(tx, events.FILTERS, account=1)


async def test_much_at_once_hides_nothing_that_comes_later(server: Server) -> None:
    """So much that all that is read of the last seconds has been seen already."""
    token = await server.token("alice")
    async with Socket(server.app, token=token, stream="user") as socket:
        await server.write(_crowd)
        for _ in range(2):
            await server.site.keep(hub.Hub).tell()
        post = await server.publish("alice", "After the crowd")
        assert (await socket.update())[2]["id"] == str(post.id)


async def test_an_event_without_content_has_no_payload(server: Server) -> None:
    """An empty one is no JSON, and apps end the connection over it."""
    async with Socket(server.app, token=await server.token("alice"), stream="user") as socket:
        api = await server.api("alice")
        await api.post("/api/v2/filters", {"title": "A", "context": ["home"]})
        assert await socket.hear() == {"stream": ["user"], "event": "filters_changed"}


async def test_streams_end_when_the_server_stops(server: Server) -> None:
    async with Socket(server.app, token=await server.token("alice"), stream="user") as socket:
        server.site.keep(hub.Hub).close()
        with pytest.raises(Closed) as ended:
            await socket.hear()
        assert ended.value.args == (1001,)
