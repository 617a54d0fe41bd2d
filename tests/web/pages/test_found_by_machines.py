"""What pages tell machines of themselves: of what everybody may see and its author wants to be found, and no more."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import mf2py
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
    for address in ("/@alice", post.url):  # its page and what it wrote say the same
        assert (await page_of(blog, address))[1].metas["robots"] == "noindex"


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


async def test_an_article_below_a_warning_opens_in_a_list_as_a_note_does(blog: Blog) -> None:
    """Nothing of it stands beside its warning: neither the beginning of the text nor the abstract."""
    await blog.write("plover in the text", title="Without abstract", warning="Storms")
    await blog.write("more text", title="With abstract", warning="Storms", summary="plover in short")
    await blog.write("plover in a note", warning="Storms")
    owner = await blog.owner()
    for browser, address in ((blog.browser(), "/"), (blog.browser(), "/@alice"), (owner, "/"), (owner, "/stream")):
        page = (await browser.get(address)).text.partition("<main")[2]
        opened = re.findall(r'<details class="warning"><summary>.*?</summary>(.*?)</details>', page, re.DOTALL)
        assert sum("plover" in each for each in opened) == 3, address
        assert page.count("plover") == 3, address
        assert page.count('<bdi class="p-summary">Storms</bdi></summary>') == 3, address


async def test_a_warning_stands_for_what_is_below_it(blog: Blog) -> None:
    post = await blog.write("plover #dunlin", warning="Storms")
    _, page = await page_of(blog, post.url)
    assert page.metas["description"] == page.metas["og:description"] == "Storms"
    assert "plover" not in str(page.metas)
    assert "dunlin" not in str(page.metas)


def data_of(page: str) -> dict[str, Any] | None:
    """The structured data of a page."""
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert page.count("<script") - page.count('<script src="/static/') == len(blocks) <= 1
    return json.loads(blocks[0]) if blocks else None


def lacking(data: dict[str, Any]) -> set[str]:
    """Which of the properties are missing that Google's documentation requires or recommends for the type.

    developers.google.com/search/docs/appearance/structured-data: article, profile-page. Pictures are there if the post
    has one.
    """
    wanted = {
        "BlogPosting": {"author.name", "author.url", "datePublished", "dateModified", "headline"},
        "SocialMediaPosting": {"author.name", "author.url", "datePublished", "dateModified", "headline"},
        "ProfilePage": {
            *("mainEntity.name", "mainEntity.alternateName", "mainEntity.description", "dateCreated"),
            *(
                "mainEntity.interactionStatistic.userInteractionCount",
                "mainEntity.interactionStatistic.interactionType",
            ),
            "mainEntity.agentInteractionStatistic.userInteractionCount",
        },
        "Blog": {"name", "url", "description", "author.name", "author.url"},
    }

    def has(path: str) -> bool:
        value: Any = data
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value not in (None, "")

    assert data["@context"] == "https://schema.org"
    return {path for path in wanted[data["@type"]] if not has(path)}


async def test_structured_data_is_complete(blog: Blog) -> None:
    article = await blog.write("Long text #sea", title="Tides", summary="What the moon does.", language="en")
    note = await blog.write("Hello")
    browser, found = blog.browser(), dict[str, dict[str, Any]]()
    for address in ("/", "/@alice", article.url, note.url):
        data = data_of((await browser.get(address)).text)
        assert data is not None
        assert lacking(data) == set()
        found[data["@type"]] = data
    posting = found["BlogPosting"]
    assert (posting["headline"], posting["description"], posting["url"]) == (
        "Tides",
        "What the moon does.",
        article.url,
    )
    assert (posting["keywords"], posting["inLanguage"]) == (["sea"], "en")
    assert posting["datePublished"] == "2025-06-15T15:07:40Z"
    assert posting["author"]["url"] == f"{ORIGIN}/@alice"
    assert found["ProfilePage"]["mainEntity"]["@type"] == "Person"
    assert found["ProfilePage"]["mainEntity"]["agentInteractionStatistic"]["userInteractionCount"] == 2
    assert found["Blog"]["author"]["@id"] == posting["author"]["@id"] == blog.alice.uri
    for address in ("/@alice/archive", "/tags/sea", "/login"):
        assert data_of((await browser.get(address)).text) is None


async def test_no_words_break_out_of_structured_data(blog: Blog) -> None:
    """`</script>` and `<!--` end or change a script element wherever they stand."""
    words = "</script><script>pwn()</script><!-- <script> ]]> \u2028 &lt;/script&gt;"
    await blog.site.db.write(
        wording.update_profile, blog.site.urls, blog.alice.id, ProfileChanges(name=words, summary=words)
    )
    post = await blog.write("Text", title=words, summary=words)
    for address in ("/", "/@alice", post.url):
        data = data_of((await blog.browser().get(address)).text)
        assert data is not None
        assert "</script>" in json.dumps(data)


async def test_structured_data_is_only_of_what_everybody_may_find(blog: Blog) -> None:
    hidden = [
        await blog.write("plover", warning="Storms"),
        await blog.write("plover", title="Birds", warning="Storms", summary="About"),
        await blog.write("plover", visibility="unlisted"),
        await blog.write("plover", visibility="followers"),
    ]
    owner = await blog.owner()
    for post in hidden:
        assert data_of((await owner.get(post.url)).text) is None
    post = await blog.write("Hello", title="Tides")
    shy = ProfileChanges(name="Alice", indexable=False)
    await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, shy)
    for address in (post.url, "/@alice"):
        assert data_of((await blog.browser().get(address)).text) is None


def card(value: Any) -> tuple[Any, Any]:
    return value["type"], (value["properties"]["name"], value["properties"]["url"])


async def test_microformats_say_who_wrote_what(blog: Blog) -> None:
    """As the parser reads them that the microformats wiki names for Python."""
    article = await blog.write("Text #sea", title="Tides", summary="What the moon does.")
    note = await blog.write("Hello #Sea")
    warned = await blog.write("plover #dunlin", warning="Storms")
    alice = (["h-card"], (["Alice Marlow"], [f"{ORIGIN}/@alice"]))
    month = article.url.removeprefix(ORIGIN).rpartition("/")[0]
    feeds = {"/": "A Test Blog", "/@alice": "Alice Marlow (@alice@blog.test)", month: "June 2025 – Alice Marlow"}
    for address, name in (*feeds.items(), ("/tags/sea", "#sea")):
        found = mf2py.parse((await blog.browser().get(address)).text, url=ORIGIN + address)
        [feed] = [each for each in found["items"] if each["type"] == ["h-feed"]]
        about = feed["properties"]
        assert (about["name"], about["url"]) == ([name], [ORIGIN + address])
        assert [card(each) for each in about.get("author", ())] == ([alice] if address in feeds else [])
        entries = {each["properties"]["url"][0]: each["properties"] for each in feed["children"]}
        order = [warned.url, note.url, article.url][address == "/tags/sea" :]
        assert [*entries] == ([article.url, warned.url, note.url] if address == "/" else order)
        assert all(card(each["author"][0]) == alice for each in entries.values())
        assert (entries[article.url]["name"], entries[article.url]["category"]) == (["Tides"], ["sea"])
        assert entries[note.url]["category"] == ["Sea"]
        assert "plover" not in json.dumps(found)
        assert "dunlin" not in str([each.get("category") for each in entries.values()])
    told = {warned.url: (False, ["Storms"]), note.url: (True, None), article.url: (True, ["What the moon does."])}
    for post, category in ((article, ["sea"]), (note, ["Sea"]), (warned, None)):
        found = mf2py.parse((await blog.browser().get(post.url)).text, url=post.url)
        [entry] = found["items"]
        about = entry["properties"]
        assert (entry["type"], {*about["url"]}, about["uid"]) == (["h-entry"], {post.url}, [post.url])
        assert (card(about["author"][0]), about.get("category")) == (alice, category)
        assert ("content" in about, about.get("summary")) == told[post.url]


async def test_an_actor_says_which_sites_may_name_it(blog: Blog) -> None:
    """Mastodon shows the author of a link (`fediverse:creator`) only where the actor says that the site may name it."""
    owner = await blog.owner()

    async def named() -> list[str]:
        answer = await blog.browser().get(blog.alice.uri, accept="application/activity+json")
        return list(answer.json()["attributionDomains"])

    assert await named() == ["blog.test"]
    typed = {"display": "Alice", "discoverable": "1", "indexable": "1"}
    wrong = await owner.post("/settings", {**typed, "attribution-domains": "example.org\r\nno/site"})
    assert wrong.status_code == 422
    assert "no/site" in wrong.text
    assert await named() == ["blog.test"]
    assert (await owner.post("/settings", {**typed, "attribution-domains": "Example.org\r\n\r\n"})).status_code == 303
    assert await named() == ["blog.test", "example.org"]
    assert ">\nexample.org</textarea>" in (await owner.get("/settings")).text
    assert (await owner.post("/settings", typed)).status_code == 303
    assert await named() == ["blog.test"]
