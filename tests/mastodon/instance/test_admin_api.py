"""What owners do to accounts, reports and servers; and that nobody else does it."""

from __future__ import annotations

import json

import pytest

from fediblog.actions import ruling_actions
from fediblog.domain.documents import Visibility
from fediblog.mastodon.instance import admin_api
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.readers import moderation, moderation_log
from tests.mastodon.accounts.test_accounts_api import ids, pages
from tests.mastodon.server import Server
from tests.store.makers import post, remote

BASE = "/api/v1/admin"


async def test_accounts_are_listed_by_how_they_stand(both: Server) -> None:
    alice, bob, api = both.people["alice"], both.people["bob"], await both.api("alice")
    far = await both.write(remote, "zoe", "far.example", name="Zoë")
    away = await both.write(remote, "away", "other.example")
    await both.write(accounts.set_state, away.id, "suspended")

    async def listed(query: str, version: int = 1) -> list[int]:
        return ids(await api.get(f"/api/v{version}/admin/accounts{query}"))

    assert await listed("") == [away.id, far.id, bob.id, alice.id]
    assert ids(await pages(api, "/api/v1/admin/accounts?limit=3")) == [away.id, far.id, bob.id, alice.id]
    assert await listed("?local=true") == [bob.id, alice.id]
    assert await listed("?remote=1&active=1") == [far.id]
    assert await listed("?suspended=true") == [away.id]
    assert await listed("?username=ZO") == [far.id]
    assert await listed("?display_name=zo") == [far.id]
    assert await listed("?by_domain=other.example") == [away.id]
    assert await listed("?staff=true") == [alice.id]
    assert await listed("?pending=true") == []
    assert await listed("?origin=remote&status=suspended", 2) == [away.id]
    assert await listed("?origin=local&permissions=staff", 2) == [alice.id]
    found = await api.get(f"{BASE}/accounts/{far.id}")
    assert (found["domain"], found["role"], found["account"]["acct"]) == ("far.example", None, "zoe@far.example")
    assert (await api.get(f"{BASE}/accounts/{alice.id}"))["role"]["name"] == "Owner"
    assert await api.status("GET", f"{BASE}/accounts/12") == 404


async def test_suspending_hides_and_locks_out_and_can_be_taken_back(both: Server) -> None:
    bob, api, theirs = both.people["bob"], await both.api("alice"), await both.api("bob")
    written = await both.publish("bob")
    far = await both.write(remote, "zoe", "far.example")
    await both.write(post, far)
    await both.follow("alice", "bob")
    report = await api.post("/api/v1/reports", {"account_id": bob.id, "status_ids": [written.id]})
    path = f"{BASE}/accounts/{bob.id}"
    assert await api.status("POST", f"{path}/action", json={"type": "suspend", "report_id": report["id"]}) == 200
    assert (await api.get(path))["suspended"] is True
    [closed, suspended] = await both.read(moderation_log.latest)
    assert (closed.action, suspended.action, suspended.subject) == ("close", "suspend", f"@{bob.acct}")
    assert await theirs.status("GET", "/api/v1/accounts/verify_credentials") == 401
    assert await api.status("GET", f"/api/v1/statuses/{written.id}") == 404
    kept = await both.read(moderation.get_report, int(report["id"]))
    assert kept is not None
    assert (kept.closed is not None, kept.closed_by) == (True, both.people["alice"].id)
    told = await both.read(
        lambda tx: tx.all("select body from outgoing where kind = 'Update' and account = :b", b=bob.id)
    )
    assert [json.loads(row.body)["object"].get("suspended") for row in told] == [True]
    assert (await api.post(f"{path}/unsuspend"))["suspended"] is False
    assert await theirs.status("GET", "/api/v1/accounts/verify_credentials") == 200
    await api.post(f"{path}/action", {"type": "disable"})
    assert (await api.get(path))["disabled"] is True
    assert await theirs.status("GET", "/api/v1/accounts/verify_credentials") == 401
    assert ids(await api.get(f"{BASE}/accounts", disabled="true")) == [bob.id]
    assert (await api.post(f"{path}/enable"))["disabled"] is False
    assert await theirs.status("GET", "/api/v1/accounts/verify_credentials") == 401  # the app must be let in again
    assert await api.get(f"{BASE}/accounts", silenced="true") == []
    await api.post(f"{path}/action", {"type": "silence", "text": "Too loud"})
    assert (await api.get(path))["silenced"] is True
    assert (await api.get(f"/api/v1/accounts/{bob.id}"))["limited"] is True
    assert ids(await api.get(f"{BASE}/accounts", silenced="true")) == [bob.id]
    again = await both.api("bob")
    wanted = {"types[]": "moderation_warning"}
    told = [each["moderation_warning"] for each in await again.get("/api/v1/notifications", **wanted)]
    assert [(each["action"], each["text"]) for each in told] == [
        *(("silence", "Too loud"), ("none", ""), ("disable", ""), ("none", ""), ("suspend", ""))
    ]
    (newest, *_) = (await again.get("/api/v2/notifications", **wanted))["notification_groups"]
    assert newest["moderation_warning"]["target_account"]["id"] == str(bob.id)
    for kind in ("sensitive", "explode"):
        assert await api.status("POST", f"{path}/action", json={"type": kind}) == 422
    for action in ("approve", "reject"):
        assert await api.status("POST", f"{path}/{action}") == 403
    assert (await api.post(f"{path}/unsilence"))["silenced"] is False
    assert await api.status("DELETE", path) == 422
    for account in (bob, far):
        await api.post(f"{BASE}/accounts/{account.id}/action", {"type": "suspend"})
        assert await api.status("DELETE", f"{BASE}/accounts/{account.id}") == 200
    assert await api.status("GET", f"{BASE}/accounts/{bob.id}") == 404
    assert (await api.get(f"{BASE}/accounts/{far.id}"))["suspended"] is True
    assert await both.read(lambda tx: tx.all("select id from post where account in (:ids)", ids=[bob.id, far.id])) == []


async def test_owners_and_the_server_itself_are_out_of_reach(server: Server) -> None:
    api = await server.api("alice")
    speaker = await server.read(accounts.instance, server.site.urls)
    assert speaker is not None
    for number in (server.people["alice"].id, speaker.id):
        for kind in ("suspend", "disable"):
            assert await api.status("POST", f"{BASE}/accounts/{number}/action", json={"type": kind}) == 422
        assert await api.status("DELETE", f"{BASE}/accounts/{number}") == 422
    assert await api.status("POST", f"{BASE}/accounts/12/action", json={"type": "suspend"}) == 404


async def test_reports_are_worked_through(both: Server) -> None:
    far = await both.write(remote, "zoe", "far.example")
    seen, hidden = await both.write(post, far), await both.write(post, far, visibility=Visibility.FOLLOWERS)
    uris = [each.uri for number in (seen, hidden) if (each := await both.read(posts.stored, number)) is not None]
    number = await both.write(moderation.report, "u:1", None, far.id, uris, "Look")
    second = await both.write(moderation.report, "u:2", both.people["bob"].id, far.id, [], "Again")
    api = await both.api("alice")
    found = await api.get(f"{BASE}/reports/{number}")
    assert (found["account"], found["target_account"]["username"]) == (None, "zoe")
    assert ids(found["statuses"]) == [seen]
    assert ids(await pages(api, f"{BASE}/reports?limit=1")) == [second, number]
    assert ids(await api.get(f"{BASE}/reports", account_id=both.people["bob"].id)) == [second]
    assert (await api.post(f"{BASE}/reports/{number}/assign_to_self"))["assigned_account"]["username"] == "alice"
    assert (await api.post(f"{BASE}/reports/{number}/unassign"))["assigned_account"] is None
    answer = await api.call("PUT", f"{BASE}/reports/{number}", json={"category": "violation", "rule_ids": ["1"]})
    assert answer.json()["category"] == "violation"
    found = await api.post(f"{BASE}/reports/{number}/resolve")
    assert (found["action_taken"], found["action_taken_by_account"]["username"]) == (True, "alice")
    assert ids(await api.get(f"{BASE}/reports", resolved="true", target_account_id=far.id)) == [number]
    assert (await api.post(f"{BASE}/reports/{number}/reopen"))["action_taken"] is False
    assert await api.status("POST", f"{BASE}/reports/12/resolve") == 404


async def test_only_servers_on_the_allow_list_are_heard_while_it_is_in_force(both: Server) -> None:
    api = await both.api("alice")
    far, near = await both.write(remote, "zoe", "far.example"), await both.write(remote, "zed", "near.example")
    listed = await api.post(f"{BASE}/domain_allows", {"domain": "Near.example"})
    assert listed["domain"] == "near.example"
    assert await api.get(f"{BASE}/domain_allows") == [listed]
    assert await api.get(f"{BASE}/domain_allows/{listed['id']}") == listed
    await both.write(ruling_actions.set_allow_list, both.people["alice"].id, in_force=True)
    for account, suspended in ((far, True), (near, False)):
        assert (await api.get(f"{BASE}/accounts/{account.id}"))["suspended"] is suspended
    assert await api.status("DELETE", f"{BASE}/domain_allows/{listed['id']}") == 200
    assert await api.status("GET", f"{BASE}/domain_allows/{listed['id']}") == 404
    assert await api.status("POST", f"{BASE}/domain_allows", json={"domain": "blog.test"}) == 422
    assert (await api.get(f"{BASE}/accounts/{near.id}"))["suspended"] is True


async def test_servers_are_blocked_and_heard_again(both: Server) -> None:
    api = await both.api("alice")
    far = await both.write(remote, "zoe", "sub.far.example")
    blocked = await api.post(
        f"{BASE}/domain_blocks", {"domain": "Far.example", "severity": "suspend", "private_comment": "spam"}
    )
    assert (blocked["domain"], blocked["severity"], blocked["private_comment"]) == ("far.example", "suspend", "spam")
    assert (await api.get(f"{BASE}/accounts/{far.id}"))["suspended"] is True
    assert await api.status("POST", f"{BASE}/accounts/{far.id}/unsuspend") == 422
    assert await api.get(f"{BASE}/domain_blocks/{blocked['id']}") == blocked
    await api.post(f"{BASE}/domain_blocks", {"domain": "other.example"})
    assert len(await pages(api, f"{BASE}/domain_blocks?limit=1")) == 2
    assert await api.status("DELETE", f"{BASE}/domain_blocks/{blocked['id']}") == 200
    assert (await api.get(f"{BASE}/accounts/{far.id}"))["suspended"] is False
    assert await api.status("GET", f"{BASE}/domain_blocks/{blocked['id']}") == 404
    limits = await api.post(f"{BASE}/domain_blocks", {"domain": "far.example", "reject_media": True})
    assert (limits["severity"], limits["reject_media"], limits["reject_reports"]) == ("silence", True, False)
    shown = await api.get(f"{BASE}/accounts/{far.id}")
    assert (shown["silenced"], shown["account"]["limited"], shown["suspended"]) == (True, True, False)
    changed = await api.call("PUT", f"{BASE}/domain_blocks/{limits['id']}", json={"severity": "noop"})
    assert (changed.json()["severity"], changed.json()["reject_media"]) == ("noop", True)
    assert (await api.get(f"{BASE}/accounts/{far.id}"))["silenced"] is False
    for wrong in ({"domain": "far.example", "severity": "loud"}, {"domain": "blog.test"}, {}):
        assert await api.status("POST", f"{BASE}/domain_blocks", json=wrong) == 422
    assert await api.status("GET", f"{BASE}/ip_blocks") == 404


@pytest.mark.parametrize("who", ["bob", "narrow", "nobody"])
async def test_nobody_else_may(server: Server, who: str) -> None:
    """Members with all scopes, an owner's token without those of the admin, and nobody at all."""
    bob = server.people["bob"]
    report = await server.write(moderation.report, "u:1", None, bob.id, [], "Look")
    await server.write(lambda tx: tx.run("insert into blocked_host (host, created) values ('far.example', 1)"))
    api = await {
        "bob": lambda: server.api("bob"),
        "narrow": lambda: server.api("alice", "read", "write", "follow", "push"),
        "nobody": lambda: server.api(),
    }[who]()
    wanted = 401 if who == "nobody" else 403
    for row in admin_api.API.rows:
        number = report if "/reports/" in row.path else bob.id
        path = row.path.replace("{id}", str(number))
        assert await api.status(row.method, path, json={"type": "suspend"}) == wanted, (row.method, path)
    standing = await server.read(accounts.get, bob.id)
    assert standing is not None
    assert standing.state == "active"
