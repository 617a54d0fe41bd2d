"""What a login is protected by: its sessions, listed and ended."""

from __future__ import annotations

import re

import pytest

from fediblog.web.components.browser_names import browser_name
from fediblog.web.sessions import cookie_name
from tests.web.pages.conftest import Blog, Browser

PATH = "/settings/security"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Mobile Safari/604.1"


async def owner_with(blog: Blog, agent: str) -> Browser:
    browser = blog.browser("192.0.2.99")
    browser.http.headers["user-agent"] = agent
    assert (await browser.log_in()).status_code == 303
    return browser


def listed(page: str) -> list[str]:
    return re.findall(r"<h3>([^<]+)</h3>", page)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (EDGE, "Edge on Windows"),
        (PHONE, "Safari on iPhone"),
        ("<b>curl</b>", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_has_a_plain_name(agent: str, name: str) -> None:
    assert browser_name("en", agent) == name


async def test_sessions_are_listed_and_ended(blog: Blog) -> None:
    """This browser first, no addresses; ending one lets the others be, and of somebody else none can be ended."""
    phone = await owner_with(blog, PHONE)
    desk = await owner_with(blog, FIREFOX)
    page = (await desk.get(PATH)).text
    assert listed(page) == ["Firefox on Linux", "Safari on iPhone"]
    assert "192.0.2.99" not in page
    tokens = re.findall(r'name="session" value="([^"]+)"', page)
    assert len(tokens) == 1  # this browser logs out by the menu
    assert all(each.http.cookies[cookie_name(blog.site)] not in page for each in (phone, desk))
    assert (await desk.post(f"{PATH}/session", {"session": tokens[0]})).status_code == 303
    assert (await phone.get(PATH)).status_code == 303
    assert (await desk.post(f"{PATH}/session", {"session": tokens[0]})).status_code == 404
    assert listed((await desk.get(PATH)).text) == ["Firefox on Linux"]


async def test_all_other_sessions_end_at_once(blog: Blog) -> None:
    others = [await blog.owner(), await blog.owner()]
    desk = await blog.owner()
    assert "Log out everywhere else" in (await desk.get(PATH)).text
    assert (await desk.post(f"{PATH}/other-sessions")).status_code == 303
    assert [(await each.get(PATH)).status_code for each in (*others, desk)] == [303, 303, 200]
    assert "Log out everywhere else" not in (await desk.get(PATH)).text


async def test_a_browser_that_is_new_is_told_of_once(blog: Blog) -> None:
    """To those that were there, until they look; one that logs in again is no news."""
    desk = await blog.owner()
    assert "Was that you?" not in (await desk.get("/stream")).text
    phone = await owner_with(blog, PHONE)
    for path in ("/stream", "/", PATH):
        page = (await desk.get(path)).text
        assert "Safari on iPhone has logged in as you" in page, path
        assert "Was that you?" not in (await phone.get("/stream")).text
    assert "Was that you?" not in (await desk.get("/stream")).text
    await phone.post("/logout")
    assert (await phone.log_in()).status_code == 303
    assert "Was that you?" not in (await desk.get("/stream")).text
    await blog.owner()  # whoever says nothing of itself, or lies, is told of as well
    assert "A browser has logged in as you" in (await desk.get("/stream")).text
