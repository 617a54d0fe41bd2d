"""The home of the blog, its tags, months and feeds, as anybody sees them."""

from __future__ import annotations

import json
from html import unescape
from xml.etree import ElementTree

import pytest

from fediblog.actions.account_actions import ProfileChanges
from fediblog.web.pages import blog_pages
from tests import wording
from tests.web.pages.conftest import Blog

ATOM = "{http://www.w3.org/2005/Atom}"


async def test_home_shows_public_posts_and_can_be_kept(blog: Blog) -> None:
    await blog.write("Hello **world**")
    await blog.write("Not on the front page", visibility="unlisted")
    await blog.write("For friends", visibility="followers")
    browser = blog.browser()
    first = await browser.get("/")
    assert first.status_code == 200
    assert "Hello <strong>world</strong>" in first.text
    assert "front page" not in first.text
    assert "For friends" not in first.text
    assert first.headers["cache-control"].startswith("max-age=0")
    assert first.headers["vary"] == "Accept, Cookie, Signature, Accept-Language"
    again = await browser.get("/", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    await blog.write("More")
    assert (await browser.get("/", if_none_match=first.headers["etag"])).status_code == 200


async def test_pages_of_those_who_signed_in_are_kept_by_nobody(blog: Blog) -> None:
    await blog.write("Hello")
    owner = await blog.owner()
    for address in ("/", "/@alice", "/stream"):
        answer = await owner.get(address)
        assert answer.headers["cache-control"] == "private, no-store"
        assert "etag" not in answer.headers


async def test_months_and_tags(blog: Blog) -> None:
    await blog.write("In June #Sea")
    bob = await blog.stranger()
    await blog.heard(bob, "<p>Bob's sea</p>", 1, hashtags=("sea",))
    browser = blog.browser()
    assert "June 2025" in (await browser.get("/@alice/archive")).text
    assert "In June" in (await browser.get("/@alice/2025/06")).text
    assert (await browser.get("/@alice/2025/07")).status_code == 404
    assert (await browser.get("/@alice/2025/13")).status_code == 404
    page = (await browser.get("/tags/sea")).text
    assert "In June" in page
    assert "Bob" not in page  # strangers do not read other people's posts here
    owner = await blog.owner()
    assert "Bob" in (await owner.get("/tags/sea")).text


@pytest.mark.parametrize("base", ["/feed", "/@alice/feed", "/tags/sea/feed"])
async def test_feeds(blog: Blog, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if base == "/feed":
        monkeypatch.setattr(blog_pages, "LONG", 0)  # that one is written in a thread
    article = await blog.write("The *text* & more #sea", title="Tides & <boats>", summary="Short.")
    await blog.write("A note #sea", warning="Careful")
    await blog.write("Secret #sea", visibility="followers")
    await blog.write("Unlisted #sea", visibility="unlisted")
    browser = blog.browser()
    atom = await browser.get(f"{base}.atom", accept="application/atom+xml")
    assert atom.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(atom.content)
    entries = root.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == ["Careful", "Tides & <boats>"]
    assert entries[1].findtext(f"{ATOM}id") == article.uri
    assert "<em>text</em>" in (entries[1].findtext(f"{ATOM}content") or "")
    assert root.findtext(f"{ATOM}updated", "").endswith("Z")
    rss = ElementTree.fromstring((await browser.get(f"{base}.rss")).content)
    assert [item.findtext("guid") for item in rss.iter("item")][1] == article.uri
    found = json.loads((await browser.get(f"{base}.json")).content)
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in found["items"]][1] == article.uri
    assert found["items"][1]["title"] == "Tides & <boats>"
    text = json.dumps(found) + atom.text
    assert "Secret" not in text
    assert "Unlisted" not in text
    again = await browser.get(f"{base}.atom", accept="application/atom+xml", if_none_match=atom.headers["etag"])
    assert again.status_code == 304


async def test_a_strangers_tag_page_finds_ours_behind_many_of_others(blog: Blog) -> None:
    ours = await blog.write("Ours #sea")
    bob = await blog.stranger()
    for number in range(25):
        await blog.heard(bob, f"<p>Theirs {number}</p>", number, hashtags=("sea",))
    page = (await blog.browser().get("/tags/sea")).text
    assert "Ours" in page
    assert "Theirs" not in page
    assert "Older posts" not in page
    assert ours.url in (await blog.browser().get("/tags/sea/feed.atom")).text
    assert "Theirs 24" in (await (await blog.owner()).get("/tags/sea")).text


async def test_feeds_are_read_elsewhere(blog: Blog) -> None:
    """RSS readers take a description for HTML; a link into the same text must say which."""
    article = await blog.write("One[^1] and more.\n\n[^1]: Two.", title="Tides", summary="Tom & <b>Jerry</b>")
    short = await blog.write("Note[^1] here.\n\n[^1]: There.")
    browser = blog.browser()
    rss = ElementTree.fromstring((await browser.get("/feed.rss")).content)
    told = [each.findtext("description") or "" for each in rss.iter("item")]
    assert told[1] == "Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;"
    for address in ("/feed.atom", "/feed.rss", "/feed.json"):
        text = unescape((await browser.get(address)).text.replace("\\", ""))
        assert 'href="#' not in text
        for post in (article, short):
            assert f'href="{post.url}#fn-p{post.id}-1"' in text
            assert f'href="{post.url}#fn-ref-p{post.id}-1"' in text


async def test_the_description_of_a_feed_is_html(blog: Blog) -> None:
    await blog.site.db.write(
        wording.update_profile, blog.site.urls, blog.alice.id, ProfileChanges(name="A", summary="a < b & c")
    )
    rss = ElementTree.fromstring((await blog.browser().get("/@alice/feed.rss")).content)
    assert rss.findtext("channel/description") == "a &lt; b &amp; c"
