"""Polls: asked, answered, ended."""

from __future__ import annotations

import pytest

from fediblog.actions.drafts import Draft, PollDraft
from fediblog.store.queues import job_kinds, job_queue
from tests import wording
from tests.mastodon.server import Server

POLL = {"options": ["Tea", "Coffee", "Water"], "expires_in": 600, "multiple": False}


async def test_a_poll_is_asked_and_answered_by_place(server: Server) -> None:
    alice, bob = await server.api("alice"), await server.api("bob")
    made = await alice.post("/api/v1/statuses", {"status": "Which?", "poll": POLL})
    assert [each["title"] for each in made["poll"]["options"]] == ["Tea", "Coffee", "Water"]
    path = f"/api/v1/polls/{made['poll']['id']}"
    before = await bob.get(path)
    assert (before["voted"], before["own_votes"], before["expired"]) == (False, [], False)
    for wrong in ([], [3], [0, 1], ["x"]):
        assert await bob.status("POST", f"{path}/votes", json={"choices": wrong}) == 422, wrong
    after = await bob.post(f"{path}/votes", data={"choices[]": "1"})
    assert (after["voted"], after["own_votes"], after["votes_count"], after["voters_count"]) == (True, [1], 1, 1)
    assert [each["votes_count"] for each in after["options"]] == [0, 1, 0]
    assert await bob.status("POST", f"{path}/votes", json={"choices": [0]}) == 422
    assert await alice.status("POST", f"{path}/votes", json={"choices": [0]}) == 422
    assert (await (await server.api()).get(path)).get("voted") is None
    server.clock.forward(seconds=601)
    assert (await bob.get(path))["expired"] is True
    assert (await bob.get(f"/api/v1/statuses/{made['id']}"))["poll"]["expired"] is True


async def test_several_answers_where_they_are_allowed(server: Server) -> None:
    alice, bob = await server.api("alice"), await server.api("bob")
    form = {"status": "Which?", "poll[options][]": ["a", "b", "c"], "poll[expires_in]": "3600", "poll[multiple]": "1"}
    made = await alice.post("/api/v1/statuses", data=form)
    assert made["poll"]["multiple"] is True
    after = await bob.post(f"/api/v1/polls/{made['id']}/votes", {"choices": ["0", "2"]})
    assert sorted(after["own_votes"]) == [0, 2]
    assert (after["votes_count"], after["voters_count"]) == (2, 1)


async def test_polls_that_are_not_there_or_not_for_everybody(server: Server) -> None:
    alice, bob = await server.api("alice"), await server.api("bob")
    plain = await server.publish("alice", "No poll")
    hidden = await alice.post("/api/v1/statuses", {"status": "?", "poll": POLL, "visibility": "direct"})
    for number in (plain.id, hidden["id"], 1):
        assert await bob.status("GET", f"/api/v1/polls/{number}") == 404
        assert await bob.status("POST", f"/api/v1/polls/{number}/votes", json={"choices": [0]}) == 404
    assert await alice.status("POST", "/api/v1/statuses", json={"status": "?", "poll": POLL | {"expires_in": 1}}) == 422


async def test_a_published_poll_stays(server: Server) -> None:
    alice = await server.api("alice")
    made = await alice.post("/api/v1/statuses", {"status": "Which?", "poll": POLL})
    path = f"/api/v1/statuses/{made['id']}"
    other = POLL | {"options": ["x", "y"]}
    assert await alice.status("PUT", path, json={"status": "Which one?", "poll": other}) == 422
    changed = (await alice.call("PUT", path, json={"status": "Which one?", "poll": POLL})).json()
    assert [each["title"] for each in changed["poll"]["options"]] == ["Tea", "Coffee", "Water"]
    gone = (await alice.call("DELETE", path)).json()
    assert gone["poll"]["options"][0]["title"] == "Tea"


@pytest.mark.parametrize("path", ["/api/v1/polls/{id}", "/api/v1/statuses/{id}"])
async def test_a_vote_elsewhere_counts_at_once_and_who_looks_has_the_totals_asked_for(
    server: Server, path: str
) -> None:
    await server.world.open("far.test")
    dave = await server.world.person("far.test", "dave")
    there = server.world.sites["far.test"]
    draft = Draft(source="Which?", poll=PollDraft(options=("Tea", "Coffee"), seconds=3600))
    post = await there.db.write(wording.publish, there.urls, dave.id, draft)
    api, nobody = await server.api("alice"), await server.api()
    (found,) = (await api.get("/api/v2/search", q=post.uri, resolve="true"))["statuses"]
    number = found["poll"]["id"]
    after = await api.post(f"/api/v1/polls/{number}/votes", {"choices": ["1"]})
    shown = (await api.get(f"/api/v1/statuses/{found['id']}"))["poll"]
    for poll in (after, shown):
        assert [each["votes_count"] for each in poll["options"]] == [0, 1]
        assert (poll["votes_count"], poll["voters_count"], poll["own_votes"]) == (1, 1, [1])
    await server.write(job_queue.drop, job_kinds.REFRESH_POLL, number)
    server.clock.forward(seconds=301)
    for reader, asked in ((nobody, False), (api, True), (api, True)):
        await reader.get(path.format(id=number))
        assert await server.read(job_queue.is_open, job_kinds.REFRESH_POLL, number) is asked
