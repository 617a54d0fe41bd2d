"""What anybody sees: home, profiles, posts, threads, archives, feeds, and what must stay hidden."""

from __future__ import annotations

import json
import re
from html import unescape
from xml.etree import ElementTree

import httpx
import pytest

from fediblog.actions import account_actions, post_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.domain.documents import Emoji, Mention, Visibility
from fediblog.store.people import accounts, relations
from fediblog.store.posts import post_writing, reactions, tombstones
from tests import wording
from tests.web.pages.conftest import ORIGIN, Blog

ATOM = "{http://www.w3.org/2005/Atom}"


def path(url: str) -> str:
    return url.removeprefix(ORIGIN)


def plain(answer: httpx.Response, *words: str) -> str:
    """The body without what tells one address from another."""
    text = answer.text
    for word in words:
        text = text.replace(word, "")
    return text


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


async def test_an_article_page_says_what_it_is(blog: Blog) -> None:
    post = await blog.write("The text. #Sea", title="On Tides", summary="A summary.", language="en")
    answer = await blog.browser().get(path(post.url))
    page = answer.text
    assert answer.status_code == 200
    assert f'<link rel="canonical" href="{post.url}">' in page
    assert f'<link rel="alternate" type="application/activity+json" href="{post.uri}">' in page
    assert '<meta property="og:title" content="On Tides">' in page
    assert '<meta property="og:description" content="A summary.">' in page
    for word in ("h-entry", "p-name", "e-content", "p-author h-card", "dt-published", "p-category"):
        assert word in page
    assert post.uri in page  # to be copied for a reply
    assert answer.headers["link"] == f'<{post.uri}>; rel="alternate"; type="application/activity+json"'
    assert "noindex" not in page


async def test_addresses_that_are_nearly_right_lead_to_the_right_one(blog: Blog) -> None:
    post = await blog.write("The text", title="On Tides")
    right, browser = path(post.url), blog.browser()
    for wrong in (f"/@alice/{post.id}", f"/@Alice/{post.id}", "/@ALICE/2025/06/on-tides", "/@alice/2024/01/on-tides"):
        answer = await browser.get(wrong)
        assert (answer.status_code, answer.headers["location"]) == (301, right), wrong
    answer = await browser.get("/@ALICE")
    assert answer.headers["location"] == "/@alice"


async def test_a_title_of_another_script_has_an_address(blog: Blog) -> None:
    post = await blog.write("Text", title="Море и ветер")
    assert (await blog.browser().get(path(post.url))).status_code == 200


async def test_private_and_missing_look_the_same(blog: Blog) -> None:
    secret = await blog.write("For friends", visibility="followers")
    draft = await blog.write("Not yet", state="draft")
    browser = blog.browser()
    missing = await browser.get(f"/@alice/{secret.id + 1}")
    for post in (secret, draft):
        answer = await browser.get(f"/@alice/{post.id}")
        assert answer.status_code == missing.status_code == 404
        assert plain(answer, str(post.id)) == plain(missing, str(secret.id + 1))
        assert answer.headers["cache-control"] == missing.headers["cache-control"]
    owner = await blog.owner()
    assert (await owner.get(f"/@alice/{secret.id}")).status_code == 200


async def test_what_is_deleted_is_gone(blog: Blog) -> None:
    post = await blog.write("Soon gone")
    await blog.site.db.write(post_actions.delete, blog.site.urls, blog.alice.id, post.id)
    answer = await blog.browser().get(f"/@alice/{post.id}")
    assert answer.status_code == 410
    assert "has been deleted" in answer.text


async def test_a_thread_is_shown_below_its_post(blog: Blog) -> None:
    post = await blog.write("What do you think?", title="Question")
    bob = await blog.stranger(
        name='<script>alert("x")</script> :sun:', emoji=(Emoji(name="sun", url="https://far.example/s.png"),)
    )
    parent = post
    for i in range(1, 8):
        parent = await blog.heard(bob, f"<p>Answer {i}<script>alert(1)</script></p>", i, in_reply_to=parent.uri)
    await blog.site.db.write(reactions.react, bob.id, post.id, "https://far.example/l/1")
    page = (await blog.browser().get(path(post.url))).text
    places = [page.index(f"Answer {i}") for i in range(1, 8)]
    assert places == sorted(places)
    assert "7 comments" in page
    assert "1 person likes this" in page
    assert 'class="depth-4"' in page
    assert 'class="depth-5"' not in page
    assert "<script>" not in page
    assert 'src="https://far.example/s.png"' in page
    assert "Original on far.example" in page


async def test_comments_that_are_not_for_everybody_stay_hidden(blog: Blog) -> None:
    post = await blog.write("Public")
    await blog.write("A quiet answer", reply_to=post.id, visibility="direct")
    page = (await blog.browser().get(path(post.url))).text
    assert "A quiet answer" not in page


async def test_the_profile(blog: Blog) -> None:
    fields = (("Web", "https://alice.example"),)
    profile = ProfileChanges(name="Alice", summary="I *sail*.", fields=fields, indexable=False)
    await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, profile)
    post = await blog.write("A pinned note")
    await blog.site.db.write(post_actions.pin, blog.site.urls, blog.alice.id, post.id)
    await blog.write("Long", title="An article")
    browser = blog.browser()
    page = (await browser.get("/@alice")).text
    assert "I <em>sail</em>." in page
    assert 'rel="me' in page
    assert '<meta name="robots" content="noindex">' in page
    assert "@alice@blog.test" in page
    assert page.index("A pinned note") < page.index("An article")
    articles = (await browser.get("/@alice?show=articles")).text
    assert "An article" in articles
    assert "A pinned note" not in articles
    assert (await browser.get("/@nobody")).status_code == 404
    assert (await browser.get("/@instance")).status_code == 404


async def test_lists_have_pages(blog: Blog) -> None:
    for i in range(25):
        await blog.write(f"Note number {i}.")
    browser = blog.browser()
    first = (await browser.get("/@alice")).text
    assert "Note number 24." in first
    assert "Note number 4." not in first
    link = first.split('rel="next" href="')[1].split('"')[0]
    second = (await browser.get(link.replace("&amp;", "&"))).text
    assert "Note number 4." in second
    assert "Note number 5." not in second
    assert 'rel="next"' not in second


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
async def test_feeds(blog: Blog, base: str) -> None:
    article = await blog.write("The *text* & more #sea", title="Tides & <boats>", summary="Short.")
    await blog.write("A note #sea", warning="Careful")
    await blog.write("Secret #sea", visibility="followers")
    await blog.write("Unlisted #sea", visibility="unlisted")
    browser = blog.browser()
    atom = await browser.get(f"{base}.atom")
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
    again = await browser.get(f"{base}.atom", if_none_match=atom.headers["etag"])
    assert again.status_code == 304


async def test_readers_see_remote_posts_and_profiles_and_others_do_not(blog: Blog) -> None:
    bob = await blog.stranger(summary="<p>I row.</p>")
    heard = await blog.heard(bob, "<p>Rowing home</p>", 1, mentions=(Mention(href=blog.alice.uri, name="@alice"),))
    anybody = blog.browser()
    for address in (f"/post/{heard.id}", f"/account/{bob.id}", "/stream"):
        answer = await anybody.get(address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
    owner = await blog.owner()
    assert "Rowing home" in (await owner.get(f"/post/{heard.id}")).text
    page = (await owner.get(f"/account/{bob.id}")).text
    assert "I row." in page
    assert f"/account/{bob.id}/follow" in page
    mine = await blog.write("Mine")
    assert (await owner.get(f"/post/{mine.id}")).headers["location"] == path(mine.url)
    assert (await owner.get("/account/12345")).status_code == 404


async def test_suspended_and_deleted_accounts(blog: Blog) -> None:
    post = await blog.write("Still here")
    for state, status in (("suspended", 404), ("deleted", 410)):
        await blog.site.db.write(accounts.set_state, blog.alice.id, state)
        assert (await blog.browser().get("/@alice")).status_code == status
        assert (await blog.browser().get(path(post.url))).status_code == status


async def test_a_blocked_reader_is_nobody(blog: Blog) -> None:
    bob = await blog.stranger()
    await blog.site.db.write(relations.block, bob.id, blog.alice.id, "https://far.example/b")
    heard = await blog.heard(bob, "<p>Not for Alice</p>", 1)
    owner = await blog.owner()
    assert (await owner.get(f"/post/{heard.id}")).status_code == 404


async def test_edited_posts_say_so(blog: Blog) -> None:
    post = await blog.write("First version")
    owner = await blog.owner()
    await owner.post(f"/write/{post.id}", {"source": "Second version", "do": "publish"})
    assert "dt-updated" in (await blog.browser().get(path(post.url))).text
    page = (await owner.get(path(post.url))).text
    assert "1 earlier version" in page
    assert await blog.site.db.read(post_writing.revisions, post.id)
    assert post.visibility == Visibility.PUBLIC


async def test_a_deleted_article_says_so_at_its_page(blog: Blog) -> None:
    post = await blog.write("The text", title="Soon gone")
    secret = await blog.write("The text", title="For friends", visibility="followers")
    for each in (post, secret):
        await blog.site.db.write(post_actions.delete, blog.site.urls, blog.alice.id, each.id)
    browser = blog.browser()
    assert (await browser.get(path(post.url))).status_code == 410
    assert (await browser.get(path(post.url).replace("alice", "Alice"))).status_code == 410
    assert (await browser.get(path(secret.url))).status_code == 404
    document = await browser.get(path(post.url), accept="application/activity+json")
    assert (document.status_code, document.json()["type"], document.json()["id"]) == (410, "Tombstone", post.uri)
    again = await blog.write("Another text", title="Soon gone")
    assert again.url == post.url
    assert (await browser.get(path(post.url))).status_code == 200


async def test_everything_of_a_deleted_account_is_gone(blog: Blog) -> None:
    article, note = await blog.write("The text", title="Soon gone"), await blog.write("A note")
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    browser = blog.browser()
    for post in (article, note):
        assert (await browser.get(path(post.url))).status_code == 410
        answer = await browser.get(path(post.uri), accept="application/activity+json")
        assert answer.status_code == 410
    grave = await blog.site.db.read(tombstones.of_page, article.url)
    assert grave is not None
    assert grave.uri == article.uri


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


async def test_of_a_long_thread_every_answer_is_on_a_page(blog: Blog) -> None:
    """A branch that goes on from one page to the next says there what it answers."""
    post = await blog.write("What do you think?", title="Question")
    bob = await blog.stranger()
    first = parent = await blog.heard(bob, "<p>Answer 1.</p>", 1, in_reply_to=post.uri)
    for i in range(2, 531):
        parent = await blog.heard(bob, f"<p>Answer {i}.</p>", i, in_reply_to=(first if i > 150 else parent).uri)
    late = await blog.heard(bob, "<p>Answer 531.</p>", 531, in_reply_to=parent.uri)
    for browser in (blog.browser(), await blog.owner()):
        pages = [(await browser.get(path(post.url))).text]
        while more := re.search(r'rel="next" href="([^"#]+)#comments"', pages[-1]):
            pages.append((await browser.get(f"{path(post.url)}{more[1]}")).text)
        found = [int(n) for page in pages for n in re.findall(r"<p>Answer (\d+)\.</p>", page)]
        assert (len(pages), found) == (6, list(range(1, 532)))
        assert all("531 comments" in page for page in pages)
        assert f'<a href="?comments=1#p{first.id}">' in pages[-1]
        assert "Page 6 of 6" in pages[-1]
        far = (await browser.get(f"{path(post.url)}?comments=99999999999999999999")).text
        assert "Page 1 of 6" in far
    branch = (await (await blog.owner()).get(f"/post/{parent.id}")).text
    assert "1 comment<" in branch
    assert "Answer 531." in branch
    assert late.parent == parent.id


async def test_what_is_not_here_is_said_to_be_elsewhere(blog: Blog) -> None:
    bob = await blog.stranger()
    post = await blog.heard(bob, "<p>Mine</p>", 1, reply_count=7)
    await blog.heard(bob, "<p>One of seven</p>", 2, in_reply_to=post.uri)
    page = (await (await blog.owner()).get(f"/post/{post.id}")).text
    assert "7 comments" in page
    assert "More comments on far.example" in page


async def test_a_long_way_up_says_that_it_goes_on(blog: Blog) -> None:
    bob = await blog.stranger()
    parent = first = await blog.heard(bob, "<p>The first</p>", 1)
    for i in range(2, 50):
        parent = await blog.heard(bob, f"<p>Answer {i}.</p>", i, in_reply_to=parent.uri)
    page = (await (await blog.owner()).get(f"/post/{parent.id}")).text
    assert "The first" not in page
    link = re.search(r'<a href="(/post/\d+)">The conversation begins further up</a>', page)
    assert link is not None
    page = (await (await blog.owner()).get(link[1])).text
    assert "The first" in page
    assert f'id="p{first.id}"' in page
    assert "begins further up" not in page


async def test_whoever_opens_a_thread_of_another_server_has_its_answers_fetched(blog: Blog) -> None:
    bob = await blog.stranger()
    post = await blog.heard(bob, "<p>Mine</p>", 1)
    owner = await blog.owner()
    for _ in range(2):
        assert (await owner.get(f"/post/{post.id}")).status_code == 200
    waiting = await blog.site.db.read(lambda tx: tx.all("select subject from job where kind = 'thread'"))
    assert [row.subject for row in waiting] == [str(post.id)]
