"""Passkeys: what is believed of an answer, what one opens, and what is left when it goes."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from fediblog.store.people import logins, passkeys, second_factors
from fediblog.web import webauthn
from tests.web.pages.authenticators import PRESENT, VERIFIED, Authenticator
from tests.web.pages.conftest import ORIGIN, PASSWORD, Blog, Browser
from tests.web.pages.test_second_step import APP, CODES, half_in, second, set_up, shown_codes, shown_secret

ALL = "/settings/security/passkeys"


async def added(
    blog: Blog, owner: Browser, name: str = "My telephone", **fields: str
) -> tuple[Authenticator, list[str]]:
    """A passkey of Alice, and the recovery codes that came with it."""
    made = Authenticator(ORIGIN)
    await owner.get(ALL)
    sent = {"label": name, "old": PASSWORD, "passkey": made.make(await to_make(owner)), **fields}
    answer = await owner.post(ALL, sent)
    assert answer.status_code in (200, 303)
    return made, shown_codes(answer.text)


async def to_make(browser: Browser) -> dict[str, Any]:
    asked: dict[str, Any] = (await browser.post(f"{ALL}/ask-to-make")).json()
    return asked


async def to_sign(browser: Browser, path: str = "/login/passkey") -> dict[str, Any]:
    answer = await browser.post(path)
    assert answer.headers["cache-control"] == "private, no-store"
    asked: dict[str, Any] = answer.json()
    return asked


async def log_in(browser: Browser, answer: str, **fields: str) -> httpx.Response:
    return await browser.post("/login", {"passkey": answer, **fields})


async def test_a_passkey_logs_in_without_name_or_password(blog: Blog) -> None:
    owner = await blog.owner()
    asked = await to_make(owner)
    assert asked["rp"]["id"] == "blog.test"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert "alice" not in asked["user"]["id"]
    made, codes = await added(blog, owner)
    assert len(codes) == 10
    browser = blog.browser()
    wanted = await to_sign(browser)
    assert (wanted["allowCredentials"], wanted["userVerification"]) == ([], "required")
    answer = await log_in(browser, made.sign(wanted), next="/people")
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    page = (await browser.get(ALL)).text
    assert "My telephone" in page
    assert "last used on" in page
    assert [each["id"] for each in (await to_make(browser))["excludeCredentials"]] == [
        each.credential for each in await blog.site.db.read(passkeys.of_login, blog.alice.login or 0)
    ]


async def test_an_answer_counts_once_and_in_the_browser_that_asked(blog: Blog) -> None:
    made, _ = await added(blog, await blog.owner())
    browser, other = blog.browser(), blog.browser("192.0.2.8")
    asked = await to_sign(browser)
    assert (await log_in(other, made.sign(asked))).status_code == 422
    signed = made.sign(asked)
    assert (await log_in(browser, signed)).status_code == 303
    await browser.post("/logout")
    assert (await log_in(browser, signed)).status_code == 422
    asked = await to_sign(other)
    blog.clock.forward(minutes=6)
    assert (await log_in(other, made.sign(asked))).status_code == 422
    asked = await to_sign(other)
    assert (await log_in(other, made.sign(asked, origin="https://evil.test"))).status_code == 422
    assert (await log_in(other, made.sign(asked))).status_code == 422  # also a wrong answer uses it up


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.test"},
        {"origin": "https://blog.test.evil.test"},
        {"origin": "https://sub.blog.test"},
        {"origin": "https://blog.test:444"},
        {"origin": "http://blog.test"},
        {"crossOrigin": True},
        {"type": "webauthn.create"},
        {"challenge": "c" * 43},
        {"rp": "evil.test"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"signs": 0},
        {"signs": 1},
        {"user": "bm9ib2R5"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_wrong_answer_is_not_believed(blog: Blog, wrong: dict[str, Any]) -> None:
    made, _ = await added(blog, await blog.owner())
    browser = blog.browser()
    assert (await log_in(browser, made.sign(await to_sign(browser)))).status_code == 303
    answer = await log_in(stranger := blog.browser(), made.sign(await to_sign(stranger), **wrong))
    assert answer.status_code == 422
    assert "did not work with a passkey" in answer.text
    assert (await stranger.get(ALL)).status_code == 303


@pytest.mark.parametrize(
    "garbage", ["x", "[]", "null", '{"id": 1}', '{"id": "a", "rawId": "a"}', "[" * 9000, "{}" * 20000]
)
async def test_no_answer_makes_it_fail(blog: Blog, garbage: str) -> None:
    browser, owner = blog.browser(), await blog.owner()
    made, _ = await added(blog, owner)
    await to_sign(browser)
    assert (await log_in(browser, garbage)).status_code == 422
    await to_make(owner)
    assert (await owner.post(ALL, {"label": "x", "old": PASSWORD, "passkey": garbage})).status_code == 422
    signed = made.sign(await to_sign(browser))
    assert (await log_in(browser, signed.replace('"signature"', '"nothing"'))).status_code == 422


async def test_the_first_passkey_is_made_with_the_password_alone_and_in_this_session(blog: Blog) -> None:
    owner, other = await blog.owner(), await blog.owner()
    made = Authenticator(ORIGIN)
    for wrong in ({"flags": PRESENT}, {"origin": "https://evil.test"}, {"algorithm": -65535}, {"crossOrigin": True}):
        sent = {"label": "x", "old": PASSWORD, "passkey": made.make(await to_make(owner), **wrong)}
        assert (await owner.post(ALL, sent)).status_code == 422, wrong
    asked = await to_make(owner)
    for browser, old in ((other, PASSWORD), (owner, "not it")):
        sent = {"label": "x", "old": old, "passkey": made.make(asked)}
        assert (await browser.post(ALL, sent)).status_code == 422
    assert not await blog.site.db.read(second_factors.is_on, blog.alice.login or 0)
    assert not await blog.site.db.read(lambda tx: second_factors.recovery_codes_left(tx, blog.alice.login or 0))
    sent = {"label": "x", "old": PASSWORD, "passkey": made.make(await to_make(owner))}
    codes = shown_codes((await owner.post(ALL, sent)).text)
    assert len(codes) == 10
    again = {**sent, "passkey": made.make(await to_make(owner)), "code": codes[0]}
    assert (await owner.post(ALL, again)).status_code == 422  # it is there already


async def test_a_passkey_is_a_second_step(blog: Blog) -> None:
    """Instead of an app, or beside it; a passkey of somebody else is none."""
    owner = await blog.owner()
    made, codes = await added(blog, owner)
    browser = await half_in(blog)
    asked = await to_sign(browser, "/login/second/passkey")
    assert len(asked["allowCredentials"]) == 1
    assert (await second(browser, "", passkey=Authenticator(ORIGIN).sign(asked))).status_code == 422
    answer = await second(browser, "", passkey=made.sign(await to_sign(browser, "/login/second/passkey")))
    assert answer.status_code == 303
    assert (await second(await half_in(blog), codes[0])).status_code == 303
    assert (await blog.browser().post("/login/second/passkey")).status_code == 403
    phone = await set_up(blog, owner, codes_shown=0, **{"second-code": codes[1]})
    assert (await second(await half_in(blog), phone.next_code())).status_code == 303


async def test_a_passkey_is_named_and_removed(blog: Blog) -> None:
    """Removing takes the password and a second step; the last one takes the recovery codes with it."""
    owner = await blog.owner()
    made, codes = await added(blog, owner)
    login = blog.alice.login or 0
    [one] = await blog.site.db.read(passkeys.of_login, login)
    assert (await owner.post(f"{ALL}/{one.id}", {"label": "Desk"})).status_code == 303
    assert "Desk" in (await owner.get(f"{ALL}/{one.id}")).text
    ben = await blog.site.db.write(logins.create, "ben", "x")
    assert not await blog.site.db.write(passkeys.rename, ben.id, one.id, "Ben's")
    for wrong in ({"old": PASSWORD}, {"old": "x", "code": codes[0]}, {"old": PASSWORD, "code": "123456"}):
        assert (await owner.post(f"{ALL}/{one.id}/remove", wrong)).status_code == 422
    assert (await owner.post(f"{ALL}/{one.id + 1}/remove", {"old": PASSWORD, "code": codes[0]})).status_code == 404
    signed = made.sign(await to_sign(owner, f"{ALL}/ask-to-sign"))
    assert (await owner.post(f"{ALL}/{one.id}/remove", {"old": PASSWORD, "passkey": signed})).status_code == 303
    assert not await blog.site.db.read(second_factors.is_on, login)
    assert await blog.site.db.read(second_factors.recovery_codes_left, login) == 0
    assert (await blog.browser().log_in()).status_code == 303
    browser = blog.browser()
    assert (await log_in(browser, made.sign(await to_sign(browser)))).status_code == 422


async def test_of_two_second_steps_one_goes_alone(blog: Blog) -> None:
    owner = await blog.owner()
    phone = await set_up(blog, owner)
    made, fresh = await added(blog, owner, code=phone.codes[1])
    assert fresh == []
    assert (await owner.post(f"{APP}/end", {"old": PASSWORD, "code": phone.next_code()})).status_code == 303
    assert (await second(await half_in(blog), phone.codes[0])).status_code == 303
    signed = made.sign(await to_sign(owner, f"{ALL}/ask-to-sign"))
    assert len(shown_codes((await owner.post(CODES, {"old": PASSWORD, "passkey": signed})).text)) == 10


async def test_another_second_step_takes_one_that_there_is(blog: Blog) -> None:
    """Else a session and the password were enough to add one, and to take away the rest by that."""
    owner = await blog.owner()
    made, codes = await added(blog, owner)
    mine = Authenticator(ORIGIN)
    for wrong in ({}, {"code": "123456"}, {"signed": mine.sign(await to_sign(owner, f"{ALL}/ask-to-sign"))}):
        sent = {"label": "x", "old": PASSWORD, "passkey": mine.make(await to_make(owner)), **wrong}
        answer = await owner.post(ALL, sent)
        assert (answer.status_code, 'name="code"' in answer.text) == (422, True)
    page = (await owner.get(APP)).text
    secret, nonce = shown_secret(page), re.findall(r'name="nonce" value="(\w+)"', page)[0]
    app = {"nonce": nonce, "code": pyotp.TOTP(secret).generate_otp(blog.clock() // 30_000), "old": PASSWORD}
    answer = await owner.post(APP, app)
    assert (answer.status_code, 'name="second-code"' in answer.text) == (422, True)
    assert len(await blog.site.db.read(passkeys.of_login, blog.alice.login or 0)) == 1
    await added(blog, owner, signed=made.sign(await to_sign(owner, f"{ALL}/ask-to-sign")))
    await set_up(blog, owner, codes_shown=0, passkey=made.sign(await to_sign(owner, f"{ALL}/ask-to-sign")))
    await added(blog, owner, code=codes[0])
    assert len(await blog.site.db.read(passkeys.of_login, blog.alice.login or 0)) == 3


async def test_a_disabled_login_has_no_passkeys(blog: Blog) -> None:
    made, _ = await added(blog, await blog.owner())
    login = await blog.site.db.read(logins.by_name, "alice")
    assert login is not None
    [one] = await blog.site.db.read(passkeys.of_login, login.id)
    await blog.site.db.write(lambda tx: logins.set_disabled(tx, login.id, disabled=True))
    browser = blog.browser()
    assert (await log_in(browser, made.sign(await to_sign(browser)))).status_code == 422
    proof = webauthn.proof(webauthn.Signed(passkey=one, signs=1), login)  # of somebody who had signed just before
    assert not await blog.site.db.write(proof)


async def test_what_was_typed_goes_through_a_passkey(blog: Blog) -> None:
    made, _ = await added(blog, await blog.owner())
    browser = blog.browser()
    lost = await browser.post("/write", {"source": "Typed for an hour", "do": "publish"})
    kept = dict(re.findall(r'type="hidden" name="(kept[^"]*)" value="([^"]*)"', lost.text))
    wrong = await log_in(browser, "x", **kept)
    assert "Typed for an hour" in wrong.text
    assert "Typed for an hour" in (await log_in(browser, made.sign(await to_sign(browser)), **kept)).text
