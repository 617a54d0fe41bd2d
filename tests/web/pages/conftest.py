"""A blog that has been set up, and browsers (without a screen) that look at it: the real application and database."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Actor, Note, Visibility
from fediblog.domain.posts import Post
from fediblog.federation.keyring import make_keys
from fediblog.federation.site import Site, open_site
from fediblog.markup.clean import clean
from fediblog.passwords import hash_password
from fediblog.settings import Settings
from fediblog.store.people import accounts, server_state
from fediblog.store.posts import post_writing, posts
from fediblog.store.posts.post_columns import Placement
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests import wording
from tests.conftest import Clock
from tests.remote_accounts import save_remote

ORIGIN = "https://blog.test"
PASSWORD = "correct horse battery"
TOKEN = "the-token-of-the-set-up-link"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Browser:
    """One browser with its own cookies, at one address."""

    def __init__(self, site: Site, app: Any, address: str = "192.0.2.7") -> None:
        self.site = site
        transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=(address, 5000))
        headers = {"accept": "text/html", "user-agent": "A browser"}
        self.http = httpx.AsyncClient(transport=transport, base_url=site.urls.origin, headers=headers)
        self.csrf = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page, and remember the token of its forms."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.http.get(path, headers=named)
        found = _CSRF.search(answer.text) if answer.headers.get("content-type", "").startswith("text/html") else None
        self.csrf = found[1] if found else self.csrf
        return answer

    async def post(
        self, path: str, data: dict[str, Any] | None = None, files: Any = None, headers: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Send a form of ours: with its token, and the headers that browsers add."""
        sent = {"csrf": self.csrf, **(data or {})}
        own = {"origin": self.site.urls.origin, "sec-fetch-site": "same-origin"}
        return await self.http.post(path, data=sent, files=files, headers={**own, **(headers or {})})

    async def log_in(self, name: str = "alice", password: str = PASSWORD) -> httpx.Response:
        """Log in, and look at a page with forms."""
        answer = await self.post("/login", {"name": name, "password": password})
        if answer.status_code == 303:
            await self.get("/write")
        return answer


@dataclass(slots=True)
class Blog:
    """The blog of Alice, for whom the tests act, with a clock that they move."""

    site: Site
    app: Any
    clock: Clock
    alice: Account

    def browser(self, address: str = "192.0.2.7") -> Browser:
        return Browser(self.site, self.app, address)

    async def owner(self, address: str = "192.0.2.7") -> Browser:
        """A browser in which Alice has logged in."""
        browser = self.browser(address)
        assert (await browser.log_in()).status_code == 303
        return browser

    async def write(self, source: str, **draft: Any) -> Post:
        """A post by Alice."""
        self.clock.forward(seconds=60)
        draft["visibility"] = Visibility(draft.get("visibility", "public"))
        made = Draft(source=source, **draft)
        return await self.site.db.write(wording.publish, self.site.urls, self.alice.id, made)

    async def stranger(self, handle: str = "bob", domain: str = "far.example", **fields: Any) -> Account:
        """Somebody on another server."""
        uri = f"https://{domain}/users/{handle}"
        actor = Actor(
            uri=uri, kind="Person", handle=handle, inbox=f"{uri}/inbox", url=f"https://{domain}/@{handle}", **fields
        )
        return await self.site.db.write(save_remote, actor, domain)

    async def heard(
        self, author: Account, html: str, number: int, *, kind: str = "Note", pictures: bool = False, **fields: Any
    ) -> Post:
        """A post of somebody on another server, as it was taken in."""
        self.clock.forward(seconds=60)

        def store(tx: Tx) -> Post:
            uri = f"{author.uri}/posts/{number}"
            cleaned = clean(html, pictures=pictures)
            note = Note(uri=uri, kind=kind, author=author.uri, content=cleaned, to=(PUBLIC,), **fields)
            stored = posts.stored(tx, post_writing.insert(tx, note, author, Placement(visibility=Visibility.PUBLIC)))
            assert stored is not None
            return stored

        return await self.site.db.write(store)


def settings(folder: Path) -> Settings:
    return Settings(data=folder, origin=ORIGIN, title="A Test Blog", take_back_seconds=0)


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of a server that waits to be set up."""
    folder = tmp_path_factory.mktemp("empty")

    async def make() -> None:
        site = await open_site(settings(folder), clock=Clock())
        await site.db.write(server_state.put, account_actions.SETUP_TOKEN, hashed(TOKEN))
        await site.close()

    asyncio.run(make())
    return folder


@pytest.fixture(scope="session")
def blog_folder(empty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of a blog with an owner."""
    folder = tmp_path_factory.mktemp("blog") / "data"
    shutil.copytree(empty_folder, folder)

    async def make() -> None:
        site = await open_site(settings(folder), clock=Clock())
        await site.db.write(
            account_actions.set_up,
            site.urls,
            token_hash=hashed(TOKEN),
            name="alice",
            password_hash=hash_password(PASSWORD),
            handle="alice",
            display="Alice Marlow",
            keys=make_keys(),
        )
        await site.close()

    asyncio.run(make())
    return folder


@pytest.fixture
async def blog(blog_folder: Path, tmp_path: Path) -> AsyncIterator[Blog]:
    clock = Clock()
    folder = tmp_path / "data"
    shutil.copytree(blog_folder, folder)
    site = await open_site(settings(folder), clock=clock)
    alice = await site.db.read(accounts.local_by_handle, "alice")
    assert alice is not None
    yield Blog(site, create_app(site), clock, alice)
    await site.close()


@pytest.fixture
async def new_blog(empty_folder: Path, tmp_path: Path) -> AsyncIterator[Browser]:
    """A browser at a server that waits to be set up."""
    folder = tmp_path / "data"
    shutil.copytree(empty_folder, folder)
    site = await open_site(settings(folder), clock=Clock())
    yield Browser(site, create_app(site))
    await site.close()
