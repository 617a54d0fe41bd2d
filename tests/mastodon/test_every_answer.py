"""Every row of the table, in a world where there is something of everything: its schema, its pages, its refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.domain.scopes import covers
from fediblog.errors import Unavailable
from fediblog.mastodon.endpoint_table import Endpoint
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.readers import announcements, notification_policy
from fediblog.store.tx import Tx
from tests.mastodon.inhabited import inhabit
from tests.mastodon.samples import Maker, options_of, path_of
from tests.mastodon.server import WIDE, Api, Server

Json = dict[str, Any]
ABSENT = {"/api/v1/instance/terms_of_service"}  # which is 404 here
REFUSED = {f"/api/v1/admin/accounts/{{id}}/{action}" for action in ("approve", "reject")}  # nobody waits to be let in
EMPTY = {"Nothing[]"}
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def _told(tx: Tx, account: int, actor: int) -> None:
    announcements.add(tx, "<p>Hello</p>", "Hello", None)
    notification_policy.put(tx, account, {"new_accounts": "accept"})
    tx.run("update notice set filtered = 1 where account = :a and kind = 'follow'", a=account)


async def _furnish(server: Server, alice: Api, bob: Api) -> Json:
    """Something for every place in a path, made by Alice, who owns the server."""
    people = {name: str(account.id) for name, account in server.people.items()}
    await server.person("carol")
    await server.person("dora")
    carol, dora = await server.api("carol"), await server.api("dora")
    for name in ("carol", "dora"):
        people[name] = str(server.people[name].id)
        await alice.post(f"/api/v1/accounts/{people[name]}/follow", {})
    mine = await alice.get(f"/api/v1/accounts/{people['alice']}/statuses", limit=40)
    status = next(each for each in mine if each["media_attachments"])
    for app in (carol, dora):
        for action in ("favourite", "reblog"):
            await app.post(f"/api/v1/statuses/{status['id']}/{action}", {})
        await app.post(f"/api/v1/accounts/{people['alice']}/follow", {})
        await app.post("/api/v1/statuses", {"status": "Two @alice", "visibility": "direct"})
        await app.post("/api/v1/statuses", {"status": "Look", "quoted_status_id": status["id"]})
        await alice.post(f"/api/v1/statuses/{status['id']}/bookmark", {})
    for each in mine[:3]:
        for action in ("favourite", "bookmark"):
            await alice.post(f"/api/v1/statuses/{each['id']}/{action}", {})
    many = await alice.post("/api/v1/lists", {"title": "Choir"})
    await alice.post(f"/api/v1/lists/{many['id']}/accounts", {"account_ids": [people["carol"], people["dora"]]})
    for name in ("hills", "lakes"):
        await alice.post(f"/api/v1/tags/{name}/follow", {})
        await alice.post("/api/v1/featured_tags", {"name": name})
        await alice.post("/api/v1/domain_blocks", {"domain": f"{name}.example"})
        await alice.post("/api/v1/admin/domain_blocks", {"domain": f"{name}.test"})
        await alice.post("/api/v1/admin/domain_allows", {"domain": f"{name}.test"})
    for name in ("carol", "dora"):
        await alice.post(f"/api/v1/accounts/{people[name]}/endorse", {})
        await bob.post(f"/api/v1/accounts/{people[name]}/mute", {})
    at = {"status": "Later", "scheduled_at": "2031-01-01T00:00:00Z"}
    later = [await alice.post("/api/v1/statuses", at) for _ in range(2)]
    body = {"title": "Words", "context": ["home"], "keywords_attributes": [{"keyword": "word"}]}
    sieve = await alice.post("/api/v2/filters", body)
    hidden = await alice.post(f"/api/v2/filters/{sieve['id']}/statuses", {"status_id": status["id"]})
    for _ in range(2):
        await alice.post("/api/v1/reports", {"account_id": people["bob"], "comment": "Rude"})
    await alice.call("PATCH", "/api/v1/accounts/update_credentials", json={"locked": True})
    for name, action in (("eve", "block"), ("finn", "mute"), ("gina", "block"), ("hal", "mute")):
        await server.person(name)
        await (await server.api(name)).post(f"/api/v1/accounts/{people['alice']}/follow", {})
        await alice.post(f"/api/v1/accounts/{server.people[name].id}/{action}", {})
        await alice.post("/api/v1/statuses", {"status": "https://example.org/"})
    await alice.post(
        "/api/v1/push/subscription", {"subscription": {"endpoint": "https://push.example/1", "keys": KEYS}}
    )
    await alice.post("/api/v1/markers", {"home": {"last_read_id": status["id"]}})
    told = (await alice.get("/api/v1/notifications"))[0]
    await server.write(_told, server.people["alice"].id, server.people["bob"].id)
    poll = next(each["poll"] for each in mine if each["poll"])
    return {
        "accounts": people["bob"],
        "/api/v1/accounts/{id}/lists": people["carol"],
        "/api/v1/accounts/{id}/endorsements": people["alice"],
        "/api/v1/accounts/{id}/featured_tags": people["alice"],
        "statuses": status["id"],
        "lists": many["id"],
        "list": many["id"],
        "keywords": sieve["keywords"][0]["id"],
        "v1/filters": sieve["keywords"][0]["id"],
        "filters/statuses": hidden["id"],
        "filters": sieve["id"],
        "requests": people["bob"],
        "v2/notifications": told["group_key"],
        "notifications": told["id"],
        "polls": poll["id"],
        "media": status["media_attachments"][0]["id"],
        "scheduled_statuses": later[0]["id"],
        "reports": (await alice.get("/api/v1/admin/reports"))[0]["id"],
        "domain_blocks": (await alice.get("/api/v1/admin/domain_blocks"))[0]["id"],
        "domain_allows": (await alice.get("/api/v1/admin/domain_allows"))[0]["id"],
        "tags": "teal",
        "tag": "teal",
        "url": status["url"],
    }


def _path(row: Endpoint, world: Json) -> str:
    def fill(found: re.Match[str]) -> str:
        before = row.path[: found.start()].rstrip("/").split("/")
        return str(world.get(row.path) or world.get("/".join(before[-2:]), world.get(before[-1])))

    return re.sub(r"\{\w+\}", fill, row.path)


def _asked(row: Endpoint, world: Json) -> Json:
    """What some rows cannot do without."""
    return {
        "/api/v1/accounts": {"id[]": world["accounts"]},
        "/api/v1/statuses": {"id[]": world["statuses"]},
        "/api/v1/accounts/lookup": {"acct": "bob"},
        "/api/v1/accounts/search": {"q": "bob"},
        "/api/v1/accounts/relationships": {"id[]": world["accounts"]},
        "/api/v1/accounts/familiar_followers": {"id[]": world["accounts"]},
        "/api/v1/markers": {"timeline[]": ["home", "notifications"]},
        "/api/v1/domain_blocks/preview": {"domain": "far.example"},
        "/api/v1/timelines/link": {"url": "https://example.org/"},
        "/api/v2/search": {"q": "bob"},
        "/api/oembed": {"url": world["url"]},
    }.get(row.path, {})


def _size(body: Any) -> int:
    return len(body["notification_groups"] if isinstance(body, dict) else body)


@pytest.mark.slow
async def test_every_answer_is_what_its_row_says_and_leads_on_only_below_a_full_page(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = await inhabit(server)
    world = await _furnish(server, alice, bob)
    paged, empty = set(), set()
    for row in [each for each in ENDPOINTS if each.method == "GET" and each.path not in ABSENT]:
        path, asked = _path(row, world), _asked(row, world)
        answer = await alice.call("GET", path, params=asked)
        assert answer.status_code == 200, (path, answer.text[:300])  # `call` holds it against the schema
        if row.gives.endswith("[]") and not answer.json():
            empty.add(row.path)
        if 'rel="prev"' not in answer.headers.get("link", ""):
            continue
        paged.add(row.path)
        assert 'rel="next"' not in answer.headers["link"], path
        whole = _size(answer.json())
        full = await alice.call("GET", path, params={**asked, "limit": whole})
        assert _size(full.json()) == whole
        assert 'rel="next"' in full.headers["link"], path
        piece = await alice.call("GET", path, params={**asked, "limit": 1})
        seen = _size(piece.json())
        while "next" in piece.links and seen <= whole:
            piece = await alice.call("GET", piece.links["next"]["url"])
            seen += _size(piece.json())
        again = row.gives == "GroupedNotificationsResults"  # what is older of a group comes once more
        assert seen > whole if again else seen == whole, path
    assert len(paged) >= 25, sorted(paged)
    assert empty <= {row.path for row in ENDPOINTS if row.gives in EMPTY} | _NOTHING_THERE, sorted(empty)
    await _is_readable_on_a_full_disk(server, alice, world, monkeypatch)


async def _is_readable_on_a_full_disk(server: Server, alice: Api, world: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads go on, though a token's use would be written down again, and whatever else they leave behind."""

    async def refuse(*_: object, **__: object) -> None:
        raise Unavailable("disk-full")

    server.clock.forward(days=1)
    for name in ("write", "write_here"):
        monkeypatch.setattr(type(server.site.db), name, refuse)
    for row in [each for each in ENDPOINTS if each.method == "GET" and each.path not in ABSENT]:
        answer = await alice.call("GET", _path(row, world), params=_asked(row, world))
        assert answer.status_code == 200, (row.path, answer.text[:300])


_NOTHING_THERE = {
    "/api/v1/instance/rules",
    "/api/v1/custom_emojis",
    "/api/v1/suggestions",
    "/api/v2/suggestions",
    "/api/v1/trends/links",
}


@pytest.mark.parametrize("path", ["collections", "in_collections"])
async def test_there_are_no_collections_in_the_shape_that_apps_read(server: Server, path: str) -> None:
    bob = server.people["bob"].id
    assert await (await server.api()).get(f"/api/v1/accounts/{bob}/{path}") == {"collections": []}


@pytest.mark.slow
async def test_every_write_gives_what_its_row_says(server: Server) -> None:
    maker = Maker(server, Api(server.app, server.site.urls.origin, await server.token("alice"), address="127.0.0.1"))
    for row in [each for each in ENDPOINTS if each.method != "GET"]:
        server.clock.forward(hours=1)  # nobody may write more in an hour than a person does
        path, options = await path_of(maker, row), await options_of(maker, row)
        answer = await maker.api.call(row.method, path, **options)  # `call` holds it against the schema
        assert answer.status_code == (403 if row.path in REFUSED else 200), (row.method, path, answer.text[:300])
        if not row.gives:
            assert answer.json() == {}, (row.method, path)


@pytest.mark.slow
async def test_every_refusal_is_an_error(server: Server) -> None:
    scopes = {each for row in ENDPOINTS for each in row.scope.split("|") if each}
    nobody, alice = await server.api(), await server.api("alice")
    narrow = {each: await server.api("alice", next(one for one in WIDE if not covers((one,), each))) for each in scopes}
    refused = set()
    for row in ENDPOINTS:
        path = re.sub(r"\{\w+\}", "7", row.path)
        calls = [(nobody, {}), (alice, {}), (alice, {"content": b"{", "headers": {"content-type": "application/json"}})]
        calls += [(narrow[each], {}) for each in row.scope.split("|")[:1] if each]
        for api, options in calls:
            server.clock.forward(hours=1)
            answer = await api.call(row.method, path, **options)  # `call` holds it against the schema of errors
            assert answer.status_code < 500, (row.method, path, answer.text[:300])
            refused |= {answer.status_code} if answer.status_code >= 400 else set()
    assert refused >= {400, 401, 403, 404, 422}, refused


async def test_a_write_without_a_sample_is_noticed(server: Server) -> None:
    maker = Maker(server, await server.api("alice"))
    row = next(each for each in ENDPOINTS if each.method == "POST" and "{id}" in each.path)
    with pytest.raises(ValueError, match="empty"):
        await path_of(maker, replace(row, path="/api/v1/unheard_of/{id}"))
