"""A real browser lets an app in: its rules about where the answer to a form may lead are kept by browsers alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Browser, Page

from tests.web.pages.conftest import PASSWORD, TOKEN
from tests.web.pages.test_browser import DESK, PATIENCE, PHONE, address, browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["address", "browser"]


@pytest.fixture
async def app_address() -> AsyncIterator[str]:
    """Where the app waits for the answer: another origin."""

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nBack")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(welcome, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/back"


async def set_up(page: Page, origin: str) -> None:
    await page.goto(f"{origin}/setup?token={TOKEN}")
    for name, value in (("name", "ann"), ("handle", "ann"), ("display", "Ann"), ("password", PASSWORD)):
        await page.fill(f"#{name}", value)
    await page.fill("#password-again", PASSWORD)
    await page.click("button.primary")
    await page.get_by_text("Your blog is ready").wait_for()


async def test_yes_and_no_lead_back_to_the_app(address: str, browser: Browser, app_address: str) -> None:
    page = await (await browser.new_context(java_script_enabled=False)).new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await set_up(page, address)
    asked = {"client_name": "Phanpy", "redirect_uris": app_address, "scopes": "read write"}
    app = await (await page.request.post(f"{address}/api/v1/apps", data=asked)).json()
    query = {"client_id": app["client_id"], "redirect_uri": app_address, "response_type": "code", "scope": "read write"}
    for size, button, told in ((DESK, "Refuse", "error"), (PHONE, "Allow", "code")):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await page.goto(f"{address}/oauth/authorize/?{urlencode(query)}")
        await page.click(f"text={button}")
        await page.wait_for_url(f"{app_address}**")
        assert told in parse_qs(urlsplit(page.url).query)
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    form = {**query, "grant_type": "authorization_code", "code": code, "client_secret": app["client_secret"]}
    answer = await page.request.post(f"{address}/oauth/token", form=form)
    assert answer.status == 200
    await page.goto(f"{address}/settings/apps")
    await page.click("text=Take back")
    await page.wait_for_selector("text=Taken back.")
    assert complaints == []
