"""The pictures in the documents and of the looks, made anew: `python -m tests.web.screenshots`. Needs Chromium."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from PIL import Image
from playwright.async_api import Locator, Page

from fediblog.domain.blog import LOOKS
from fediblog.federation.site import Site
from fediblog.store.people import blog_settings
from tests.web.furnished import PASSWORD, PICTURES, TOKEN, Furnished, leave_empty, serve_furnished
from tests.web.screens import Window, open_window, start_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
LIMIT = 150_000  # bytes
LOOKS_FOLDER = Path(__file__).parents[2] / "fediblog" / "web" / "static" / "looks"
SMALL, SMALL_LIMIT = (320, 240), 20_000
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 960}, "locale": "en-GB", "timezone_id": "UTC"}
GUIDE: dict[str, Any] = {**DESKTOP, "viewport": {"width": 1040, "height": 680}}
GUIDE_LIMIT = 70_000
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


async def take(window: Window, path: str, name: str) -> None:
    """What a window shows of a page when it is opened."""
    save(await shown(window, path), FOLDER / f"{name}.webp", LIMIT)


async def take_looks(window: Window, site: Site) -> None:
    """The home in each look, small, for the page where the owner chooses one."""
    usual = await site.db.read(blog_settings.get)
    for look in LOOKS:
        await site.db.write(blog_settings.put, replace(usual, look=look))
        save((await shown(window, "/")).resize(SMALL), LOOKS_FOLDER / f"{look}.webp", SMALL_LIMIT)
    await site.db.write(blog_settings.put, usual)


async def take_beginning(window: Window) -> None:
    """The first minutes of a blog, from its set-up to its first article."""
    page = window.page
    await page.goto(f"{window.origin}/setup?token={TOKEN}")
    for label, value in (
        ("Title of the blog", "Notes from the Enquiry Desk"),
        ("Handle", "ann"),
        ("Name", "Ann Calloway"),
        ("Login name", "ann"),
        ("Password", PASSWORD),
        ("Password once more", PASSWORD),
    ):
        await page.get_by_label(label, exact=True).fill(value)
    await snap(page.get_by_label("Title of the blog"), "guide-set-up")
    await page.get_by_role("button", name="Make my blog").click()
    await page.locator(".hint:has(code)").evaluate("each => each.remove()")  # names the folder of this run
    await snap(page.get_by_role("heading", name="First steps"), "guide-first-steps")
    await page.get_by_role("link", name="Write your first article").click()
    await page.get_by_label("Title", exact=True).fill("A drawer that sticks")
    await page.get_by_label("Text", exact=True).fill("I expected a list. What I got was a cabinet.")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Picture", exact=True).click()
    await (await chooser.value).set_files(PICTURES / "drawers.webp")
    description = page.locator(".text-pictures").get_by_label("Description")
    await description.fill("A cabinet of many small drawers")
    await page.get_by_text("Filed under").click()
    await page.get_by_label("Another category").fill("Desk life")
    await snap(page.get_by_label("Title", exact=True), "guide-write")
    await page.get_by_role("button", name="Publish", exact=True).click()
    await snap(page.get_by_role("button", name="Take it back"), "guide-take-back")


async def take_changes(window: Window, blog: Furnished) -> None:
    """What a writer changes in a blog that is full."""
    page = window.page
    await page.goto(f"{window.origin}/settings/pages/new?role=about")
    await page.get_by_label("Title", exact=True).fill("About")
    await page.get_by_label("Text", exact=True).fill("I help people to find what they did not know how to ask for.")
    await snap(page.get_by_label("Title", exact=True), "guide-about")
    await page.goto(f"{window.origin}/settings/blog")
    await snap(page.get_by_role("group", name="Menu"), "guide-menu")
    await snap(page.get_by_role("group", name="Look"), "guide-look")
    await page.goto(f"{window.origin}/write/{blog.posts['main'].id}")
    comments = page.get_by_text("Comments and quotes")
    await comments.click()
    await page.get_by_label("Who may comment").select_option("Nobody")
    await snap(comments, "guide-comments")
    await page.goto(f"{window.origin}/post/{blog.posts['group'].id}/history")
    await snap(page.get_by_role("heading", level=1), "guide-changes")
    await page.goto(f"{window.origin}/trash")
    await snap(page.get_by_role("heading", level=1), "guide-trash")


async def snap(place: Locator, name: str) -> None:
    """What the window shows when this place of its page has been scrolled to the top, small enough for the guide."""
    await place.evaluate("each => scrollTo(0, each.getBoundingClientRect().top + scrollY - 160)")
    save(await as_seen(place.page), FOLDER / f"{name}.webp", GUIDE_LIMIT)


async def shown(window: Window, path: str) -> Image.Image:
    """What stands there, when all of it has come."""
    await window.page.goto(window.origin + path)
    return await as_seen(window.page)


async def as_seen(page: Page) -> Image.Image:
    """What the window shows now, when all of it has come."""
    await page.evaluate("document.fonts.ready")
    return Image.open(io.BytesIO(await page.screenshot())).convert("RGB")


def save(picture: Image.Image, file: Path, limit: int) -> None:
    """Write it, of so many bytes at most."""
    picture.save(file, "WEBP", quality=82, method=6)
    assert file.stat().st_size < limit, file
    print(f"{file.name}: {file.stat().st_size} bytes")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with serve_furnished(Path(folder)) as blog, start_chromium() as browser:
            visitor = await open_window(browser, blog, **DESKTOP)
            for path, name in (("/", "home"), (blog.path("main"), "article"), ("/@ann", "profile")):
                await take(visitor, path, name)
            await take_looks(visitor, blog.site)
            await visitor.page.emulate_media(color_scheme="dark")
            await take(visitor, blog.path("main"), "article-dark")
            phone = await open_window(browser, blog, **PHONE)
            await take(phone, "/", "home-phone")
            owner = await open_window(browser, blog, "ann", **DESKTOP)
            for path, name in (("/stream", "desk"), (f"/write/{blog.posts['main'].id}", "write")):
                await take(owner, path, name)
            await take_changes(await open_window(browser, blog, "ann", **GUIDE), blog)
    with tempfile.TemporaryDirectory() as folder:
        async with serve_furnished(Path(folder), leave_empty, 30) as empty, start_chromium() as browser:
            await take_beginning(await open_window(browser, empty, **GUIDE))


if __name__ == "__main__":
    asyncio.run(main())
