"""The pictures of the main pages in the documents, made anew: `python -m tests.web.screenshots`. Needs Chromium."""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from tests.web.furnished import serve_furnished
from tests.web.screens import Window, open_window, start_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "images"
LIMIT = 150_000  # bytes
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 960}, "locale": "en-GB", "timezone_id": "UTC"}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


async def take(window: Window, path: str, name: str) -> None:
    """What a window shows of a page when it is opened."""
    await window.page.goto(window.origin + path)
    await window.page.evaluate("document.fonts.ready")
    shown = Image.open(io.BytesIO(await window.page.screenshot())).convert("RGB")
    file = FOLDER / f"{name}.webp"
    shown.save(file, "WEBP", quality=82, method=6)
    assert file.stat().st_size < LIMIT, file
    print(f"{file.name}: {file.stat().st_size} bytes")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with serve_furnished(Path(folder)) as blog, start_chromium() as browser:
            visitor = await open_window(browser, blog, **DESKTOP)
            for path, name in (("/", "home"), (blog.path("main"), "article"), ("/@ann", "profile")):
                await take(visitor, path, name)
            await visitor.page.emulate_media(color_scheme="dark")
            await take(visitor, blog.path("main"), "article-dark")
            phone = await open_window(browser, blog, **PHONE)
            await take(phone, "/", "home-phone")
            owner = await open_window(browser, blog, "ann", **DESKTOP)
            for path, name in (("/stream", "desk"), (f"/write/{blog.posts['main'].id}", "write")):
                await take(owner, path, name)


if __name__ == "__main__":
    asyncio.run(main())
