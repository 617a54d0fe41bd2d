"""Every page in a real browser, narrow and light, wide and dark: usable by everybody, and nothing asked of others."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import Browser

from fediblog.app import ROUTES
from fediblog.domain.blog import LOOKS
from fediblog.domain.documents import Actor, Note, Visibility
from fediblog.markup.clean import clean
from fediblog.prepare import relation_csv
from fediblog.store.people import blog_settings
from fediblog.store.posts import post_writing
from fediblog.store.posts.post_columns import Placement
from fediblog.store.readers import spam_waves
from fediblog.store.tx import Tx
from fediblog.web.pages import ROUTES as PAGES
from tests.peers.node import require_node
from tests.remote_accounts import save_remote
from tests.web.furnished import PASSWORD, Furnished, serve_furnished
from tests.web.screens import AXE, DESK, HEIGHT, PHONE, Screen, Window, open_window, start_chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
NO_PAGES = {"/favicon.ico", "/look.css", "/me", "/authorize_interaction", "/stream/new"}  # files, and what leads on
NO_PAGES |= {
    "/manifest.webmanifest",
    "/moderation/blocks.csv",
    *(f"/people/{name}" for name in relation_csv.FILES.values()),
    "/people/import/{n:number}/unused.csv",
}
MADE_HERE = {"/settings/security/passkeys/{n:number}"}  # whose owner does not log in by the password alone
STYLE_AND_MARKUP = 60_000  # bytes of an article, before pictures, fonts and comments
MAIN = ("/", "main", "/@ann")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def blog(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Furnished]:
    require_node(AXE)
    async with serve_furnished(tmp_path_factory.mktemp("furnished")) as blog:
        yield blog


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with start_chromium() as browser:
        yield browser


def main_pages(blog: Furnished) -> list[str]:
    return [blog.path(each) if each in blog.posts else each for each in MAIN]


async def faults(window: Window, paths: list[str], *screens: Screen) -> dict[str, list[str]]:
    found = {}
    for path in paths:
        await window.open(path)
        found[path] = await window.faults(*screens)
    return {path: each for path, each in found.items() if each}


async def test_no_page_is_left_out(blog: Furnished) -> None:
    pages = {each.path for each in [*PAGES, ROUTES[-1]] if "GET" in (getattr(each, "methods", None) or ())}  # type: ignore[attr-defined]
    feeds = {each for each in pages if each.endswith("/feed.{format:feed}")}
    assert pages - feeds - NO_PAGES - MADE_HERE == {route for routes in blog.pages.values() for route in routes}


@pytest.mark.parametrize("who", ["", "kim", "ann"], ids=["nobody", "newcomer", "owner"])
async def test_everybody_can_use_every_page(blog: Furnished, browser: Browser, who: str) -> None:
    window = await open_window(browser, blog, who)
    paths = [path for each in blog.pages[who].values() for path in each]
    assert await faults(window, paths, PHONE, DESK) == {}
    await window.page.context.close()


async def test_everybody_can_use_every_look(blog: Furnished, browser: Browser) -> None:
    window, found = await open_window(browser, blog), {}
    usual = await blog.site.db.read(blog_settings.get)
    for look in LOOKS[1:]:
        await blog.site.db.write(blog_settings.put, replace(usual, look=look))
        found[look] = await faults(window, main_pages(blog), PHONE, DESK)
    await blog.site.db.write(blog_settings.put, usual)
    assert {look: each for look, each in found.items() if each} == {}
    await window.page.context.close()


async def test_what_has_just_been_made_can_be_read_and_copied(blog: Furnished, browser: Browser) -> None:
    window = await open_window(browser, blog, "ann")
    await window.open("/moderation/people")
    await window.page.get_by_role("button", name="Make a link").click()
    made = window.page.locator(".flash .code-shown")
    await made.wait_for()
    assert await made.evaluate("each => getComputedStyle(each).userSelect") == "all"
    assert await window.page.get_by_role("button", name="Copy").is_visible()
    await window.prepare()
    assert await window.faults(PHONE, DESK) == []
    await window.page.context.close()


async def test_times_are_in_the_zone_of_the_reader_and_worded_alike(blog: Furnished, browser: Browser) -> None:
    """In lists as on the page of the post; who has no script has the zone of the blog."""
    window = await open_window(browser, blog, timezone_id="Pacific/Kiritimati")
    said = {}
    for path, kind in (("/", "data-day"), (blog.path("main"), "data-moment")):
        await window.open(path)
        times = window.page.locator(f"time.dt-published[{kind}]")
        said[kind] = await times.evaluate_all("all => all.map(each => [each.dateTime, each.textContent])")
    days, [(at, moment)] = dict(said["data-day"]), said["data-moment"][:1]
    assert moment.startswith(f"{days[at]}, ")
    there = datetime.fromisoformat(at).astimezone(ZoneInfo("Pacific/Kiritimati"))
    assert moment == f"{there.day} {there:%B %Y, %H:%M}"
    await window.page.context.close()


async def test_text_of_twice_the_size_fits(blog: Furnished, browser: Browser) -> None:
    wide = {}
    for who in ("", "ann"):
        window = await open_window(browser, blog, who)
        await window.enlarge_text(200)
        for path in [path for each in blog.pages[who].values() for path in each]:
            await window.open(path)
            for screen in (PHONE, DESK):
                await window.page.set_viewport_size({"width": screen.width, "height": HEIGHT})
                if overhang := await window.overhang():
                    wide[path, screen.width] = overhang
        assert await window.page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        await window.page.context.close()
    assert wide == {}


async def test_all_can_be_read_without_javascript(blog: Furnished, browser: Browser) -> None:
    """From the home to an article, its comments, its tag and category, the archive, what is found, and back."""
    size = {"width": PHONE.width, "height": HEIGHT}
    window = await open_window(browser, blog, java_script_enabled=False, viewport=size)
    page, title = window.page, "Five networks and one filing system"
    await page.goto(blog.site.urls.origin)
    await page.get_by_role("link", name=title).click()
    await page.get_by_role("heading", name=title).wait_for()
    await page.get_by_text("Then mine is mostly biscuits.").wait_for()
    menu = page.locator("#menu")
    await page.locator("[popovertarget=menu]").click()
    await menu.wait_for(state="visible")
    await page.keyboard.press("Escape")
    await menu.wait_for(state="hidden")
    await page.locator("[popovertarget=menu]").click()
    await page.mouse.click(5, HEIGHT - 5)
    await menu.wait_for(state="hidden")
    for name in ("#catalogues", title, "Desk life", "The window seat"):
        await page.get_by_role("main").get_by_role("link", name=name).first.click()
        await page.get_by_role("heading", name=name).first.wait_for()
    for name in ("Archive", "October", title):
        await page.locator("main, footer").get_by_role("link", name=name).first.click()
    await page.goto(f"{window.origin}/search")
    await page.get_by_role("searchbox").first.fill("weeding")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="What I learned from weeding").click()
    await page.goto(window.origin + blog.path("ending"))
    assert not await page.get_by_text("gardener").is_visible()
    await page.locator("summary", has_text="Tells the end of a novel").click()
    await page.get_by_text("gardener").wait_for()
    assert window.complaints == []
    await page.context.close()


async def test_a_passkey_lets_in_on_a_telephone(blog: Furnished, browser: Browser) -> None:
    """Made, used alone and as the second step, and removed; each page on the way is for everybody."""
    window = await open_window(browser, blog, "ravi", viewport={"width": PHONE.width, "height": HEIGHT})
    page, security = window.page, "/settings/security"
    debugger = await page.context.new_cdp_session(page)
    await debugger.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    await debugger.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    found: dict[str, list[str]] = {}

    async def look(name: str) -> None:
        await window.prepare()
        found[name] = await window.faults(PHONE, DESK)

    async def log_out() -> None:
        await page.goto(window.origin + security)
        await page.get_by_role("button", name="Menu of your account").click()
        await page.get_by_role("button", name="Log out", exact=True).last.click()
        await page.goto(f"{window.origin}/login?next={security}")

    await window.open(f"{security}/passkeys")
    await page.get_by_label("Name of the passkey").fill("Ravi's telephone")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_text("Write these codes down").wait_for()
    await look("recovery codes")
    for path in ("", "/passkeys", "/recovery-codes", "/authenticator"):
        await window.open(security + path)
        await look(path)
    await page.goto(f"{window.origin}{security}/passkeys")
    await page.get_by_role("link", name="Change Ravi's telephone").click()
    await look("passkey")
    await log_out()
    await look("log in")
    await page.get_by_role("button", name="Log in with a passkey").click()
    await page.get_by_role("heading", name="Where you are logged in").wait_for()
    await log_out()
    await page.fill("#name", "ravi")
    await page.fill("#password", PASSWORD)
    await page.click("main button.primary")
    await page.get_by_text("Now show that it is you").wait_for()
    await look("second step")
    await page.get_by_role("button", name="Use a passkey instead of a code").click()
    await page.get_by_role("heading", name="Where you are logged in").wait_for()
    await page.goto(f"{window.origin}{security}/passkeys")
    await page.get_by_role("link", name="Change Ravi's telephone").click()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Use a passkey instead of a code").click()
    await page.get_by_text("The passkey is removed.").wait_for()
    assert {name: each for name, each in found.items() if each} == {}
    await page.context.close()


async def test_pages_are_light(blog: Furnished, browser: Browser) -> None:
    """The main pages on a phone, before somebody scrolls: bytes, requests, nodes, and room kept for each picture."""
    window = await open_window(browser, blog, viewport={"width": PHONE.width, "height": HEIGHT}, device_scale_factor=2)
    for path in main_pages(blog):
        await window.open(path)
        loaded: dict[str, int] = await window.page.evaluate(_LOADED)
        fonts = {name: size for name, size in loaded.items() if name.endswith(".woff2")}
        pictures = {name: size for name, size in loaded.items() if "/media/" in name}
        assert sum(loaded.values()) - sum(fonts.values()) - sum(pictures.values()) < 90_000, loaded
        assert sum(fonts.values()) < 150_000, fonts
        assert max(pictures.values(), default=0) < 150_000, pictures
        assert len(loaded) < 25, loaded
        assert await window.page.evaluate("document.querySelectorAll('*').length") < 900, path
        assert await window.page.evaluate(_WITHOUT_ROOM) == [], path
    await window.page.context.close()


@pytest.mark.parametrize(("screen", "density"), [(PHONE, 2), (DESK, 1), (DESK, 2)])
async def test_a_list_loads_pictures_as_large_as_their_boxes(
    blog: Furnished, browser: Browser, screen: Screen, density: int
) -> None:
    size = {"width": screen.width, "height": HEIGHT}
    window = await open_window(browser, blog, viewport=size, device_scale_factor=density)
    found, count = {}, 0
    for path in ("/", "/tags/desklife", "/category/desk-life", "/@ann"):
        await window.open(path)
        pictures = await window.page.evaluate(_PICTURES)
        count += len(pictures)
        found[path] = [each for each in pictures if each["width"] > 2.1 * each["box"] or not each["sized"]]
    assert {path: each for path, each in found.items() if each} == {}
    assert count > 8
    await window.page.context.close()


async def test_an_article_is_light(blog: Furnished, browser: Browser) -> None:
    window = await open_window(browser, blog)
    path = blog.path("main")
    await window.open(path)
    sheets = [each for each in window.asked if each.endswith(".css") or ".css?" in each]
    texts = [await (await window.page.request.get(each)).text() for each in (window.origin + path, *sheets)]
    texts[0] = re.sub(r'<section[^>]* id="comments".*?</section>', "", texts[0], flags=re.DOTALL)
    assert len(sheets) >= 1
    assert sum(len(each.encode()) for each in texts) < STYLE_AND_MARKUP
    await window.page.context.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_a_reader_acts_on_a_post_where_it_stands(blog: Furnished, browser: Browser, script: bool) -> None:
    """Likes, keeps, reacts to and answers a post, and is at that post afterwards; with a script no page is loaded."""
    size = {"width": DESK.width, "height": HEIGHT}
    window = await open_window(browser, blog, "ann", java_script_enabled=script, viewport=size)
    page, post = window.page, blog.posts["tea"].id
    loaded: list[str] = []
    page.on("request", lambda each: loaded.append(each.url) if each.is_navigation_request() else None)
    await window.open("/stream")
    foot = page.locator(f"#p{post} footer.actions")
    loaded.clear()
    for name, undone in (("Like", "Take the like back"), ("Bookmark", "Remove the bookmark")):
        await foot.get_by_role("button", name=name, exact=True).click()
        await foot.get_by_role("button", name=undone).wait_for()
    await foot.locator("summary", has_text="React with an emoji").click()
    await foot.get_by_role("button", name="🎉").click()
    await foot.locator("summary.react.on").wait_for()
    assert bool(loaded) is not script
    assert script or page.url.endswith(f"/stream#p{post}")
    for undone in ("Take the like back", "Remove the bookmark"):
        await foot.get_by_role("button", name=undone).click()
    await foot.get_by_role("button", name="Bookmark", exact=True).wait_for()
    await foot.locator("summary", has_text="React with an emoji").click()
    await foot.get_by_role("button", name="Take the emoji back").click()
    await foot.locator("summary.react:not(.on)").wait_for()
    await foot.get_by_role("link", name="Reply").click()
    if script:
        await _answer_in_place(window, post)
        assert loaded == []
    else:
        await page.locator("textarea[name=source]").fill("@ben@far.example Thanks")
        await page.get_by_role("button", name="Publish").click()
        await page.wait_for_url(f"**/stream#p{post}")
    assert window.complaints == []
    await page.context.close()


async def _answer_in_place(window: Window, post: int) -> None:
    """The field opens in the card; what is refused stays in it; what is sent says when it leaves."""
    card = window.page.locator(f"#p{post}")
    field = card.get_by_role("textbox")
    await field.wait_for()
    assert await field.evaluate("each => document.activeElement === each")
    await field.fill("@ben@far.example " + "x" * 100_001)
    await card.get_by_role("button", name="Reply as").click()
    await card.get_by_role("alert").wait_for()
    assert (await field.input_value()).endswith("xxx")
    assert ["422" in each for each in window.complaints] == [True], "the browser's own line about the refusal"
    window.complaints.clear()
    assert await window.faults(DESK) == []
    await field.fill("@ben@far.example Thanks, in place")
    await card.get_by_role("button", name="Reply as").click()
    await card.get_by_role("status").wait_for()
    assert await field.count() == 0


async def test_a_person_is_muted_from_a_card_and_back_without_a_page(blog: Furnished, browser: Browser) -> None:
    window = await open_window(browser, blog, "ann", viewport={"width": DESK.width, "height": HEIGHT})
    page, card = window.page, window.page.locator(f"#p{blog.posts['tea'].id}")
    loaded: list[str] = []
    page.on("request", lambda each: loaded.append(each.url) if each.is_navigation_request() else None)
    await window.open("/stream")
    by_ben = page.locator("article.card:visible", has=page.locator(".byline .person", has_text="@ben@far.example"))
    before = await by_ben.count()
    assert before > 0
    loaded.clear()
    await card.locator("summary", has_text="More").click()
    await card.get_by_role("button", name="Mute Ben").click()
    await page.get_by_role("status").filter(has_text="Muted. They are not told.").wait_for()
    assert await by_ben.count() == 0
    assert await page.evaluate("() => document.activeElement.matches('article.card:not([hidden]), .folded button')")
    assert await window.faults(DESK) == []
    await page.locator(".folded").get_by_role("button", name="Unmute Ben").click()
    await page.get_by_role("status").filter(has_text="You see them again.").wait_for()
    assert await by_ben.count() == before
    assert loaded == []
    assert window.complaints == []
    await page.context.close()


async def test_a_spam_wave_is_removed_in_under_ten_clicks(blog: Furnished, browser: Browser) -> None:
    """Forty-five mentions by new accounts, without JavaScript; then taken back."""
    ann = blog.people["ann"].id

    def arrive(tx: Tx) -> list[int]:
        found = []
        for n in range(45):
            uri = f"https://wave{n % 3}.example/users/buy{n}"
            actor = Actor(uri=uri, kind="Person", handle=f"buy{n}", inbox=f"{uri}/inbox")
            author = save_remote(tx, actor, f"wave{n % 3}.example")
            note = Note(uri=f"{uri}/1", kind="Note", author=uri, content=clean(f"<p>@ann Buy number {n % 2}</p>"))
            found.append(post_writing.insert(tx, note, author, Placement(visibility=Visibility.PUBLIC)))
            post_writing.address(tx, found[-1], [(ann, "", False)])
        return found

    async def published() -> int:
        states = await blog.site.db.read(spam_waves.states, wave)
        return list(states.values()).count("published")

    wave = await blog.site.db.write(arrive)
    window = await open_window(browser, blog, "ann", java_script_enabled=False)
    main, clicks = window.page.get_by_role("main"), 0
    await window.page.goto(f"{window.origin}/stream")
    for role, name in (
        ("link", "Moderation"),
        ("link", "Spam wave"),
        ("link", "Choose all"),
        ("checkbox", "Suspend their accounts"),
        ("button", "Remove the chosen posts"),
        ("button", "Remove"),
    ):
        place = window.page.get_by_role("navigation", name="Desk") if not clicks else main
        await place.get_by_role(role, name=name, exact=name == "Remove").first.click()  # type: ignore[arg-type]
        clicks += 1
    await window.page.get_by_text("It is removed.").wait_for()
    assert (await published(), clicks < 10) == (0, True)
    await main.get_by_role("button", name="Take it back").click()
    await window.page.get_by_text("It is as it was before.").wait_for()
    assert await published() == 45
    await window.page.context.close()


async def test_keys_lead_from_post_to_post_and_can_be_switched_off(blog: Furnished, browser: Browser) -> None:
    window = await open_window(browser, blog, "ann", viewport={"width": DESK.width, "height": HEIGHT})
    page = window.page
    here = "() => document.activeElement.closest('article')?.id ?? ''"
    await page.goto(f"{window.origin}/stream")
    found = await page.evaluate("() => [...document.querySelectorAll('main article[id^=p]')].map(each => each.id)")
    for key, at in (("j", 0), ("j", 1), ("k", 0), ("j", 1)):
        await page.keyboard.press(key)
        assert await page.evaluate(here) == found[at], key
    await page.keyboard.press("n")
    await page.keyboard.type("jk?")
    assert await page.locator("textarea#source").input_value() == "jk?", "never while one types"
    await page.locator("textarea#source").fill("")
    await page.locator("h1").first.evaluate("each => document.activeElement.blur()")
    await page.keyboard.press("?")
    await page.locator("#keys-on").uncheck()
    await page.keyboard.press("Escape")
    await page.locator("#keys").wait_for(state="hidden")
    await page.reload()
    await page.keyboard.press("j")
    assert await page.evaluate(here) == ""
    await page.get_by_text("Menu of your account").locator("..").click()
    await page.get_by_role("button", name="Keys").click()
    await page.locator("#keys-on").check()
    await page.keyboard.press("Escape")
    await page.locator("#keys").wait_for(state="hidden")
    await page.evaluate("() => document.activeElement.blur()")
    await page.keyboard.press("g")
    await page.keyboard.press("l")
    await page.wait_for_url("**/letters")
    assert window.complaints == []
    await page.context.close()


_LOADED = """() => Object.fromEntries([...performance.getEntriesByType('navigation'),
  ...performance.getEntriesByType('resource')].map(each => [each.name, each.encodedBodySize]))"""
# Pictures that stand for posts: how many pixels wide what was loaded is, and its box; and whether its size is told.
_PICTURES = """() => Promise.all([...document.querySelectorAll('.thumb, .show img, .card-hero img')].map(async each => {
  each.scrollIntoView();
  if (!each.complete) await new Promise(loaded => each.addEventListener('load', loaded));
  const {width} = await createImageBitmap(await (await fetch(each.currentSrc)).blob());
  return {width, box: each.clientWidth * devicePixelRatio, sized: each.hasAttribute('width'), from: each.currentSrc};
}))"""
_WITHOUT_ROOM = """() => [...document.images].filter(each => getComputedStyle(each).aspectRatio === 'auto'
  && !(each.hasAttribute('width') && each.hasAttribute('height'))).map(each => each.src)"""
