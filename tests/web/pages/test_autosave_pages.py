"""What is typed is kept while it is typed, for its account alone; what was changed elsewhere is noticed."""

from __future__ import annotations

import asyncio
import re

import pytest

from fediblog.actions import account_actions
from fediblog.federation import uploads
from fediblog.store.posts import account_posts, media_files
from fediblog.store.readers import autosaves
from tests.security.test_unsent import act_as, another
from tests.web.pages.conftest import Blog, Browser
from tests.web.pages.test_desk import latest, picture, typed_in

JSON = {"accept": "application/json"}
TYPED = {"title": "Half a title", "source": "Typed & not <saved>", "warning": "Careful", "tags": "tea"}


async def keep(blog: Blog, browser: Browser, page: str, **typed: str) -> dict[str, int]:
    """What the script on the page sends, after somebody has typed."""
    blog.clock.forward(seconds=3)
    answer = await browser.post("/write/autosave", {**typed_in(page), **typed}, headers=JSON)
    assert answer.status_code == 200
    kept: dict[str, int] = answer.json()
    return kept


async def test_what_was_typed_is_found_again(blog: Blog) -> None:
    """On another page, by its account alone, with all its fields; until it is published or thrown away."""
    owner = await blog.owner()
    assert (await keep(blog, owner, (await owner.get("/write")).text, **TYPED))["at"] == blog.clock()
    page = (await owner.get("/write")).text
    assert "Half a title" in page
    path = re.findall(r'href="(/write\?kept=[^"]+)"', page)[0]
    assert path in (await owner.get("/drafts")).text
    again = (await owner.get(path)).text
    assert {name: typed_in(again)[name] for name in ("title", "source", "warning")} == {
        name: TYPED[name] for name in ("title", "source", "warning")
    }
    assert (await owner.get("/write?kept=unknown")).status_code == 200
    await keep(blog, owner, again, source="More")  # it goes on where it was
    assert [each.words for each in await blog.site.db.read(autosaves.listed, blog.alice.id)] == ["Half a title"]
    answer = await owner.post("/write", {**typed_in(again), "source": "All of it", "do": "publish"})
    assert answer.status_code == 303
    assert await blog.site.db.read(autosaves.listed, blog.alice.id) == []


async def test_what_was_typed_can_be_thrown_away(blog: Blog) -> None:
    owner = await blog.owner()
    for typed in ("One", "Two"):
        await keep(blog, owner, (await owner.get("/write")).text, source=typed)
    page = (await owner.get("/write")).text
    mark = re.findall(r'name="discard" value="([^"]+)"', page)[0]
    left = await owner.post("/write", {**typed_in(page), "source": "Three", "discard": mark})
    assert (left.status_code, "Three" in left.text) == (200, True)
    assert [each.words for each in await blog.site.db.read(autosaves.listed, blog.alice.id)] == ["One"]
    mark = re.findall(r'name="mark" value="([^"]+)"', (await owner.get("/drafts")).text)[0]
    assert (await owner.post("/write/discard", {"mark": mark})).headers["location"] == "/drafts"
    assert await blog.site.db.read(autosaves.listed, blog.alice.id) == []


async def test_no_other_account_finds_what_was_typed(blog: Blog) -> None:
    """Not on the desk of another of the same login, and not by its mark; what goes away with its account is gone."""
    home, owner = await another(blog), await blog.owner()
    await act_as(blog, owner, blog.alice)
    await keep(blog, owner, (await owner.get("/write")).text, **TYPED)
    [kept] = await blog.site.db.read(autosaves.listed, blog.alice.id)
    await act_as(blog, owner, home)
    for path in ("/write", "/drafts", kept.path, "/stream", "/search?q=Half"):
        assert "Half a title" not in (await owner.get(path)).text, path
    await owner.post("/write/discard", {"mark": kept.mark})
    await owner.post("/write", {"source": "x", "discard": kept.mark, "theirs": kept.mark})
    assert await blog.site.db.read(autosaves.listed, blog.alice.id) == [kept]
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    assert await blog.site.db.read(autosaves.listed, blog.alice.id) == []


async def test_an_edit_is_kept_beside_the_post(blog: Blog) -> None:
    """The post stays as it is, until the edit is saved."""
    post = await blog.write("As it was", title="Tides")
    owner = await blog.owner()
    await keep(blog, owner, (await owner.get(f"/write/{post.id}")).text, source="As it will be")
    assert "As it was" in (await blog.browser().get(post.url.removeprefix("https://blog.test"))).text
    page = (await owner.get(f"/write/{post.id}")).text
    path = re.findall(r'href="(/write/\d+\?kept=[^"]+)"', page)[0]
    assert "As it will be" not in page
    again = (await owner.get(path)).text
    assert typed_in(again)["source"] == "As it will be"
    assert (await owner.post(f"/write/{post.id}", {**typed_in(again), "do": "publish"})).status_code == 303
    assert "As it will be" in (await latest(blog)).content
    assert "kept=" not in (await owner.get(f"/write/{post.id}")).text


@pytest.mark.parametrize("state", ["draft", "published"])
@pytest.mark.parametrize("how", ["typed", "saved"])
async def test_two_pages_of_one_post_notice_each_other(blog: Blog, state: str, how: str) -> None:
    """What was typed or saved on another page is not saved over; both texts are shown, and either can be taken."""
    post = await blog.write("As it was", title="Tides", state=state)
    do = "publish" if state == "published" else "draft"
    owner = await blog.owner()
    path = f"/write/{post.id}"
    mine, theirs = (await owner.get(path)).text, (await owner.get(path)).text
    if how == "typed":
        assert (await keep(blog, owner, theirs, source="What they typed"))["elsewhere"] == 0
    else:
        blog.clock.forward(seconds=3)
        sent = {**typed_in(theirs), "source": "What they typed", "do": do}
        assert (await owner.post(path, sent)).status_code == 303
    other = blog.clock()
    assert (await keep(blog, owner, mine, source="What I typed"))["elsewhere"] == other
    refused = await owner.post(path, {**typed_in(mine), "source": "What I typed", "do": do})
    assert refused.status_code == 409
    assert "Saved elsewhere at" in refused.text
    assert refused.text.count("What they typed") == 1
    assert typed_in(refused.text)["source"] == "What I typed"

    chosen = re.findall(r'name="theirs" value="([^"]+)"', refused.text)[0]
    swapped = await owner.post(path, {**typed_in(refused.text), "source": "What I typed", "theirs": chosen})
    assert swapped.status_code == 200
    assert typed_in(swapped.text)["source"] == "What they typed"
    assert "What I typed" in swapped.text
    both = {**typed_in(refused.text), "source": "What I typed"}
    again = await owner.post(path, {**both, "do": do})  # by the button below the text, which says nothing of the other
    assert (again.status_code, again.text.count("What they typed")) == (409, 1)
    kept = await owner.post(path, {**both, "mine": do})
    assert kept.status_code == 303
    find = account_posts.drafts if state == "draft" else account_posts.written
    [after] = await blog.site.db.read(find, blog.alice.id, *([blog.alice.id] if state == "published" else []))
    assert "What I typed" in after.content


async def test_of_two_pages_that_are_saved_at_once_one_wins(blog: Blog) -> None:
    post, owner = await blog.write("As it was"), await blog.owner()
    path = f"/write/{post.id}"
    page = typed_in((await owner.get(path)).text)
    blog.clock.forward(seconds=3)
    sent = [{**page, "mark": mark, "source": f"By {mark}", "do": "publish"} for mark in ("one", "other")]
    answers = await asyncio.gather(*(owner.post(path, each) for each in sent))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert "Saved elsewhere at" in lost.text
    assert "By one" in lost.text
    assert "By other" in lost.text


async def test_a_text_that_came_after_both_were_seen_is_noticed_too(blog: Blog) -> None:
    post, owner = await blog.write("As it was"), await blog.owner()
    path = f"/write/{post.id}"
    pages = [typed_in((await owner.get(path)).text) for _ in range(3)]
    mine, first, second = (
        {**page, "source": words} for page, words in zip(pages, ("Mine", "First", "Second"), strict=True)
    )
    blog.clock.forward(seconds=3)
    assert (await owner.post(path, {**first, "do": "publish"})).status_code == 303
    refused = await owner.post(path, {**mine, "do": "publish"})
    assert refused.status_code == 409
    blog.clock.forward(seconds=3)
    both = await owner.post(path, {**second, "do": "publish"})
    assert (await owner.post(path, {**typed_in(both.text), "mine": "publish"})).status_code == 303
    late = await owner.post(path, {**typed_in(refused.text), "source": "Mine", "mine": "publish"})
    assert (late.status_code, "\nSecond</textarea>" in late.text) == (409, True)


async def test_nothing_empty_is_kept(blog: Blog) -> None:
    owner = await blog.owner()
    page = (await owner.get("/write")).text
    await keep(blog, owner, page, comments="nobody", source=" ")
    assert await blog.site.db.read(autosaves.listed, blog.alice.id) == []
    await keep(blog, owner, page, summary="A beginning")
    assert [each.words for each in await blog.site.db.read(autosaves.listed, blog.alice.id)] == ["A beginning"]
    await keep(blog, owner, page, summary="")
    assert await blog.site.db.read(autosaves.listed, blog.alice.id) == []
    empty = await owner.post("/write", {**typed_in(page), "comments": "nobody", "do": "draft"})
    assert (empty.status_code, "Write something" in empty.text) == (422, True)
    assert (await owner.post("/write", {**typed_in(page), "title": "A title", "do": "draft"})).status_code == 303


async def test_so_many_texts_are_kept(blog: Blog) -> None:
    owner = await blog.owner()
    for n in range(autosaves.MOST + 2):
        await keep(blog, owner, (await owner.get("/write")).text, source=f"Text {n}")
    listed = await blog.site.db.read(autosaves.listed, blog.alice.id)
    assert [each.words for each in listed] == [f"Text {n}" for n in range(autosaves.MOST + 1, 1, -1)]
    blog.clock.forward(days=31)
    assert await blog.site.db.write(autosaves.sweep) == autosaves.MOST


async def test_pictures_of_a_text_that_is_being_written_stay(blog: Blog) -> None:
    owner, page = await blog.owner(), ""
    used, below, idle = [await uploads.upload(blog.site, blog.alice.id, picture()) for _ in range(3)]
    page = (await owner.get("/write")).text
    await keep(blog, owner, page, source=f"![](/media/{used.file})", file=str(below.id))
    blog.clock.forward(days=2)
    gone = await blog.site.db.read(media_files.unused, blog.clock())
    assert [each.id for each in gone] == [idle.id]
