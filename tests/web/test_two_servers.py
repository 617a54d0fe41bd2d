"""Ann and Ben, each on a server of their own and in a browser, meet and publish; Ben's browser runs no JavaScript."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trustme
from playwright.async_api import Browser, Page, async_playwright

from fediblog.domain.accounts import Account
from fediblog.store.engine.database import system_clock
from fediblog.store.people import logins
from fediblog.store.people.logins import Session
from fediblog.web import sessions
from tests.conftest import Clock
from tests.peers.fediblog_server import FediblogServer, serving
from tests.web.pages.test_browser import ARGUMENTS, PATIENCE, chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ZONE = ZoneInfo("Asia/Kolkata")  # of the people; the servers' is UTC


async def signed_in(browser: Browser, server: FediblogServer, account: Account, *, script: bool) -> Page:
    """A window of somebody who lives there."""
    context = await browser.new_context(ignore_https_errors=True, java_script_enabled=script, timezone_id=ZONE.key)
    context.set_default_timeout(PATIENCE)
    token, now = f"token-of-{account.handle}", server.site.clock()
    login = await server.read(logins.by_name, account.handle)
    assert login is not None
    session = Session(
        token=sessions.hashed(token),
        login=login.id,
        account=account.id,
        csrf="own-page",
        created=now,
        seen=now,
        expires=now + 86_400_000,
        agent="",
    )
    await server.site.db.write(logins.open_session, session)
    name = sessions.cookie_name(server.site)
    await context.add_cookies([{"name": name, "value": token, "url": server.origin}])
    return await context.new_page()


async def publish(page: Page, server: FediblogServer, text: str) -> None:
    await page.goto(f"{server.origin}/write")
    await page.get_by_label("Text", exact=True).fill(text)
    await page.get_by_role("button", name="Publish", exact=True).click()
    await page.get_by_text(text).first.wait_for()


async def test_two_servers_follow_answer_like_boost_and_write_letters(tmp_path: Path) -> None:
    ca, program, clock = trustme.CA(), chromium(), Clock(system_clock())
    hosts = "--host-resolver-rules=MAP *.fedi.test 127.0.0.1"
    async with (
        serving(ca, tmp_path, host="near.fedi.test", clock=clock) as near,
        serving(ca, tmp_path, host="far.fedi.test", clock=clock, take_back_seconds=0) as far,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, hosts])
        ann, ben = await near.person("ann"), await far.person("ben")
        mine = await signed_in(browser, near, ann, script=True)
        theirs = await signed_in(browser, far, ben, script=False)

        # Ann finds Ben by his handle, and follows him.
        await mine.goto(f"{near.origin}/search")
        await mine.get_by_role("searchbox").first.fill(f"@ben@{far.site.urls.host}")
        await mine.get_by_role("main").get_by_role("button", name="Search").click()
        await mine.get_by_role("heading", name="Ben").wait_for()
        await mine.get_by_role("button", name="Follow Ben", exact=True).click()
        await near.settle()
        await far.heard("Follow")
        await near.heard("Accept")
        await theirs.goto(f"{far.origin}/notices")
        await theirs.get_by_text("follows you").wait_for()
        await theirs.get_by_role("link", name="Ann").first.click()
        await theirs.get_by_role("button", name="Follow Ann", exact=True).click()
        await theirs.get_by_role("button", name="Withdraw request Ann").wait_for()
        await far.settle()
        await near.heard("Follow")
        await far.heard("Accept")

        # What Ben writes comes into her stream, where she likes, boosts and answers it.
        await publish(theirs, far, "Tea or coffee?")
        await far.settle()
        await near.heard("Create")
        await mine.goto(f"{near.origin}/stream")
        post = mine.locator("article", has_text="Tea or coffee?")
        for does, undone in (("Like", "Take the like back"), ("Boost", "Take the boost back")):
            await post.get_by_role("button", name=does, exact=True).click()
            await post.get_by_role("button", name=undone).wait_for()
        await near.settle()
        await far.heard("Like")
        await far.heard("Announce")
        await post.get_by_role("link", name="Reply").click()
        await post.get_by_label("Write a reply").press("Control+End")
        await mine.keyboard.type(" Tea.")
        before = len(far.book.entries)
        await post.get_by_role("button", name="Reply as").click()

        # Nothing of it leaves for 30 seconds, in which she takes it back; then she lets it go.
        await mine.get_by_text("until then only you see it").wait_for()
        await mine.get_by_role("button", name="Take it back").click()
        await mine.get_by_label("Text", exact=True).wait_for()
        clock.forward(seconds=60)
        await near.settle()
        assert [each for each in far.book.entries[before:] if each.method == "POST"] == []
        await mine.get_by_role("button", name="Publish").click()
        await mine.get_by_role("button", name="Take it back").first.wait_for()
        clock.forward(seconds=31)
        await near.settle()
        await far.heard("Create")

        # What she writes for later nobody reads before, and everybody afterwards.
        visitor = await (await browser.new_context(ignore_https_errors=True)).new_page()
        await mine.goto(f"{near.origin}/write")
        await mine.get_by_label("Title", exact=True).fill("At the harbour")
        await mine.get_by_label("Text", exact=True).fill("The boats are red.")
        await mine.locator(".when summary").click()
        at = datetime.fromtimestamp(clock.now // 60_000 * 60 + 3600, ZONE)
        await mine.get_by_label("Publish at").fill(f"{at:%Y-%m-%dT%H:%M}")
        await mine.keyboard.press("Escape")
        before = len(far.book.entries)
        await mine.get_by_role("button", name="Publish later", exact=True).click()
        await mine.get_by_role("heading", name="Drafts").wait_for()
        clock.forward(minutes=58)
        await near.settle()
        await visitor.goto(f"{near.origin}/@ann")
        await visitor.get_by_role("heading", name="Ann").first.wait_for()
        assert await visitor.get_by_text("At the harbour").count() == 0
        assert [each for each in far.book.entries[before:] if each.method == "POST"] == []
        clock.forward(minutes=2)
        await near.settle()
        await far.heard("Create", after=before)
        await visitor.goto(f"{near.origin}/@ann")
        await visitor.get_by_role("link", name="At the harbour").first.click()
        await visitor.get_by_role("heading", name="At the harbour", level=1).wait_for()
        assert await visitor.get_by_text("The boats are red.").count() == 1

        # She changes it, and everybody sees what.
        await mine.goto(visitor.url)
        await mine.get_by_role("link", name="Edit", exact=True).click()
        await mine.get_by_label("Text", exact=True).fill("The boats are green.")
        await mine.get_by_role("button", name="Save the changes").click()
        await mine.get_by_text("The boats are green.").wait_for()
        await near.settle()
        await far.heard("Update")
        await visitor.reload()
        await visitor.get_by_text("The boats are green.").wait_for()
        await visitor.get_by_role("link", name="edited").click()
        assert "red" in await visitor.locator("del").first.inner_text()
        assert "green" in await visitor.locator("ins").first.inner_text()

        # Ben has notices of all that; he likes and answers what came, and saves his settings.
        await theirs.goto(f"{far.origin}/notices")
        for told in ("likes your post", "boosted your post", "replied to you", "Tea."):
            await theirs.get_by_text(told).first.wait_for()
        before = len(near.book.entries)
        await theirs.goto(f"{far.origin}/stream")
        post = theirs.locator("article", has_text="At the harbour")
        await post.get_by_role("button", name="Like", exact=True).click()
        await post.get_by_role("button", name="Take the like back").wait_for()
        await post.get_by_role("link", name="Reply").click()
        await theirs.get_by_label("Text", exact=True).fill(f"@ann@{near.site.urls.host} Mine is blue.")
        await theirs.get_by_role("button", name="Publish", exact=True).click()
        await theirs.get_by_text("Mine is blue.").first.wait_for()
        await theirs.goto(f"{far.origin}/settings")
        await theirs.get_by_label("Name", exact=True).first.fill("Benjamin")
        await theirs.get_by_role("button", name="Save", exact=True).first.click()
        await theirs.get_by_text("Your profile is saved").wait_for()
        await far.settle()
        for kind in ("Like", "Create", "Update"):
            await near.heard(kind, after=before)
        await mine.goto(f"{near.origin}/notices")
        for told in ("Benjamin", "likes your post", "Mine is blue."):
            await mine.get_by_text(told).first.wait_for()

        # She writes him a letter, which is marked as one, and he answers it.
        await mine.goto(f"{near.origin}/letters")
        await mine.get_by_role("link", name="Write a letter").click()
        await mine.get_by_label("To", exact=True).fill(f"@ben@{far.site.urls.host}")
        await mine.get_by_label("Your letter").fill("Between us: cocoa.")
        before = len(far.book.entries)
        await mine.get_by_role("button", name="Send the letter").click()
        await mine.get_by_text("Between us: cocoa.").first.wait_for()
        clock.forward(seconds=31)
        await near.settle()
        await far.heard("Create", after=before)
        await theirs.goto(f"{far.origin}/letters")
        await theirs.get_by_text("Between us: cocoa.").wait_for()
        await theirs.get_by_role("link", name="Ann").first.click()
        await theirs.get_by_label("Your private answer").fill("I shall tell nobody.")
        before = len(near.book.entries)
        await theirs.get_by_role("button", name="Send to Ann").click()
        await theirs.get_by_text("I shall tell nobody.").first.wait_for()
        await far.settle()
        await near.heard("Create", after=before)
        await mine.goto(f"{near.origin}/letters")
        await mine.get_by_text("I shall tell nobody.").wait_for()
        await browser.close()
