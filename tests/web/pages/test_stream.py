"""The desk: the stream with its composer and what is new, letters, bookmarks, and what waits for other accounts."""

from __future__ import annotations

import re

from fediblog.actions import account_actions, follow_actions, reader_actions
from fediblog.actions.drafts import Draft
from fediblog.actions.reader_actions import FilterDraft
from fediblog.domain.posts import Post
from fediblog.federation.keyring import make_keys
from fediblog.store.posts import reader_marks
from fediblog.store.readers import notifications
from tests import wording
from tests.web.pages.conftest import Blog


async def test_a_note_is_written_above_the_stream_and_one_stays_there(blog: Blog) -> None:
    owner = await blog.owner()
    assert 'placeholder="A note, for everybody"' in (await owner.get("/stream")).text
    note = {"source": "Six cards in my coat", "visibility": "public", "next": "/stream"}
    answer = await owner.post("/write", {**note, "do": "publish"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/stream")
    assert "Six cards in my coat" in (await owner.get("/stream")).text
    looked = await owner.post("/write", {**note, "do": "preview"})
    assert 'id="title"' in looked.text, "all options, with what was typed"
    assert ">\nSix cards in my coat</textarea>" in looked.text
    wrong = await owner.post("/write", {**note, "source": "", "do": "publish"})
    assert wrong.status_code == 422


async def test_what_is_new_since_the_last_look_is_counted(blog: Blog) -> None:
    owner = await blog.owner()
    first = await blog.write("One")
    assert "since you last looked" not in (await owner.get("/stream")).text, "nothing was seen before"
    for text in ("Two", "Three"):
        await blog.write(text)
    told = await owner.get(f"/stream/new?after={first.id}")
    assert told.json()["label"] == "Show 2 new"
    page = (await owner.get("/stream")).text
    assert page.index("2 new since you last looked") < page.index("Three")
    newest = re.search(r'data-after="(\d+)"', page)
    assert newest is not None
    assert (await owner.get(f"/stream/new?after={newest[1]}")).json()["label"] == ""
    assert "since you last looked" not in (await owner.get("/stream")).text
    assert (await blog.browser().get("/stream/new?after=1")).status_code == 303


async def test_what_a_filter_hides_is_not_counted(blog: Blog) -> None:
    site, keys = blog.site, make_keys()
    blog.clock.forward(seconds=1)
    add = account_actions.add_account
    ben = await site.db.write(lambda tx: add(tx, site.urls, blog.alice.login or 0, "ben", "", keys))
    await site.db.write(follow_actions.follow, site.urls, blog.alice.id, ben.id)

    async def write(source: str) -> Post:
        blog.clock.forward(seconds=60)
        return await site.db.write(wording.publish, site.urls, ben.id, Draft(source=source))

    owner, first = await blog.owner(), await write("One")
    await owner.get("/stream")
    draft = FilterDraft(
        title="", words=("football",), whole_word=False, contexts=("home",), action="hide", expires=None
    )
    await site.db.write(reader_actions.save_filter, blog.alice.id, None, draft)
    await write("Football again")
    told = f"/stream/new?after={first.id}"
    assert (await owner.get(told)).json()["label"] == ""
    await write("Two")
    assert (await owner.get(told)).json()["label"] == "Show 1 new"
    page = (await owner.get("/stream")).text
    assert ("1 new since" in page, "Football" in page) == (True, False)


async def test_times_tell_how_long_ago_that_was(blog: Blog) -> None:
    post = await blog.write("One")
    for seconds, words in ((240, "4 min"), (7_200, "2 h"), (3 * 86_400, "15 June"), (300 * 86_400, "15 June 2025")):
        blog.clock.now = (post.published or 0) + seconds * 1000
        owner = await blog.owner()
        stream = (await owner.get("/stream")).text
        assert re.search(rf"<time[^>]* data-ago [^>]*>{words}</time>", stream), words


async def test_letters_are_marked_and_counted_until_they_are_read(blog: Blog) -> None:
    bob = await blog.stranger()
    owner = await blog.owner()
    await blog.write(f"@{bob.acct} May I borrow it?", visibility="direct")
    await blog.write("For everybody")
    letters = (await owner.get("/letters")).text
    assert "May I borrow it?" in letters
    assert "For everybody" not in letters
    assert f"Only people mentioned: @alice@blog.test, @{bob.acct}" in letters
    assert 'class="card h-entry letter"' in letters


async def test_bookmarks_are_ones_own(blog: Blog) -> None:
    owner, post = await blog.owner(), await blog.write("Kept for later")
    assert "Kept for later" not in (await owner.get("/bookmarks")).text
    await blog.site.db.write(reader_marks.bookmark, blog.alice.id, post.id)
    assert "Kept for later" in (await owner.get("/bookmarks")).text


async def test_what_waits_for_ones_other_account_is_counted_beside_it(blog: Blog) -> None:
    bob = await blog.stranger()
    owner = await blog.owner()
    add = account_actions.add_account
    login = blog.alice.login or 0
    blog.clock.forward(seconds=1)
    other = await blog.site.db.write(add, blog.site.urls, login, "garden", "The Garden", make_keys())
    await blog.site.db.write(notifications.add, other.id, "follow", bob.id)
    page = (await owner.get("/settings")).text
    assert "Also you" in page
    assert 'aria-label="Act as @garden, 1 waiting"' in page
    assert 'class="as-2"' in page
    assert '<body class="desk as-1' in page
