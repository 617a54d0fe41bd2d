"""Profiles and their lists: what they show, and what is left of an account that is suspended or deleted."""

from __future__ import annotations

import re
from html import unescape

import pytest

from fediblog.actions import account_actions, post_actions, showcase_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.federation.keyring import make_keys
from fediblog.store.people import accounts, relations, showcases, verified_links
from fediblog.store.posts import tombstones
from tests import wording
from tests.web.pages.conftest import ORIGIN, Blog

ABOUT = "<h2>About</h2>"
SHOWCASE = "/settings/profile-page"


def path(url: str) -> str:
    return url.removeprefix(ORIGIN)


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


async def test_suspended_and_deleted_accounts(blog: Blog) -> None:
    post = await blog.write("Still here")
    draft = showcase_actions.SectionDraft(name="Talks", lines="A talk about plugh")
    await blog.site.db.write(showcase_actions.save, blog.alice.id, [draft])
    for state, status in (("suspended", 404), ("deleted", 410)):
        await blog.site.db.write(accounts.set_state, blog.alice.id, state)
        answer = await blog.browser().get("/@alice")
        assert (answer.status_code, "plugh" in answer.text) == (status, False)
        assert (await blog.browser().get(path(post.url))).status_code == status


async def test_everything_of_a_deleted_account_is_gone(blog: Blog) -> None:
    article, note = await blog.write("The text", title="Soon gone"), await blog.write("A note")
    draft = showcase_actions.SectionDraft(name="Talks", lines="A talk")
    await blog.site.db.write(showcase_actions.save, blog.alice.id, [draft])
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    browser = blog.browser()
    for post in (article, note):
        assert (await browser.get(path(post.url))).status_code == 410
        answer = await browser.get(path(post.uri), accept="application/activity+json")
        assert answer.status_code == 410
    assert await blog.site.db.read(showcases.of, blog.alice.id) == ()
    grave = await blog.site.db.read(tombstones.of_page, article.url)
    assert grave is not None
    assert grave.uri == article.uri


async def test_a_headline_stands_above_the_bio(blog: Blog) -> None:
    """It is told to no other server, and a bio of a sentence is one where there is none."""
    browser, owner = blog.browser(), await blog.owner()
    form = {"display": "Alice", "summary": "I *sail*.", "discoverable": "1", "indexable": "1"}
    await owner.post("/settings", form)
    page = (await browser.get("/@alice")).text
    assert ('class="headline p-note"' in page, ABOUT in page) == (True, False)
    assert "Here since June 2025" in page
    answer = await owner.post("/settings", {**form, "headline": "x" * 161})
    assert (answer.status_code, "At most 160 characters" in answer.text) == (422, True)
    await owner.post("/settings", {**form, "headline": " Sailor & <b>  cook "})
    page = (await browser.get("/@alice")).text
    line = "Sailor &amp; &lt;b&gt; cook"
    assert f'<p class="headline p-note" dir="auto">{line}</p>' in page
    assert f'<meta name="description" content="{line}">' in page
    assert '"description":"Sailor & \\u003cb> cook"' in page
    assert page.index(line) < page.index(ABOUT) < page.index("I <em>sail</em>.")
    assert f'value="{line}"' in (await owner.get("/settings")).text
    document = (await browser.get(path(blog.alice.uri), accept="application/activity+json")).json()
    assert (document["summary"], "Sailor" in str(document)) == ("<p>I <em>sail</em>.</p>\n", False)


async def test_verified_links_have_a_tick_with_its_day(blog: Blog) -> None:
    fields = (("Web", "https://alice.example"), ("Other", "https://other.example"))
    await blog.site.db.write(
        wording.update_profile, blog.site.urls, blog.alice.id, ProfileChanges(name="Alice", fields=fields)
    )
    await blog.site.db.write(verified_links.put, blog.alice.id, {"https://alice.example": True})
    page = (await blog.browser().get("/@alice")).text
    web, other = page.partition(">Web<")[2].split(">Other<")
    assert 'rel="me"' in web.partition("</dl>")[0]
    assert "Links back here, checked 15 June 2025" in web
    assert "Links back here" not in other


async def test_pinned_posts_are_shown_to_be_read_first(blog: Blog) -> None:
    article = await blog.write("A text of some length.", title="An <i>article</i>")
    warned = await blog.write("The plover dies.", warning="Ends of novels")
    for post in (article, warned):
        await blog.site.db.write(post_actions.pin, blog.site.urls, blog.alice.id, post.id)
    page = (await blog.browser().get("/@alice")).text
    first = page.partition('<div class="show">')[2].partition("</section>")[0]
    assert ">An &lt;i&gt;article&lt;/i&gt;</b>" in first
    assert "1 minute" in first
    assert ">Ends of novels</b>" in first
    assert "plover" not in first


async def test_the_owner_arranges_a_showcase(blog: Blog) -> None:
    owner, browser = await blog.owner(), blog.browser()
    assert 'href="/settings/profile-page"' in (await owner.get("/settings")).text
    work = "Librarian, <b>Twinford</b> | 2017 to now · Enquiries\nAssistant | Harrow Hill | 2011 to 2017"
    talks = "Asking better | https://talks.example/1?a=1&b=2 | Spring 2026\n\n  Bare  |  https://talks.example/2  "
    said = "“She finds the book.” | Ravi Menon, colleague | https://books.example/@ravi"
    form = {"section-name": ["Work", "Talks", "", "People say"], "section-lines": [work, talks, " ", said]}
    added = await owner.post(SHOWCASE, {**form, "do": "add"})
    assert (added.status_code, added.text.count('name="section-lines"')) == (200, 5)
    assert "Librarian, &lt;b&gt;Twinford" in added.text
    assert 'class="jobs"' not in (await browser.get("/@alice")).text
    assert (await owner.post(SHOWCASE, {**form, "do": "save"})).status_code == 303
    page = (await browser.get("/@alice")).text
    assert [page.count('<ul class="jobs">'), page.count("<blockquote")] == [3, 1]
    for shown in (
        '<b dir="auto">Librarian, &lt;b&gt;Twinford&lt;/b&gt;</b><span class="mark" dir="auto">2017 to now · Enquiries',
        '<span class="mark" dir="auto">Harrow Hill | 2011 to 2017</span>',
        '<a href="https://talks.example/1?a=1&amp;b=2" rel="nofollow noopener">Asking better</a></b>',
        '<p>“She finds the book.”</p></blockquote><p class="mark" dir="auto"><a href="https://books.example/@ravi"',
    ):
        assert shown in page, shown
    assert page.index(">Work<") < page.index(">Talks<") < page.index(">People say<")
    assert 'class="jobs"' not in (await browser.get("/@alice?show=articles")).text
    # What was saved is typed again as it is, and saving that changes nothing.
    typed = (await owner.get(SHOWCASE)).text
    assert unescape(re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", typed, re.DOTALL)[1]) == (
        "Asking better | https://talks.example/1?a=1&b=2 | Spring 2026\nBare | https://talks.example/2"
    )
    kept = await blog.site.db.read(showcases.of, blog.alice.id)
    await blog.site.db.write(showcase_actions.save, blog.alice.id, [*map(showcase_actions.draft_of, kept)])
    assert await blog.site.db.read(showcases.of, blog.alice.id) == kept
    await owner.post(SHOWCASE, {"section-name": "", "section-lines": "", "do": "save"})
    assert 'class="jobs"' not in (await browser.get("/@alice")).text


@pytest.mark.parametrize(
    ("names", "lines", "told"),
    [
        ([""], ["A talk"], "Still without a heading."),
        (["Talks"], [" \n"], "Nothing stands below Talks yet."),
        (["Talks"], ["A | https://"], "https:// is no web address."),
        (["Talks"], ["A | http://user@evil.example:x/"], "is no web address."),
        (["Talks"], ["x" * 301], "At most 300 characters"),
        (["Talks"], ["A | " + "x" * 301], "At most 300 characters"),
        (["Talks"], ["A\n" * 31], "at most 30 entries"),
        (["x" * 61], ["A"], "At most 60 characters"),
        (["Talks"] * 13, ["A"] * 13, "at most 12 sections"),
        (["Talks"], ["x" * 25_001], "At most 25000 characters"),
    ],
)
async def test_what_does_not_fit_is_said_and_kept(blog: Blog, names: list[str], lines: list[str], told: str) -> None:
    owner = await blog.owner()
    answer = await owner.post(SHOWCASE, {"section-name": names, "section-lines": lines, "do": "save"})
    assert (answer.status_code, told in unescape(answer.text)) == (422, True)
    assert lines[0].strip() in unescape(answer.text)
    assert await blog.site.db.read(showcases.of, blog.alice.id) == ()


async def test_a_script_is_no_link_of_a_showcase(blog: Blog) -> None:
    """It is shown as words."""
    draft = showcase_actions.SectionDraft(name="Talks", lines="A | javascript:alert(1)\n| \n|")
    await blog.site.db.write(showcase_actions.save, blog.alice.id, [draft])
    page = (await blog.browser().get("/@alice")).text
    assert 'href="javascript' not in page
    assert "javascript:alert(1)</span>" in page


async def test_who_approves_followers_hides_nothing_that_is_public(blog: Blog) -> None:
    """It is said who may follow; public posts stand on every page, feed and document, others on none."""
    post = await blog.write("A public plugh", title="Long")
    await blog.write("For few: plover", visibility="followers", title="plover")
    owner = await blog.owner()
    form = {"display": "Alice", "headline": "Sailor", "summary": "All of the sea", "locked": "1"}
    await owner.post("/settings", {**form, "discoverable": "1", "indexable": "1"})
    visitor, month = blog.browser(), path(post.url).rpartition("/")[0]
    page = (await visitor.get("/@alice")).text
    assert 'name="description" content="Sailor"' in page
    assert ("<bdi>Alice</bdi> approves followers." in page, "All of the sea" in page) == (True, True)
    for address in (
        *("/", "/@alice", "/@alice?show=articles", "/@alice/archive", month.rpartition("/")[0], month, path(post.url)),
        *("/archive", f"/archive/{month.removeprefix('/@alice/')}", "/feed.atom", "/sitemap-1.xml", "/search?q=plugh"),
        *(f"/@alice/feed.{ending}" for ending in ("atom", "rss", "json")),
        f"{path(blog.alice.uri)}/outbox?before=9223372036854775807",
    ):
        accept = "application/activity+json" if "outbox" in address else "text/html"
        answer = await visitor.get(address, accept=accept)
        assert answer.status_code == 200, address
        assert any(word in answer.text for word in ("plugh", "Long", "long", "June 2025")), address
        assert ("plover" in answer.text, "2 posts" in answer.text) == (False, False), address


async def test_one_writes_to_somebody_from_the_profile(blog: Blog) -> None:
    """Members begin a letter here, visitors on their own server; nobody writes to themselves or to whom they block."""
    owner = await blog.owner()
    other = await blog.site.db.write(
        account_actions.add_account, blog.site.urls, blog.alice.login or 0, "ben", "Ben", make_keys()
    )
    bob = await blog.stranger()
    visitor = blog.browser()
    page = (await visitor.get("/@alice")).text
    assert 'href="/follow?account=alice&amp;do=write"' in page
    assert "Write to <bdi>Alice Marlow</bdi>" in page
    led = (await visitor.get("/follow?account=alice&do=write&server=social.example")).text
    assert '<h1 class="page-title" dir="auto">Write to Alice Marlow</h1>' in led
    assert 'href="https://social.example/authorize_interaction?uri=acct%3Aalice%40blog.test"' in led
    assert 'name="do" value="write"' in led
    assert "?to=" not in (await owner.get("/@alice")).text
    for account, address in ((other, "/@ben"), (bob, f"/account/{bob.id}")):
        assert f'href="/letters/new?to={account.id}"' in (await owner.get(address)).text
        form = (await owner.get(f"/write?to={account.id}")).text
        assert f">\n@{account.acct} </textarea>" in form
        assert re.search(r'value="direct"[^>]*(?:checked|selected)', form)
    await blog.site.db.write(relations.block, blog.alice.id, bob.id, "https://blog.test/b/1")
    assert "?to=" not in (await owner.get(f"/account/{bob.id}")).text
    assert (await owner.get("/write?to=5")).status_code == 404
    assert (await visitor.get(f"/write?to={bob.id}")).status_code == 303
