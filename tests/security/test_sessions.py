"""Who is signed in, for how long, and what a form must prove: over every route, not over those one thought of."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import product

import httpx
import pytest
from msgspec.structs import replace
from starlette.requests import Request
from starlette.routing import Route

from fediblog import passwords
from fediblog.actions import oauth_grants
from fediblog.app import create_app
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.store.people import apps, logins
from fediblog.store.tx import Tx
from fediblog.web import pages
from fediblog.web.forms import KEPT_BYTES, is_alone
from fediblog.web.known_devices import cookie_name as cookie_of
from fediblog.web.known_devices import device_of
from fediblog.web.sessions import cookie_name, hashed
from tests.web.pages.conftest import PASSWORD, Blog, Browser

FORMS = sorted({route.path for route in pages.ROUTES if isinstance(route, Route) and "POST" in (route.methods or ())})
TABLES = (
    *("account", "post", "follow", "block", "mute", "reaction", "boost", "poll_vote", "media", "outgoing", "login"),
    *("report", "blocked_host", "autosave", "trash", "moderation_log", "invitation"),
)
CLOSED = sorted({"/stream", "/notices", "/people", "/write", "/drafts", "/trash", "/deliveries", "/settings"})
FOREIGN: list[dict[str, str]] = [
    {"origin": "https://evil.test", "sec-fetch-site": "cross-site"},
    {"origin": "null"},
    {"origin": "https://blog.test.evil.test"},
    {"origin": "https://blog.test:444"},
    {"origin": "http://blog.test"},
    {"origin": "https://blog.test", "sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


# What version 0.1 kept of "correct horse".
OLD_HASH = "scrypt$32768$8$1$c2FsdCBvZiAxNiBieXRlcw==$JYRmF+zTnegNnioF/L+rccN9JBh5O+xy4vMonaXPnQo="
SIGNED_IN = [path for path in FORMS if not path.startswith(("/login", "/setup", "/report", "/invited"))]


def at(path: str, post: Post | None = None) -> str:
    """A form's address, about that post."""
    return re.sub(r"{\w+:number}", str(post.id if post else 1), path)


async def everything(blog: Blog) -> list[object]:
    """All that a form might change."""

    def dump(tx: Tx) -> list[object]:
        return [tx.all(f"select * from {name}") for name in TABLES]

    return await blog.site.db.read(dump)


async def test_no_form_from_elsewhere_does_anything(blog: Blog) -> None:
    """With the cookie and even with the token: a page that has stolen one of them, or a neighbour's subdomain."""
    post = await blog.write("Mine")
    owner = await blog.owner()
    before = await everything(blog)
    typed = {"source": "x", "do": "publish", "host": "far.test", "name": "alice", "password": PASSWORD}
    for path, headers in product(FORMS, FOREIGN):
        without = {} if "origin" in headers else {"origin": owner.site.urls.origin}
        answer = await owner.post(at(path, post), typed, headers={**without, **headers})
        assert answer.status_code == 403, (path, headers)
    assert await everything(blog) == before
    assert (await owner.get("/settings")).status_code == 200  # not even signed out


async def test_no_form_works_with_the_token_of_another_session(blog: Blog) -> None:
    post = await blog.write("Mine")
    owner, other = await blog.owner(), await blog.owner()
    assert owner.csrf != other.csrf
    before = await everything(blog)
    owner.csrf = other.csrf
    for path in SIGNED_IN:
        assert (await owner.post(at(path, post), {"source": "x"})).status_code == 403, path
    assert await everything(blog) == before


async def test_who_may_not_is_told_before_the_body_is_read(blog: Blog) -> None:
    """Of whoever has no session a form of ours is read, for what was typed, and no more of it than may be kept."""
    read: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        for part in (b"source=", *[b"x" * 100_000] * 100):
            read.append(part)
            yield part

    headers = {"content-type": "application/x-www-form-urlencoded"}
    for path in SIGNED_IN:
        from_elsewhere = {**headers, "origin": "https://evil.test"}
        answer = await blog.browser().http.post(at(path), content=body(), headers=from_elsewhere)
        assert (answer.status_code, read) == (403, []), path
        ours = {**headers, "origin": blog.site.urls.origin}
        answer = await blog.browser().http.post(at(path), content=body(), headers=ours)
        assert answer.status_code == (403 if is_alone(path) else 413), path
        assert len(read) == (0 if is_alone(path) else KEPT_BYTES // 100_000 + 1), path
        read.clear()


async def test_no_form_can_be_sent_by_a_link(blog: Blog) -> None:
    owner = await blog.owner()
    post = await blog.write("Mine")
    before = await everything(blog)
    for path in FORMS:
        await owner.get(f"{at(path, post)}?csrf={owner.csrf}&do=publish&source=x")
    assert await everything(blog) == before


async def test_the_cookie_is_for_us_alone(blog: Blog) -> None:
    answer = await blog.browser().post("/login", {"name": "alice", "password": PASSWORD})
    [cookie] = [value for name, value in answer.headers.multi_items() if name == "set-cookie" and "session" in value]
    assert cookie.startswith("__Host-session=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "domain" not in cookie.lower()


async def test_two_servers_on_one_host_do_not_log_each_other_out(blog: Blog) -> None:
    """A browser keeps one cookie of a name for all ports of a host."""
    urls = [Urls(origin=f"http://127.0.0.1:{port}", handle_domain="blog.test") for port in (8001, 8002)]
    sites = [replace(blog.site, kept={}, urls=each) for each in urls]
    one, two = [Browser(site, create_app(site)) for site in sites]
    two.http._cookies = one.http._cookies
    for browser in (one, two):
        assert (await browser.log_in()).status_code == 303
    assert (await two.post("/logout")).status_code == 303
    assert await signed_out(two)
    assert not await signed_out(one)
    assert "You are logged out" not in (await one.get("/stream")).text  # what one says is not said by the other
    names = {cookie.name for cookie in one.http.cookies.jar}
    assert {name.rpartition("-")[2] for name in names} == {"8001", "8002"}
    origins = ("https://blog.test", "https://blog.test:444", "http://blog.test")
    named = [replace(blog.site, urls=Urls(origin=origin, handle_domain="")) for origin in origins]
    assert list(map(cookie_name, named)) == ["__Host-session", "__Host-session-444", "session"]


async def test_a_session_set_beforehand_is_never_taken_over(blog: Blog) -> None:
    """Fixation: whoever put a cookie into the browser does not know the one that counts afterwards."""
    attacker = await blog.owner()  # a session that the attacker knows
    known = attacker.http.cookies[cookie_name(blog.site)]
    victim = blog.browser()
    victim.http.cookies.set(cookie_name(blog.site), known, domain="blog.test")
    assert (await victim.post("/login", {"name": "alice", "password": PASSWORD})).status_code == 303
    assert victim.http.cookies[cookie_name(blog.site)] != known
    assert (await attacker.get("/stream")).status_code == 303  # ended


async def signed_out(browser: Browser) -> bool:
    found = {(await browser.get(path)).status_code for path in CLOSED}
    return found == {303}


async def test_what_ends_a_session_ends_it_on_the_server(blog: Blog) -> None:
    token_of = cookie_name(blog.site)

    async def again(token: str) -> Browser:
        browser = blog.browser()
        browser.http.cookies.set(token_of, token, domain="blog.test")
        return browser

    owner = await blog.owner()
    token = owner.http.cookies[token_of]
    assert not await signed_out(await again(token))
    await owner.post("/logout")
    assert await signed_out(await again(token))

    first, second = await blog.owner(), await blog.owner()
    tokens = [each.http.cookies[token_of] for each in (first, second)]
    app = await blog.site.db.write(oauth_grants.grant_by_hand, blog.alice.id, "read", "an app")
    fresh = {"old": PASSWORD, "password": "another long one", "password-again": "another long one"}
    assert (await first.post("/settings/password", fresh)).status_code == 303
    for token in tokens:
        assert await signed_out(await again(token))
    assert await blog.site.db.read(apps.token, apps.digest(app.secret)) is None
    assert not await signed_out(await again(first.http.cookies[token_of]))

    await blog.site.db.write(lambda tx: tx.run("update login set disabled = 1"))
    assert await signed_out(first)


async def test_the_database_does_not_hold_what_signs_in(blog: Blog) -> None:
    owner = await blog.owner()
    token = owner.http.cookies[cookie_name(blog.site)]
    rows = await blog.site.db.read(lambda tx: [tuple(row) for row in tx.all("select token from session")])
    assert rows == [(hashed(token),)]
    assert token not in str(rows)
    stored = await blog.site.db.read(lambda tx: [tuple(row) for row in tx.all("select password from login")])
    assert all(row[0].startswith("$argon2id$") and PASSWORD not in row[0] for row in stored)


async def test_a_name_that_nobody_has_takes_as_long(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """One hash of the same kind and cost is made for each try, whoever is meant, and the answer says the same."""
    made: list[tuple[int, ...]] = []
    argon2id, scrypt = passwords._argon2id, passwords._scrypt

    def counted(text: str, salt: bytes, memory: int, passes: int, lanes: int) -> bytes:
        made.append((memory, passes, lanes))
        return argon2id(text, salt, memory, passes, lanes)

    def counted_old(text: str, salt: bytes, n: int, r: int, p: int) -> bytes:
        made.append((n, r, p))
        return scrypt(text, salt, n, r, p)

    monkeypatch.setattr(passwords, "_argon2id", counted)
    monkeypatch.setattr(passwords, "_scrypt", counted_old)
    for stored in (None, OLD_HASH):  # as it is kept now, and as an older version kept it
        if stored:
            await blog.site.db.write(lambda tx: tx.run("update login set password = :p", p=OLD_HASH))
        seen = []
        for name in ("alice", "nobody"):
            made.clear()
            answer = await blog.browser().post("/login", {"name": name, "password": "wrong"})
            assert answer.status_code == 422
            assert len(made) == 1
            seen.append((made[0], answer.text.replace(name, "NAME")))
        assert seen[0] == seen[1]
    # Not even the password of the one whose hash is compared lets in nobody.
    assert (await blog.browser().post("/login", {"name": "nobody", "password": "correct horse"})).status_code == 422


async def test_a_hash_of_an_older_version_is_made_anew_at_log_in(blog: Blog) -> None:
    await blog.site.db.write(lambda tx: tx.run("update login set password = :p", p=OLD_HASH))
    assert (await blog.browser().log_in(password="not this one")).status_code == 422
    assert await blog.site.db.read(logins.password_hash, "alice") == OLD_HASH
    first = blog.browser()
    assert (await first.log_in(password="correct horse")).status_code == 303
    renewed = await blog.site.db.read(logins.password_hash, "alice")
    assert renewed is not None
    assert renewed.startswith("$argon2id$")
    assert (await blog.browser().log_in(password="correct horse")).status_code == 303
    assert not await signed_out(first)
    assert await blog.site.db.read(logins.password_hash, "alice") == renewed


@pytest.mark.parametrize("stored", ["as it is kept now", "as an older version kept it"])
@pytest.mark.parametrize("how", ["another password", "disabled"])
async def test_a_password_that_is_changed_while_it_is_compared_lets_nobody_in(
    blog: Blog, monkeypatch: pytest.MonkeyPatch, how: str, stored: str
) -> None:
    owner, number, is_right = await blog.owner(), blog.alice.login or 0, passwords.is_right
    password = PASSWORD
    if stored == "as an older version kept it":
        password = "correct horse"
        await blog.site.db.write(lambda tx: tx.run("update login set password = :p", p=OLD_HASH))

    async def overtaken(text: str, stored: str | None) -> bool:
        same = await is_right(text, stored)
        monkeypatch.undo()
        if how == "disabled":
            await blog.site.db.write(logins.set_disabled, number, disabled=True)
        else:
            await blog.site.db.write(logins.set_password, number, await passwords.hashed("quite another one"))
        return same

    monkeypatch.setattr(passwords, "is_right", overtaken)
    browser = blog.browser()
    answer = await browser.log_in(password=password)
    assert (answer.status_code, await signed_out(browser), await signed_out(owner)) == (422, True, True)
    if how == "disabled":
        return
    # Nor does it change what somebody else has just changed.
    assert (await owner.log_in(password="quite another one")).status_code == 303
    monkeypatch.setattr(passwords, "is_right", overtaken)
    fresh = {"old": "quite another one", "password": "a third long one", "password-again": "a third long one"}
    assert (await owner.post("/settings/password", fresh)).status_code == 422
    assert (await browser.log_in(password="a third long one")).status_code == 422


async def tries(blog: Blog, peer: str, forwarded: list[str], name: str = "n{}") -> list[int]:
    found = []
    for number, hop in enumerate(forwarded):
        browser = blog.browser(peer)
        headers = {"x-forwarded-for": hop} if hop else {}
        answer = await browser.post("/login", {"name": name.format(number), "password": "x"}, headers=headers)
        found.append(answer.status_code)
    return found


async def test_tries_are_counted_by_the_real_address(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "check_password", lambda text, stored: False)  # it takes its time
    forged = [f"198.51.100.{number}" for number in range(21)]
    assert (await tries(blog, "203.0.113.9", forged))[-1] == 429  # a stranger's word counts for nothing
    forged = [f"198.51.100.{number}, 203.0.113.10" for number in range(21)]
    assert (await tries(blog, "127.0.0.1", forged))[-1] == 429  # nor what stands in front of what our proxy added
    neighbours = [f"198.18.0.{number}" for number in range(21)]
    assert (await tries(blog, "127.0.0.1", neighbours))[-1] == 429  # who guesses has a network of addresses
    through = [f"203.0.{number}.1" for number in range(25)]
    assert set(await tries(blog, "127.0.0.1", through)) == {422}  # visitors behind our proxy are not one
    same_net = [f"2001:db8:1:{number:x}::1" for number in range(21)]
    assert (await tries(blog, "127.0.0.1", same_net))[-1] == 429  # one customer has many addresses
    everywhere = [f"192.{number}.2.1" for number in range(11)]
    assert (await tries(blog, "127.0.0.1", everywhere, name="alice"))[-1] == 429  # one name, from everywhere
    assert (await tries(blog, "127.0.0.1", everywhere, name="nobody")) == [422] * 10 + [429]  # and one nobody has


async def test_wrong_passwords_from_everywhere_do_not_keep_the_owner_out(
    blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser that has logged in before has tries of its own, and nobody else gets them by a cookie."""
    owner = await blog.owner()
    await owner.post("/logout")
    with monkeypatch.context() as quick:
        quick.setattr(passwords, "check_password", lambda text, stored: False)
        everywhere = [f"192.{number // 250}.{number % 250}.1" for number in range(1000)]
        assert (await tries(blog, "127.0.0.1", everywhere, name="alice")).count(422) == 10
        same = [""] * 40  # and from the owner's own address
        assert 429 in await tries(blog, "192.0.2.7", same)
        assert (await blog.browser().log_in()).status_code == 429
        [cookie] = [each for each in owner.http.cookies.jar if each.name == cookie_of(blog.site, "alice")]
        assert (cookie.path, cookie.secure) == ("/login", True)
        forged = (cookie.value or "")[:-1], "", f"{'0' * 32}{(cookie.value or '')[32:]}", "x" * 5000, "é"
        for value in forged:
            browser = blog.browser("198.51.100.77")
            given = {"cookie": f"{cookie.name}={value}".encode("latin-1")}
            typed = {"name": "alice", "password": PASSWORD}
            assert (await browser.post("/login", typed, headers=given)).status_code == 429, value
    assert (await owner.log_in(password="mistyped, once")).status_code == 422
    assert (await owner.log_in()).status_code == 303

    # The tries of a known browser end too, without an end for anybody else.
    await owner.post("/logout")
    monkeypatch.setattr(passwords, "check_password", lambda text, stored: False)
    assert [(await owner.log_in()).status_code for _ in range(11)] == [422] * 10 + [429]
    ben = {"name": "ben", "password": PASSWORD}
    cookie_for_ben = {"cookie": f"{cookie_of(blog.site, 'ben')}={cookie.value}"}  # proves nothing about ben
    found = [(await owner.post("/login", ben, headers=cookie_for_ben)).status_code for _ in range(3)]
    assert found == [429] * 3  # the network of that address has used its own


@pytest.mark.parametrize("where", ["settings", "command"])
async def test_another_password_makes_known_browsers_unknown(blog: Blog, where: str) -> None:
    """Whoever stole a browser's cookies has no tries of its own any more; the browser that changed it has."""
    owner, other = await blog.owner(), await blog.owner()
    new, name = "another battery staple", cookie_of(blog.site, "alice")

    def cookie(browser: Browser) -> str:
        return next(each.value or "" for each in browser.http.cookies.jar if each.name == name)

    async def is_known(value: str) -> bool:
        mark = (await blog.site.db.read(logins.by_name, "alice")).mark  # type: ignore[union-attr]
        app = {"type": "http", "app": blog.app, "headers": [(b"cookie", f"{name}={value}".encode())]}
        return bool(device_of(Request(app), "alice", mark))

    before = cookie(owner), cookie(other)
    assert [await is_known(each) for each in before] == [True, True]
    if where == "settings":
        typed = {"old": PASSWORD, "password": new, "password-again": new}
        assert (await owner.post("/settings/password", typed)).status_code == 303
        assert await is_known(cookie(owner))
    else:
        login = blog.alice.login or 0
        await blog.site.db.write(logins.set_password, login, await passwords.hashed(new))
    assert [await is_known(each) for each in before] == [False, False]
    assert (await other.log_in(password=new)).status_code == 303
    assert await is_known(cookie(other))


async def test_whoever_goes_on_guessing_is_slowed_further(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "check_password", lambda text, stored: False)
    passed = 0
    for number in range(300):  # once in half a minute, each time from somewhere else
        blog.clock.forward(seconds=30)
        passed += (await tries(blog, "127.0.0.1", [f"10.{number // 250}.{number % 250}.1"], name="alice")) == [422]
    assert 50 <= passed <= 70


AWAY = [
    "https://evil.test/",
    "//evil.test/",
    "/\\evil.test",
    "/%2Fevil.test",
    "/%5cevil.test",
    "https:evil.test",
    "javascript:1",
]


@pytest.mark.parametrize("to", AWAY)
async def test_nobody_is_led_away(blog: Blog, to: str) -> None:
    """After log-in, with the log-in page already signed in, and after every button."""

    def leads_home(answer: httpx.Response) -> bool:
        return answer.status_code == 303 and answer.headers["location"] in ("/", "/stream")

    browser = blog.browser()
    assert leads_home(await browser.post("/login", {"name": "alice", "password": PASSWORD, "next": to}))
    await browser.get("/write")
    assert leads_home(await browser.http.get("/login", params={"next": to}))
    post = await blog.write("Mine")
    assert leads_home(await browser.post(f"/post/{post.id}/like", {"next": to}))
    assert leads_home(await browser.post("/session/account", {"account": str(blog.alice.id), "next": to}))


async def test_pages_cannot_be_framed_and_run_nothing_foreign(blog: Blog) -> None:
    await blog.write("Mine")
    owner = await blog.owner()
    for path in ("/", "/@alice", "/login", "/stream", "/nowhere", "/p/1", "/feed.atom", "/static/style.css"):
        headers = (await owner.get(path)).headers
        policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["base-uri"] == "'none'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert headers["strict-transport-security"]
