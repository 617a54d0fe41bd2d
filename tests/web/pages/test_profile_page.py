"""Profiles and their lists: what they show, and what is left of an account that is suspended or deleted."""

from __future__ import annotations

from fediblog.actions import account_actions, post_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.store.people import accounts
from fediblog.store.posts import tombstones
from tests import wording
from tests.web.pages.conftest import ORIGIN, Blog


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
    for state, status in (("suspended", 404), ("deleted", 410)):
        await blog.site.db.write(accounts.set_state, blog.alice.id, state)
        assert (await blog.browser().get("/@alice")).status_code == status
        assert (await blog.browser().get(path(post.url))).status_code == status


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
