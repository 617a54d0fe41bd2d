"""Statuses as they are read, and what readers do with them."""

from __future__ import annotations

import re
from typing import Any

from fediblog.actions import reaction_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.store.posts import posts, quotes
from fediblog.store.readers import notification_lists
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.store import makers
from tests.wording import publish


async def action(api: Api, post: Post | str, name: str, **json: Any) -> Any:
    return await api.post(f"/api/v1/statuses/{post if isinstance(post, str) else post.id}/{name}", json)


async def test_several_are_shown_in_the_order_asked_for(server: Server) -> None:
    first, second = await server.publish("alice", "One"), await server.publish("alice", "Two")
    hidden = await server.publish("alice", "Secret", visibility=Visibility.DIRECT)
    waiting = await server.publish("alice", "Later", state="scheduled", scheduled=server.clock() + 10_000_000)
    bob, alice = await server.api("bob"), await server.api("alice")
    boost = (await action(bob, first, "reblog"))["id"]
    ids = [str(second.id), boost, "1", str(hidden.id), str(first.id), "x", str(waiting.id)]
    found = await bob.get("/api/v1/statuses", **{"id[]": ids})
    assert [each["id"] for each in found] == [str(second.id), boost, str(first.id)]
    assert found[1]["reblog"]["id"] == str(first.id)
    mine = await alice.get("/api/v1/statuses", **{"id[]": ids})
    assert str(hidden.id) in [each["id"] for each in mine]
    assert str(waiting.id) not in [each["id"] for each in mine]
    assert await alice.status("GET", f"/api/v1/statuses/{waiting.id}") == 404


async def test_a_thread_is_shown_in_order(both: Server) -> None:
    root = await both.publish("alice", "Root")
    first = await both.publish("bob", "First", reply_to=root.id)
    second = await both.publish("bob", "Second", reply_to=root.id)
    below = await both.publish("alice", "Below the first", reply_to=first.id)
    private = await both.publish("alice", "Hidden", reply_to=below.id, visibility=Visibility.DIRECT)
    lowest = await both.publish("alice", "Lowest", reply_to=private.id, visibility=Visibility.DIRECT)
    nobody, alice = await both.api(), await both.api("alice")
    found = await nobody.get(f"/api/v1/statuses/{root.id}/context")
    assert found["ancestors"] == []
    assert [each["id"] for each in found["descendants"]] == [str(each.id) for each in (first, below, second)]
    found = await nobody.get(f"/api/v1/statuses/{below.id}/context")
    assert [each["id"] for each in found["ancestors"]] == [str(root.id), str(first.id)]
    assert found["descendants"] == []
    found = await alice.get(f"/api/v1/statuses/{lowest.id}/context")
    assert [each["id"] for each in found["ancestors"]] == [str(each.id) for each in (root, first, below, private)]
    assert await nobody.status("GET", f"/api/v1/statuses/{private.id}/context") == 404


async def test_every_answer_of_a_long_thread_is_in_a_context(both: Server) -> None:
    """Also those of a branch that grew when there were hundreds before it."""
    root = await both.publish("alice", "Root")

    def answers(tx: Tx) -> list[int]:
        bob = makers.remote(tx)
        return [makers.post(tx, bob, in_reply_to=root.uri) for _ in range(510)]

    wide = await both.write(answers)
    last = await both.read(posts.stored, wide[-1])
    assert last is not None
    late = await both.publish("bob", "A late branch", reply_to=last.id)
    nobody = await both.api()
    for top, below in ((root.id, [*wide, late.id]), (last.id, [late.id])):
        found = await nobody.get(f"/api/v1/statuses/{top}/context")
        assert [int(each["id"]) for each in found["descendants"]] == below
        assert (await nobody.get(f"/api/v1/statuses/{top}"))["replies_count"] == len(below)


async def test_actions_are_about_the_post_and_are_taken_back(server: Server) -> None:
    post = await server.publish("alice", "Hello")
    bob = await server.api("bob")
    liked = await action(bob, post, "favourite")
    assert (liked["favourited"], liked["favourites_count"]) == (True, 1)
    boost = await action(bob, post, "reblog", visibility="unlisted")
    assert boost["account"]["acct"] == "bob"
    assert (boost["reblog"]["id"], boost["reblog"]["reblogged"]) == (str(post.id), True)
    assert (await action(bob, post, "reblog"))["id"] == boost["id"]
    row = await server.read(lambda tx: tx.one("select visibility from boost"))
    assert row.visibility == "unlisted"
    kept = await action(bob, boost["id"], "bookmark")  # a boost's number means the post
    assert (kept["id"], kept["bookmarked"]) == (str(post.id), True)
    for name, flag in (("unfavourite", "favourited"), ("unbookmark", "bookmarked"), ("unreblog", "reblogged")):
        assert (await action(bob, post, name))[flag] is False
        assert (await action(bob, post, name))[flag] is False
    assert await bob.status("GET", f"/api/v1/statuses/{boost['id']}") == 404
    alice = await server.api("alice")
    assert (await action(alice, post, "pin"))["pinned"] is True
    assert (await action(alice, post, "unpin"))["pinned"] is False
    assert await bob.status("POST", f"/api/v1/statuses/{post.id}/pin") == 404


async def test_what_one_may_not_see_one_cannot_touch(server: Server) -> None:
    hidden = await server.publish("alice", "Secret", visibility=Visibility.FOLLOWERS)
    bob = await server.api("bob")
    for name in ("favourite", "unfavourite", "reblog", "unreblog", "bookmark", "unbookmark", "pin", "mute", "unmute"):
        assert await bob.status("POST", f"/api/v1/statuses/{hidden.id}/{name}") == 404, name
    for name in ("", "/context", "/history", "/favourited_by", "/reblogged_by", "/source", "/quotes", "/card"):
        assert await bob.status("GET", f"/api/v1/statuses/{hidden.id}{name}") == 404, name
    assert await bob.status("PUT", f"/api/v1/statuses/{hidden.id}", json={"status": "x"}) == 404
    assert await bob.status("DELETE", f"/api/v1/statuses/{hidden.id}") == 404
    shown = await server.publish("alice", "Open")
    assert await bob.status("GET", f"/api/v1/statuses/{shown.id}/source") == 404
    assert await bob.status("PUT", f"/api/v1/statuses/{shown.id}", json={"status": "x"}) == 404
    assert await bob.status("DELETE", f"/api/v1/statuses/{shown.id}") == 404
    path = f"/api/v1/statuses/{shown.id}/interaction_policy"
    assert await bob.status("PUT", path, json={"quote_approval_policy": "nobody"}) == 404
    reader = await server.api("bob", "read")
    assert await reader.status("POST", f"/api/v1/statuses/{shown.id}/favourite") == 403
    await server.follow("bob", "alice")
    assert await bob.status("POST", f"/api/v1/statuses/{hidden.id}/reblog") == 422


async def test_a_muted_thread_is_silent(both: Server) -> None:
    root = await both.publish("alice", "Root")
    reply = await both.publish("bob", "Reply", reply_to=root.id)
    alice, me = await both.api("alice"), both.people["alice"]
    assert await both.read(notification_lists.unread_total, me.id) == 1
    assert (await action(alice, reply, "mute"))["muted"] is True
    assert (await alice.get(f"/api/v1/statuses/{root.id}"))["muted"] is True
    await both.publish("bob", "Again", reply_to=reply.id)
    await both.publish("bob", "@alice!", reply_to=root.id)
    await both.write(reaction_actions.like, both.site.urls, both.people["bob"].id, root.id)
    assert await both.read(notification_lists.unread_total, me.id) == 1
    await action(alice, root, "unmute")
    await both.publish("bob", "Once more", reply_to=root.id)
    assert await both.read(notification_lists.unread_total, me.id) == 2


async def test_who_liked_and_boosted_is_paged(both: Server) -> None:
    post = await both.publish("alice", "Hello")
    for number in range(3):
        await both.person(f"p{number}")
        for act in (reaction_actions.like, reaction_actions.boost):
            await both.write(act, both.site.urls, both.people[f"p{number}"].id, post.id)
    nobody = await both.api()
    for name in ("favourited_by", "reblogged_by"):
        path = f"/api/v1/statuses/{post.id}/{name}"
        answer = await nobody.call("GET", path, params={"limit": 2})
        assert [each["acct"] for each in answer.json()] == ["p2", "p1"]
        older = answer.links["next"]["url"].removeprefix(both.site.urls.origin)
        assert [each["acct"] for each in (await nobody.call("GET", older)).json()] == ["p0"]
        newer = answer.links["prev"]["url"].removeprefix(both.site.urls.origin)
        assert (await nobody.call("GET", newer)).json() == []
    await both.write(_block, both.people["bob"].id, both.people["p1"].id)
    bob = await both.api("bob")
    assert [each["acct"] for each in await bob.get(f"/api/v1/statuses/{post.id}/reblogged_by")] == ["p2", "p0"]


def _block(tx: Tx, account: int, target: int) -> None:
    tx.run(
        "insert into block (account, target, uri, created) values (:a, :t, 'x', 0)",
        a=account,
        t=target,
    )


async def test_history_has_each_version(server: Server) -> None:
    post = await server.publish("alice", "One", warning="careful")
    alice = await server.api("alice")
    server.clock.forward(seconds=1)
    await alice.call("PUT", f"/api/v1/statuses/{post.id}", json={"status": "Two"})
    server.clock.forward(seconds=1)
    await alice.call("PUT", f"/api/v1/statuses/{post.id}", json={"status": "Three"})
    found = await (await server.api()).get(f"/api/v1/statuses/{post.id}/history")
    assert [each["content"] for each in found] == ["<p>One</p>\n", "<p>Two</p>\n", "<p>Three</p>\n"]
    assert [each["spoiler_text"] for each in found] == ["careful", "", ""]
    assert found[0]["created_at"] < found[1]["created_at"] < found[2]["created_at"]
    shown = await alice.get(f"/api/v1/statuses/{post.id}")
    assert shown["edited_at"] == found[2]["created_at"]


async def test_each_version_of_a_post_that_quotes_has_the_quote_as_far_as_one_may_see_it(server: Server) -> None:
    bob = await server.api("bob")
    quoted = await server.publish("alice", "Words")
    made = await bob.post("/api/v1/statuses", {"status": "One", "quoted_status_id": str(quoted.id)})
    path = f"/api/v1/statuses/{made['id']}"
    assert await bob.status("PUT", path, json={"status": "Two"}) == 200
    found = await bob.get(f"{path}/history")
    assert [each["quote"]["quoted_status"]["id"] for each in found] == [str(quoted.id)] * 2
    await (await server.api("alice")).post(f"/api/v1/accounts/{server.people['bob'].id}/block", {})
    again = await bob.get(f"{path}/history")
    assert [each["quote"] for each in again] == [(await bob.get(path))["quote"]] * 2
    assert "Words" not in str(again)


def _stranger_quotes(tx: Tx, post: Post, number: int) -> tuple[Account, int]:
    stranger = makers.remote(tx, f"stranger{number}")
    quoting = makers.post(tx, stranger, quote=post.uri, content="<p>Look</p>")
    uri = posts.stored(tx, quoting)
    assert uri is not None
    assert quotes.grant(tx, post.id, stranger.id, uri.uri) is not None
    return stranger, quoting


async def test_quotes_are_listed_counted_and_revoked(both: Server) -> None:
    post = await both.publish("alice", "Quote me")
    _, quoting = await both.write(_stranger_quotes, post, 1)
    _, other = await both.write(_stranger_quotes, post, 2)
    alice, bob = await both.api("alice"), await both.api("bob")
    assert (await bob.get(f"/api/v1/statuses/{post.id}"))["quotes_count"] == 2
    found = await bob.get(f"/api/v1/statuses/{post.id}/quotes", limit=1)
    assert [each["id"] for each in found] == [str(max(quoting, other))]
    assert found[0]["quote"]["state"] == "accepted"
    assert await bob.status("POST", f"/api/v1/statuses/{post.id}/quotes/{quoting}/revoke") == 404
    revoked = await alice.post(f"/api/v1/statuses/{post.id}/quotes/{quoting}/revoke")
    assert revoked["quote"]["state"] == "unauthorized"
    assert await alice.status("POST", f"/api/v1/statuses/{post.id}/quotes/{quoting}/revoke") == 404
    assert [each["id"] for each in await alice.get(f"/api/v1/statuses/{post.id}/quotes")] == [str(other)]
    assert (await bob.get(f"/api/v1/statuses/{post.id}"))["quotes_count"] == 1


async def test_who_may_quote_is_said_and_kept(server: Server) -> None:
    post = await server.publish("alice", "Quote me")
    alice = await server.api("alice")
    path = f"/api/v1/statuses/{post.id}/interaction_policy"
    answer = await alice.call("PUT", path, json={"quote_approval_policy": "followers"})
    assert answer.json()["quote_approval"]["automatic"] == ["followers"]
    assert await alice.status("PUT", path, json={"quote_approval_policy": "friends"}) == 422
    await alice.call("PUT", f"/api/v1/statuses/{post.id}", json={"status": "Changed"})
    document = (await server.world.get("blog.test", f"/p/{post.id}")).json()
    assert document["interactionPolicy"]["canQuote"]["automaticApproval"] == [server.people["alice"].followers]
    other = await alice.post("/api/v1/statuses", {"status": "x", "quote_approval_policy": "nobody"})
    assert other["quote_approval"]["automatic"] == []


async def test_there_are_no_cards_and_no_translations(server: Server) -> None:
    post = await server.publish("alice", "Hello")
    alice = await server.api("alice")
    assert await alice.get(f"/api/v1/statuses/{post.id}/card") == {}
    assert await alice.status("POST", f"/api/v1/statuses/{post.id}/translate") == 404


async def test_other_pages_can_show_public_posts(server: Server) -> None:
    note = await server.publish("alice", "Hello <b>all</b> & more")
    article = await server.publish("alice", "Body", title="A & B", summary="In short")
    hidden = await server.publish("alice", "Secret", visibility=Visibility.FOLLOWERS)
    api = await server.api()
    found = await api.get("/api/oembed", url=note.url, maxwidth=300)
    assert found["width"] == 300
    assert found["author_url"] == server.people["alice"].url
    assert "&lt;b&gt;all&lt;/b&gt; &amp; more" in found["html"]
    assert f'href="{note.url}"' in found["html"]
    await server.write(
        lambda tx: makers.post(tx, makers.remote(tx, "eve", "eve.example"), url=article.url, published=1)
    )
    found = await api.get("/api/oembed", url=f"{article.url}?utm=1#top")
    assert found["title"] == "A & B"
    assert "<strong>A &amp; B</strong>" in found["html"]
    assert "In short" in found["html"]
    assert "thumbnail_url" not in found
    assert await api.status("GET", "/api/oembed", params={"url": note.url, "format": "xml"}) == 501
    for url in (hidden.url, "https://blog.test/", "https://other.example/1", "", "http://[", "blog.test"):
        assert await (await server.api("alice")).status("GET", "/api/oembed", params={"url": url}) == 404, url
    page = await server.world.get("blog.test", note.url, "text/html")
    link = re.search(r'application/json\+oembed" href="https://blog.test([^"]+)"', page.text)
    assert link is not None
    assert (await api.call("GET", link[1])).json()["html"].count(note.url) == 2


async def test_two_people_with_two_accounts_cannot_reach_each_other(server: Server) -> None:
    """Alice also has `alice2`, Bob `bob2`: what a token is not for, it neither reads nor changes."""
    await server.person("alice2", "alice")
    await server.person("bob2", "bob")
    owners = ("alice", "alice2", "bob", "bob2")
    private: dict[str, Post] = {}
    for owner in owners:
        private[owner] = await server.write(
            publish,
            server.site.urls,
            server.people[owner].id,
            Draft(source=f"Of {owner}", visibility=Visibility.DIRECT),
        )
    for reader in owners:
        api = await server.api(reader)
        for owner in owners:
            path = f"/api/v1/statuses/{private[owner].id}"
            expected = 200 if reader == owner else 404
            assert await api.status("GET", path) == expected, (reader, owner)
            assert await api.status("GET", f"{path}/source") == expected
            assert await api.status("POST", f"{path}/favourite") == expected
            assert await api.status("POST", f"{path}/bookmark") == expected
            if reader != owner:
                assert await api.status("PUT", path, json={"status": "x"}) == 404
                assert await api.status("DELETE", path) == 404
    assert await server.read(lambda tx: tx.one("select count(*) as n from post").n) == 4
