"""A real browser, with JavaScript switched off, walks through the blog from set-up to the last deletion."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from fediblog.actions import account_actions
from fediblog.app import create_app
from fediblog.federation.site import open_site
from fediblog.settings import Settings
from fediblog.store.people import server_state
from fediblog.web.sessions import hashed
from tests.web.pages.conftest import PASSWORD, TOKEN
from tests.web.pages.test_desk import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PATIENCE = 20_000  # ms for one step
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1280, "height": 860}


def chromium() -> str:
    """The program, or skip; where the browser is required, fail."""
    path = os.environ.get("FEDIBLOG_TEST_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if Path(path).exists():
        return path
    reason = "Chromium is not installed"
    if os.environ.get("FEDIBLOG_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """A server that waits to be set up, on a free port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        origin = f"http://localhost:{listening.getsockname()[1]}"
        site = await open_site(
            Settings(data=tmp_path / "data", origin=origin, title="The Browser's Blog", take_back_seconds=0)
        )
        await site.db.write(server_state.put, account_actions.SETUP_TOKEN, hashed(TOKEN))
        server = uvicorn.Server(uvicorn.Config(create_app(site), log_level="warning", lifespan="off"))
        running = asyncio.create_task(server.serve([listening]))
        yield origin
        server.should_exit = True
        await running
        await site.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield found
        await found.close()


class Walk:
    """One window: what it complained about, and whether a page is wider than it."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder = page, folder
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def look(self, name: str) -> None:
        """Take a picture, and see that nothing has to be scrolled sideways."""
        await self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)
        assert await self.overhang() == 0, f"{name} is too wide"

    async def overhang(self) -> int:
        """Pixels by which the page is wider than the window. Read by the debugger, since the page runs no script."""
        session = await self.page.context.new_cdp_session(self.page)
        sizes = await session.send("Page.getLayoutMetrics")
        await session.detach()
        return max(0, int(sizes["cssContentSize"]["width"] - sizes["cssLayoutViewport"]["clientWidth"]))


async def window(browser: Browser, size: dict[str, int], scheme: str, folder: Path) -> tuple[BrowserContext, Walk]:
    context = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=False,
    )
    return context, Walk(await context.new_page(), folder)


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
async def test_from_set_up_to_deletion(
    browser: Browser, address: str, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    context, walk = await window(browser, size, scheme, tmp_path)
    page = walk.page
    await page.goto(f"{address}/setup?token={TOKEN}")
    await walk.look("set-up")
    for field, value in (("handle", "mara"), ("display", "Mara"), ("name", "mara")):
        await page.get_by_label({"handle": "Handle", "display": "Name", "name": "Login name"}[field], exact=True).fill(
            value
        )
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_label("Password once more").fill(PASSWORD)
    await page.get_by_role("button", name="Make my blog").click()
    await page.get_by_text("Your blog is ready").wait_for()
    await walk.look("settings")

    await page.get_by_role("button", name="Menu of your account").click()
    await page.get_by_role("button", name="Log out").click()
    await page.get_by_text("You are logged out").wait_for()
    await page.get_by_role("link", name="Log in").click()
    await page.get_by_label("Login name").fill("mara")
    await page.get_by_label("Password").fill(PASSWORD)
    await walk.look("log-in")
    await page.get_by_role("main").get_by_role("button", name="Log in").click()

    await page.get_by_role("link", name="Write", exact=True).click()
    await page.get_by_label("Title").fill("A very first article")
    await page.get_by_label("Text", exact=True).fill(
        "Some *words*.\n\n```python\n" + "x = 1  # " + "long " * 60 + "\n```\n"
    )
    await page.locator("summary", has_text="Pictures below the text").click()
    chooser = page.get_by_label("Picture 1", exact=True)
    await chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    await page.get_by_role("button", name="Preview").click()
    await page.get_by_text("nothing is published yet").wait_for()
    await page.locator("summary", has_text="Pictures below the text").click()
    await page.locator("[id^=alt-]").fill("A teal square")
    await walk.look("preview")
    await page.get_by_role("button", name="Publish", exact=True).click()
    await page.get_by_role("heading", name="A very first article").wait_for()
    assert await page.get_by_alt_text("A teal square").count() == 1
    await walk.look("article")

    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.get_by_label("Text", exact=True).fill("Other words.")
    await page.get_by_role("button", name="Save the changes").click()
    await page.get_by_text("Other words.").wait_for()
    await page.get_by_role("button", name="Like").first.click()
    await page.get_by_text("1 person likes this").wait_for()
    for name in (
        "stream",
        "notices",
        "people",
        "deliveries",
        "moderation",
        "refusals",
        "drafts",
        "search",
        "@mara",
        "",
    ):
        await page.goto(f"{address}/{name}")
        await walk.look(f"page-{name or 'home'}")

    for name in ("feed.rss", "feed.atom"):
        await page.goto(f"{address}/{name}")
        assert await walk.overhang() == 0
    await page.locator("a", has_text="A very first article").click()
    await page.get_by_role("heading", name="A very first article").wait_for()

    await page.goto(f"{address}/write")
    await page.get_by_label("Text", exact=True).fill("For myself")
    await page.locator("#visibility").select_option("direct")
    send = page.get_by_role("button", name="Send to the people named")
    await send.click()
    await page.locator("[name=anyway]").check()
    assert ["422" in each for each in walk.complaints] == [True]  # it asks first, as it is for nobody
    walk.complaints.clear()
    await send.click()
    await page.get_by_text("For myself", exact=True).wait_for()
    await page.set_viewport_size({"width": min(size["width"], 320), "height": size["height"]})
    await page.goto(f"{address}/letters")
    await walk.look("private-post")
    await page.set_viewport_size({"width": size["width"], "height": size["height"]})
    await page.get_by_role("link", name="Delete").first.click()
    await page.get_by_role("button", name="Delete it").click()
    await page.get_by_text("The post is deleted").wait_for()

    await page.goto(f"{address}/@mara")
    await page.get_by_role("link", name="Delete").click()
    await page.get_by_role("button", name="Delete it").click()
    await page.get_by_text("The post is deleted").wait_for()
    assert await page.get_by_text("A very first article").count() == 0
    assert walk.complaints == []
    await context.close()
