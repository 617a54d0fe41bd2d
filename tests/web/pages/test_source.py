"""Where the source code is offered, if the operator says so."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.app import create_app
from tests.web.pages.conftest import Blog, Browser

CODE = "https://code.example/our-fork?at=main&x=1"


def offering(blog: Blog) -> Browser:
    """A browser at the same blog, whose operator offers the source."""
    site = replace(blog.site, kept={}, settings=replace(blog.site.settings, source=CODE))
    return Browser(site, create_app(site))


async def test_pages_name_the_address_of_the_source(blog: Blog) -> None:
    page = (await offering(blog).get("/")).text
    assert 'href="https://code.example/our-fork?at=main&amp;x=1"' in page
    assert "Source code" in page


async def test_without_an_address_there_is_no_link(blog: Blog) -> None:
    assert "Source code" not in (await blog.browser().get("/")).text


async def test_other_servers_learn_the_address(blog: Blog) -> None:
    told = (await offering(blog).get("/nodeinfo/2.1")).json()
    assert told["software"]["repository"] == CODE
    assert "repository" not in (await blog.browser().get("/nodeinfo/2.1")).json()["software"]
    assert set((await offering(blog).get("/nodeinfo/2.0")).json()["software"]) == {"name", "version"}
