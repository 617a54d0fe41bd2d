"""The second step of a log-in: nothing gets past it, each code counts once, and nothing typed is lost by it."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pyotp
import pytest
from starlette.routing import Route

from fediblog.actions import oauth_grants
from fediblog.store.people import logins, second_factors
from fediblog.store.tx import Tx
from fediblog.web import pages, second_factor, sessions
from fediblog.web.forms import is_alone
from fediblog.web.sessions import cookie_name
from tests.security.test_sessions import at
from tests.web.pages.conftest import PASSWORD, Blog, Browser

PATH = "/settings/security"
APP, CODES = f"{PATH}/authenticator", f"{PATH}/recovery-codes"


class Telephone:
    """An authenticator app that has read the secret, and the recovery codes that were shown."""

    def __init__(self, blog: Blog, secret: str, codes: list[str]) -> None:
        self.blog, self.secret, self.codes = blog, secret, codes

    def code(self, late: int = 0) -> str:
        """What it shows, by a clock that is so many steps late."""
        return pyotp.TOTP(self.secret).generate_otp(self.blog.clock() // 30_000 - late)

    def next_code(self) -> str:
        """What it shows half a minute later."""
        self.blog.clock.forward(seconds=30)
        return self.code()


def shown_secret(page: str) -> str:
    found: list[str] = re.findall(r'class="secret">([A-Z2-7 ]+)<', page)
    return found[0].replace(" ", "")


def shown_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]+)</code></li>", page)


async def set_up(blog: Blog, browser: Browser, codes_shown: int = 10, **fields: str) -> Telephone:
    page = (await browser.get(APP)).text
    secret, nonce = shown_secret(page), re.findall(r'name="nonce" value="(\w+)"', page)[0]
    code = pyotp.TOTP(secret).generate_otp(blog.clock() // 30_000)
    answer = await browser.post(APP, {"nonce": nonce, "code": code, "old": PASSWORD, **fields})
    codes = shown_codes(answer.text)
    assert (answer.status_code, len(set(codes))) == (200 if codes_shown else 303, codes_shown)
    assert answer.headers["cache-control"] == "private, no-store"
    if codes:  # which can be saved as a file
        assert f'href="data:text/plain;charset=utf-8,{"%0A".join(codes)}" download="' in answer.text
    return Telephone(blog, secret, codes)


async def half_in(blog: Blog, address: str = "192.0.2.50", **fields: str) -> Browser:
    """A browser in which the password was right."""
    browser = blog.browser(address)
    answer = await browser.post("/login", {"name": "alice", "password": PASSWORD, **fields})
    assert answer.status_code == 200
    assert "Now show that it is you" in answer.text
    return browser


async def second(browser: Browser, code: str, **fields: str) -> httpx.Response:
    return await browser.post("/login/second", {"code": code, **fields})


async def test_it_takes_password_and_code(blog: Blog) -> None:
    owner = await blog.owner()
    assert "alone lets anybody in" in (await owner.get(PATH)).text
    phone = await set_up(blog, owner)
    assert "10 recovery codes are left" in (await owner.get(PATH)).text
    browser = await half_in(blog)
    assert cookie_name(blog.site) not in browser.http.cookies
    assert (await second(browser, "000000")).status_code == 422
    answer = await second(browser, phone.next_code(), next="/people")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert (await browser.get(PATH)).status_code == 200
    assert not [name for name in browser.http.cookies if "half" in name]


async def test_the_app_is_believed_only_after_a_right_code_and_the_password(blog: Blog) -> None:
    owner = await blog.owner()
    page = (await owner.get(APP)).text
    secret, nonce = shown_secret(page), re.findall(r'name="nonce" value="(\w+)"', page)[0]
    code = pyotp.TOTP(secret).generate_otp(blog.clock() // 30_000)
    for wrong in ({"code": "123456", "old": PASSWORD}, {"code": code, "old": "not it"}, {"code": code, "old": ""}):
        answer = await owner.post(APP, {"nonce": nonce, **wrong})
        assert answer.status_code == 422
        assert shown_secret(answer.text) == secret  # what has been scanned goes on
    assert (await owner.post(APP, {"nonce": "x", "code": code, "old": PASSWORD})).status_code == 404
    assert not await blog.site.db.read(second_factors.is_on, blog.alice.login or 0)
    assert shown_secret((await owner.get(APP)).text) != secret


async def test_a_code_counts_once_and_not_for_long(blog: Blog) -> None:
    phone = await set_up(blog, await blog.owner())
    assert (await second(await half_in(blog), phone.code())).status_code == 422  # it has switched this on
    code = phone.next_code()
    assert (await second(await half_in(blog), code)).status_code == 303
    assert (await second(await half_in(blog), code)).status_code == 422
    for late, status in ((2, 422), (-2, 422), (1, 303)):
        blog.clock.forward(minutes=10)
        assert (await second(await half_in(blog), phone.code(late))).status_code == status


async def test_a_recovery_code_counts_once(blog: Blog) -> None:
    owner = await blog.owner()
    phone = await set_up(blog, owner)
    first, other = phone.codes[:2]
    assert (await second(await half_in(blog), first.upper().replace("-", " "))).status_code == 303
    assert (await second(await half_in(blog), first)).status_code == 422
    assert "9 recovery codes are left" in (await owner.get(PATH)).text
    answer = await owner.post(CODES, {"old": PASSWORD, "code": phone.next_code()})
    assert len(fresh := shown_codes(answer.text)) == 10
    assert (await second(await half_in(blog), other)).status_code == 422
    assert (await second(await half_in(blog), fresh[0])).status_code == 303


@pytest.mark.slow
async def test_codes_cannot_be_guessed(blog: Blog) -> None:
    """Ten tries for a browser that is not known, however often the password is right meanwhile."""
    phone = await set_up(blog, await blog.owner())
    known = blog.browser()
    await known.post("/login", {"name": "alice", "password": PASSWORD})
    assert (await second(known, phone.next_code())).status_code == 303
    guesser, statuses = await half_in(blog), []
    for number in range(12):
        if number % 4 == 3:
            await guesser.post("/login", {"name": "alice", "password": PASSWORD})
        statuses.append((await second(guesser, f"{number:06}")).status_code)
    assert statuses == [422] * 10 + [429] * 2
    refused = await second(guesser, phone.code(-1))
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    await known.post("/login", {"name": "alice", "password": PASSWORD, "again": "1"})
    assert (await second(known, phone.next_code())).status_code == 303  # whose owner a guesser does not keep out


async def test_half_a_log_in_opens_no_route(blog: Blog) -> None:
    post = await blog.write("Mine")
    await set_up(blog, await blog.owner())
    half, nobody = await half_in(blog), blog.browser("192.0.2.51")
    for route in (each for each in pages.ROUTES if isinstance(each, Route)):
        path = at(route.path, post)
        if "{" in path or is_alone(path) or path == "/stream/new":
            continue
        if "GET" in (route.methods or ()):
            one, other = await half.get(path), await nobody.get(path)
            assert (one.status_code, one.headers.get("location")) == (
                other.status_code,
                other.headers.get("location"),
            ), path
            assert "/logout" not in one.text, path
        elif "POST" in (route.methods or ()):
            one, other = await half.post(path, {"source": "x"}), await nobody.post(path, {"source": "x"})
            assert one.status_code == other.status_code, path
    assert (await half.get("/api/v1/accounts/verify_credentials")).status_code == 401


async def test_half_a_log_in_ends(blog: Blog) -> None:
    """With time, with another password, and in another browser there is none."""
    phone = await set_up(blog, await blog.owner())
    late, other, changed = await half_in(blog), blog.browser(), await half_in(blog)
    assert "That took too long" in (await second(other, phone.next_code())).text
    blog.clock.forward(minutes=11)
    assert "That took too long" in (await second(late, phone.code())).text
    changed = await half_in(blog)
    login = blog.alice.login or 0
    hashed = await blog.site.db.read(logins.password_hash, "alice")
    await blog.site.db.write(logins.set_password, login, f"{hashed} ")
    assert "That took too long" in (await second(changed, phone.next_code())).text
    assert await blog.site.db.read(second_factors.is_on, login)  # another password keeps the second step


async def test_no_app_gets_in_without_the_second_step(blog: Blog) -> None:
    phone = await set_up(blog, await blog.owner())

    def register(tx: Tx) -> str:
        given = {"name": "App", "redirects": ["https://app.example/back"], "scopes": "read"}
        return oauth_grants.register(tx, blog.site.urls, **given).app.client  # type: ignore[arg-type]

    client = await blog.site.db.write(register)
    asks = f"/oauth/authorize?client_id={client}&redirect_uri=https://app.example/back&response_type=code&scope=read"
    browser = await half_in(blog)
    led = await browser.get(asks)
    assert (led.status_code, led.headers["location"].startswith("/login?next=")) == (303, True)
    assert (await browser.post(asks, {"answer": "allow"})).status_code == 403
    answer = await second(browser, phone.next_code(), next=asks)
    assert answer.headers["location"] == asks
    assert "App" in (await browser.get(asks)).text
    grant = {"grant_type": "password", "username": "alice", "password": PASSWORD, "client_id": client}
    refused = await browser.http.post("/oauth/token", data=grant)
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_grant_type")


async def test_what_was_typed_goes_through_the_second_step(blog: Blog) -> None:
    phone = await set_up(blog, await blog.owner())
    browser = blog.browser()
    lost = await browser.post("/write", {"source": "Typed for an hour", "do": "publish"})
    assert lost.status_code == 403

    def carried(page: str) -> dict[str, str]:
        pairs = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page.partition("</form>")[0])
        return {unescape(name): unescape(value) for name, value in pairs}

    asked = await browser.post("/login", {**carried(lost.text), "name": "alice", "password": PASSWORD})
    assert "Now show that it is you" in asked.text
    wrong = await second(browser, "000000", **carried(asked.text))
    assert wrong.status_code == 422
    done = await second(browser, phone.next_code(), **carried(wrong.text))
    assert "Typed for an hour" in done.text
    assert 'action="/write"' in done.text
    blog.clock.forward(minutes=11)
    over = await second(blog.browser(), phone.code(), **carried(wrong.text))
    assert "Typed for an hour" in over.text  # too late, and yet not lost


async def test_switching_off_takes_password_and_code(blog: Blog) -> None:
    owner = await blog.owner()
    phone = await set_up(blog, owner)
    code = phone.next_code()
    for wrong in ({"old": "not it", "code": code}, {"old": PASSWORD, "code": "123456"}, {"old": PASSWORD}):
        assert (await owner.post(f"{APP}/end", wrong)).status_code == 422
    assert (await owner.post(f"{APP}/end", {"old": PASSWORD, "code": code})).status_code == 303
    assert (await blog.browser().log_in()).status_code == 303
    assert "Set up an authenticator app" in (await owner.get(CODES)).text
    assert (await owner.post(CODES, {"old": PASSWORD, "code": phone.next_code()})).status_code == 422
    await set_up(blog, owner)


@pytest.mark.slow
async def test_codes_cannot_be_guessed_in_a_session(blog: Blog) -> None:
    """Not by who has the password, either: another session, or another password, gives no further tries."""
    owner = await blog.owner()
    phone, statuses = await set_up(blog, owner), []
    for number in range(12):
        if number == 9:
            fields = {"old": PASSWORD, "password": PASSWORD, "password-again": PASSWORD}
            assert (await owner.post("/settings/password", fields)).status_code == 303
            await owner.get("/settings/security")
        statuses.append((await owner.post(f"{APP}/end", {"old": PASSWORD, "code": f"{number:06}"})).status_code)
    assert statuses == [422] * 10 + [429] * 2
    assert (await owner.post(f"{APP}/end", {"old": PASSWORD, "code": phone.code(-1)})).status_code == 429


async def test_secrets_are_shown_once_and_kept_nowhere(blog: Blog, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a page afterwards, not in the log, and the database has neither the secret nor the recovery codes."""
    caplog.set_level(0)
    owner = await blog.owner()
    phone = await set_up(blog, owner)
    await second(await half_in(blog), phone.codes[0])
    for path in (PATH, APP, CODES, "/settings"):
        page = (await owner.get(path)).text
        assert not [each for each in (phone.secret, *phone.codes) if each in page.replace(" ", "")]
    stored = await blog.site.db.read(
        lambda tx: [tx.all(f"select * from {name}") for name in ("authenticator", "recovery_code", "half_login")]
    )
    for each in (phone.secret, *phone.codes, *(code.replace("-", "") for code in phone.codes)):
        assert each not in f"{stored}{caplog.text}"


def test_the_secret_is_of_the_server_the_login_and_the_nonce() -> None:
    """RFC 6238, appendix B, for SHA-1 and six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert second_factor.step_of(secret, code, seconds * 1000) == seconds // 30
        assert second_factor.step_of(secret, code, (seconds + 90) * 1000) is None
    for code in ("", "28708", "2870820", "٢٨٧٠٨٢", "28 082"):
        assert second_factor.step_of(secret, code, 59_000) is None


async def test_the_password_proves_nothing_where_there_is_a_second_step(blog: Blog) -> None:
    """Also to a page that forgets to ask, or has asked a moment too early."""
    hashed, login = await blog.site.db.read(
        lambda tx: (logins.password_hash(tx, "alice") or "", logins.by_name(tx, "alice"))
    )
    assert login is not None
    proof = sessions.password_proof(login, hashed)
    assert await blog.site.db.read(proof)
    await set_up(blog, await blog.owner())
    assert not await blog.site.db.read(proof)
