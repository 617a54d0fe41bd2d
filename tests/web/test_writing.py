"""Somebody writes in a browser: nothing typed is lost, two pages of one text notice each other, pictures go in."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from fediblog.actions import account_actions
from fediblog.store.people import logins
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests.promises.servers import Server
from tests.web.pages.test_browser import PATIENCE
from tests.web.pages.test_desk import picture
from tests.web.screens import start_chromium
from tests.world import keys_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
DATA = """async ([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
  const found = new DataTransfer();
  found.items.add(new File([bytes], name, {type: 'image/png'}));
  return found;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with Server(tmp_path_factory.mktemp("writing")) as server:
        await server.furnish()
        await server.start()
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with start_chromium() as browser:
        yield browser


async def signed_in(browser: Browser, server: Server) -> BrowserContext:
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE)
    name, _, value = server.cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": server.origin}])
    return context


async def write(page: Page, text: str) -> None:
    """Type at the end of the text."""
    await page.get_by_label("Text", exact=True).press("Control+End")
    await page.keyboard.type(text)


async def kept(page: Page, words: str) -> None:
    """Wait until the browser has it."""
    await page.wait_for_function("words => Object.values(localStorage).some((each) => each.includes(words))", arg=words)


async def test_what_was_typed_outlives_a_killed_server_and_a_lost_session(browser: Browser, server: Server) -> None:
    context = await signed_in(browser, server)
    page = await context.new_page()
    await page.goto(f"{server.origin}/write")
    await page.get_by_label("Title").fill("A text of mine")
    await write(page, "On the server.")
    await page.get_by_text("Saved ").wait_for()
    assert await page.evaluate("localStorage.length") == 0  # it lies there only until the server has it
    await server.kill()
    await write(page, " In the browser.")
    await kept(page, "In the browser.")
    await page.close(run_before_unload=False)
    await server.start()

    page = await context.new_page()
    await page.goto(f"{server.origin}/write")
    await page.get_by_text("You were writing here").wait_for()
    await page.get_by_text("kept in this browser").wait_for()
    await page.get_by_role("button", name="Use it").click()
    assert await page.get_by_label("Text", exact=True).input_value() == "On the server. In the browser."
    assert await page.get_by_label("Title").input_value() == "A text of mine"
    other = await signed_in(browser, server)  # which has what the server had
    elsewhere = await other.new_page()
    await elsewhere.goto(f"{server.origin}/drafts")
    await elsewhere.get_by_role("link", name="A text of mine").last.click()
    assert "On the server." in await elsewhere.get_by_label("Text", exact=True).input_value()
    await other.close()

    await page.get_by_text("Saved ").wait_for()
    await server.do(lambda tx: tx.run("update session set token = 'lost-' || token"))
    await write(page, " Without a session.")
    await page.get_by_text("Not saved on the server").wait_for()
    await page.goto("about:blank")
    await server.do(lambda tx: tx.run("update session set token = substr(token, 6)"))
    await _not_offered_to_another(page, server)
    await page.goto(f"{server.origin}/write")
    await page.get_by_role("button", name="Use it").click()
    text = await page.get_by_label("Text", exact=True).input_value()
    assert text == "On the server. In the browser. Without a session."
    await page.get_by_role("button", name="Publish", exact=True).click()
    await page.get_by_role("heading", name="A text of mine").wait_for()
    assert await page.evaluate("localStorage.length") == 0
    await context.close()


async def _not_offered_to_another(page: Page, server: Server) -> None:
    """Somebody else logs in with the same browser."""

    def another(tx: Tx) -> tuple[int, int]:
        login = logins.everyone(tx)[0]
        keys = keys_of("near.test", "eve")
        made = account_actions.add_account(tx, server.urls, login.id, "eve", "Eve", keys)
        mine = tx.all("select account from session")[0].account
        logins.act_as(tx, hashed(server.token), made.id)
        return mine, made.id

    mine, _ = await server.do(another)
    await page.goto(f"{server.origin}/write")
    await page.get_by_text("@eve").first.wait_for()
    assert await page.get_by_text("kept in this browser").count() == 0
    assert await page.get_by_text("You were writing here").count() == 0
    await server.do(lambda tx: logins.act_as(tx, hashed(server.token), mine))


async def test_two_pages_of_one_draft_notice_each_other(browser: Browser, server: Server) -> None:
    context = await signed_in(browser, server)
    mine, theirs = await context.new_page(), await context.new_page()
    await mine.goto(f"{server.origin}/write")
    await write(mine, "A draft.")
    await mine.get_by_role("button", name="Save as draft").click()
    await mine.get_by_role("link", name="A draft.").first.click()
    await mine.get_by_label("Text", exact=True).wait_for()
    await theirs.goto(mine.url)
    await write(theirs, " Theirs.")
    await theirs.get_by_text("Saved ").wait_for()
    await write(mine, " Mine.")
    await mine.get_by_role("button", name="Look at both").click()
    await mine.get_by_role("heading", name="Saved elsewhere at").wait_for()
    assert await mine.get_by_label("The other version").input_value() == "A draft. Theirs."
    assert await mine.get_by_label("Text", exact=True).input_value() == "A draft. Mine."
    await mine.get_by_role("button", name="Keep mine").click()
    await mine.get_by_role("heading", name="Drafts").wait_for()
    await theirs.get_by_role("button", name="Publish", exact=True).click()
    await theirs.get_by_role("button", name="Take the other").click()
    assert await theirs.get_by_label("Text", exact=True).input_value() == "A draft. Mine."
    assert await theirs.get_by_label("Yours").input_value() == "A draft. Theirs."
    await context.close()


async def test_pictures_are_pasted_dropped_and_described(browser: Browser, server: Server) -> None:
    context = await signed_in(browser, server)
    page = await context.new_page()
    await page.goto(f"{server.origin}/write")
    text = page.get_by_label("Text", exact=True)
    await write(page, "Before")
    for kind, name, init in (("paste", "a.png", "clipboardData"), ("drop", "b.png", "dataTransfer")):
        data = await page.evaluate_handle(DATA, [name, base64.b64encode(picture()).decode()])
        await text.evaluate(
            "(field, [kind, init, data]) => field.dispatchEvent(new ({paste: ClipboardEvent, drop: DragEvent})[kind]("
            "kind, {[init]: data, bubbles: true, cancelable: true}))",
            [kind, init, data],
        )
        await page.wait_for_function(
            "n => document.querySelectorAll('.text-pictures li').length === n", arg=1 + (kind == "drop")
        )
    assert await page.locator(".nag:visible").count() == 2
    for n, told in enumerate(("A teal square", "Another")):
        await page.locator(".text-pictures").get_by_label("Description").nth(n).fill(told)
    await page.locator(".text-pictures").get_by_label("Caption").first.fill("The afternoon’s result.")
    assert await page.locator(".nag:visible").count() == 0
    assert "![A teal square](/media/" in await text.input_value()
    await page.get_by_role("link", name="Take one of your pictures").click()
    await page.locator("dialog .own button").first.click()
    assert (await text.input_value()).count("/media/") == 3
    before = await text.input_value()
    await text.evaluate(
        """(field) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["x"], "a.txt", { type: "text/plain" }));
          field.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }"""
    )
    await page.get_by_role("alert").get_by_text("a.txt").wait_for()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Picture", exact=True).click()
    await (await chooser.value).set_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"No picture"})
    assert await page.get_by_role("alert").all_inner_texts() == [
        "notes.txt\nThis is not a picture that can be shown here. Use JPEG, PNG, GIF, WebP or AVIF."
    ]
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Picture", exact=True).click()
    await (await chooser.value).set_files({"name": "big.jpg", "mimeType": "image/jpeg", "buffer": bytes(16_000_001)})
    await page.get_by_role("alert").get_by_text("16 MB").wait_for()
    assert await text.input_value() == before
    await page.get_by_role("button", name="Publish", exact=True).click()
    await page.get_by_alt_text("A teal square").wait_for()
    await page.get_by_text("The afternoon’s result.").wait_for()

    await page.goto(f"{server.origin}/settings/pages/new")  # a page that stands by itself is written in the same way
    await page.get_by_label("Title", exact=True).fill("My walks")
    await page.get_by_label("Title", exact=True).press("Enter")
    assert await page.evaluate("document.activeElement.id") == "source"
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Picture", exact=True).click()
    await (await chooser.value).set_files({"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    await page.locator(".text-pictures").get_by_label("Description").fill("A map")
    await page.get_by_role("button", name="Publish").click()
    await page.goto(f"{server.origin}/my-walks")
    await page.get_by_alt_text("A map").wait_for()
    await context.close()


async def test_markdown_by_toolbar_and_keys(browser: Browser, server: Server) -> None:
    context = await signed_in(browser, server)
    page = await context.new_page()
    await page.goto(f"{server.origin}/write")
    text = page.get_by_label("Text", exact=True)
    await write(page, "words")
    await text.select_text()
    await page.keyboard.press("Control+b")
    assert await text.input_value() == "**words**"
    await page.keyboard.press("Control+z")
    assert await text.input_value() == "words"
    await text.select_text()
    await page.get_by_role("button", name="Quotation").click()
    await page.get_by_role("button", name="Table").click()
    assert await text.input_value() == "> words\n\n| Column | Column |\n|---|---|\n|  |  |\n"
    await page.locator("#visibility").select_option("direct")
    await text.fill("@ife Hello")
    await page.locator("#visibility").select_option("direct")
    await page.get_by_role("button", name="Send to @ife", exact=True).wait_for()
    await page.locator(".when summary").click()
    await page.get_by_label("Publish at").fill("2090-01-01T07:30")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Publish later", exact=True).wait_for()
    await context.close()


async def test_two_tabs_write_as_two_accounts(browser: Browser, server: Server) -> None:
    """A tab goes on as who it says, whomever another has switched to."""

    def another(tx: Tx) -> None:
        login = logins.everyone(tx)[0]
        account_actions.add_account(tx, server.urls, login.id, "boat", "The Boat", keys_of("near.test", "eve"))

    await server.do(another)
    context = await signed_in(browser, server)
    mine, theirs = await context.new_page(), await context.new_page()
    await mine.goto(f"{server.origin}/write")
    await write(mine, "Begun by Ann.")
    await theirs.goto(f"{server.origin}/stream")
    await theirs.get_by_role("button", name="Menu of your account").click()
    await theirs.get_by_role("navigation", name="@ann").get_by_role("button", name="Act as @boat").click()
    await theirs.get_by_text("You act as another account now").wait_for()
    await theirs.goto(f"{server.origin}/write")
    await theirs.get_by_text("Writing as @boat").wait_for()
    assert await theirs.get_by_label("Text", exact=True).input_value() == ""
    await write(theirs, "By the boat.")
    await mine.get_by_text("Writing as @ann").wait_for()
    await write(mine, " Done by Ann.")
    for page, said in ((mine, "Done by Ann."), (theirs, "By the boat.")):
        await page.get_by_text("Saved ").wait_for()
        await page.get_by_role("button", name="Publish", exact=True).click()
        await page.locator("article", has_text=said).first.wait_for()
    visitor = await browser.new_page()
    for handle, said, not_said in (
        ("ann", "Begun by Ann. Done by Ann.", "By the boat."),
        ("boat", "By the boat.", "Ann."),
    ):
        await visitor.goto(f"{server.origin}/@{handle}")
        await visitor.get_by_text(said).first.wait_for()
        assert await visitor.get_by_text(not_said).count() == 0
    await visitor.close()
    await context.close()
