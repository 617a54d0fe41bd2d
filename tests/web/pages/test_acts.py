"""What a reader does to a post from wherever it stands: keep it, react, mute its thread, report it."""

from __future__ import annotations

import re

from fediblog.federation.site import Site
from fediblog.store.people import relations
from fediblog.store.posts import custom_emoji, posts, reactions, timelines
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from tests.security.test_privacy import NAME, upload_of
from tests.web.pages.conftest import Blog

ASKS = {"accept": "application/json"}


async def sent(site: Site) -> list[str]:
    rows = await site.db.read(lambda tx: tx.all("select body from outgoing order by id"))
    return [row.body for row in rows]


async def test_one_comes_back_to_the_post_that_was_kept(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/f", "accepted")
    post = await blog.heard(bob, "<p>Tea has moved</p>", 1)
    await blog.site.db.write(timelines.spread, post)
    stream = (await owner.get("/stream")).text
    place = re.search(rf'name="next" value="([^"]+#p{post.id})"', stream)
    assert place is not None
    assert f'formaction="/post/{post.id}/bookmark"' in stream
    answer = await owner.post(f"/post/{post.id}/bookmark", {"next": place[1]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/stream#p{post.id}")
    assert f'action="/post/{post.id}/unbookmark"' in (await owner.get("/stream")).text
    assert "Tea has moved" in (await owner.get("/bookmarks")).text
    muted = await owner.post(f"/post/{post.id}/mute", {"next": place[1]}, headers=ASKS)
    assert f'action="/post/{post.id}/unmute"' in muted.json()["foot"]
    assert f'value="/stream#p{post.id}"' in muted.json()["foot"]


async def test_an_emoji_is_set_replaced_and_taken_back(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    post = await blog.heard(bob, "<p>Tea</p>", 1)
    where = f"/post/{post.id}/react"
    page = (await owner.get(where)).text
    assert "Another emoji" in page
    assert 'value="🎉"' in page
    for emoji in ("🎉", "👍"):
        assert (await owner.post(where, {"emoji": emoji, "next": "/stream"})).status_code == 303
    assert await blog.site.db.read(reactions.shown_emoji, blog.alice.id, post.id) == "👍"
    first, undone, second = await sent(blog.site)
    assert '"_misskey_reaction":"🎉"' in first
    assert '"type":"Undo"' in undone
    assert '"content":"👍"' in second
    number = re.search(r'"id":"https://blog\.test(/[^"]+)"', second)
    assert number is not None
    served = await blog.browser().get(number[1], accept="application/activity+json")
    assert served.json()["content"] == "👍"
    for wrong in ("hello", ":nothing_of_ours:", "", "👍👍"):
        refused = await owner.post(where, {"emoji": wrong}, headers=ASKS)
        assert (refused.status_code, "One emoji" in refused.json()["problem"]) == (422, True), wrong
        assert (await owner.post(where, {"emoji": wrong})).status_code == 422
    await owner.post(f"/post/{post.id}/unreact", {"next": "/stream"})
    whole = await blog.site.db.read(posts.get, post.id, blog.alice.id)
    assert whole is not None
    assert (whole.reacted, whole.liked) == (False, False)


async def test_an_emoji_of_this_server_is_sent_with_its_picture(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    post = await blog.heard(bob, "<p>Tea</p>", 1)

    def draw(tx: Tx) -> None:
        custom_emoji.put(tx, "teapot", upload_of(tx, blog.alice), "")

    await blog.site.db.write(draw)
    assert 'value=":teapot:"' in (await owner.get(f"/post/{post.id}/react")).text
    assert (await owner.post(f"/post/{post.id}/react", {"emoji": ":teapot:", "next": "/"})).status_code == 303
    [document] = await sent(blog.site)
    assert '"name":":teapot:"' in document
    assert f"https://blog.test/media/{NAME}" in document


async def test_a_report_names_posts_and_reasons(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    shown, other = await blog.heard(bob, "<p>Buy tea</p>", 1), await blog.heard(bob, "<p>Buy more</p>", 2)
    page = (await owner.get(f"/people/{bob.id}/report?post={shown.id}")).text
    assert re.search(rf'value="{shown.id}" checked', page)
    assert f'value="{other.id}"' in page
    assert "Send it to far.example as well" in page
    told = {"category": "spam", "post": [str(shown.id)], "comment": "Tea, again", "next": f"/stream#p{shown.id}"}
    answer = await owner.post(f"/people/{bob.id}/report", {**told, "forward": "1"})
    assert answer.headers["location"] == f"/stream#p{shown.id}"
    [report] = await blog.site.db.read(moderation.reports)
    assert (report.content, report.category, report.posts) == ("Tea, again", "spam", (shown.uri,))
    assert any('"type":"Flag"' in each for each in await sent(blog.site))
    assert (await owner.get(f"/people/{blog.alice.id}/report")).status_code == 404
    assert (await owner.get("/people/77/report")).status_code == 404


async def test_a_thread_is_answered_on_its_page(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    post = await blog.heard(bob, "<p>Tea?</p>", 1)
    where = f"/post/{post.id}"
    page = (await owner.get(where)).text
    assert ">\n@bob@far.example </textarea>" in page
    assert f'name="reply" value="{post.id}"' in page
    answer = {"source": "@bob@far.example Yes", "reply": str(post.id), "visibility": "unlisted", "do": "publish"}
    sent_back = await owner.post("/write", {**answer, "next": f"{where}#comments"})
    assert sent_back.headers["location"] == f"{where}#comments"
    assert 'id="answer"' not in (await blog.browser().get((await blog.write("Mine")).url)).text


async def test_a_script_is_told_what_a_button_about_an_account_did_and_how_to_undo_it(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    for does, undo in (("mute", "unmute"), ("block", "unblock")):
        told = (await owner.post(f"/account/{bob.id}/{does}", {"next": "/stream"}, headers=ASKS)).json()
        assert set(told) == {"told", "undo"}
        assert f'action="/account/{bob.id}/{undo}"' in told["undo"]
        assert set((await owner.post(f"/account/{bob.id}/{undo}", headers=ASKS)).json()) == {"told"}
