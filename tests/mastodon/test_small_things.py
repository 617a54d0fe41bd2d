"""Small things that one app or another cannot do without."""

from __future__ import annotations

import pytest

from fediblog.actions import oauth_grants, reaction_actions
from fediblog.domain.documents import Visibility
from fediblog.store import ids
from fediblog.store.people import relations
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.store import makers


async def test_nodeinfo_names_mastodon_as_what_apps_know(server: Server) -> None:
    for version in ("2.0", "2.1"):
        told = await (await server.api()).get(f"/nodeinfo/{version}")
        assert told["metadata"]["upstream"] == {"name": "mastodon"}
        assert told["software"]["name"] == "fediblog"


@pytest.mark.parametrize(("given", "shown"), [("A script", "A script"), ("", "fediblog")])
async def test_a_token_made_by_hand_stands_for_itself(server: Server, given: str, shown: str) -> None:
    made = await server.write(oauth_grants.grant_by_hand, server.people["alice"].id, "read push", given)
    app = await Api(server.app, server.site.urls.origin, made.secret).get("/api/v1/apps/verify_credentials")
    assert (app["name"], app["scopes"]) == (shown, ["read", "push"])


async def test_programs_in_browsers_may_read_the_pictures_that_stand_in_for_others(server: Server) -> None:
    api = await server.api()
    avatar = (await api.get("/api/v1/accounts/lookup", acct="alice"))["avatar_static"]
    assert "/static/" in avatar
    answer = await api.call("GET", avatar, headers={"origin": "https://phanpy.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


async def test_a_post_may_wait_for_thousands_of_years(both: Server) -> None:
    alice = await both.api("alice")
    times = ("5000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.000Z", "2031-01-01T00:00:00.000Z")
    made = [await alice.post("/api/v1/statuses", {"status": "Later", "scheduled_at": at}) for at in times]
    assert [each["scheduled_at"] for each in made] == list(times)
    found = await alice.get("/api/v1/scheduled_statuses")
    assert {each["id"] for each in found} == {each["id"] for each in made}
    moved = await alice.call("PUT", f"/api/v1/scheduled_statuses/{made[2]['id']}", json={"scheduled_at": times[0]})
    assert moved.json()["scheduled_at"] == times[0]


def test_numbers_of_far_away_times_are_of_63_bits() -> None:
    maker = ids.IdMaker(lambda: 0)
    numbers = [maker.at(ms) for ms in (95_617_584_000_000, 253_402_300_799_999, 1 << 62)]
    assert all(0 < number < (1 << 63) - 1 for number in numbers)
    assert len(set(numbers)) == len(numbers)


async def test_all_but_private_messages_count_as_statuses(both: Server) -> None:
    alice, bob = both.people["alice"], both.people["bob"]
    for visibility in Visibility:
        await both.publish("bob", "@alice hello", visibility=visibility)
    post = await both.publish("alice", "Hello")
    await both.write(reaction_actions.boost, both.site.urls, bob.id, post.id, Visibility.PUBLIC)
    api = await both.api("alice")
    assert (await api.get(f"/api/v1/accounts/{bob.id}"))["statuses_count"] == 4
    assert (await api.get(f"/api/v1/accounts/{alice.id}"))["statuses_count"] == 1


async def test_what_blocking_a_server_would_end_is_told_beforehand(both: Server) -> None:
    far = await both.write(makers.remote, "carol", "far.example")
    alice = await both.api("alice")
    await alice.post(f"/api/v1/accounts/{far.id}/follow", {})
    assert await alice.get("/api/v1/domain_blocks/preview", domain="far.example") == {
        "following_count": 1,
        "followers_count": 0,
    }
    assert (await alice.get("/api/v1/domain_blocks/preview", domain="near.example"))["following_count"] == 0
    assert await alice.status("GET", "/api/v1/domain_blocks/preview", params={"domain": "no host"}) == 422


async def test_saving_without_a_change_is_no_edit_and_tells_nobody(both: Server) -> None:
    def sent(tx: Tx) -> int:
        return len(tx.all("select id from outgoing"))

    far = await both.write(makers.remote, "carol", "far.example")
    await both.write(relations.put_follow, far.id, both.people["alice"].id, "https://far.example/f", "accepted")
    alice = await both.api("alice")
    note = {"status": "Hello *you* #tag", "spoiler_text": "CW", "language": "en", "sensitive": True}
    article = {"status": "# Title\n\nIts text", "content_type": "text/markdown"}
    for body in (note, article):
        made = await alice.post("/api/v1/statuses", body)
        before = await both.read(sent)
        source = await alice.get(f"/api/v1/statuses/{made['id']}/source")
        again = {**body, "status": source["text"]}
        edited = await alice.call("PUT", f"/api/v1/statuses/{made['id']}", json=again)
        assert (edited.status_code, edited.json()["edited_at"]) == (200, None)
        assert len(await alice.get(f"/api/v1/statuses/{made['id']}/history")) == 1
        assert await both.read(sent) == before
        edited = await alice.call("PUT", f"/api/v1/statuses/{made['id']}", json={**again, "status": "# Other\n\nwords"})
        assert edited.json()["edited_at"]
        assert await both.read(sent) == before + 1
    me = {"display_name": "Alice A.", "note": "Hi", "fields_attributes": [{"name": "a", "value": "b"}]}
    before = await both.read(sent)
    for _ in range(2):
        await alice.call("PATCH", "/api/v1/accounts/update_credentials", json=me)
        assert await both.read(sent) == before + 1
