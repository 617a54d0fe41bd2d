"""What pages tell machines of themselves: of what everybody may see and its author wants to be found, and no more."""

from __future__ import annotations

import httpx
import pytest

from fediblog.actions.account_actions import ProfileChanges
from fediblog.domain.posts import Post
from fediblog.web.pages import blog_pages
from tests import wording
from tests.web.pages.conftest import Blog
from tests.web.pages.test_whole_pages import Page

ORIGIN = "https://blog.test"


async def page_of(blog: Blog, address: str) -> tuple[httpx.Response, Page]:
    answer = await blog.browser().get(address)
    assert answer.status_code == 200
    return answer, Page(answer.text)


async def test_each_page_has_its_head(blog: Blog) -> None:
    """By address: title, description, canonical address, kind of card, and the path of its own feed."""
    await blog.site.db.write(
        wording.update_profile, blog.site.urls, blog.alice.id, ProfileChanges(name="Alice", summary="I *sail*.")
    )
    article = await blog.write("Long text", title="Tides", summary="What the moon does.")
    note = await blog.write("Hello #sea")
    path = article.url.removeprefix(ORIGIN)
    month = path.rpartition("/")[0]
    wanted = {
        "/": ("A Test Blog", "I sail.", "/", "website", "/feed"),
        "/@alice": ("Alice (@alice@blog.test) – A Test Blog", "I sail.", "/@alice", "profile", "/@alice/feed"),
        "/@alice?show=articles": (
            *("Alice (@alice@blog.test) – Articles – A Test Blog", "I sail.", "/@alice", "profile", "/@alice/feed"),
        ),
        month: ("June 2025 – Alice – A Test Blog", "I sail.", month, "profile", "/@alice/feed"),
        "/@alice/archive": ("Archive – Alice – A Test Blog", "I sail.", "/@alice/archive", "profile", "/@alice/feed"),
        "/tags/sea": ("#sea – A Test Blog", "#sea – A Test Blog", "/tags/sea", "website", "/tags/sea/feed"),
        path: ("Tides – A Test Blog", "What the moon does.", path, "article", "/@alice/feed"),
        note.url.removeprefix(ORIGIN): (
            *("Alice: Hello #sea – A Test Blog", "Hello #sea", note.url.removeprefix(ORIGIN), "article"),
            "/@alice/feed",
        ),
    }
    for address, (title, description, canonical, kind, feed) in wanted.items():
        answer, page = await page_of(blog, address)
        assert (page.title, page.metas["description"]) == (title, description), address
        assert page.links["canonical"] == [ORIGIN + canonical]
        assert (page.metas["og:type"], page.metas["og:description"]) == (kind, description)
        assert {f"{feed}.atom", f"{feed}.rss", f"{feed}.json", "/feed.atom"} <= {*page.links["alternate"]}
        assert "robots" not in page.metas
        assert "x-robots-tag" not in answer.headers
        assert page.metas.get("fediverse:creator") == (None if "tags" in address else "@alice@blog.test")


async def test_who_does_not_want_to_be_found_is_not(blog: Blog) -> None:
    post = await blog.write("Hello", title="Tides")
    hidden = ProfileChanges(name="Alice", indexable=False)
    await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, hidden)
    for address in (post.url, "/@alice", "/@alice/archive", post.url.rpartition("/")[0]):
        answer, page = await page_of(blog, address)
        assert (page.metas["robots"], answer.headers["x-robots-tag"]) == ("noindex", "noindex"), address
    shy = ProfileChanges(name="Alice", discoverable=False)
    await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, shy)
    assert "robots" in (await page_of(blog, "/@alice"))[1].metas
    assert "robots" not in (await page_of(blog, post.url))[1].metas


async def test_pages_that_nobody_looks_for_are_not_found(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blog_pages, "SIZE", 1)
    first = await blog.write("One #sea")
    await blog.write("Two #sea")
    unlisted = await blog.write("Three", visibility="unlisted")
    for address in ("/login", "/search?q=sea", f"/?before={first.id + 1}&page=2", unlisted.url):
        answer, page = await page_of(blog, address)
        assert (page.metas["robots"], answer.headers["x-robots-tag"]) == ("noindex", "noindex"), address
    _, second = await page_of(blog, f"/?before={first.id + 1}&page=2")
    assert second.links["canonical"] == [f"{ORIGIN}/?before={first.id + 1}&page=2"]
    assert (await blog.browser().get("/nothing")).headers["x-robots-tag"] == "noindex"


async def test_what_is_not_for_everybody_is_told_to_no_machine(blog: Blog) -> None:
    """Its own reader sees it; what a browser or an add-on sends on of the head tells no more than the title."""
    secret: list[Post] = [await blog.write("plover", visibility=each) for each in ("followers", "direct")]
    owner = await blog.owner()
    for post in secret:
        answer = await owner.get(post.url)
        assert "plover" in answer.text
        head = Page(answer.text)
        assert "plover" not in str(head.metas)
        assert not head.metas.keys() & {"og:title", "og:url", "fediverse:creator"}
        assert answer.headers["x-robots-tag"] == "noindex"


async def test_a_warning_stands_for_what_is_below_it(blog: Blog) -> None:
    post = await blog.write("plover #dunlin", warning="Storms")
    _, page = await page_of(blog, post.url)
    assert page.metas["description"] == page.metas["og:description"] == "Storms"
    assert "plover" not in str(page.metas)
    assert "dunlin" not in str(page.metas)
