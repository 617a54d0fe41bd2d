"""Reports: what is kept, what is forwarded and in whose name, and what nobody may report."""

from __future__ import annotations

import json

from fediblog.domain.documents import Visibility
from fediblog.store.readers import moderation
from tests.mastodon.server import Server
from tests.store.makers import post, remote


async def test_a_report_is_kept_and_forwarded_in_the_servers_name(both: Server) -> None:
    far = await both.write(remote, "zoe", "far.example")
    bad, hidden = await both.write(post, far), await both.write(post, far, visibility=Visibility.DIRECT)
    other = await both.publish("bob")
    api = await both.api("alice")
    found = await api.post(
        "/api/v1/reports",
        {
            "account_id": str(far.id),
            "status_ids": [str(bad), str(hidden), str(other.id), "12"],
            "comment": "Not kind",
            "category": "spam",
            "forward": True,
        },
    )
    assert (found["category"], found["forwarded"], found["status_ids"]) == ("spam", True, [str(bad)])
    assert (found["comment"], found["action_taken"], found["target_account"]["id"]) == ("Not kind", False, str(far.id))
    [kept] = await both.read(moderation.reports)
    assert kept.reporter is not None
    assert kept.reporter.id == both.people["alice"].id
    [row] = await both.read(lambda tx: tx.all("select * from outgoing where kind = 'Flag'"))
    flag = json.loads(row.body)
    assert (flag["actor"], flag["content"], flag["to"]) == ("https://blog.test/actor", "Not kind", [far.uri])
    assert flag["object"] == [far.uri, kept.posts[0]]
    assert "alice" not in row.body
    assert both.people["alice"].uri not in row.body


async def test_reports_about_people_here_and_wrong_ones(server: Server) -> None:
    alice, bob, api = server.people["alice"], server.people["bob"], await server.api("alice")
    found = await api.post("/api/v1/reports", {"account_id": bob.id, "rule_ids": ["1"], "forward": True})
    assert (found["category"], found["rule_ids"], found["forwarded"]) == ("violation", ["1"], False)
    assert await server.read(lambda tx: tx.all("select id from outgoing where kind = 'Flag'")) == []
    for wrong, status in (
        ({}, 404),
        ({"account_id": 12}, 404),
        ({"account_id": alice.id}, 422),
        ({"account_id": bob.id, "category": "boring"}, 422),
    ):
        assert await api.status("POST", "/api/v1/reports", json=wrong) == status, wrong
    for _ in range(19):
        await api.post("/api/v1/reports", {"account_id": bob.id})
    answer = await api.call("POST", "/api/v1/reports", json={"account_id": bob.id})
    assert answer.status_code == 422
    assert "often enough" in answer.json()["error"]
    narrow = await server.api("alice", "write:statuses")
    assert await narrow.status("POST", "/api/v1/reports", json={"account_id": bob.id}) == 403
