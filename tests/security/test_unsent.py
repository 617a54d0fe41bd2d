"""A form acts as the account that it was made for, and nothing that somebody typed is lost: over every form."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from html import unescape
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from markupsafe import escape

from fediblog import passwords
from fediblog.actions import account_actions
from fediblog.domain.accounts import Account
from fediblog.errors import TooOften
from fediblog.federation import quotas
from fediblog.markup.text import one_line
from fediblog.store.people import accounts, logins
from fediblog.store.posts import account_posts
from fediblog.store.tx import Tx
from fediblog.web.forms import KEPT_BYTES, TYPED, is_alone
from fediblog.web.middleware import MOST, limit_of
from fediblog.web.sessions import LASTS, NEW_ACCOUNT, cookie_name, hashed
from tests.mastodon.statuses.test_media_api import picture
from tests.security.test_sessions import FOREIGN, SIGNED_IN, at, everything
from tests.web.pages.conftest import PASSWORD, Blog, Browser
from tests.world import keys_of

WITH_TEXT = [path for path in SIGNED_IN if not is_alone(path)]
MULTIPART = {"method": "POST", "headers": [(b"content-type", b"multipart/form-data; boundary=b")]}
WITH_FILES = [path for path in WITH_TEXT if limit_of({**MULTIPART, "path": at(path)}) > MOST]
WALK = [*((path, False) for path in WITH_TEXT), *((path, True) for path in WITH_FILES)]
LARGE = ("at the beach.jpg", b"\xff\xd8\r\n--" * 500_000, "image/jpeg")
PAGES = (
    "/",
    "/stream",
    "/notices",
    "/people",
    "/write",
    "/drafts",
    "/trash",
    "/write/pictures",
    "/deliveries",
    "/settings",
    "/settings/profile-page",
    "/search?q=x",
    "/moderation",
    "/moderation/people",
    "/moderation/server",
    "/moderation/wave",
)
FORM = re.compile(r"<form[^>]*method=\"post\".*?</form>", re.DOTALL)
NO_TEXT = re.compile(r'type="(?:hidden|password|checkbox|radio|file)"| hidden\b| readonly\b')
WORDS = 'What I <b>typed</b> & "meant"\nfor an hour'


async def another(blog: Blog, handle: str = "ann_home") -> Account:
    keys = keys_of("blog.test", handle)
    login = blog.alice.login or 0
    return await blog.site.db.write(lambda tx: account_actions.add_account(tx, blog.site.urls, login, handle, "", keys))


async def act_as(blog: Blog, browser: Browser, account: Account) -> None:
    token = hashed(browser.http.cookies[cookie_name(blog.site)])
    await blog.site.db.write(logins.act_as, token, account.id)


async def signed_in(blog: Blog) -> Browser:
    """A browser in which Alice acts."""
    owner = await blog.owner()
    await act_as(blog, owner, blog.alice)
    await owner.get("/write")
    return owner


def fields_of(page: str, action: str) -> dict[str, Any]:
    """The hidden fields of the form that goes there."""
    form = next(each for each in FORM.findall(page) if f'action="{action}"' in each)
    found: dict[str, Any] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form):
        found.setdefault(unescape(name), []).append(unescape(value))
    return found


async def test_every_form_carries_the_account_that_it_was_made_for(blog: Blog) -> None:
    post = await blog.write("Mine")
    await another(blog)
    owner, seen = await signed_in(blog), set()
    for address in (
        *PAGES,
        post.url.removeprefix(blog.site.urls.origin),
        f"/write/{post.id}",
        f"/post/{post.id}/delete",
    ):
        for form in FORM.findall((await owner.get(address)).text):
            assert re.search(rf'name="csrf" value="[^"~]+~{blog.alice.id}"', form), (address, form)
            seen.add(re.sub(r"/\d+", "/1", form.split('action="')[1].partition('"')[0]))
    assert len(seen) > 12, seen


async def test_every_field_that_is_typed_into_is_known_as_such(blog: Blog) -> None:
    post, owner = await blog.write("Mine"), await signed_in(blog)
    for address in (*PAGES, "/new-account", f"/write/{post.id}", f"/account/{(await blog.stranger()).id}"):
        for form in FORM.findall((await owner.get(address)).text):
            boxes = re.findall(r"<textarea[^>]*>|<input[^>]*>", form)
            names = {re.findall(r'name="([^"]*)"', box)[0] for box in boxes if not NO_TEXT.search(box)}
            assert {re.sub(r"^alt-\d+$", "alt", name) for name in names} <= TYPED, (address, form)


async def test_the_desk_writes_as_who_it_was_opened_for(blog: Blog) -> None:
    home = await another(blog)
    owner = await signed_in(blog)
    page = (await owner.get("/write")).text
    assert "Writing as <b><bdi>@alice</bdi></b>" in page
    await act_as(blog, owner, home)
    answer = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "publish"})
    assert answer.status_code == 303
    assert len(await blog.site.db.read(account_posts.written, blog.alice.id)) == 1
    assert not await blog.site.db.read(account_posts.written, home.id)
    preview = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "preview"})
    assert "Writing as <b><bdi>@alice</bdi></b>" in preview.text
    assert f'~{blog.alice.id}"' in preview.text
    assert "Writing as <b><bdi>@ann_home</bdi></b>" in (await owner.get("/write")).text


def test_forms_with_files_are_walked_with_files() -> None:
    assert WITH_FILES == ["/settings", "/write", "/write/picture", "/write/{n:number}"]


@pytest.mark.parametrize(("path", "files"), WALK)
@pytest.mark.parametrize("how", ["logged-out", "stale", "taken", "none-left"])
async def test_nothing_that_was_typed_is_lost(blog: Blog, path: str, files: bool, how: str) -> None:
    """The session ended, or is another, or the account has gone: nothing happens, and all that was typed is there.

    A file that was chosen is not kept, and the pages say so.
    """
    post = await blog.write("Mine")
    home, owner = await another(blog), await signed_in(blog)
    if how == "taken":
        await act_as(blog, owner, home)
        await owner.get("/write")
        await blog.site.db.write(accounts.set_state, home.id, "suspended")
    elif how == "none-left":
        for each in (home, blog.alice):
            await blog.site.db.write(account_actions.delete_account, blog.site.urls, each.id)
        if path == NEW_ACCOUNT:  # which needs no account
            owner.csrf = "old" + owner.csrf
    elif how == "stale":
        owner.csrf = "old" + owner.csrf
    else:
        await blog.site.db.write(end_all)
    before = await everything(blog)
    typed = dict.fromkeys(TYPED, WORDS)
    chosen = {"upload": LARGE} if files else None
    sent = {**typed, "do": "publish", "password": "hunter2", "old": "hunter2"}
    answer = await owner.post(at(path, post), sent, chosen)
    assert await everything(blog) == before
    page = answer.text
    if path == NEW_ACCOUNT and how == "taken":
        return  # this form is of a login, and made for no account
    assert answer.status_code == 403
    assert "Not sent yet" in page
    assert "What I &lt;b&gt;typed&lt;/b&gt;" in page
    assert "hunter2" not in page
    assert ("at the beach.jpg" in page, "Choose it again" in page) == (files, files)
    account = blog.alice.id
    if how == "logged-out":
        carried = fields_of(page, "/login")
        wrong = await owner.post("/login", {**carried, "name": "alice", "password": "wrong password"})
        assert wrong.status_code == 422
        assert "The name or the password is not right" in wrong.text
        assert "What I &lt;b&gt;typed&lt;/b&gt;" in wrong.text.partition("<h2>")[2]
        assert ("at the beach.jpg" in wrong.text.partition("<form")[0]) == files
        answer = await owner.post("/login", {**fields_of(wrong.text, "/login"), "name": "alice", "password": PASSWORD})
        assert answer.status_code == 200
        assert "location" not in answer.headers
        page = answer.text
        assert ("at the beach.jpg" in page, "Choose it again" in page) == (files, files)
    if how == "none-left" and path != NEW_ACCOUNT:
        carried = fields_of(page, NEW_ACCOUNT)
        wrong = await owner.post(NEW_ACCOUNT, {**carried, "handle": "alice"})
        assert wrong.status_code == 422
        assert "What I &lt;b&gt;typed&lt;/b&gt;" in wrong.text.partition("<h2>")[2]
        answer = await owner.post(NEW_ACCOUNT, {**fields_of(wrong.text, NEW_ACCOUNT), "handle": "alice2"})
        assert answer.status_code == 200
        page = answer.text
        made = await blog.site.db.read(accounts.local_by_handle, "alice2")
        assert made is not None
        account = made.id
    again = fields_of(page, at(path, post))
    assert {name: again[name] for name in TYPED} == {name: [WORDS] for name in TYPED}
    assert again["csrf"][0].endswith(f"~{account}") or (path == NEW_ACCOUNT and how == "none-left")
    if files and path == "/write":
        page = (await owner.post(path, again)).text
        assert "Choose this file again; it was not kept" in page
        assert "at the beach.jpg" in page
        assert all(f'name="{name}"' in page for name in ("new-alt", "hero-alt"))
        assert page.count(escape(one_line(WORDS, 100))) >= 4  # title, warning, both descriptions


async def test_whose_accounts_are_gone_goes_on_with_the_form_for_a_new_one(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    await owner.get(NEW_ACCOUNT)
    await blog.site.db.write(end_all)
    answer = await owner.post(NEW_ACCOUNT, {"handle": "alice2", "display": "Alice again"})
    answer = await owner.post("/login", {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD})
    assert answer.status_code == 200
    assert "Alice again" in answer.text
    answer = await owner.post(NEW_ACCOUNT, fields_of(answer.text, NEW_ACCOUNT))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    assert 'value="Alice again"' in (await owner.get("/settings")).text


async def test_what_was_typed_outlives_the_account_that_it_was_typed_for(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(end_all)
    answer = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "publish"})
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    answer = await owner.post("/login", {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD})
    assert "You have no account here now" in answer.text
    answer = await owner.post(NEW_ACCOUNT, {**fields_of(answer.text, NEW_ACCOUNT), "handle": "alice2"})
    answer = await owner.post("/write", fields_of(answer.text, "/write"))
    assert "Writing as <b><bdi>@alice2</bdi></b>" in answer.text
    assert "What I &lt;b&gt;typed&lt;/b&gt;" in answer.text


async def test_a_file_without_a_session_is_read_in_little_memory_and_kept_nowhere(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(end_all)
    head = b'--b\r\ncontent-disposition: form-data; name="source"\r\n\r\nBeside it\r\n--b\r\n'
    head += b'content-disposition: form-data; name="upload"; filename="a.png"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield head
        for _ in range(400):
            yield b"x" * 50_000
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b", "origin": blog.site.urls.origin}
    tracemalloc.start()
    try:
        answer = await owner.http.post("/write", content=body(), headers=headers)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "Beside it" in answer.text
    assert "a.png" in answer.text
    assert peak < 4_000_000


async def test_the_longest_article_comes_through_in_any_script(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(end_all)
    text = "文" * 500_000
    answer = await owner.post("/write", {"source": text, "visibility": "public", "do": "publish"}, {"upload": LARGE})
    fields = {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD}
    assert 'enctype="multipart/form-data"' in answer.text
    answer = await owner.post("/login", fields, {"": ("", b"")})
    answer = await owner.post("/write", fields_of(answer.text, "/write"), {"": ("", b"")})
    assert answer.status_code == 200
    assert text in answer.text


def end_all(tx: Tx) -> None:
    tx.run("delete from session")


async def test_the_desk_goes_on_where_it_was(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(end_all)
    answer = await owner.post(
        "/write", {"source": WORDS, "title": "A title", "visibility": "followers", "do": "publish"}
    )
    answer = await owner.post("/login", {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD})
    answer = await owner.post("/write", fields_of(answer.text, "/write"))
    assert answer.status_code == 200
    assert ">\nA title</textarea>" in answer.text
    assert '<option value="followers" selected>' in answer.text
    assert not await blog.site.db.read(account_posts.written, blog.alice.id, blog.alice.id)


@pytest.mark.parametrize(
    "to",
    [
        *("https://evil.test/", "//evil.test/write", "/\\evil.test", "/login", "/oauth/authorize", ""),
        *("/./oauth/authorize?a", "/%6fauth/authorize", "/write/../oauth/authorize", "/.//oauth/authorize"),
        *(
            "/%2e/%6Cogin",
            "/write/%2E%2e/session/account",
            "/oauth/authorize?/../../write",
            "/a%2f..%2foauth/authorize",
        ),
    ],
)
async def test_what_was_kept_leads_nowhere_else(blog: Blog, to: str) -> None:
    data = {"kept-path": to, "kept.source": WORDS, "name": "alice", "password": PASSWORD}
    answer = await blog.browser().post("/login", data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_nobody_in_particular_is_not_listened_to_for_long(blog: Blog) -> None:
    """Only with a form of ours, and only up to a size; and consent to an app is never sent by itself."""
    nobody = blog.browser()
    for headers in FOREIGN:
        without = {} if "origin" in headers else {"origin": blog.site.urls.origin}
        answer = await nobody.post("/write", {"source": WORDS}, headers={**without, **headers})
        assert (answer.status_code, "typed" in answer.text) == (403, False), headers
    much = await nobody.post("/write", {"source": WORDS + "x" * KEPT_BYTES}, {"upload": LARGE})
    assert much.status_code == 413
    assert "What I" not in much.text
    assert "your browser still has what you typed" in much.text
    assert "typed" not in (await nobody.post("/oauth/authorize", {"source": WORDS})).text


@pytest.mark.parametrize("how", ["log-out", "no-cookie", "expired", "disabled", "deleted"])
async def test_no_way_of_being_logged_out_loses_what_was_typed(blog: Blog, how: str) -> None:
    """Every form shows it, with or without a cookie that is left of a session; the desk goes on after a log-in."""
    post, owner = await blog.write("Mine"), await signed_in(blog)
    if how == "log-out":
        assert (await owner.post("/logout")).status_code == 303
    elif how == "no-cookie":
        owner.http.cookies.clear()
    elif how == "expired":
        blog.clock.forward(seconds=LASTS // 1000 + 1)
    elif how == "disabled":
        await blog.site.db.write(logins.set_disabled, blog.alice.login or 0, disabled=True)
    else:
        await blog.site.db.write(delete_login)
    assert (cookie_name(blog.site) in owner.http.cookies) == (how in ("expired", "disabled", "deleted"))
    before = await everything(blog)
    for path, files in WALK:
        typed = {**dict.fromkeys(TYPED, WORDS), "do": "publish", "password": "hunter2"}
        answer = await owner.post(at(path, post), typed, {"upload": LARGE} if files else None)
        assert answer.status_code == 403, path
        again = fields_of(answer.text, "/login")
        assert {name: again[f"kept.{name}"] for name in TYPED} == {name: [WORDS] for name in TYPED}, path
        assert "What I &lt;b&gt;typed&lt;/b&gt;" in answer.text.partition("<h2>")[2], path
        assert ("hunter2" in answer.text, "at the beach.jpg" in answer.text) == (False, files), path
    assert await everything(blog) == before
    answer = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "publish"})
    answer = await owner.post("/login", {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD})
    assert "What I &lt;b&gt;typed&lt;/b&gt;" in answer.text
    if how in ("disabled", "deleted"):
        assert answer.status_code == 422
        return
    answer = await owner.post("/write", fields_of(answer.text, "/write"))
    assert (answer.status_code, "Writing as <b><bdi>@alice</bdi></b>" in answer.text) == (200, True)
    assert "What I &lt;b&gt;typed&lt;/b&gt;" in answer.text


def delete_login(tx: Tx) -> None:
    for table in ("session", "account_access"):
        tx.run(f"delete from {table}")
    tx.run("update account set login = null")
    tx.run("delete from login")


async def second_login(blog: Blog) -> Account:
    keys, hashed_password = keys_of("blog.test", "ben"), await passwords.hashed(PASSWORD)

    def make(tx: Tx) -> Account:
        login = account_actions.add_login(tx, "ben", hashed_password)
        return account_actions.add_account(tx, blog.site.urls, login.id, "ben", "", keys)

    return await blog.site.db.write(make)


@pytest.mark.parametrize("still_there", [False, True])
async def test_who_takes_what_was_typed_for_another_is_told_so(blog: Blog, still_there: bool) -> None:
    """Alice typed it; Ben logs in with the page that has it, or had logged in meanwhile in the same browser."""
    await second_login(blog)
    owner = await signed_in(blog)
    await owner.post("/logout")
    if still_there:
        csrf = owner.csrf
        assert (await owner.log_in("ben")).status_code == 303
        owner.csrf = csrf
    typed = {"source": WORDS, "visibility": "public", "do": "publish"}
    for language, told in (
        ("en", "You are logged in with another account than the one for which this was written."),
        ("de", "Du bist mit einem anderen Konto angemeldet als dem, für das das geschrieben wurde."),
    ):
        spoken = {"accept-language": language}
        answer = await owner.post("/write", typed, headers=spoken)
        assert (told in answer.text) == still_there
        if not still_there:
            fields = {**fields_of(answer.text, "/login"), "name": "ben", "password": PASSWORD}
            answer = await owner.post("/login", fields, headers=spoken)
            owner.http.cookies.delete(cookie_name(blog.site))
        assert told in answer.text
        assert "@ben@blog.test" in answer.text
        assert "What I &lt;b&gt;typed&lt;/b&gt;" in answer.text
    assert not await blog.site.db.read(account_posts.written, blog.alice.id)


async def test_what_was_typed_for_an_account_of_ones_own_tells_of_no_other(blog: Blog) -> None:
    home, owner = await another(blog), await signed_in(blog)
    await blog.site.db.write(end_all)
    answer = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "publish"})
    answer = await owner.post("/login", {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD})
    assert home.id != blog.alice.id
    assert "another account" not in answer.text


async def test_files_that_came_with_a_form_are_closed(blog: Blog, spooled: list[SpooledTemporaryFile[bytes]]) -> None:
    owner = await signed_in(blog)
    good = {"upload": ("a.png", picture(), "image/png")}
    assert (await owner.post("/write", {"source": "x", "do": "publish"}, good)).status_code == 303
    assert (await owner.post("/write", {"source": "x", "do": "publish"}, {"upload": LARGE})).status_code == 422
    owner.csrf = "old"
    assert (await owner.post("/write", {"source": "x", "do": "publish"}, {"upload": LARGE})).status_code == 403
    assert [file.closed for file in spooled] == [True, True, True]


def use_up(blog: Blog, kind: str) -> None:
    with suppress(TooOften):
        while True:
            quotas.use(blog.site, blog.alice.id, kind)


@pytest.mark.parametrize("how", ["read-only", "too-often", "unreachable"])
async def test_what_the_server_cannot_do_now_loses_nothing(blog: Blog, how: str) -> None:
    """The database takes no writes, or is not there at all, or that was too often: the text, and a button for later."""
    post, owner = await blog.write("Mine"), await signed_in(blog)
    if how == "read-only":
        blog.clock.forward(seconds=7200)  # so that the session is to be prolonged, which cannot be done either
        blog.site.db.stop_writing("an index")
    elif how == "unreachable":
        await blog.site.db.close()
    else:
        for kind in quotas.LIMITS:
            use_up(blog, kind)
    statuses = dict[str, int]()
    typed = dict.fromkeys(TYPED - {"answer", "language", "scheduled", "dated", "tags"}, "What I <b>typed</b>")
    sent = {**typed, "password": "hunter2", "sure": "1", "visibility": "public", "do": "publish"}
    for path in reversed(WITH_TEXT):  # the post is deleted last
        answer = await owner.post(at(path, post), sent)
        page, statuses[path] = answer.text, answer.status_code
        if answer.status_code in (429, 503):
            assert int(answer.headers["retry-after"]) > 0, path
            assert ("What I &lt;b&gt;typed&lt;/b&gt;" in page, "hunter2" in page) == (True, False), path
    of_which = {"read-only": 503, "too-often": 429, "unreachable": 503}[how]
    told = {path for path, status in statuses.items() if status == of_which}
    assert told >= {"/write", "/write/{n:number}", "/post/{n:number}/like", "/post/{n:number}/vote"}, statuses
    if how == "unreachable":
        assert told == set(WITH_TEXT)
    if how == "too-often":
        assert "/people/servers" in told
        assert (await owner.post("/write", {"source": WORDS}, {"upload": ("a.png", b"x")})).status_code == 429
    if how == "read-only":
        assert {path for path, status in statuses.items() if status == 303} <= {"/moderation/wave", "/find"}, (
            "nothing to do"
        )
        answer = await blog.browser().post("/write", {"source": WORDS, "do": "publish"})  # nor can anybody log in
        fields = {**fields_of(answer.text, "/login"), "name": "alice", "password": PASSWORD}
        answer = await blog.browser().post("/login", fields)
        assert answer.status_code == 503
        assert fields_of(answer.text, "/login")["kept.source"] == [WORDS]
        return
    again = fields_of((await owner.post("/post/1/like", {"answer": WORDS})).text, "/post/1/like")
    assert (again["answer"], again["csrf"]) == ([WORDS], [owner.csrf])
