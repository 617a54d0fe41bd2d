"""The pictures in the documents and of the looks, made anew: `python -m tests.web.screenshots`. Needs Chromium."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from PIL import Image

from fediblog.domain.blog import LOOKS
from fediblog.federation.site import Site
from fediblog.store.people import blog_settings
from tests.web.furnished import serve_furnished
from tests.web.screens import Window, open_window, start_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
LIMIT = 150_000  # bytes
LOOKS_FOLDER = Path(__file__).parents[2] / "fediblog" / "web" / "static" / "looks"
SMALL, SMALL_LIMIT = (320, 240), 20_000
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 960}, "locale": "en-GB", "timezone_id": "UTC"}
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


async def shown(window: Window, path: str) -> Image.Image:
    """What stands there, when all of it has come."""
    await window.page.goto(window.origin + path)
    await window.page.evaluate("document.fonts.ready")
    return Image.open(io.BytesIO(await window.page.screenshot())).convert("RGB")


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


if __name__ == "__main__":
    asyncio.run(main())
