"""A form acts as the account that it was made for, and nothing that somebody typed is lost: over every form."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from fediblog.actions import people
from fediblog.domain.accounts import Account
from fediblog.federation.keyring import make_keys
from fediblog.store import accounts, listings, logins
from fediblog.store.tx import Tx
from fediblog.web.forms import TYPED, is_alone
from fediblog.web.sessions import cookie_name, hashed
from tests.security.test_sessions import SIGNED_IN, at, everything
from tests.web.pages.conftest import PASSWORD, Blog, Browser

WITH_TEXT = [path for path in SIGNED_IN if not is_alone(path)]
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
WORDS = 'What I <b>typed</b> & "meant"\nfor an hour'


async def another(blog: Blog, handle: str = "ann_home") -> Account:
    keys = make_keys()
    login = blog.alice.login or 0
    return await blog.site.db.write(lambda tx: people.add_account(tx, blog.site.urls, login, handle, "", keys))


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


async def test_the_desk_writes_as_who_it_was_opened_for(blog: Blog) -> None:
    home = await another(blog)
    owner = await signed_in(blog)
    page = (await owner.get("/write")).text
    assert "As @alice@blog.test" in page
    await act_as(blog, owner, home)
    answer = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "publish"})
    assert answer.status_code == 303
    assert len(await blog.site.db.read(listings.of_account, blog.alice.id)) == 1
    assert not await blog.site.db.read(listings.of_account, home.id)
    preview = await owner.post("/write", {"source": WORDS, "visibility": "public", "do": "preview"})
    assert "As @alice@blog.test" in preview.text
    assert f'~{blog.alice.id}"' in preview.text
    assert "As @ann_home@blog.test" in (await owner.get("/write")).text


@pytest.mark.parametrize("path", WITH_TEXT)
@pytest.mark.parametrize("how", ["logged-out", "stale", "taken"])
async def test_nothing_that_was_typed_is_lost(blog: Blog, path: str, how: str) -> None:
    """The session ended, or is another, or the account has gone: nothing happens, and all that was typed is there."""
    post = await blog.write("Mine")
    home, owner = await another(blog), await signed_in(blog)
    if how == "taken":
        await act_as(blog, owner, home)
        await owner.get("/write")
        await blog.site.db.write(accounts.set_state, home.id, "suspended")
    elif how == "stale":
        owner.csrf = "old" + owner.csrf
    else:
        await blog.site.db.write(end_all)
    before = await everything(blog)
    typed = dict.fromkeys(TYPED, WORDS)
    answer = await owner.post(at(path, post), {**typed, "do": "publish", "password": "hunter2", "old": "hunter2"})
    assert await everything(blog) == before
    page = answer.text
    if path == "/new-account" and how == "taken":
        return  # this form is of a login, and made for no account
    assert answer.status_code == 403
    assert "Not sent yet" in page
    assert "What I &lt;b&gt;typed&lt;/b&gt;" in page
    assert "hunter2" not in page
    if how == "logged-out":
        carried = fields_of(page, "/login")
        wrong = await owner.post("/login", {**carried, "name": "alice", "password": "wrong password"})
        assert wrong.status_code == 422
        answer = await owner.post("/login", {**fields_of(wrong.text, "/login"), "name": "alice", "password": PASSWORD})
        assert answer.status_code == 200
        assert "location" not in answer.headers
        page = answer.text
    again = fields_of(page, at(path, post))
    assert {name: again[name] for name in TYPED} == {name: [WORDS] for name in TYPED}
    assert again["csrf"][0].endswith(f"~{blog.alice.id}")


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
    assert not await blog.site.db.read(listings.of_account, blog.alice.id, blog.alice.id)


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
    assert "typed" not in (await owner.post("/write", {"source": WORDS + "x" * 1_000_000})).text
    assert "typed" not in (await owner.post("/oauth/authorize", {"source": WORDS})).text
