"""A form acts as the account that it was made for, and nothing that somebody typed is lost: over every form."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import AsyncIterator
from html import unescape
from typing import Any

import pytest
from markupsafe import escape

from fediblog.actions import account_actions
from fediblog.domain.accounts import Account
from fediblog.federation.keyring import make_keys
from fediblog.markup.text import one_line
from fediblog.store.people import accounts, logins
from fediblog.store.posts import profile_posts
from fediblog.store.tx import Tx
from fediblog.web.forms import KEPT_BYTES, TYPED, is_alone
from fediblog.web.middleware import MOST, limit_of
from fediblog.web.sessions import NEW_ACCOUNT, cookie_name, hashed
from tests.security.test_sessions import SIGNED_IN, at, everything
from tests.web.pages.conftest import PASSWORD, Blog, Browser

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
    "/deliveries",
    "/settings",
    "/search?q=x",
    "/moderation",
)
FORM = re.compile(r"<form[^>]*method=\"post\".*?</form>", re.DOTALL)
NO_TEXT = re.compile(r'type="(?:hidden|password|checkbox|radio|file)"| hidden\b| readonly\b')
WORDS = 'What I <b>typed</b> & "meant"\nfor an hour'


async def another(blog: Blog, handle: str = "ann_home") -> Account:
    keys = make_keys()
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
    assert "As @alice@blog.test" in page
    await act_as(blog, owner, home)
    answer = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "publish"})
    assert answer.status_code == 303
    assert len(await blog.site.db.read(profile_posts.written, blog.alice.id)) == 1
    assert not await blog.site.db.read(profile_posts.written, home.id)
    preview = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "preview"})
    assert "As @alice@blog.test" in preview.text
    assert f'~{blog.alice.id}"' in preview.text
    assert "As @ann_home@blog.test" in (await owner.get("/write")).text


def test_forms_with_files_are_walked_with_files() -> None:
    assert WITH_FILES == ["/settings", "/write", "/write/{n:number}"]


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
    assert "As @alice2@blog.test" in answer.text
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
    assert 'value="A title"' in answer.text
    assert '<option value="followers" selected>' in answer.text
    assert not await blog.site.db.read(profile_posts.written, blog.alice.id, blog.alice.id)


@pytest.mark.parametrize(
    "to", ["https://evil.test/", "//evil.test/write", "/\\evil.test", "/login", "/oauth/authorize", ""]
)
async def test_what_was_kept_leads_nowhere_else(blog: Blog, to: str) -> None:
    data = {"kept-path": to, "kept.source": WORDS, "name": "alice", "password": PASSWORD}
    answer = await blog.browser().post("/login", data)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_nobody_in_particular_is_not_listened_to_for_long(blog: Blog) -> None:
    """Only a browser that was signed in, and only up to a size; and consent to an app is never sent by itself."""
    stranger = blog.browser()
    assert "typed" not in (await stranger.post("/write", {"source": WORDS})).text
    owner = await blog.owner()
    await blog.site.db.write(end_all)
    much = await owner.post("/write", {"source": WORDS + "x" * KEPT_BYTES}, {"upload": LARGE})
    assert much.status_code == 413
    assert "What I" not in much.text
    assert "your browser still has what you typed" in much.text
    assert "typed" not in (await owner.post("/oauth/authorize", {"source": WORDS})).text
