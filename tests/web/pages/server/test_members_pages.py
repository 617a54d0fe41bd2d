"""Who is here: invited by a link, looked after by the owner, and let back in by a link."""

from __future__ import annotations

import re

import pytest

from fediblog.store.people import accounts, logins
from fediblog.store.readers import moderation_log
from tests.web.pages.conftest import PASSWORD, Blog, Browser

PATH = "/moderation/people"
JOINS = {"name": "Bo", "handle": "@bo", "display": "Bo", "password": PASSWORD, "password-again": PASSWORD}
OTHER = "another horse battery"


async def link_of(blog: Blog, owner: Browser, path: str = "/moderation/invite", **typed: str) -> str:
    page = (await owner.post(path, {"uses": "1", "days": "7", **typed})).text
    [found] = re.findall(r"https://blog\.test(/invited\?token=[\w-]+)", page)
    assert found not in (await owner.get(PATH)).text  # shown once
    return str(found)


async def join(browser: Browser, link: str, **typed: str) -> int:
    return (await browser.post("/invited", {**JOINS, "token": link.partition("=")[2], **typed})).status_code


async def test_whoever_has_the_link_joins_once(blog: Blog) -> None:
    owner, browser = await blog.owner(), blog.browser("203.0.113.4")
    link = await link_of(blog, owner)
    assert "Make the account" in (await browser.get(link)).text
    wrong = await browser.post("/invited", {**JOINS, "token": link.partition("=")[2], "password": "short"})
    assert (wrong.status_code, 'value="@bo"' in wrong.text, "short" in wrong.text) == (422, True, False)
    sent = {**JOINS, "token": link.partition("=")[2], "handle": "b o", "name": "ü", "password": "short"}
    assert (await browser.post("/invited", sent)).text.count('class="problem"') == 4  # all at once
    assert await join(browser, link, name="alice") == 422  # taken; the link still counts
    assert await join(browser, link, handle="alice") == 422
    assert await join(browser, link) == 303
    assert (await browser.get("/stream")).status_code == 200
    bo = await blog.site.db.read(logins.by_name, "bo")
    assert bo is not None
    assert bo.role == "member"
    assert await join(browser, link, name="cy", handle="cy") == 404
    assert (await browser.get(link)).status_code == 404
    assert (await browser.get(PATH)).status_code == 403


async def test_a_link_ends_by_time_and_by_revoking(blog: Blog) -> None:
    owner, browser = await blog.owner(), blog.browser("203.0.113.4")
    several = await link_of(blog, owner, uses="3", days="2")
    assert await join(browser, several) == 303
    page = (await owner.get(PATH)).text
    assert "For 2 more people" in page
    [number] = re.findall(r"/moderation/invitation/(\d+)/revoke", page)
    blog.clock.forward(seconds=2 * 86_400)
    assert (await browser.get(several)).status_code == 404
    blog.clock.forward(seconds=-86_400)
    assert (await browser.get(several)).status_code == 200
    assert (await owner.post(f"/moderation/invitation/{number}/revoke")).status_code == 303
    assert (await browser.get(several)).status_code == 404
    for typed in ({"uses": "0"}, {"uses": "101"}, {"days": "x"}, {"days": "400"}):
        assert (await owner.post("/moderation/invite", {"uses": "1", "days": "1", **typed})).status_code == 422


async def test_links_are_not_guessed_for_long(blog: Blog) -> None:
    browser = blog.browser("203.0.113.4")
    answers = [(await browser.get(f"/invited?token=x{n}")).status_code for n in range(30)]
    assert (answers[0], answers[-1]) == (404, 429)


async def test_an_owner_lets_somebody_choose_a_new_password(blog: Blog) -> None:
    owner, browser = await blog.owner(), blog.browser("203.0.113.4")
    assert await join(browser, await link_of(blog, owner)) == 303
    bo = await blog.site.db.read(logins.by_name, "bo")
    assert bo is not None
    link = await link_of(blog, owner, f"/moderation/login/{bo.id}/password")
    fresh = blog.browser("203.0.113.5")
    page = (await fresh.get(link)).text
    assert "A new password" in page
    assert 'name="handle"' not in page
    further = await link_of(blog, owner, f"/moderation/login/{bo.id}/password")
    token = link.partition("=")[2]
    sent = {"token": token, "password": OTHER, "password-again": OTHER}
    assert (await fresh.post("/invited", sent)).headers["location"] == "/login"
    assert (await browser.get("/stream")).headers["location"].startswith("/login")  # signed out
    assert (await fresh.log_in("bo", OTHER)).status_code == 303
    assert (await fresh.post("/invited", sent)).status_code == 404
    assert (await fresh.get(further)).status_code == 404  # other links for it end with the password
    mine = await blog.site.db.read(logins.by_name, "alice")
    assert mine is not None
    assert (await owner.post(f"/moderation/login/{mine.id}/password")).status_code == 422  # nor of another owner


@pytest.mark.parametrize(("tab", "shown"), [("ours", "@alice"), ("others", "@bob@far.example"), ("suspended", "@eve")])
async def test_people_are_found_by_where_and_how_they_are(blog: Blog, tab: str, shown: str) -> None:
    await blog.stranger()
    eve = await blog.stranger("eve", "evil.example")
    await blog.site.db.write(accounts.set_state, eve.id, "suspended")
    owner = await blog.owner()
    assert shown in (await owner.get(f"{PATH}?show={tab}")).text.partition("<main")[2]
    assert f"{shown}</bdi>" not in (await owner.get(f"{PATH}?show={tab}&q=nobody")).text.partition("<main")[2]
    assert await blog.site.db.read(moderation_log.latest) == []
