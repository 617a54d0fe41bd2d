"""Pages of a language that is written from right to left: there is no such catalogue, so that one is made up here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Formatter, ascii_lowercase

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import FloatRect, Locator, Route, ViewportSize

from fediblog import messages
from fediblog.messages import LANGUAGES, Catalogue, accept_language, catalogues
from tests.web.pages import test_whole_pages
from tests.web.pages.conftest import Blog
from tests.web.pages.test_browser import Walk, browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["browser"]
PHONE: ViewportSize = {"width": 390, "height": 780}
DESK: ViewportSize = {"width": 1280, "height": 860}
_ARABIC = {"accept_language": "ar"}
_LETTERS = str.maketrans(dict(zip(ascii_lowercase, "ابجدهوزحطيكلمنسعفصقرشتثخذض", strict=True)))


def _arabic(message: str) -> str:
    """As many Arabic letters as there are English ones, with the same values."""
    parts = Formatter().parse(message)
    return "".join(
        said.lower().translate(_LETTERS) + (f"{{{name}}}" if name is not None else "") for said, name, _, _ in parts
    )


@pytest.fixture
def arabic(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    english = messages.catalogue("en")
    made = {
        key: _arabic(each) if isinstance(each, str) else tuple(map(_arabic, each))
        for key, each in english.messages.items()
    }
    made |= catalogues.conventions("ar")
    real = messages.catalogue
    monkeypatch.setattr(
        messages,
        "catalogue",
        lambda language: Catalogue(made, english.plural) if language == "ar" else real(language),
    )
    monkeypatch.setitem(LANGUAGES, "ar", "العربية")
    accept_language.best.cache_clear()
    yield
    accept_language.best.cache_clear()


async def _box(locator: Locator) -> FloatRect:
    found = await locator.bounding_box()
    assert found is not None
    return found


async def _right_of(one: Locator, other: Locator) -> bool:
    beside = await _box(other)
    return (await _box(one))["x"] >= beside["x"] + beside["width"]


@pytest.mark.usefixtures("arabic")
async def test_pages_are_laid_out_from_right_to_left(blog: Blog, browser: Chromium, tmp_path: Path) -> None:
    """Nothing must be scrolled sideways on a phone; beside the column, its margin stands at the right."""
    posts = await test_whole_pages.furnished(blog)
    walked = test_whole_pages.addresses(posts[:1], posts[-1].account.id)
    context = await browser.new_context(base_url=blog.site.urls.origin, viewport=PHONE, java_script_enabled=False)
    walk = Walk(page := await context.new_page(), tmp_path)
    looking = blog.browser()

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix(blog.site.urls.origin)
        found = await looking.get(path, **{**_ARABIC, "accept": route.request.headers["accept"]})
        await route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    await page.route("**/*", answer)
    seen, wide = set[str](), set[str]()
    for who in (looking, await blog.owner("192.0.2.8")):
        looking = who
        for address in (each for each in walked if each not in seen):
            shown = await who.get(address, **_ARABIC)
            if shown.status_code == 200 and shown.headers["content-type"].startswith("text/html"):
                assert '<html lang="ar" dir="rtl">' in shown.text, address
                await page.goto(address)
                seen.add(address)
                if await walk.overhang():
                    wide.add(address)
    assert wide == set()
    assert len(seen) > 30
    await page.set_viewport_size(DESK)
    await page.goto("/")
    assert await _right_of(page.locator(".note > .mark").first, page.locator(".note > .mark + *").first)
    assert await _right_of(page.locator(".masthead h1 bdi"), page.locator(".masthead .actions"))
    await page.goto(posts[0].url)
    sheet, column = await _box(page.locator(".cols")), await _box(page.locator(".cols > .in-col"))
    left, right = column["x"] - sheet["x"], sheet["x"] + sheet["width"] - column["x"] - column["width"]
    assert 200 < right < left
