"""Streams: who may listen, what is told where, and how they end. Over the application's own WebSockets and SSE."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fediblog.actions import follow_actions, post_actions, reaction_actions, site_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Visibility
from fediblog.mastodon.streaming import hub
from fediblog.store.people import apps
from fediblog.store.readers import lists
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.server import HOST, Server
from tests.mastodon.sockets import Closed, Socket


async def caught_up(server: Server) -> None:
    """Everything that has happened is told."""
    await server.site.keep(hub.Hub).tell()


@pytest.mark.parametrize("by", ["header", "query", "subprotocol"])
async def test_a_token_comes_in_three_ways(server: Server, by: str) -> None:
    token = await server.token("alice")
    async with Socket(server.app, token=token, by=by, stream="user") as socket:
        assert socket.subprotocol == (token if by == "subprotocol" else None)
        post = await server.publish("alice", "Hello")
        stream, event, status = await socket.update()
        assert (stream, event, status["id"]) == (["user"], "update", str(post.id))
        assert status["favourited"] is False


async def test_without_a_good_token_or_scope_there_is_no_stream(server: Server) -> None:
    narrow = await server.token("alice", "read:accounts")
    for token, stream, status in (
        ("", "user", 401),
        ("nonsense", "user", 401),
        (narrow, "user", 403),
        (narrow, "list", 422),
        (await server.token("alice"), "nothing", 422),
    ):
        with pytest.raises(Closed) as refused:
            async with Socket(server.app, token=token, stream=stream):
                pass
        assert refused.value.args == (status,), (token, stream)
    theirs = await server.write(lists.add, server.people["bob"].id, "Mine", "list", exclusive=False)
    with pytest.raises(Closed) as refused:
        async with Socket(server.app, token=await server.token("alice"), stream="list", list=str(theirs)):
            pass
    assert refused.value.args == (404,)


async def test_what_happens_is_told_where_it_belongs(both: Server) -> None:
    alice, bob = both.people["alice"], both.people["bob"]
    await both.person("carol")
    await both.follow("alice", "bob")
    mine = await both.write(lists.add, alice.id, "Friends", "list", exclusive=False)
    await both.write(lists.put, mine, {bob.id})
    async with Socket(both.app, token=await both.token("alice")) as socket:
        for stream in ({"stream": "user"}, {"stream": "list", "list": str(mine)}, {"stream": "public:local"}):
            socket.say(type="subscribe", **stream)
        socket.say(type="subscribe", stream="hashtag", tag="Tea")
        socket.say(type="subscribe", stream="hashtag", tag="coffee")
        await socket.obeyed()

        post = await both.publish("bob", "A cup of #tea")
        await caught_up(both)
        told = [await socket.update() for _ in range(4)]
        assert sorted(stream for stream, _, _ in told) == [
            ["hashtag", "tea"],
            ["list", str(mine)],
            ["public:local"],
            ["user"],
        ]
        assert {(event, status["id"]) for _, event, status in told} == {("update", str(post.id))}

        changed = Draft(source="A pot of #tea")
        await both.world.do(HOST, wording.edit, bob.id, post.id, changed)
        await caught_up(both)
        told = [await socket.update() for _ in range(4)]
        assert {event for _, event, _ in told} == {"status.update"}
        assert "pot" in told[0][2]["content"]

        other = await both.publish("carol", "No tag")
        await both.world.do(HOST, reaction_actions.boost, bob.id, other.id)
        await caught_up(both)
        told = [await socket.update() for _ in range(3)]
        boost = told[1][2]
        assert told[0][0] == ["public:local"]
        assert sorted(stream[0] for stream, _, _ in told[1:]) == ["list", "user"]
        assert boost["reblog"]["id"] == str(other.id)

        await both.world.do(HOST, reaction_actions.unboost, bob.id, other.id)
        await both.world.do(HOST, post_actions.delete, bob.id, post.id)
        await caught_up(both)
        told = [await socket.update() for _ in range(5 + 5)]
        assert {payload for _, event, payload in told if event == "delete"} == {str(post.id), boost["id"]}


async def test_notices_conversations_and_private_posts(server: Server) -> None:
    alice, bob = server.people["alice"], server.people["bob"]
    async with Socket(server.app, token=await server.token("alice")) as socket:
        for name in ("user", "user:notification", "direct", "public"):
            socket.say(type="subscribe", stream=name)
        await socket.obeyed()
        post = await server.publish("bob", "@alice a secret", visibility=Visibility.DIRECT)
        await caught_up(server)
        told = sorted([await socket.update() for _ in range(3)], key=lambda each: (each[1], each[0]))
        assert [(stream, event) for stream, event, _ in told] == [
            (["direct"], "conversation"),
            (["user"], "notification"),
            (["user:notification"], "notification"),
        ]
        assert told[0][2]["last_status"]["id"] == told[1][2]["status"]["id"] == str(post.id)
        await server.world.do(HOST, follow_actions.follow, bob.id, alice.id)
        await caught_up(server)
        assert (await socket.update())[2]["type"] == "follow"
        assert (await socket.update())[1] == "notification"
        number = await server.world.do(HOST, wording.announce, "The server moves on *Monday*", None)
        await caught_up(server)
        _, event, announcement = await socket.update()
        assert (event, announcement["id"]) == ("announcement", str(number))
        await server.write(site_actions.withdraw, number)
        await caught_up(server)
        assert (await socket.update())[1:] == ("announcement.delete", str(number))
        socket.say(type="unsubscribe", stream="user")
        socket.say(type="nonsense")
        assert (await socket.hear())["status"] == 422


async def test_nobody_hears_what_is_not_for_them(server: Server) -> None:
    await server.person("carol")
    await server.follow("alice", "bob")
    async with Socket(server.app, token=await server.token("carol"), stream="user") as socket:
        socket.say(type="subscribe", stream="public")
        await socket.obeyed()
        narrow = await server.publish("bob", "For followers", visibility=Visibility.FOLLOWERS)
        await server.publish("bob", "@alice hush", visibility=Visibility.DIRECT)
        await server.world.do(HOST, post_actions.delete, server.people["bob"].id, narrow.id)
        await caught_up(server)
        assert socket.nothing()


def _narrow(tx: Tx, token: int, scopes: str) -> None:
    tx.run("update token set scopes = :scopes where id = :id", id=token, scopes=scopes)
    tx.notify(apps.TOKENS)


async def test_a_revoked_or_narrowed_token_loses_its_streams_at_once(server: Server) -> None:
    token = await server.token("alice")
    number = (await server.read(apps.token, apps.digest(token))).id  # type: ignore[union-attr]
    async with Socket(server.app, token=token, stream="user") as socket:
        await server.write(_narrow, number, "read:statuses")
        assert await server.publish("alice")
        await socket.update()
        await server.write(_narrow, number, "write")
        with pytest.raises(Closed):
            await socket.hear()
    token = await server.token("alice")
    number = (await server.read(apps.token, apps.digest(token))).id  # type: ignore[union-attr]
    async with Socket(server.app, token=token, stream="user") as socket:
        await server.write(apps.revoke, number)
        with pytest.raises(Closed):
            await socket.hear()
    with pytest.raises(Closed):
        async with Socket(server.app, token=token, stream="user"):
            pass


async def test_who_does_not_listen_is_dropped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_WAITING", 3)
    async with Socket(server.app, token=await server.token("alice"), stream="user") as socket:
        socket.stall()
        for number in range(6):
            await server.publish("alice", f"Post {number}")
        await caught_up(server)
        [listener] = server.site.keep(hub.Hub)._listeners
        assert listener.closed == "slow"
        assert listener.waiting.qsize() <= 3
        socket.go_on()
        assert [await socket.drained()] == [1013]


async def test_there_are_only_so_many_connections(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_OF_TOKEN", 1)
    token = await server.token("alice")
    async with Socket(server.app, token=token, stream="user"):
        with pytest.raises(Closed) as refused:
            async with Socket(server.app, token=token, stream="user"):
                pass
        assert refused.value.args == (429,)
    async with Socket(server.app, token=token, stream="user"):
        assert len(server.site.keep(hub.Hub)._listeners) == 1


async def lines(server: Server, path: str, token: str, wanted: int) -> tuple[dict[str, Any], list[str]]:
    """The head of an answer and the first pieces of its body, before the reader goes away."""
    came: asyncio.Queue[Any] = asyncio.Queue()
    gone = asyncio.Event()
    target, _, query = path.partition("?")

    async def receive() -> dict[str, Any]:
        if came.empty() and not receive_once.is_set():
            receive_once.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    receive_once = asyncio.Event()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"blog.test"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("192.0.2.9", 5000),
        "server": ("blog.test", 443),
    }
    task = asyncio.create_task(server.app(scope, receive, came.put))
    head = await came.get()
    parts = [(await came.get())["body"].decode()]
    await server.publish("alice", "Told as an event")
    parts += [(await came.get())["body"].decode() for _ in range(wanted - 1)]
    gone.set()
    await asyncio.wait_for(task, 5)
    return head, parts


async def test_server_sent_events(server: Server) -> None:
    token = await server.token("alice")
    head, parts = await lines(server, "/api/v1/streaming/public/local", token, 2)
    assert head["status"] == 200
    assert dict(head["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert parts[0].startswith(":")
    assert parts[1].startswith("event: update\ndata: {")
    assert parts[1].endswith("\n\n")
    assert not server.site.keep(hub.Hub)._listeners
    api = await server.api("alice", "write")
    assert await api.status("GET", "/api/v1/streaming/user") == 403
    health = await api.call("GET", "/api/v1/streaming/health")
    assert (health.status_code, health.text) == (200, "OK")
