"""A post with its thread at its own address: what it shows, where it leads, and what must stay hidden."""

from __future__ import annotations

import re
from html import unescape

import httpx

from fediblog.actions import post_actions
from fediblog.domain.documents import Emoji, Mention, Picture, Visibility
from fediblog.domain.posts import Post
from fediblog.store.people import relations
from fediblog.store.posts import post_writing, reactions
from fediblog.store.queues import delivery_queue
from tests.web.pages.conftest import ORIGIN, Blog, Browser


def path(url: str) -> str:
    return url.removeprefix(ORIGIN)


def plain(answer: httpx.Response, *words: str) -> str:
    """The body without what tells one address from another."""
    text = answer.text
    for word in words:
        text = text.replace(word, "")
    return text


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


async def test_an_earlier_address_leads_on_for_readers_and_servers(blog: Blog) -> None:
    post, owner = await blog.write("The text", title="On Tides"), await blog.owner()
    assert 'value="on-tides"' in (await owner.get(f"/write/{post.id}")).text
    typed = {"source": "The text", "title": "On Ebbs", "slug": "ebb and flow", "visibility": "public", "do": "publish"}
    answer = await owner.post(f"/write/{post.id}", typed)
    to = path(post.url).replace("on-tides", "ebb-and-flow")
    assert answer.headers["location"] == to
    for browser, status in ((blog.browser(), 301), (owner, 303)):
        answer = await browser.get(path(post.url))
        assert (answer.status_code, answer.headers["location"]) == (status, to)
    assert (await blog.browser().http.head(path(post.url))).status_code == 301
    document = (await blog.browser().get(path(post.url), accept="application/activity+json")).json()
    assert (document["id"], document["url"]) == (post.uri, ORIGIN + to)
    await blog.site.db.write(post_writing.set_state, post.id, "hidden")
    for accept in ("text/html", "application/activity+json"):
        assert (await blog.browser().get(path(post.url), accept=accept)).status_code == 404


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
    assert '<details class="fold"><summary>3 more answers in this thread</summary>' in page
    assert page.count("</article>") == 8
    assert page.count("<div") == page.count("</div>")
    assert "<script>" not in page
    assert 'src="/media/emoji/' in page
    assert "https://far.example/s.png" not in page
    assert "Original on far.example" in page


async def test_comments_that_are_not_for_everybody_stay_hidden(blog: Blog) -> None:
    post = await blog.write("Public")
    await blog.write("A quiet answer", reply_to=post.id, visibility="direct")
    page = (await blog.browser().get(path(post.url))).text
    assert "A quiet answer" not in page


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
    assert f'href="/post/{post.id}/history"' in page
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


WORDS = (
    '<p><a href="https://blog.test/@alice" class="u-url mention" rel="nofollow noopener">@<span>alice</span></a>'
    f" Answer %d. {'Index cards on a dark wall, joined with red thread. ' * 6}</p>"
)


def within(page: str) -> set[int]:
    """The answers that a page shows."""
    return set(map(int, re.findall(r"Answer (\d+)\.", page)))


async def all_pages(browser: Browser, start: str) -> dict[str, str]:
    """Every page of comments to which links lead from the first one, by its address."""
    found, waiting = dict[str, str](), [start]
    while waiting:
        address = waiting.pop()
        if address not in found:
            answer = await browser.get(start.partition("?")[0] + address.removeprefix(start))
            assert answer.status_code == 200, address
            found[address] = answer.text
            links = re.findall(r'href="(\?(?:comments|branch)=[^"#]*)', answer.text)
            waiting += [start + unescape(link) for link in links]
    return found


async def test_of_500_answers_the_first_page_is_small_and_each_other_a_click_away(blog: Blog) -> None:
    """A chain of 200 and a wide branch of 300: none is lost, numbers agree, and links to one answer lead to it."""
    post = await blog.write("What do you think?", title="Question")
    bob = await blog.stranger("bob", name="Bob", icon=Picture(url="https://far.example/media/bob/original.png"))
    made: dict[int, Post] = {}
    for n in range(1, 501):
        above = post if n in (1, 201) else made[201 if n > 201 else n - 1]
        made[n] = await blog.heard(bob, WORDS % n, n, in_reply_to=above.uri)
    start = path(post.url)
    for browser in (blog.browser(), await blog.owner()):
        first = (await browser.get(start)).text
        assert len(first.encode()) < 150_000
        shown, rest = within(first), re.findall(r"Read (\d+) more answers", first)
        assert len(shown) + sum(map(int, rest)) == 500
        folded = map(int, re.findall(r"(\d+) more answers in this thread", first))
        assert sum(folded) + 2 * 4 == 500
        assert "500 comments" in first
        pages = await all_pages(browser, start)
        assert set().union(*map(within, pages.values())) == set(made)
        assert max(len(page.encode()) for page in pages.values()) < 150_000
        for head in (1, 201):
            own = [page for address, page in pages.items() if f"branch={made[head].id}" in address]
            assert set().union(*map(within, own)) == set(range(head, head + 200 + head // 2))
            assert all("One thread of the comments" in page for page in own)
        for n in (1, 3, 120, 200, 205, 500):
            found = await browser.get(f"{start}?focus={made[n].id}")
            assert found.status_code == 303
            address, _, fragment = found.headers["location"].partition("#")
            assert fragment == f"p{made[n].id}"
            page = (await browser.get(address)).text
            assert f'id="{fragment}"' in page
            assert f'id="{fragment}"' not in "".join(re.findall('<details class="fold">.*?</details>', page, re.DOTALL))
        assert (await browser.get(f"{start}?focus={post.id}")).status_code == 200
        assert len(within((await browser.get(f"{start}?comments=99999999999999999999")).text)) == len(shown)
        deep = pages[f"{start}?branch={made[1].id}&comments=2"]
        away = re.findall(r'<a href="(\?focus=\d+)#p\d+"[^>]*>To Bob</a>', deep)
        assert away == [f"?focus={made[n].id}" for n in (min(within(deep)) - 1,)]
    branch = (await (await blog.owner()).get(f"/post/{made[199].id}")).text
    assert "1 comment<" in branch
    assert "Answer 200." in branch


async def test_many_short_threads_stand_on_several_pages(blog: Blog) -> None:
    post = await blog.write("What do you think?", title="Question")
    bob = await blog.stranger()
    for n in range(1, 71, 2):
        answer = await blog.heard(bob, f"<p>Answer {n}.</p>", n, in_reply_to=post.uri)
        await blog.heard(bob, f"<p>Answer {n + 1}.</p>", n + 1, in_reply_to=answer.uri)
    browser = blog.browser()
    pages = [(await browser.get(path(post.url))).text]
    while more := re.search(r'rel="next" href="([^"#]+)#comments"', pages[-1]):
        pages.append((await browser.get(f"{path(post.url)}{more[1]}")).text)
    assert [sorted(within(page)) for page in pages] == [
        list(range(1, 33)), list(range(33, 65)), list(range(65, 71)),
    ]  # fmt: skip
    assert all("70 comments" in page for page in pages)
    assert "Page 3 of 3" in pages[2]
    assert 'href="?comments=2#comments" aria-label="Page 2 of 3">2</a>' in pages[2]


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


async def test_its_author_sees_how_far_a_post_got(blog: Blog) -> None:
    post, other = await blog.write("On its way"), await blog.write("Another")
    for each in (post, other):
        await blog.site.db.write(delivery_queue.add_deliveries, each.id, ["https://far.example/inbox"])
    owner = await blog.owner()
    page = (await owner.get(path(post.url))).text
    assert "reached 0 of 1 server, 1 waiting" in page
    assert f'href="/deliveries?post={post.id}"' in page
    assert "reached 0 of" not in (await blog.browser().get(path(post.url))).text
    page = (await owner.get(f"/deliveries?post={post.id}")).text
    assert ("On its way" in page, "Another" in page) == (True, False)
