"""An app asks to be let in: the page that asks, what it answers, and the list of those that were let in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from fediblog.actions import account_actions, oauth_grants
from fediblog.domain.accounts import Account
from fediblog.federation.keyring import make_keys
from fediblog.store.people import apps
from fediblog.store.tx import Tx
from tests.web.pages.conftest import PASSWORD, Blog, Browser
from tests.web.pages.test_accessible import Page

BACK = "https://app.example/back?kept=1"


@dataclass
class Case:
    """A blog that an app wants to use, and the browser of its owner."""

    blog: Blog
    app: oauth_grants.Registered
    browser: Browser

    def address(self, **changes: str) -> str:
        asked = {
            "client_id": self.app.app.client,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "read write:statuses",
            "state": "a b",
        }
        return f"/oauth/authorize?{urlencode({**asked, **changes})}"

    async def answer(self, address: str = "", **form: str) -> httpx.Response:
        return await self.browser.post(address or self.address(), {"answer": "allow", **form})

    async def tokens(self) -> list[apps.AccessToken]:
        login = self.blog.alice.login or 0
        return await self.blog.site.db.read(apps.tokens_of, login)


@pytest.fixture
async def case(blog: Blog) -> Case:
    redirects = (BACK, oauth_grants.OOB, "tusky://app", "http://[::1]:8080/cb")

    def add(tx: Tx) -> oauth_grants.Registered:
        return oauth_grants.register(
            tx, blog.site.urls, name="A <b>fine</b> App", redirects=redirects, scopes="read write push",
            website="https://app.example",
        )  # fmt: skip

    made = await blog.site.db.write(add)
    return Case(blog, made, await blog.owner())


def query(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def second(blog: Blog) -> Account:
    def add(tx: Tx) -> Account:
        return account_actions.add_account(
            tx, blog.site.urls, blog.alice.login or 0, "garden", "The Garden", make_keys()
        )

    return await blog.site.db.write(add)


async def test_the_page_says_who_asks_for_what_and_yes_leads_back(case: Case) -> None:
    garden = await second(case.blog)
    page = await case.browser.get(case.address().replace("/authorize?", "/authorize/?"))
    assert page.status_code == 200
    assert Page(page.text).faults() == []
    text = unescape(re.sub(r"<[^>]+>", " ", page.text))
    for words in ("A <b>fine</b> App", "https://app.example", "read all that", "make and change: posts", "The Garden"):
        assert words in text, words
    assert "be told of notices" not in text  # not asked for now
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "private, no-store"
    answer = await case.answer(account=str(garden.id))
    assert answer.headers["location"].startswith(f"{BACK}&code=")
    told = query(answer)
    assert (told["kept"], told["state"], told["iss"]) == ("1", "a b", "https://blog.test/")
    form = {
        "grant_type": "authorization_code",
        "code": told["code"],
        "redirect_uri": BACK,
        "client_id": case.app.app.client,
        "client_secret": case.app.secret,
    }
    token = (await case.browser.http.post("/oauth/token", data=form)).json()
    assert token["scope"] == "read write:statuses"
    assert [(each.account, each.app_name) for each in await case.tokens()] == [(garden.id, "A <b>fine</b> App")]
    # The list of apps shows it, and takes it back; nobody else's can be.
    number = (await case.tokens())[0].id
    page = await case.browser.get("/settings/apps")
    assert Page(page.text).faults() == []
    assert "@garden" in page.text
    assert "never used" in page.text
    assert (await case.browser.post("/settings/apps", {"token": str(number + 1)})).status_code == 404
    assert (await case.browser.post("/settings/apps", {"token": str(number)})).status_code == 303
    assert await case.tokens() == []
    assert "Taken back." in (await case.browser.get("/settings/apps")).text


async def test_no_and_what_the_app_does_wrong_is_told_to_the_app(case: Case) -> None:
    await case.browser.get(case.address())
    told = query(await case.answer(answer="deny"))
    assert (told["error"], told["state"], told["kept"]) == ("access_denied", "a b", "1")
    assert query(await case.answer(answer="nonsense"))["error"] == "access_denied"
    for error, wrong in (
        ("unsupported_response_type", {"response_type": "token"}),
        ("invalid_scope", {"scope": "follow"}),
        ("invalid_scope", {"scope": "read nonsense"}),
        ("invalid_request", {"code_challenge": "x" * 43, "code_challenge_method": "plain"}),
        ("invalid_request", {"response_mode": "fragment"}),
    ):
        address = case.address(**wrong)
        for answer in (await case.browser.get(address), await case.answer(address)):
            told = query(answer)
            assert answer.headers["location"].startswith(BACK)
            assert (told["error"], told["state"]) == (error, "a b"), wrong
            assert "code" not in told


async def test_nothing_is_sent_to_an_address_that_is_not_the_apps(case: Case) -> None:
    for wrong in (
        {"redirect_uri": f"{BACK}&more=1"},
        {"redirect_uri": "https://app.example/back"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": BACK.replace("https", "http")},
        {"redirect_uri": ""},
        {"client_id": "nobody"},
        {"client_id": ""},
    ):
        address = case.address(**wrong)
        for answer in (await case.browser.get(address), await case.answer(address)):
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "evil.example" not in answer.text
    assert await case.blog.site.db.read(lambda tx: tx.all("select code from app_code")) == []


async def test_who_has_not_signed_in_does_so_first_and_comes_back(case: Case) -> None:
    stranger = case.blog.browser()
    for address in (case.address(), case.address(response_type="token")):  # also where there is only an error to tell
        answer = await stranger.get(address)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
    onward = query(await stranger.get(case.address(force_login="false", lang="de")))["next"]
    answer = await stranger.post("/login", {"name": "alice", "password": PASSWORD, "next": onward})
    assert answer.headers["location"] == case.address(force_login="false", lang="de")
    assert (await stranger.get(onward)).status_code == 200
    # Somebody else at the same browser: the session ends, and the way leads back here.
    answer = await stranger.post(onward, {"answer": "other"})
    assert query(answer)["next"] == onward
    assert (await stranger.get("/settings")).status_code == 303


async def test_an_app_may_want_the_log_in_once_more(case: Case) -> None:
    for browser in (case.browser, case.blog.browser()):  # whoever is logged in, and a stranger: once each
        answer = await browser.get(case.address(force_login="true", lang="de"))
        assert (answer.status_code, query(answer)["again"]) == (303, "1")
        form = await browser.get(answer.headers["location"])
        assert form.status_code == 200
        assert 'name="password"' in form.text
        onward = query(answer)["next"]
        before = {cookie.value for cookie in browser.http.cookies.jar}
        answer = await browser.post("/login", {"name": "alice", "password": PASSWORD, "next": onward})
        assert answer.headers["location"] == onward
        assert not before & {cookie.value for cookie in browser.http.cookies.jar}
        assert (await browser.get(onward)).status_code == 200


async def test_no_form_from_elsewhere_lets_an_app_in(case: Case) -> None:
    await case.browser.get(case.address())
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        answer = await case.browser.post(case.address(), {"answer": "allow"}, headers=headers)
        assert answer.status_code == 403, headers
    assert (await case.answer(csrf="guessed")).status_code == 403
    assert (await case.answer(account="1")).status_code == 403  # nobody's, or somebody else's
    assert (await case.blog.browser().post(case.address(), {"answer": "allow"})).status_code == 403
    assert (await case.browser.post("/settings/apps", {"token": "1", "csrf": "guessed"})).status_code == 403
    assert await case.blog.site.db.read(lambda tx: tx.all("select code from app_code")) == []


async def test_a_code_to_be_carried_over_is_shown(case: Case) -> None:
    address = case.address(redirect_uri=oauth_grants.OOB)
    page = await case.browser.get(address)
    assert "form-action 'self';" in page.headers["content-security-policy"]
    answer = await case.answer(address)
    code = query(answer)["code"]
    assert answer.headers["location"].startswith("/oauth/authorize/native?code=")
    page = await case.browser.get(answer.headers["location"])
    assert code in page.text
    assert Page(page.text).faults() == []
    for wrong in ("", "call this number", "<b>", "x" * 101):
        assert (await case.browser.get(f"/oauth/authorize/native?{urlencode({'code': wrong})}")).status_code == 404
    assert (await case.answer(address, answer="deny")).status_code == 400
    assert "form-action 'self' tusky:;" in (
        await case.browser.get(case.address(redirect_uri="tusky://app"))
    ).headers["content-security-policy"]  # fmt: skip
    assert "form-action 'self' http:;" in (
        await case.browser.get(case.address(redirect_uri="http://[::1]:8080/cb"))
    ).headers["content-security-policy"]  # fmt: skip
