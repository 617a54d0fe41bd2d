"""Feeds as feed readers and browsers read them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
from msgspec.structs import replace

from fediblog.app import create_app
from fediblog.domain.documents import Attachment
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.web import feeds
from fediblog.web.feeds import Feed
from tests.web.pages.conftest import Blog, Browser, blog, blog_folder, empty_folder
from tests.web.pages.test_desk import picture

__all__ = ["blog", "blog_folder", "empty_folder"]
HUB = "https://hub.example/"
KINDS = ("atom", "rss")


async def furnished(blog: Blog) -> Browser:
    """A browser at the blog, which has a hub, an article, a note and a note with a warning."""
    await blog.write("The *text* #sea", title="Tides & <boats>", summary="Short.", language="en")
    await blog.write("A note #sea")
    await blog.write("plover #sea", warning="Storms")
    site = replace(blog.site, kept={}, settings=replace(blog.site.settings, websub_hub=HUB))
    return Browser(site, create_app(site))


@pytest.mark.parametrize("base", ["/feed", "/@alice/feed", "/tags/sea/feed"])
async def test_feed_readers_find_all_that_they_look_for(blog: Blog, base: str) -> None:
    browser = await furnished(blog)
    for kind in KINDS:
        answer = await browser.get(f"{base}.{kind}", accept=f"application/{kind}+xml")
        assert answer.headers["content-type"] == f"application/{kind}+xml; charset=utf-8"
        assert answer.headers["x-robots-tag"] == "noindex"
        read = feedparser.parse(answer.content)
        assert not read.bozo
        links = {each["rel"]: each["href"] for each in read.feed.links}
        assert links["self"] == f"https://blog.test{base}.{kind}"
        assert (links["hub"], read.feed.language) == (HUB, "en")
        assert [each.author for each in read.entries] == ["Alice Marlow"] * 3
        warned, note, article = read.entries
        assert (article.title, article.link) == ("Tides & <boats>", article.link)
        assert [each.term for each in article.tags] == [each.term for each in note.tags] == ["sea"]
        assert "<em>text</em>" in article.content[-1].value
        assert article.published_parsed is not None
        assert "plover" not in json.dumps(warned, default=str)
    told = (await browser.get(f"{base}.json")).json()
    assert told["hubs"] == [{"type": "WebSub", "url": HUB}]
    assert (told["language"], told["feed_url"]) == ("en", f"https://blog.test{base}.json")
    plain = (await blog.browser().get(f"{base}.rss")).text + (await blog.browser().get(f"{base}.atom")).text
    assert "hub" not in plain  # without the setting nobody is named


async def test_a_browser_gets_the_same_feed_with_words_and_links(blog: Blog) -> None:
    """Programs that ask as browsers do find the same entries in it."""
    browser = await furnished(blog)
    for kind in KINDS:
        answer = await browser.get(f"/feed.{kind}")
        assert answer.headers["content-type"] == "application/xml; charset=utf-8"
        assert '<?xml-stylesheet type="text/css" href="/static/feed.css?v=' in answer.text
        root = ElementTree.fromstring(answer.content)
        links = [each.get("href") for each in root.iter(f"{{{feeds.XHTML}}}a")]
        plain = feedparser.parse((await browser.get(f"/feed.{kind}", accept="*/*")).content)
        shown = feedparser.parse(answer.content)
        assert len(shown.entries) == len(plain.entries) == 3
        for entry, other in zip(plain.entries, shown.entries, strict=True):  # which has elements that it does not know
            assert {name: other[name] for name in entry} == entry
        assert links == ["https://blog.test/", *(each.link for each in plain.entries)]
        assert "plover" not in answer.text
    style = await browser.get("/static/feed.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize("title", ["", "Tides"])
async def test_a_post_has_a_feed_of_the_comments_that_everybody_sees(blog: Blog, title: str) -> None:
    bob = await blog.stranger()
    post = await blog.write("The text", title=title)
    first = await blog.heard(bob, "<p>First</p>", 1, in_reply_to=post.uri)
    await blog.heard(bob, "<p>plover</p>", 2, in_reply_to=first.uri, summary="Storms")
    held = await blog.heard(bob, "<p>plover</p>", 3, in_reply_to=post.uri)
    await blog.site.db.write(lambda tx: tx.run("update post set state = 'held' where id = :id", id=held.id))
    await blog.write("Just between us: plover", reply_to=post.id, visibility="followers")
    base, nobody = f"/@alice/{post.id}/feed", blog.browser()
    page = (await nobody.get(post.url.removeprefix(blog.site.urls.origin))).text
    for kind in KINDS:
        assert f'type="application/{kind}+xml" title="Comments on' in page
        assert f'href="{base}.{kind}"' in page
        answer = await nobody.get(f"{base}.{kind}", accept=f"application/{kind}+xml")
        read = feedparser.parse(answer.content)
        assert not read.bozo
        assert [each.title if kind == "atom" else each.author for each in read.entries] == (
            ["Storms", "First"] if kind == "atom" else ["bob", "bob"]
        )
        assert read.feed.link == post.url
        assert "plover" not in answer.text
    [storms, told] = (await nobody.get(f"{base}.json")).json()["items"]
    assert told["id"] == first.uri
    branch = (await nobody.get(f"/@alice/{first.id}/feed.json")).status_code
    assert (branch, storms["content_html"].count("plover")) == (404, 0)  # what is not ours has no page here
    secret = await blog.write("Just between us", visibility="followers")
    assert (await nobody.get(f"/@alice/{secret.id}/feed.atom")).status_code == 404


async def test_files_are_enclosed(blog: Blog) -> None:
    made = await blog.write("A song")

    def song(tx: Tx) -> Any:
        found = posts.stored(tx, made.id)
        assert found is not None
        file = Attachment(kind="Audio", url="https://blog.test/media/a.mp3", media_type="audio/mpeg")
        return replace(found, attachments=(file, file))

    post = await blog.site.db.read(song)
    feed = Feed(title="T", description="", page="https://blog.test/", base="https://blog.test/feed")
    for write in (feeds.atom, feeds.rss):
        [entry] = feedparser.parse(write(feed, [post])).entries
        assert {(each.href, each.type) for each in entry.enclosures} == {
            ("https://blog.test/media/a.mp3", "audio/mpeg")
        }
    rss = ElementTree.fromstring(feeds.rss(feed, [post]))
    assert len([*rss.iter("enclosure")]) == 1
    assert json.loads(feeds.json_feed(feed, [post]))["items"][0]["attachments"][0]["mime_type"] == "audio/mpeg"


async def test_it_is_said_how_large_files_are(blog: Blog) -> None:
    owner = await blog.owner()
    await owner.post(
        "/write", {"source": "A picture", "do": "publish"}, files={"upload": ("a.png", picture(), "image/png")}
    )
    read = feedparser.parse((await owner.get("/feed.rss")).content)
    [file] = read.entries[0].enclosures
    whole = str(len((await owner.get(urlsplit(file.href).path)).content))
    assert file.length == whole
    [file] = feedparser.parse((await owner.get("/feed.atom")).content).entries[0].enclosures
    assert file.length == whole
    [told] = (await owner.get("/feed.json")).json()["items"]
    assert str(told["attachments"][0]["size_in_bytes"]) == whole
