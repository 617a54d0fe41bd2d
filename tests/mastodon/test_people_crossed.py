"""Two people with two accounts each: nobody reads or changes what another account, even of the same login, keeps."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.scopes import covers
from fediblog.mastodon.accounts import directory_api, profile_api, relations_api
from fediblog.mastodon.instance import reports_api
from fediblog.mastodon.timelines import tags_api
from fediblog.store.ids import number_of
from fediblog.store.people import relation_lists
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.server import WIDE, Api, Server

KEPT = (
    *(f"/api/v1/{name}" for name in ("blocks", "mutes", "follow_requests", "endorsements", "domain_blocks")),
    *(f"/api/v1/{name}" for name in ("followed_tags", "featured_tags", "profile")),
    "/api/v1/accounts/verify_credentials",
)

pytestmark = pytest.mark.slow


def _list_of(tx: Tx, owner: int, member: int) -> None:
    number = tx.new_id()
    tx.run("insert into user_list (id, account, title) values (:id, :a, 'Mine')", id=number, a=owner)
    tx.run("insert into list_member (list, account) values (:id, :m)", id=number, m=member)


async def settle(server: Server) -> tuple[int, int]:
    """Alice has something in every list; numbers of whom it is about, and of who asks to follow her."""
    for name, login in (("alice2", "alice"), ("bob2", "bob"), ("carol", ""), ("dora", ""), ("eve", "")):
        await server.person(name, login)
    alice = server.people["alice"].id
    carol, dora, eve = (server.people[name].id for name in ("carol", "dora", "eve"))
    await server.write(
        wording.update_profile, server.site.urls, alice, account_actions.ProfileChanges(name="Alice", locked=True)
    )
    await server.follow("dora", "alice")
    await server.follow("alice", "carol")
    await server.write(relation_lists.mute_host, alice, "hidden.example")
    await server.write(_list_of, alice, carol)
    await server.write(wording.publish, server.site.urls, alice, Draft(source="#cats"))
    api = await server.api("alice")
    await api.post(f"/api/v1/accounts/{carol}/endorse")
    await api.post(f"/api/v1/accounts/{carol}/note", {"comment": "secret"})
    await api.post(f"/api/v1/accounts/{eve}/block")
    await api.post(f"/api/v1/accounts/{carol}/mute")
    await api.post("/api/v1/tags/cats/follow")
    await api.post("/api/v1/tags/cats/feature")
    await api.call("PATCH", "/api/v1/accounts/update_credentials", json={"source": {"privacy": "direct"}})
    return carol, dora


async def kept(api: Api, carol: int) -> list[Any]:
    """All that an account keeps for itself, without what others can change."""
    found = [await api.get(path) for path in KEPT]
    found += [
        await api.get(f"/api/v1/accounts/{carol}/lists"),
        await api.get("/api/v1/accounts/relationships", id=carol),
    ]
    return [_own(each) for each in found]


def _own(found: Any) -> Any:
    if isinstance(found, list):
        return [_own(each) for each in found]
    if isinstance(found, dict):
        changing = ("followers_count", "following_count", "statuses_count", "last_status_at", "history")
        return {name: _own(value) for name, value in found.items() if name not in changing}
    return found


@pytest.mark.parametrize("who", ["alice2", "bob", "bob2"])
async def test_what_one_keeps_is_nobody_elses(server: Server, who: str) -> None:
    carol, dora = await settle(server)
    alice, other = await server.api("alice"), await server.api(who)
    before = await kept(alice, carol)
    assert all(before)
    for path in KEPT[:7]:
        assert await other.get(path) == [], path
    assert await other.get(f"/api/v1/accounts/{carol}/lists") == []
    [relation] = await other.get("/api/v1/accounts/relationships", id=carol)
    assert [name for name, value in relation.items() if value and name != "id"] == []
    modules = (directory_api, profile_api, relations_api, reports_api, tags_api)
    rows = [row for module in modules for row in module.API.rows if row.method != "GET"]
    sent = {"domain": "hidden.example", "name": "cats", "display_name": "Taken", "note": "Taken", "account_id": carol}
    for row in rows:
        for number in (carol, dora, number_of("cats")):
            await other.call(row.method, row.path.replace("{id}", str(number)).replace("{name}", "cats"), json=sent)
    assert await kept(alice, carol) == before


async def test_every_action_needs_its_scope(server: Server) -> None:
    """A token with all scopes but the one, and one without any account behind it."""
    carol, _ = await settle(server)
    wide = tuple(scope for scope in WIDE if scope not in ("write", "follow", "read", "profile"))
    apps = {"none": await server.api("alice", *wide), "read": await server.api("alice", *wide, "read")}
    for module in (directory_api, profile_api, relations_api, reports_api, tags_api):
        for row in module.API.rows:
            path = row.path.replace("{id}", str(carol)).replace("{name}", "cats")
            name = "read" if not covers(("read",), row.scope) else "none"
            assert await apps[name].status(row.method, path) == 403, (row.method, path)
            assert row.who == "anybody" or await (await server.api()).status(row.method, path) == 401, path
