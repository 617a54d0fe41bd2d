"""Set-up, log in, log out, and what a session and a form must prove."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.routing import Route

from fediblog.actions import account_actions
from fediblog.app import create_app
from fediblog.domain.accounts import Account
from fediblog.federation.keyring import make_keys
from fediblog.federation.site import open_site
from fediblog.passwords import hash_password
from fediblog.settings import Settings
from fediblog.store.people import logins, server_state
from fediblog.store.tx import Tx
from fediblog.web import pages
from fediblog.web.sessions import hashed
from tests.conftest import Clock
from tests.web.pages.conftest import PASSWORD, TOKEN, Blog, Browser

COOKIE = "__Host-session"
FILLED = {
    "token": TOKEN,
    "name": "Carol",
    "handle": "@carol",
    "display": "Carol",
    "password": PASSWORD,
    "password-again": PASSWORD,
}


async def test_set_up_works_once(new_blog: Browser) -> None:
    assert (await new_blog.get("/")).status_code == 200
    assert (await new_blog.get("/setup")).status_code == 404
    assert (await new_blog.get("/setup?token=wrong")).status_code == 404
    page = await new_blog.get(f"/setup?token={TOKEN}")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "private, no-store"
    done = await new_blog.post("/setup", FILLED | {"title": "Forest days", "tagline": "Walks & what I saw"})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    welcome = await new_blog.get("/")
    assert "Your blog is ready" in welcome.text
    home = await new_blog.get("/")
    assert "Your blog is ready" not in home.text
    assert '<h1><bdi>Forest days</bdi></h1><p class="tagline"><bdi>Walks &amp; what I saw</bdi></p>' in home.text
    for step in re.findall(r'<li><a href="([^"]+)">', home.text.split("First steps")[1].split("</ul>")[0]):
        assert (await new_blog.get(step)).status_code == 200
    assert '<a class="button primary" href="/write">Write your first article</a>' in home.text
    assert "go-live" not in home.text  # it has its address
    assert (await new_blog.get(f"/setup?token={TOKEN}")).status_code == 404
    assert (await new_blog.post("/setup", FILLED)).status_code == 404
    refused = [await new_blog.get("/setup?token=guessed") for _ in range(25)][-1]
    for answer in (refused, await new_blog.post("/setup", FILLED)):
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
    assert (await new_blog.get("/@carol")).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"password": "short", "password-again": "short"}, "At least 10 characters"),
        ({"password-again": "something else"}, "not the same"),
        ({"handle": "not a handle"}, "A handle has"),
        ({"handle": "instance"}, "kept for the server"),
        ({"name": "ü"}, "A login name has"),
    ],
)
async def test_set_up_says_what_is_wrong_and_keeps_the_rest(
    new_blog: Browser, wrong: dict[str, str], message: str
) -> None:
    answer = await new_blog.post("/setup", FILLED | wrong)
    assert answer.status_code == 422
    assert message in answer.text
    assert 'value="Carol"' in answer.text
    assert PASSWORD not in answer.text
    assert (await new_blog.get(f"/setup?token={TOKEN}")).status_code == 200  # not used up


async def test_a_trial_tells_its_owner_how_it_becomes_the_real_blog(tmp_path: Path) -> None:
    site = await open_site(Settings(data=tmp_path / "data", origin="http://127.0.0.1:8080"), clock=Clock())
    await site.db.write(server_state.put, account_actions.SETUP_TOKEN, hashed(TOKEN))
    owner, visitor = (Browser(site, create_app(site)) for _ in range(2))
    assert (await owner.post("/setup", FILLED)).status_code == 303
    command = "fediblog go-live --origin https://blog.example"
    home = (await owner.get("/")).text
    assert command in re.sub("</?span>", "", home)
    assert "<span>go-live</span> <span>--origin</span>" in home  # breaks between words alone
    assert "go-live" not in (await owner.get("/?show=notes")).text
    home = (await visitor.get("/")).text
    assert "go-live" not in home
    option = f"user password NAME --data {tmp_path}/data"
    assert option in re.sub("</?span>", "", (await visitor.get("/login")).text)
    assert "Write your first article" not in home
    await site.close()


async def test_set_up_says_all_that_is_wrong_at_once(new_blog: Browser) -> None:
    wrong = {"name": "ü", "handle": "instance", "password": "short", "password-again": "other"}
    answer = await new_blog.post("/setup", FILLED | wrong | {"title": "Forest days"})
    assert 'value="Forest days"' in answer.text
    assert answer.text.count('class="problem"') == 4
    assert re.findall(r'id="([a-z-]+)"[^>]* autofocus', answer.text) == ["handle"]  # the first of the page
    for message in ("A login name has", "kept for the server", "At least 10 characters", "not the same"):
        assert message in answer.text
    assert 'value="instance"' in answer.text
    assert "short" not in answer.text
    assert " novalidate" in answer.text  # a browser would stop at the first field that is empty


async def test_log_in_and_out(blog: Blog) -> None:
    browser = blog.browser()
    await browser.get("/login")
    answer = await browser.post("/login", {"name": "Alice", "password": PASSWORD, "next": "/people?show=muted"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/people?show=muted")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    await browser.get("/stream")
    token = browser.http.cookies[COOKIE]
    out = await browser.post("/logout")
    assert out.status_code == 303
    assert COOKIE not in browser.http.cookies
    assert await blog.site.db.read(logins.session, hashed(token)) is None
    browser.http.cookies.set(COOKIE, token, domain="blog.test")
    assert (await browser.get("/stream")).status_code == 303


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(blog: Blog) -> None:
    browser = blog.browser()
    wrong = await browser.post("/login", {"name": "alice", "password": "x"})
    unknown = await browser.post("/login", {"name": "nobody", "password": "x"})
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text.replace("alice", "nobody") == unknown.text
    assert COOKIE not in browser.http.cookies


async def test_log_in_makes_a_new_token(blog: Blog) -> None:
    browser = blog.browser()
    browser.http.cookies.set(COOKIE, "chosen-by-somebody-else", domain="blog.test")
    await browser.log_in()
    first = browser.http.cookies[COOKIE]
    assert first != "chosen-by-somebody-else"
    await browser.log_in()
    assert browser.http.cookies[COOKIE] != first
    assert await blog.site.db.read(logins.session, hashed(first)) is None


@pytest.mark.slow
async def test_guessing_is_slowed_down_by_name_and_by_address(blog: Blog) -> None:
    guesser = blog.browser("203.0.113.9")
    answers = [(await guesser.post("/login", {"name": "alice", "password": "x"})).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    refused = await blog.browser("203.0.113.10").log_in()  # from elsewhere, but the same name
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    for i in range(9):
        await guesser.post("/login", {"name": f"other{i}", "password": "x"})
    assert (await guesser.post("/login", {"name": "another", "password": "x"})).status_code == 429
    blog.clock.forward(minutes=10)
    owner = await blog.owner()
    typed = {"old": "x", "password": "another long one", "password-again": "another long one"}
    changes = [await owner.post("/settings/password", typed) for _ in range(11)]
    assert [answer.status_code for answer in changes] == [422] * 10 + [429]
    assert int(changes[-1].headers["retry-after"]) > 0


async def test_sessions_slide_and_end(blog: Blog) -> None:
    owner = await blog.owner()
    for _ in range(4):
        blog.clock.forward(days=20)
        answer = await owner.get("/stream")
        assert answer.status_code == 200
        assert "Max-Age=2592000" in answer.headers["set-cookie"]
    assert "set-cookie" not in (await owner.get("/stream")).headers
    blog.clock.forward(days=31)
    assert (await owner.get("/stream")).status_code == 303


async def test_forms_from_elsewhere_do_nothing(blog: Blog) -> None:
    owner = await blog.owner()
    written = {"source": "By somebody else", "do": "publish"}
    foreign: list[dict[str, str]] = [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://blog.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ]
    for headers in foreign:
        assert (await owner.post("/write", written, headers=headers)).status_code == 403
        assert (await owner.post("/login", {"name": "alice", "password": PASSWORD}, headers=headers)).status_code == 403
    owner.csrf = "wrong"
    assert (await owner.post("/write", written)).status_code == 403
    assert (await owner.http.post("/write", json=written)).status_code == 415
    assert "By somebody else" not in (await blog.browser().get("/")).text


@pytest.mark.parametrize(
    "route", [route for route in pages.ROUTES if isinstance(route, Route)], ids=lambda route: route.path
)
async def test_every_form_needs_a_session_and_its_token(blog: Blog, route: Route) -> None:
    if (
        route.methods is None
        or "POST" not in route.methods
        or route.path.startswith(("/login", "/setup", "/report", "/invited"))
    ):
        return
    address = route.path.replace("{n:number}", "12345")
    assert (await blog.browser().post(address)).status_code == 403
    owner = await blog.owner()
    owner.csrf = ""
    assert (await owner.post(address)).status_code == 403


async def test_only_the_owner_looks_after_the_server(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(lambda tx: tx.run("update login set role = 'member'"))
    for address in ("/moderation", "/refusals"):
        assert (await owner.get(address)).status_code == 403
    assert (await owner.post("/moderation/block", {"host": "x.example"})).status_code == 403


async def test_another_password_ends_other_sessions(blog: Blog) -> None:
    owner, elsewhere = await blog.owner(), await blog.owner()
    fresh = {"password": "another long one", "password-again": "another long one"}
    assert (await owner.post("/settings/password", {"old": "wrong", **fresh})).status_code == 422
    assert (await owner.post("/settings/password", {"old": PASSWORD, **fresh})).status_code == 303
    assert (await owner.get("/settings")).status_code == 200
    assert (await elsewhere.get("/settings")).status_code == 303
    assert (await blog.browser().log_in()).status_code == 422
    assert (await blog.browser().log_in(password="another long one")).status_code == 303


async def test_acting_as_another_account(blog: Blog) -> None:
    owner = await blog.owner()
    made = await owner.post("/settings/accounts", {"handle": "boat", "display": "The Boat"})
    assert made.status_code == 303
    assert "@boat@blog.test" in (await owner.get("/settings")).text
    await owner.post("/write", {"source": "By the boat", "do": "publish"})
    assert "By the boat" in (await owner.get("/@boat")).text
    answer = await owner.post("/session/account", {"account": str(blog.alice.id), "next": "//evil.example"})
    assert answer.headers["location"] == "/stream"
    await owner.get("/write")  # a form acts as the account that it was made for
    await owner.post("/write", {"source": "By Alice", "do": "publish"})
    assert "By Alice" in (await owner.get("/@alice")).text
    bob = await blog.stranger()
    assert (await owner.post("/session/account", {"account": str(bob.id)})).status_code == 404


async def test_who_is_kept_out_or_suspended_reads_why_and_what_is_left(blog: Blog) -> None:
    """Only with the right password; and a suspended person makes no new account instead."""
    keys, word = make_keys(), hash_password(PASSWORD)

    def join(tx: Tx) -> Account:
        login = account_actions.add_login(tx, "bo", word)
        return account_actions.add_account(tx, blog.site.urls, login.id, "bo", "Bo", keys)

    bo = await blog.site.db.write(join)
    owner, browser, path = await blog.owner(), blog.browser("203.0.113.5"), f"/moderation/account/{bo.id}"
    await owner.post(path, {"do": "disable", "reason": "Ten spam posts."})
    wrong = await browser.post("/login", {"name": "bo", "password": "something else"})
    assert ("Ten spam posts." in wrong.text, wrong.status_code) == (False, 422)
    told = await browser.post("/login", {"name": "bo", "password": PASSWORD})
    assert ("Ten spam posts." in told.text, told.status_code, "set-cookie" in told.headers) == (True, 422, False)
    await owner.post(path, {"do": "enable"})
    await owner.post(path, {"do": "suspend", "reason": "Rude <b>again</b>"})
    answer = await browser.post("/login", {"name": "bo", "password": PASSWORD})
    assert answer.headers["location"] == "/new-account"
    page = (await browser.get("/new-account")).text
    assert "Rude &lt;b&gt;again" in page
    assert 'name="handle"' not in page
    refused = await browser.post("/new-account", {"handle": "bo2", "display": "Bo"})
    assert refused.status_code == 403
    assert (await browser.get("/stream")).headers["location"] == "/new-account"
    await owner.post(path, {"do": "restore"})
    assert (await browser.get("/stream")).status_code == 200
