"""Apps are woken by push: what they are told, when, and what happens when their service does not want it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fediblog.actions import follow_actions, reaction_actions
from fediblog.protocol import webpush
from tests.mastodon.server import HOST, Server, conform
from tests.protocol.test_webpush import BROWSER, read_back

KEY, SECRET = webpush.encode(webpush.point_of(BROWSER)), b"0123456789abcdef"
ALL = {"mention": True, "favourite": True, "follow": True, "reblog": True}
PATH = "/api/v1/push/subscription"


class Service:
    """A push service: what came, and how it answers."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status = 201

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        body = (await receive())["body"]
        self.came.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"retry-after", b"120")]})
        await send({"type": "http.response.body", "body": b""})

    def told(self) -> list[dict[str, Any]]:
        found = [json.loads(read_back(headers, body, SECRET)) for headers, body in self.came]
        for each in found:
            conform("PushMessage", each, "push")
        return found


def _subscription(**more: Any) -> dict[str, Any]:
    keys = {"p256dh": KEY, "auth": webpush.encode(SECRET)}
    inner = {"endpoint": "https://push.test/send/1", "keys": keys, **more}
    return {"subscription": inner, "data": {"alerts": ALL}}


async def test_a_like_wakes_the_app_once(both: Server) -> None:
    service = Service()
    both.world.network.apps["push.test"] = service
    api = await both.api("alice")
    made = await api.post(PATH, _subscription(standard=True))
    assert made["alerts"]["mention"] is True
    assert made["alerts"]["poll"] is False
    assert await api.get(PATH) == made
    post = await both.publish("alice", "Hello")
    await both.world.do(HOST, reaction_actions.like, both.people["bob"].id, post.id)
    await both.world.settle()
    [told] = service.told()
    assert (told["title"], told["body"], told["notification_type"]) == ("Bob likes your post", "Hello", "favourite")
    assert told["access_token"] == api.token
    notices = await both.read(lambda tx: tx.all("select id from notice"))
    assert told["notification_id"] == notices[0].id
    headers = service.came[0][0]
    assert headers["content-encoding"] == "aes128gcm"
    assert made["server_key"] in headers["authorization"]
    stored = await both.read(lambda tx: tx.one("select * from push_subscription"))
    assert stored is not None
    assert api.token not in str(stored)


async def test_older_apps_get_the_older_coding_and_form_bodies_are_read(server: Server) -> None:
    service = Service()
    server.world.network.apps["push.test"] = service
    api = await server.api("alice")
    form = {
        "subscription[endpoint]": "https://push.test/send/1",
        "subscription[keys][p256dh]": KEY,
        "subscription[keys][auth]": webpush.encode(SECRET),
        "data[alerts][follow]": "true",
    }
    assert (await api.call("POST", PATH, data=form)).status_code == 200
    await server.world.do(HOST, follow_actions.follow, server.people["bob"].id, server.people["alice"].id)
    await server.world.settle()
    assert service.told()[0]["notification_type"] == "follow"
    assert service.came[0][0]["content-encoding"] == "aesgcm"
    changed = await api.call("PUT", PATH, json={"data": {"alerts": {"follow": False}, "policy": "followed"}})
    assert changed.json()["policy"] == "followed"
    assert not any(changed.json()["alerts"].values())


async def test_a_service_that_knows_it_no_more_ends_the_subscription_and_one_that_is_busy_is_asked_again(
    server: Server,
) -> None:
    service = Service()
    server.world.network.apps["push.test"] = service
    api = await server.api("alice")
    await api.post(PATH, _subscription(standard=True))
    post = await server.publish("alice")
    service.status = 503
    await server.world.do(HOST, reaction_actions.like, server.people["bob"].id, post.id)
    await server.world.settle()
    assert len(service.came) == 1
    server.clock.forward(seconds=119)
    await server.world.settle()
    assert len(service.came) == 1
    service.status = 410
    server.clock.forward(seconds=2)
    await server.world.settle()
    assert len(service.came) == 2
    assert await api.status("GET", PATH) == 404
    assert [each.kind for each in await server.read(_jobs) if each.kind == "push"] == []


def _jobs(tx: Any) -> list[Any]:
    return list(tx.all("select kind from job"))


async def test_policies_alerts_and_withdrawn_notices(server: Server) -> None:
    service = Service()
    server.world.network.apps["push.test"] = service
    api = await server.api("alice")
    wanted = _subscription(standard=True)
    wanted["data"]["policy"] = "followed"
    await api.post(PATH, wanted)
    first, second = await server.publish("alice"), await server.publish("alice")
    bob = server.people["bob"].id
    await server.world.do(HOST, reaction_actions.like, bob, first.id)
    await server.follow("alice", "bob")
    await server.world.do(HOST, reaction_actions.like, bob, second.id)
    await server.world.do(HOST, reaction_actions.unlike, bob, second.id)
    await server.world.settle()
    assert service.came == []
    assert await api.status("DELETE", PATH) == 200
    assert await api.status("GET", PATH) == 404


async def test_what_is_no_subscription_is_refused_clearly(server: Server) -> None:
    api = await server.api("alice")
    for inner in (
        {"endpoint": "http://10.0.0.1/x"},
        {"endpoint": "https://127.0.0.1/x"},
        {"endpoint": ""},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
    ):
        sent = _subscription()
        sent["subscription"] |= inner
        answer = await api.call("POST", PATH, json=sent)
        assert answer.status_code == 422, inner
        assert answer.json()["error"]
    narrow = await server.api("alice", "read", "write")
    assert await narrow.status("POST", PATH, json=_subscription()) == 403
