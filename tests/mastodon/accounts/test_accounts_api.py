"""Accounts to look at: by number, by handle, by what one types; their posts, their followers, and what they show."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fediblog.actions import post_actions, reaction_actions
from fediblog.domain.documents import Emoji, Picture, ProfileField, Visibility
from fediblog.domain.posts import Post
from fediblog.store.people import accounts, relations
from fediblog.store.posts import tags
from fediblog.store.queues import job_kinds, job_queue, profile_totals
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.store.makers import remote


def ids(found: list[Any]) -> list[int]:
    return [int(each["id"]) for each in found]


async def pages(api: Api, path: str) -> list[Any]:
    """A whole list, page by page by its links."""
    found: list[Any] = []
    while path:
        answer = await api.call("GET", path)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        link = re.search(r'<https?://[^/]+([^>]+)>; rel="next"', answer.headers.get("link", ""))
        path = link[1] if link and answer.json() else ""
    return found


async def test_accounts_are_found_by_number_and_by_handle(both: Server) -> None:
    far = await both.write(remote, "Zoe", "far.example", name="Zoë Q.")
    gone = await both.write(remote, "gone", "far.example")
    await both.write(accounts.set_state, gone.id, "deleted")
    face, fields = Picture(url="https://far.example/face.png", alt="Face"), (ProfileField(name="Born", value="1970"),)
    told: dict[str, Any] = {"icon": face, "image": face, "fields": fields, "emoji": (Emoji(name="tea", url=face.url),)}
    told |= {"locked": True, "discoverable": True, "kind": "Service", "moved_to": far.uri}
    away = await both.write(remote, "away", "far.example", name="Away", summary="<p>hidden</p>", **told)
    await both.write(accounts.set_state, away.id, "suspended")
    alice, api, nobody = both.people["alice"], await both.api("alice"), await both.api()
    assert (await nobody.get(f"/api/v1/accounts/{far.id}"))["acct"] == "Zoe@far.example"
    hidden = await api.get(f"/api/v1/accounts/{away.id}")
    assert (hidden["suspended"], hidden["note"], hidden["display_name"]) == (True, "", "")
    assert (hidden["fields"], hidden["emojis"], "moved" in hidden) == ([], [], False)
    assert (hidden["locked"], hidden["bot"], hidden["discoverable"]) == (False, False, False)
    assert not [name for name in ("avatar", "avatar_static", "header", "header_static") if face.url == hidden[name]]
    assert hidden["avatar_description"] == hidden["header_description"] == ""
    assert await api.status("GET", f"/api/v1/accounts/{gone.id}") == 404
    several = await api.get(f"/api/v1/accounts?id[]={far.id}&id[]={gone.id}&id[]={alice.id}&id[]=x")
    assert ids(several) == [far.id, alice.id]
    for handle in ("alice", "@alice", "ALICE@blog.test"):
        assert (await nobody.get("/api/v1/accounts/lookup", acct=handle))["id"] == str(alice.id)
    assert (await nobody.get("/api/v1/accounts/lookup", acct="zoe@far.example"))["id"] == str(far.id)
    for handle in ("zoe", "nobody@far.example", "away@far.example", "", "@", "a@b@c"):
        assert await nobody.status("GET", f"/api/v1/accounts/lookup?acct={handle}") == 404, handle


async def test_search_knows_handles_of_all_and_names_of_those_near(both: Server) -> None:
    far = await both.write(remote, "zoe", "far.example", name="Zoë Quin")
    other = await both.write(remote, "zo_e", "other.example", name="Stranger")
    await both.write(relations.put_follow, both.people["alice"].id, other.id, "u:1", "accepted")
    api = await both.api("alice")

    async def found(words: str, **params: Any) -> list[int]:
        return ids(await api.get("/api/v1/accounts/search", q=words, **params))

    assert await found("zo") == [other.id, far.id]
    assert await found("@zoe@far") == [far.id]
    assert await found("zo_") == [other.id]
    assert await found("stranger") == [other.id]
    assert await found("quin") == []
    assert await found("ALICE") == [both.people["alice"].id]
    assert await found("zo", following="true") == [other.id]
    assert await found("zo", limit=1, offset=1) == [far.id]
    assert await found("zoe@far.example", resolve="true") == [far.id]
    assert await found("unheard@nowhere.example", resolve="true") == []
    assert await api.status("GET", "/api/v1/accounts/search") == 422
    assert await (await both.api()).status("GET", "/api/v1/accounts/search?q=zo") == 401


async def test_an_accounts_posts_and_boosts_page_in_order(both: Server) -> None:
    alice, bob = both.people["alice"], both.people["bob"]
    written: list[int] = []
    for turn in range(5):
        both.clock.now += 1000
        mine = await both.publish("alice", f"Post {turn} #Tag{turn % 2}")
        theirs = await both.publish("bob", f"Bob {turn}")
        both.clock.now += 1000
        await both.write(reaction_actions.boost, both.site.urls, alice.id, theirs.id)
        boost = await both.read(lambda tx, p=theirs.id: tx.one("select id from boost where post = :p", p=p))
        written += [mine.id, boost.id]
    answer = await both.publish("alice", "to Bob", reply_to=theirs.id)
    own = await both.publish("alice", "to myself", reply_to=mine.id)
    private = await both.publish("alice", "for followers", visibility=Visibility.FOLLOWERS)
    everything = sorted([*written, answer.id, own.id, private.id], reverse=True)
    me, nobody = await both.api("alice"), await both.api()
    path = f"/api/v1/accounts/{alice.id}/statuses"
    assert ids(await pages(me, f"{path}?limit=3")) == everything
    public = [number for number in everything if number != private.id]
    assert ids(await pages(nobody, f"{path}?limit=4")) == public
    assert ids(await me.get(path, min_id=everything[6], limit=3)) == everything[3:6]
    assert ids(await me.get(path, since_id=everything[6], limit=3)) == everything[:3]
    assert ids(await nobody.get(path, exclude_replies="true")) == [each for each in public if each != answer.id]
    boosts = set(written[1::2])
    assert ids(await nobody.get(path, exclude_reblogs="1")) == [each for each in public if each not in boosts]
    assert ids(await nobody.get(path, tagged="tag1")) == written[6::-4][:2]
    assert await nobody.get(path, only_media="true") == []
    shown = await nobody.get(path, limit=40)
    assert {each["reblog"]["account"]["acct"] for each in shown if each["reblog"]} == {"bob"}
    await both.write(post_actions.pin, both.site.urls, alice.id, mine.id)
    assert ids(await nobody.get(path, pinned="true")) == [mine.id]
    await both.write(accounts.set_state, bob.id, "suspended")
    assert not boosts & set(ids(await nobody.get(path, limit=40)))
    assert await nobody.get(f"/api/v1/accounts/{bob.id}/statuses") == []


async def test_followers_page_by_when_they_followed(both: Server) -> None:
    alice = both.people["alice"]
    far = [await both.write(remote, f"far{n}", "far.example") for n in range(7)]
    order = far[::2] + far[1::2]
    for each in order:
        both.clock.now += 1 if each is not order[3] else 0  # two of them in the same moment
        await both.write(relations.put_follow, each.id, alice.id, f"{each.uri}/f", "accepted")
        await both.write(relations.put_follow, alice.id, each.id, f"{alice.uri}/{each.id}", "accepted")
    api, base = await both.api(), f"/api/v1/accounts/{alice.id}"
    for kind in ("followers", "following"):
        whole = ids(await api.get(f"{base}/{kind}"))
        assert sorted(whole) == sorted(each.id for each in far)
        assert (whole[0], whole[-1]) == (order[-1].id, order[0].id)
        assert ids(await pages(api, f"{base}/{kind}?limit=2")) == whole
        first = await api.call("GET", f"{base}/{kind}?limit=2")
        before = re.search(r'min_id=(\d+)>; rel="prev"', first.headers["link"])
        assert before is not None
        assert await api.get(f"{base}/{kind}", min_id=before[1]) == []
    await both.write(accounts.set_state, order[0].id, "suspended")
    assert order[0].id not in ids(await api.get(f"{base}/followers"))


def _put_on_list(tx: Tx, owner: int, member: int, title: str) -> int:
    number = tx.new_id()
    tx.run("insert into user_list (id, account, title) values (:id, :a, :title)", id=number, a=owner, title=title)
    tx.run("insert into list_member (list, account) values (:id, :m)", id=number, m=member)
    return number


async def test_what_a_profile_shows_beside_posts(both: Server) -> None:
    alice, bob = both.people["alice"], both.people["bob"]
    mine = await both.write(_put_on_list, alice.id, bob.id, "Friends")
    await both.write(_put_on_list, bob.id, bob.id, "Not Alice's")
    await both.publish("alice", "#Cats")
    await both.write(tags.set_featured, alice.id, "Cats", on=True)
    await both.write(tags.set_featured, alice.id, "dogs", on=True)
    api = await both.api("alice")
    [found] = await api.get(f"/api/v1/accounts/{bob.id}/lists")
    assert (found["id"], found["title"], found["exclusive"]) == (str(mine), "Friends", False)
    cats, dogs = await api.get(f"/api/v1/accounts/{alice.id}/featured_tags")
    assert (cats["name"], cats["statuses_count"], dogs["statuses_count"], dogs["last_status_at"]) == (
        "Cats",
        "1",
        "0",
        None,
    )
    for empty in ("identity_proofs", "endorsements"):
        assert await api.get(f"/api/v1/accounts/{bob.id}/{empty}") == []
        assert await api.status("GET", f"/api/v1/accounts/1/{empty}") == 404


__all__ = ["Post", "ids", "pages"]


@pytest.mark.parametrize("path", ["/api/v1/accounts/{id}", "/api/v1/accounts/lookup?acct=zoe@far.example"])
async def test_an_account_elsewhere_has_its_own_totals(both: Server, path: str) -> None:
    """Who looks has them asked for; then they stand wherever the account is shown."""
    far = await both.write(remote, "zoe", "far.example")
    alice, api, nobody = both.people["alice"], await both.api("alice"), await both.api()
    await both.write(relations.put_follow, alice.id, far.id, f"{alice.uri}/f", "accepted")
    for reader, asked in ((nobody, False), (api, True)):
        assert (await reader.get(path.format(id=far.id)))["followers_count"] == 1
        assert await both.read(job_queue.is_open, job_kinds.PROFILE_TOTALS, str(far.id)) is asked
    await both.write(profile_totals.put, far.id, 1200, None, 80)
    both.clock.forward(seconds=61)
    (listed,) = await api.get(f"/api/v1/accounts/{alice.id}/following")
    for shown in (await api.get(path.format(id=far.id)), listed):
        assert (shown["followers_count"], shown["following_count"], shown["statuses_count"]) == (1200, 0, 80)
    await both.write(job_queue.drop, job_kinds.PROFILE_TOTALS, str(far.id))
    await api.get(path.format(id=alice.id).replace("zoe@far.example", "alice"))
    assert not await both.read(job_queue.is_open, job_kinds.PROFILE_TOTALS, str(alice.id))
