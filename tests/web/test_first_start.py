"""Somebody who starts fediblog for the first time: from the link in the terminal to an article that anybody reads."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.promises.servers import Server
from tests.web.pages.test_browser import PATIENCE
from tests.web.pages.test_desk import picture
from tests.web.screens import start_chromium
from tests.web.test_writing import DATA

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "correct horse battery"


async def test_from_the_first_start_to_an_article_with_pictures_in_its_text(tmp_path: Path) -> None:
    async with Server(tmp_path / "data") as server, start_chromium() as browser:
        await server.start()
        assert server.process is not None
        line = await server.process.until("/setup?token=")
        page = await (await browser.new_context()).new_page()
        page.set_default_timeout(PATIENCE)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda each: complaints.append(each.text) if each.type == "error" else None)

        await page.goto(next(word for word in line.split() if "/setup?token=" in word))
        for label, value in (
            ("Title of the blog", "The Enquiry Desk"),
            ("Handle", "mara"),
            ("Name", "Mara"),
            ("Login name", "mara"),
            ("Password", PASSWORD),
            ("Password once more", PASSWORD),
        ):
            await page.get_by_label(label, exact=True).fill(value)
        await page.get_by_role("button", name="Make my blog").click()
        await page.get_by_text("Your blog is ready").wait_for()
        await page.get_by_role("heading", name="First steps").wait_for()
        await page.get_by_role("link", name="Write your first article").click()

        await page.get_by_label("Title", exact=True).fill("A drawer that sticks")
        text = page.get_by_label("Text", exact=True)
        await text.fill("It begins here.")
        async with page.expect_file_chooser() as chooser:
            await page.get_by_role("button", name="Picture", exact=True).click()
        await (await chooser.value).set_files({"name": "a.png", "mimeType": "image/png", "buffer": picture()})
        descriptions = page.locator(".text-pictures").get_by_label("Description")
        await descriptions.first.fill("The drawer")
        data = await page.evaluate_handle(DATA, ["b.png", base64.b64encode(picture()).decode()])
        await text.evaluate(
            "(field, clipboardData) => field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true,"
            " cancelable: true}))",
            data,
        )
        await descriptions.nth(1).fill("What was in it")
        await page.get_by_role("button", name="Preview", exact=True).click()
        preview = page.get_by_role("region", name="Preview")
        for told in ("The drawer", "What was in it"):
            await preview.get_by_alt_text(told).wait_for()
        await page.get_by_role("button", name="Publish", exact=True).click()
        await page.get_by_role("heading", name="A drawer that sticks").wait_for()

        visitor = await (await browser.new_context()).new_page()
        await visitor.goto(server.origin)
        await visitor.get_by_role("link", name="A drawer that sticks").first.click()
        assert await visitor.title() == "A drawer that sticks – The Enquiry Desk"
        for told in ("The drawer", "What was in it"):
            shown = visitor.get_by_alt_text(told, exact=True)
            await shown.scroll_into_view_if_needed()
            await shown.evaluate("each => each.decode()")  # it is there, and a picture
        assert await visitor.get_by_role("link", name="Edit", exact=True).count() == 0
        assert complaints == []
