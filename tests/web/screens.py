"""What a browser finds wrong with a page on a screen of this width, in this scheme, at this size of text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from playwright.async_api import Browser, ConsoleMessage, Page, Request, async_playwright

from tests.web.furnished import PASSWORD, Furnished
from tests.web.pages.test_browser import ARGUMENTS, PATIENCE, chromium

AXE = Path(__file__).parent / "axe"  # npm package
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
HEIGHT = 860
_AXE = """async rules => (await axe.run({runOnly: rules, resultTypes: ['violations']})).violations.flatMap(
  rule => rule.nodes.map(node => `${rule.id} ${node.target.join(' ')}: ${node.any.concat(node.all).map(
    check => check.message).join(' ')}`))"""
_OPEN = "() => document.querySelectorAll('details:not([name])').forEach(each => each.open = true)"
# Bars that stay in view cover what one can scroll from under them, which axe would count as too small.
_UNSTICK = """() => { const sheet = new CSSStyleSheet(); document.adoptedStyleSheets = [sheet];
  sheet.replaceSync('.dock, .member { position: static !important }'); }"""
# What sticks out, without what scrolls by itself.
_WIDE = """() => [...document.body.querySelectorAll('*')].filter(
  each => each.getBoundingClientRect().right > innerWidth + 1 || each.getBoundingClientRect().left < -1).map(
  each => each.tagName + '.' + each.className).slice(0, 6).join(', ')"""


Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


class Screen(NamedTuple):
    """A width in CSS pixels, and what the visitor prefers."""

    width: int
    scheme: Scheme
    opened: bool = False  # all that is folded stands open


PHONE, DESK = Screen(390, "light"), Screen(1280, "dark", opened=True)


@cache
def axe() -> str:
    """The script of axe-core."""
    return (AXE / "node_modules" / "axe-core" / "axe.min.js").read_text()


class Window:
    """A page of a browser that writes down what it complains about, and which other servers it asked."""

    def __init__(self, page: Page, blog: Furnished) -> None:
        self.page, self.origin = page, blog.site.urls.origin
        self.complaints: list[str] = []
        self.asked: list[str] = []  # addresses that the last page asked for
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        missing = "404" in message.text and message.location.get("url") == self.page.url  # a page that says so
        if message.type in ("error", "warning") and not missing:
            self.complaints.append(f"console: {message.text} {message.location.get('url')}")

    def _see(self, request: Request) -> None:
        self.asked.append(request.url)
        if not request.url.startswith((self.origin, "data:")):
            self.complaints.append(f"asks another server: {request.url}")

    async def open(self, path: str) -> None:
        """Open a page, which must not lead elsewhere."""
        self.complaints.clear()
        self.asked.clear()
        await self.page.goto(self.origin + path)
        assert self.page.url == self.origin + path
        await self.prepare()

    async def prepare(self) -> None:
        """Get a page that somebody has been led to ready for `faults`."""
        await self.page.evaluate(axe())
        await self.page.evaluate(_UNSTICK)

    async def faults(self, *screens: Screen) -> list[str]:
        """What is wrong with the page that stands open, on each of the screens."""
        found = []
        for screen in screens:
            await self.page.set_viewport_size({"width": screen.width, "height": HEIGHT})
            await self.page.emulate_media(color_scheme=screen.scheme)
            if screen.opened:
                await self.page.evaluate(_OPEN)
            faults = [*await self.page.evaluate(_AXE, RULES), *await self.overhang()]
            found += [f"{screen.width} {screen.scheme}: {each}" for each in faults]
        return found + [f"anywhere: {each}" for each in self.complaints]

    async def overhang(self) -> list[str]:
        """What is wider than the window, if the page has to be scrolled sideways."""
        width = await self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [f"{width} px too wide: {await self.page.evaluate(_WIDE)}"] if width > 0 else []

    async def enlarge_text(self, percent: int) -> None:
        """Let the reader's own size of text be so much of the usual one, for all pages that are opened from now on."""
        session = await self.page.context.new_cdp_session(self.page)
        sizes = {"standard": 16 * percent // 100, "fixed": 13 * percent // 100}
        await session.send("Page.setFontSizes", {"fontSizes": sizes})


@asynccontextmanager
async def start_chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium; skips, or fails where it is required, if it is not there."""
    program = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def open_window(browser: Browser, blog: Furnished, who: str = "", **options: Any) -> Window:
    """A fresh window of a visitor, or of somebody who has logged in."""
    context = await browser.new_context(reduced_motion="reduce", **options)
    page = await context.new_page()
    if who:
        await page.goto(f"{blog.site.urls.origin}/login")
        await page.fill("#name", who)
        await page.fill("#password", PASSWORD)
        await page.click("main button.primary")
        await page.locator('[action="/logout"]').first.wait_for(state="attached")
    return Window(page, blog)
