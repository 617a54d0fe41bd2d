"""Sitemaps and robots.txt, as crawlers read them."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from fediblog.actions import category_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.page_actions import PageDraft
from fediblog.app import create_app
from fediblog.domain.posts import Category
from fediblog.federation import prepared_actions
from fediblog.store.posts import categories
from fediblog.web import search_engines
from tests import wording
from tests.web.pages.conftest import Blog, Browser, blog, blog_folder, empty_folder

__all__ = ["blog", "blog_folder", "empty_folder"]
SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ORIGIN = "https://blog.test"


async def listed(browser: Browser, address: str) -> list[tuple[str, str | None]]:
    """What a sitemap lists, with the day of the last change."""
    answer = await browser.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml; charset=utf-8")
    assert answer.headers["x-robots-tag"] == "noindex"
    assert (await browser.get(address, if_none_match=answer.headers["etag"])).status_code == 304
    return [
        (each.findtext(f"{SPACE}loc", ""), each.findtext(f"{SPACE}lastmod"))
        for each in ElementTree.fromstring(answer.content)
    ]


async def everything(browser: Browser) -> dict[str, str | None]:
    """All that the sitemaps list, each once."""
    parts = [address for address, _ in await listed(browser, "/sitemap.xml")]
    found = [each for address in parts for each in await listed(browser, address)]
    assert len(found) == len(dict(found))
    return dict(found)


async def test_sitemaps_list_what_may_be_found(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_engines, "PART", 2)
    article = await blog.write("Long", title="Tides & <more>")
    note = await blog.write("Hello #Sea")
    await blog.write("plover #dunlin", warning="Storms")
    for visibility in ("unlisted", "followers", "direct"):
        await blog.write("plover #plover", visibility=visibility)
    await blog.write("not yet #plover", state="draft")
    await blog.write("an answer", reply_to=note.id)
    last = await blog.write("The last", title="The last")
    await blog.heard(await blog.stranger(), "<p>elsewhere</p>", 1, hashtags=("far",))
    walks = await blog.site.db.write(category_actions.add, Category(id=0, name="Walks", slug=""))
    await blog.site.db.write(category_actions.add, Category(id=0, name="Empty", slug=""))
    await blog.site.db.write(categories.file_under, note.id, [walks.id])
    for title, published in (("Imprint", True), ("Not yet", False)):
        await prepared_actions.save_page(blog.site, None, PageDraft(title=title, published=published), ())
    browser = blog.browser()
    assert len(await listed(browser, "/sitemap.xml")) == 1 + 5
    found = await everything(browser)
    pages = {f"{ORIGIN}{path}" for path in ("/", "/@alice", "/imprint", "/category/walks")}
    assert {*found} == pages | {article.url, note.url, last.url}  # the tag is not among those of the newest two
    assert found[article.url] == "2025-06-15T15:07:40Z"
    monkeypatch.setattr(search_engines, "PART", 50)
    found = await everything(Browser(blog.site, create_app(blog.site)))
    assert {*found} == pages | {article.url, note.url, last.url, f"{ORIGIN}/tags/sea"}
    for address in found:  # each is a page that says itself that it may be found, at that address
        answer = await browser.get(address)
        assert answer.status_code == 200
        assert f'<link rel="canonical" href="{address}">' in answer.text
        assert "x-robots-tag" not in answer.headers
    for hidden in (ProfileChanges(name="A", indexable=False), ProfileChanges(name="A", discoverable=False)):
        await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, hidden)
        assert {*await everything(browser)} == {f"{ORIGIN}/", f"{ORIGIN}/imprint"}


async def test_a_profile_its_lists_and_its_posts_say_the_same(blog: Blog) -> None:
    """Only who wants to be suggested, and the posts to be found, is for search engines: on no page a half of it."""
    post = await blog.write("Hello")
    visitor = blog.browser()
    for discoverable, indexable in ((True, True), (True, False), (False, True), (False, False)):
        changes = ProfileChanges(name="A", discoverable=discoverable, indexable=indexable)
        await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, changes)
        found = await everything(visitor)
        told = {
            "/@alice": (f"{ORIGIN}/@alice" in found, "ProfilePage"),
            post.url: (post.url in found, "SocialMediaPosting"),
            "/@alice/archive": (discoverable and indexable, ""),
            "/@alice/2025/06": (discoverable and indexable, ""),
        }
        for address, (is_listed, data) in told.items():
            answer = await visitor.get(address)
            says = (
                "x-robots-tag" not in answer.headers,
                f'"@type":"{data}"' in answer.text or (is_listed and not data),
            )
            assert (is_listed, *says) == (discoverable and indexable,) * 3, (address, discoverable, indexable)
        api = (await visitor.get(f"/api/v1/accounts/{blog.alice.id}", accept="application/json")).json()
        assert api["noindex"] is not (discoverable and indexable)


async def test_robots_are_told_what_is_theirs(blog: Blog) -> None:
    post = await blog.write("Hello")

    async def told(app: object) -> RobotFileParser:
        found = RobotFileParser()
        found.parse((await Browser(blog.site, app).get("/robots.txt")).text.splitlines())
        return found

    robots = await told(blog.app)
    assert robots.site_maps() == [f"{ORIGIN}/sitemap.xml"]
    for path in ("/", post.url, "/@alice", "/feed.atom", "/tags/sea", "/sitemap.xml"):
        assert robots.can_fetch("Googlebot", path)
        assert not robots.can_fetch("GPTBot", path)
        assert not robots.can_fetch("ClaudeBot/1.0", path)
    for path in ("/login", "/search?q=a", "/share?text=a", "/authorize_interaction?uri=a", "/settings"):
        assert not robots.can_fetch("Googlebot", path)
    open_site = replace(blog.site, kept={}, settings=replace(blog.site.settings, ai_crawlers="allow"))
    assert (await told(create_app(open_site))).can_fetch("GPTBot", post.url)
