"""Other timelines than the stream: this server, hashtags, lists, likes; and the notices, by kind."""

from __future__ import annotations

import re

from fediblog.actions import reader_actions
from fediblog.store.people import accounts, relations
from fediblog.store.posts import reactions, timelines
from fediblog.store.readers import lists, notification_lists, notifications
from tests.web.pages.conftest import Blog
from tests.web.pages.test_letters import second


async def test_a_list_is_made_filled_read_changed_and_deleted(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    made = await owner.post("/stream/lists", {"title": "Readers"})
    where = made.headers["location"]
    assert (await owner.post("/stream/lists", {"title": " "})).status_code == 422
    refused = await owner.post(where, {"who": "@bob@far.example", "do": "add"})
    assert refused.status_code == 422
    assert "You follow nobody of that name." in refused.text
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/f", "accepted")
    post = await blog.heard(bob, "<p>Tea has moved</p>", 1)
    await blog.site.db.write(timelines.spread, post)
    assert (await owner.post(where, {"who": "@bob@far.example", "do": "add"})).status_code == 303
    page = (await owner.get(where)).text
    assert "Tea has moved" in page
    assert "1 member" in page
    await owner.post(where, {"title": "Tea people", "replies": "none", "exclusive": "1", "do": "save"})
    [changed] = await blog.site.db.read(lists.of_account, blog.alice.id)
    assert (changed.title, changed.replies, changed.exclusive) == ("Tea people", "none", True)
    assert "Tea has moved" not in (await owner.get("/stream")).text, "an exclusive list keeps it from the stream"
    await owner.post(where, {"account": str(bob.id), "do": "drop"})
    assert "Tea has moved" not in (await owner.get(where)).text
    assert (await owner.post(where, {"do": "delete"})).headers["location"] == "/stream/lists"
    assert (await owner.get(where)).status_code == 404


async def test_lists_hashtags_and_likes_are_ones_own(blog: Blog) -> None:
    owner, carol = await blog.owner(), await second(blog)
    number = await blog.site.db.write(reader_actions.add_list, blog.alice.id, "Plugh")
    await blog.site.db.write(reader_actions.follow_tag, blog.alice.id, "plover")
    post = await blog.write("Some words for #plover")
    await blog.site.db.write(reactions.react, blog.alice.id, post.id, "https://blog.test/l/1")
    for path in ("/stream/lists", "/stream/hashtags", "/stream/likes"):
        assert re.search("plugh|plover", (await owner.get(path)).text, re.IGNORECASE), path
        assert not re.search("plugh|plover", (await carol.get(path)).text, re.IGNORECASE), path
        assert (await blog.browser().get(path)).status_code == 303
    assert (await carol.get(f"/stream/lists/{number}")).status_code == 404
    assert (await carol.post(f"/stream/lists/{number}", {"do": "delete"})).status_code == 404
    assert "Some words for" in (await carol.get("/stream/local")).text


async def test_a_hashtag_is_followed_on_its_page(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.write("About #maps")
    assert 'action="/tags/maps/follow"' in (await owner.get("/tags/maps")).text
    await owner.post("/tags/maps/follow", {"next": "/tags/maps"})
    assert 'action="/tags/maps/unfollow"' in (await owner.get("/tags/maps")).text
    assert "About" in (await owner.get("/stream/hashtags")).text
    assert (await owner.post("/stream/hashtags", {"tag": "!!"})).status_code == 422
    await owner.post("/stream/hashtags", {"tag": "#Trains"})
    assert "#Trains" in (await owner.get("/stream/hashtags")).text
    await owner.post("/tags/maps/unfollow", {"next": "/tags/maps"})
    assert "About <a" not in (await owner.get("/stream/hashtags")).text


async def test_notices_are_grouped_by_kind_and_only_those_shown_are_read(blog: Blog) -> None:
    people = [await blog.stranger(f"reader{number}") for number in range(3)]
    post, owner = await blog.write("Mine"), await blog.owner()
    for each in people:
        await blog.site.db.write(notifications.add, blog.alice.id, "like", each.id, post.id)
    await blog.site.db.write(notifications.add, blog.alice.id, "follow", people[0].id)
    await blog.site.db.write(relations.put_follow, people[1].id, blog.alice.id, "https://far.example/f", "pending")
    page = (await owner.get("/notices?show=reactions")).text
    assert page.count('class="notice-card') == 1, "three people like one post: one line"
    assert "and 1 other" in page
    assert "1 asks to follow you" in page
    assert await blog.site.db.read(notification_lists.unread_total, blog.alice.id) == 1, "the follow is not read"
    page = (await owner.get("/notices")).text
    assert page.count('class="notice-card') == 2
    assert await blog.site.db.read(notification_lists.unread_total, blog.alice.id) == 0
    told = (await owner.get("/stream/new")).json()
    assert told["waiting"] == {"/notices": 0, "/letters": 0, "/people": 1, "/moderation": 0}


async def test_a_private_post_looks_private_in_a_notice(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    post = await blog.write(f"@{bob.acct} Between us", visibility="direct")
    await blog.site.db.write(notifications.add, blog.alice.id, "reply", bob.id, post.id)
    page = (await owner.get("/notices")).text
    assert re.search(r'class="notice-card card new letter" id="n\d+">\s*<p class="letter-top">', page)


async def test_lists_and_a_note_are_kept_on_a_profile(blog: Blog) -> None:
    bob, owner, carol = await blog.stranger(), await blog.owner(), await second(blog)
    number = await blog.site.db.write(reader_actions.add_list, blog.alice.id, "Plugh")
    where, kept = f"/account/{bob.id}", {"list": str(number), "comment": "Met at the plover fair"}
    await owner.post(f"{where}/keep", kept)
    assert await blog.site.db.read(lists.holding, blog.alice.id, bob.id) == [], "only whom one follows"
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/f", "accepted")
    assert (await owner.post(f"{where}/keep", kept)).headers["location"] == where
    page = (await owner.get(where)).text
    assert f'name="list" value="{number}" checked' in page
    assert "Met at the plover fair" in page
    assert "plover" not in (await carol.get(where)).text
    await carol.post(f"{where}/keep", {"list": str(number), "comment": ""})
    assert [each.id for each in await blog.site.db.read(lists.holding, blog.alice.id, bob.id)] == [number]
    await owner.post(f"{where}/keep", {"comment": ""})
    assert await blog.site.db.read(lists.holding, blog.alice.id, bob.id) == []
    assert (await owner.post("/account/77/keep", kept)).status_code == 404


async def test_so_they_are_on_the_profile_of_a_member(blog: Blog) -> None:
    owner, carol = await blog.owner(), await second(blog)
    number = await blog.site.db.write(reader_actions.add_list, blog.alice.id, "Plugh")
    member = await blog.site.db.read(accounts.local_by_handle, "carol")
    assert member is not None
    await blog.site.db.write(relations.put_follow, blog.alice.id, member.id, "https://blog.test/f", "accepted")
    kept = {"list": str(number), "comment": "Met at the plover fair"}
    assert (await owner.post(f"/account/{member.id}/keep", kept)).status_code == 303
    page = (await owner.get("/@carol")).text
    assert f'name="list" value="{number}" checked' in page
    assert "Met at the plover fair" in page
    for reader in (carol, blog.browser()):
        page = (await reader.get("/@carol")).text
        assert "plover" not in page
        assert "/keep" not in page
    assert "/keep" not in (await owner.get("/@alice")).text
