"""A post of another server that quotes ours: with an authorization that stands it is shown, else a link, everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import moderation_actions, quote_actions
from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.inbox import apply
from fediblog.protocol.activities import read_activity
from fediblog.store.people import relations
from fediblog.store.posts import approvals, posts, quotes
from tests.known import facts_of
from tests.mastodon.server import Server
from tests.store.makers import remote

RELS = ["https://misskey-hub.net/ns#_misskey_quote"]
WAYS: dict[str, Any] = {
    "quote": lambda uri: {"quote": uri},
    "quoteUri": lambda uri: {"quoteUri": uri},
    "quoteUrl": lambda uri: {"quoteUrl": uri},
    "_misskey_quote": lambda uri: {"_misskey_quote": uri},
    "FEP-e232": lambda uri: {"tag": [{"type": "Link", "mediaType": "x/y", "href": uri, "rel": RELS}]},
}
SECRET = "The quoted words"


async def _does(both: Server, kind: str, thing: Any, **fields: Any) -> None:
    zoe = await both.write(remote, "zoe", "far.example")
    both.clock.forward(seconds=1)
    activity = {"id": f"{zoe.uri}/x/{both.clock.now}", "type": kind, "actor": zoe.uri, "object": thing, **fields}
    read = read_activity(activity)
    assert read is not None
    await both.write(apply, both.site.urls, read, facts_of(zoe, read))


async def _quotes(both: Server, post: Post, way: str = "quote") -> dict[str, Any]:
    """Zoe, whom Alice follows, quotes a post; the note."""
    zoe = await both.write(remote, "zoe", "far.example")
    await both.write(relations.put_follow, both.people["alice"].id, zoe.id, "f:1", "accepted")
    note = {
        "id": f"{zoe.uri}/n/1",
        "type": "Note",
        "attributedTo": zoe.uri,
        "to": [PUBLIC],
        "inReplyTo": (await both.publish("alice", "Say something")).uri,
        "content": "<p>Look at this</p>",
        **WAYS[way](post.uri),
    }
    await _does(both, "Create", note)
    return note


async def _is_shown(both: Server, post: Post, note: dict[str, Any]) -> bool:
    """Whether the quote is shown; the same for each route, number and notice."""
    kept = await both.read(posts.by_uri, note["id"])
    assert kept is not None
    api, bob = await both.api("alice"), await both.api("bob")
    entities = [
        await api.get(f"/api/v1/statuses/{kept.id}"),
        (await api.get("/api/v1/timelines/home"))[0],
        *(await api.get("/api/v1/timelines/public?remote=true")),
        *(await api.get(f"/api/v1/accounts/{kept.account.id}/statuses")),
        *(await api.get(f"/api/v1/statuses/{kept.parent}/context"))["descendants"],
        *(each["status"] for each in await api.get("/api/v1/notifications")),
    ]
    told = [each["type"] for each in await api.get("/api/v1/notifications")]
    state = {(each["quote"]["state"], each["quote"]["quoted_status"] is not None) for each in entities}
    assert len(state) == 1
    shown = state == {("accepted", True)}
    assert shown or state == {("unauthorized", False)}
    assert sorted(told) == (["mention", "quote"] if shown else ["mention"])
    assert len(await api.get(f"/api/v1/statuses/{post.id}/quotes")) == int(shown)
    for each in (api, bob):
        assert (await each.get(f"/api/v1/statuses/{post.id}"))["quotes_count"] == int(shown)
    above = await both.read(posts.stored, kept.parent or 0)
    assert above is not None
    page = (await (await both.api()).http.get(above.url, headers={"accept": "text/html"})).text
    assert "Look at this" in page
    assert (SECRET in page) is shown
    assert shown or f'class="u-quotation-of" href="{post.uri}"' in page
    return shown


@pytest.mark.parametrize("way", WAYS)
async def test_where_its_author_lets_others_quote_it_is_shown_unasked(both: Server, way: str) -> None:
    post = await both.publish("alice", SECRET)
    note = await _quotes(both, post, way)
    assert await _is_shown(both, post, note)
    (given,) = await both.read(quotes.standing, post.id)
    await both.write(quote_actions.revoke, both.site.urls, both.people["alice"].id, given.id)
    kept = await both.read(posts.by_uri, note["id"])
    assert kept is not None
    assert (kept.quote, kept.quoted) == (post.uri, None)
    await _does(both, "Update", {**note, "content": "again", "updated": "2025-07-01T00:00:00Z"})
    kept = await both.read(posts.by_uri, note["id"])
    assert kept is not None
    assert kept.quoted is None  # what was taken back is not given again


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("why", ["nobody", "followers", "blocked"])
async def test_else_it_is_a_link(both: Server, way: str, why: str) -> None:
    alice = both.people["alice"].id
    post = await both.publish("alice", SECRET, quotable="public" if why == "blocked" else why)
    if why == "blocked":
        zoe = await both.write(remote, "zoe", "far.example")
        await both.write(relations.block, alice, zoe.id, "b:1")
        await _quotes(both, post, way)
        await both.write(moderation_actions.unblock, both.site.urls, alice, zoe.id)
    else:
        await _quotes(both, post, way)
    kept = await both.read(posts.by_uri, "https://far.example/users/zoe/n/1")
    assert (kept is None) is (why == "blocked")  # who is blocked answers nobody here at all
    if kept is not None:
        assert not await _is_shown(both, post, {"id": kept.uri})


async def test_a_refused_request_makes_no_quote_and_a_late_grant_one(both: Server) -> None:
    post = await both.publish("alice", SECRET, quotable="followers")
    note = await _quotes(both, post)
    await _does(both, "QuoteRequest", post.uri, instrument=note)
    assert not await _is_shown(both, post, note)
    zoe = await both.write(remote, "zoe", "far.example")
    await both.write(relations.put_follow, zoe.id, both.people["alice"].id, "f:2", "accepted")
    await _does(both, "QuoteRequest", post.uri, instrument=note)
    assert await _is_shown(both, post, note)


async def test_what_was_granted_counts_once_it_is_there(both: Server) -> None:
    post = await both.publish("alice", SECRET)
    zoe = await both.write(remote, "zoe", "far.example")
    await both.write(quotes.grant, post.id, zoe.id, f"{zoe.uri}/n/1")
    api = await both.api("alice")
    assert (await api.get(f"/api/v1/statuses/{post.id}"))["quotes_count"] == 0
    assert await both.read(quotes.totals, [post.id]) == {}
    assert await api.get(f"/api/v1/statuses/{post.id}/quotes") == []
    assert await _is_shown(both, post, await _quotes(both, post))
    assert await both.read(quotes.totals, [post.id]) == {post.id: 1}


@pytest.mark.parametrize("state", ["pending", "accepted", "rejected", None])
async def test_an_answer_that_has_to_be_approved_says_so_to_its_author_alone(both: Server, state: Any) -> None:
    zoe = await both.write(remote, "zoe", "far.example")
    note = {"id": f"{zoe.uri}/n/1", "type": "Note", "attributedTo": zoe.uri, "to": [PUBLIC], "content": "x"}
    await both.write(relations.put_follow, both.people["alice"].id, zoe.id, "f:1", "accepted")
    await _does(both, "Create", note)
    above = await both.read(posts.by_uri, note["id"])
    assert above is not None
    api = await both.api("alice")
    made = await api.post("/api/v1/statuses", json={"status": "Yes", "in_reply_to_id": str(above.id)})
    assert made["fediblog"]["approval"] is None
    if state:
        await both.write(approvals.settle, made["uri"], above.id, state, "")
    for reader, told in (("alice", state), ("bob", None)):
        other = await both.api(reader)
        for entity in (
            await other.get(f"/api/v1/statuses/{made['id']}"),
            *(await other.get(f"/api/v1/accounts/{made['account']['id']}/statuses")),
            *(await other.get(f"/api/v1/statuses/{above.id}/context"))["descendants"],
        ):
            assert entity["fediblog"]["approval"] == told
