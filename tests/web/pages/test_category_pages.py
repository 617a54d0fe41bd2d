"""Categories: chosen where one writes, arranged by the owner, found by everybody."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from fediblog.actions import category_actions
from fediblog.domain.posts import Category
from fediblog.store.posts import categories, post_writing, posts
from fediblog.web.pages import category_pages
from tests.web.pages.conftest import Blog, Browser

SETTINGS = "/settings/categories"


async def made(blog: Blog, name: str, parent: Category | None = None, **more: str) -> Category:
    wanted = Category(id=0, name=name, slug="", parent=parent.id if parent else None, **more)
    return await blog.site.db.write(category_actions.add, wanted)


async def names(blog: Blog) -> list[tuple[int, str]]:
    return [(depth, each.name) for depth, each in (await blog.site.db.read(categories.tree)).rows()]


async def test_the_owner_makes_moves_renames_and_removes(blog: Blog) -> None:
    owner = await blog.owner()
    assert f'href="{SETTINGS}"' in (await owner.get("/settings")).text
    for name in ("Walks", "Hills"):
        assert (await owner.post(SETTINGS, {"name": name})).headers["location"] == SETTINGS
    tree = await blog.site.db.read(categories.tree)
    walks, hills = (next(each for _, each in tree.rows() if each.name == name) for name in ("Walks", "Hills"))
    typed = {"name": "High hills", "slug": "high", "parent": str(walks.id), "description": "Above the trees."}
    assert (await owner.post(f"{SETTINGS}/{hills.id}", typed)).status_code == 303
    assert await names(blog) == [(0, "Walks"), (1, "High hills")]
    answer = await owner.post(f"{SETTINGS}/{walks.id}", {"name": "Walks", "parent": str(hills.id)})
    assert (answer.status_code, "cannot stand below itself" in answer.text) == (422, True)
    post = await blog.write("Text", title="A walk", categories=(walks.id,))
    page = (await owner.get(f"{SETTINGS}/{walks.id}")).text
    assert "No post is deleted. 1 post is only not filed under it any more." in page
    assert (await owner.post(f"{SETTINGS}/{walks.id}/delete")).status_code == 422
    assert (await owner.post(f"{SETTINGS}/{walks.id}/delete", {"sure": "1"})).status_code == 303
    assert await names(blog) == [(0, "High hills")]
    assert (await blog.browser().get(post.url)).status_code == 200
    assert (await owner.post(f"{SETTINGS}/{walks.id}", {"name": "x"})).status_code == 404


async def test_a_post_is_filed_where_it_is_written(blog: Blog) -> None:
    walks = await made(blog, "Walks")
    owner = await blog.owner()
    typed = {"source": "Text", "title": "A walk", "category": str(walks.id), "new-category": "Hills & dales"}
    shown = (await owner.post("/write", {**typed, "do": "preview", "visibility": "public"})).text
    assert f'value="{walks.id}" checked' in shown
    assert 'value="Hills &amp; dales"' in shown
    assert await names(blog) == [(0, "Walks")]
    answer = await owner.post("/write", {**typed, "do": "publish", "visibility": "public"})
    page = (await blog.browser().get(answer.headers["location"])).text
    filed = page.partition('class="filed"')[2].partition("</p>")[0]
    assert re.findall(r'href="([^"]*)" dir="auto">([^<]*)<', filed) == [
        ("/category/hills-dales", "Hills &amp; dales"),
        ("/category/walks", "Walks"),
    ]
    assert 'href="/category/walks"' in (await blog.browser().get("/")).text
    [(number,)] = await blog.site.db.read(lambda tx: tx.all("select id from post"))
    assert (await owner.get(f"/write/{number}")).text.count(" checked") == 2
    await owner.post(f"/write/{number}", {"source": "Text", "title": "A walk", "do": "publish"})
    post = await blog.site.db.read(posts.stored, number)
    assert post is not None
    assert post.categories == ()


async def test_a_branch_shows_what_lies_below_it_and_pages_on(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(category_pages, "SIZE", 1)
    arts = await made(blog, "Künste", description="What we read & hear.")
    books, empty = await made(blog, "Books", arts), await made(blog, "Empty", arts)
    await blog.write("The first", title="One", categories=(books.id,))
    await blog.write("The second", categories=(arts.id, books.id))
    await blog.write("Not yet", title="Three", state="draft", categories=(empty.id,))
    visitor = blog.browser()
    index = (await visitor.get("/categories")).text
    assert re.findall(r"<bdi>([^<]*)</bdi></a> <span class=\"quiet\">(\d) posts?<", index) == [
        ("Künste", "2"),
        ("Books", "2"),
    ]
    address = f"/category/{quote('kunste')}"
    answer = await visitor.get(address)
    assert ("The second" in answer.text, "One" in answer.text, "Empty" in answer.text) == (True, False, False)
    assert "What we read &amp; hear." in answer.text
    assert 'href="/category/books"' in answer.text
    [more] = re.findall(r'rel="next" href="([^"]+)"', answer.text)
    assert more.startswith(f"{address}?before=")
    assert "One" in (await visitor.get(more.replace("&amp;", "&"))).text
    path = (await visitor.get("/category/books")).text
    assert path.index('href="/categories"') < path.index(f'href="{address}"')
    for form in ("atom", "rss", "json"):
        feed = await visitor.get(f"{address}/feed.{form}")
        assert (feed.status_code, "The second" in feed.text, "Not yet" in feed.text) == (200, True, False)
    for nothing in ("empty", "nowhere"):  # a name that only drafts have is nobody's business
        assert (await visitor.get(f"/category/{nothing}")).status_code == 404
        assert (await visitor.get(f"/category/{nothing}/feed.atom")).status_code == 404


async def test_an_earlier_address_leads_on(blog: Blog) -> None:
    walks = await made(blog, "Walks")
    await blog.write("Text", categories=(walks.id,))
    await blog.site.db.write(category_actions.change, Category(id=walks.id, name="Hikes", slug="hikes"))
    browsers: list[tuple[Browser, int]] = [(blog.browser(), 301), (await blog.owner(), 303)]
    for browser, status in browsers:
        answer = await browser.get("/category/walks?page=2")
        assert (answer.status_code, answer.headers["location"]) == (status, "/category/hikes?page=2")
    answer = await blog.browser().get("/category/walks/feed.rss")
    assert (answer.status_code, answer.headers["location"]) == (301, "/category/hikes/feed.rss")


async def test_what_is_withheld_is_counted_nowhere(blog: Blog) -> None:
    """Held, hidden, followers-only, private: not in counts of categories, tags and months, and gone at once."""
    walks = await made(blog, "Walks")
    for each in ("followers", "direct", "unlisted"):
        await blog.write("Plover #plover", visibility=each, categories=(walks.id,))
    shown = await blog.write("Plover #plover", categories=(walks.id,))
    visitor = blog.browser()
    for path, word in (
        ("/categories", "Walks"),
        ("/tags", "#plover"),
        ("/archive", "June 2025"),
        ("/archive/2025", "June 2025"),
    ):
        page = (await visitor.get(path)).text
        assert (word in page, "1 post<" in page) == (True, True), path
    await blog.site.db.write(post_writing.set_state, shown.id, "hidden")
    for path in ("/categories", "/tags", "/archive", "/archive/2025", "/archive/2025/06", "/category/walks"):
        page = (await visitor.get(path)).text
        assert not any(word in page for word in ("Walks", "lover", "June 2025")), path
