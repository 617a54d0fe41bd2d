"""Addresses that are nearly right: with a slash too many, and those where nothing is."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from fediblog.actions import post_actions
from fediblog.app import ROUTES
from fediblog.web import pages
from tests.security.test_privacy import asked, flat
from tests.web.pages.conftest import ORIGIN, Blog

# Apps open those of OAuth, where a slash at the end is nothing (docs/client-api.md).
PAGES = sorted(
    route.path
    for route in flat([*pages.ROUTES, ROUTES[-1]])  # the last is that of the owner's own pages
    if "GET" in (route.methods or ()) and route.path != "/" and not route.path.startswith("/oauth/")
)
OTHERS = sorted({route.path for route in flat(ROUTES)} - {*PAGES, "/"})


async def test_a_slash_at_the_end_leads_to_the_one_address_of_every_page(blog: Blog) -> None:
    post = replace(await blog.write("The text", title="On Tides"), url="")
    browser = blog.browser("127.0.0.1")
    for path in PAGES:
        address = asked(path, post)
        for method in ("GET", "HEAD"):
            for slashes in ("/", "//"):
                answer = await browser.http.request(method, f"{address}{slashes}?before=1&x=%C3%A9")
                led = (answer.status_code, answer.headers.get("location"))
                assert led == (301, f"{address}?before=1&x=%C3%A9"), path
    for path in OTHERS:
        answer = await browser.get(f"{asked(path, post)}/", accept="application/activity+json")
        assert answer.status_code not in (301, 302, 307, 308) or path.startswith("/@"), path
    for path in ("//", "//evil.test/", "/%2Fevil.test/", "/nothing/here/", "/tags/a%2Fb/"):
        assert (await browser.get(f"{ORIGIN}{path}")).status_code == 404, path
    answer = await browser.get("/tags/%C3%A9t%C3%A9%2F")
    assert (answer.status_code, answer.headers["location"]) == (301, "/tags/%C3%A9t%C3%A9")
    assert (await browser.post("/login/")).status_code == 404


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_not_there_helps_to_go_on(blog: Blog, status: int) -> None:
    tides = await blog.write("The text", title="On Tides")
    for number in range(7):
        await blog.write("Text", title=f"Letter {number}")
    await blog.write("Text", title="On Tidal secrets", visibility="followers")
    await blog.write("Text", title="On Tides again", state="draft")
    address = "/@alice/2025/06/on-tide"
    if status == 410:
        gone = await blog.write("Text", title="On Tide")
        await blog.site.db.write(post_actions.delete, blog.site.urls, blog.alice.id, gone.id)
    answer = await blog.browser().get(address)
    page = answer.text
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "private, no-store"
    near, latest = page.partition("Called something like it")[2].split("Written lately")
    assert re.findall(r'<a href="([^"]*)" dir="auto">On Tides<', near) == [tides.url]
    assert re.findall(r"Letter \d", latest) == [f"Letter {number}" for number in (6, 5, 4, 3, 2)]
    assert "ecret" not in page
    assert "again" not in page
    assert 'action="/search"' in page
    for accept in ("application/activity+json", "application/json", "*/*"):
        assert "Letter" not in (await blog.browser().get(address, accept=accept)).text
    assert "Letter" not in (await blog.browser().post("/nowhere")).text
