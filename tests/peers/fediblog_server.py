"""A fediblog of the test's own process, over real TLS and HTTP, with a book of what was asked of it.

`name.fedi.test` leads to 127.0.0.1 at the port of the address. The worker works when it is told to (`settle`), so that
a test knows when everything is done; what comes from outside is waited for by the book (`wait`), so nothing sleeps.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import trustme
import uvicorn
from msgspec.structs import replace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.federation import prepared_actions
from fediblog.federation.site import Site, make_policy, open_site
from fediblog.federation.worker import Worker
from fediblog.net import SocketEngine
from fediblog.settings import Settings
from fediblog.store.engine.database import system_clock
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from tests.peers.fedify_peer import DRAFT, RFC9421, Json
from tests.world import JSON, add_person, keys_of

T = TypeVar("T")

_SECONDS = 60.0  # Fedify tries again after some; only a mistake waits so long


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its answer. `document` is what was posted, `scheme` how the request claims to be signed."""

    method: str
    target: str
    status: int
    scheme: str | None
    document: Json

    @property
    def kind(self) -> str:
        return str(self.document.get("type", ""))

    @property
    def object(self) -> str:
        """The id of what the activity is about."""
        found = self.document.get("object")
        return str(found.get("id", "")) if isinstance(found, dict) else str(found)


def _scheme(scope: Scope) -> str | None:
    names = {name for name, _ in scope["headers"]}
    if b"signature-input" in names:
        return RFC9421
    return DRAFT if b"signature" in names else None


@dataclass(slots=True)
class Book:
    """Between the socket and the application: everything that is asked, in order."""

    app: ASGIApp
    entries: list[Asked] = field(default_factory=list)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, status = b"", 0

        async def take() -> Message:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        async def answer(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self.app(scope, take, answer)
        query = scope["query_string"].decode()
        target = scope["path"] + (f"?{query}" if query else "")
        document = json.loads(body) if scope["method"] == "POST" and body.startswith(b"{") else {}
        async with self.more:
            self.entries.append(Asked(scope["method"], target, status, _scheme(scope), document))
            self.more.notify_all()

    async def wait(self, wanted: Callable[[Asked], bool], after: int = 0) -> Asked:
        """The first entry beyond the first `after` ones that is wanted, there already or yet to come."""

        def found() -> Asked | None:
            return next(filter(wanted, self.entries[after:]), None)

        try:
            async with asyncio.timeout(_SECONDS), self.more:
                await self.more.wait_for(lambda: found() is not None)
        except TimeoutError:
            seen = "\n".join(f"{each.status} {each.method} {each.target} {each.kind}" for each in self.entries[after:])
            raise AssertionError(f"it was not asked within {_SECONDS} s; there were:\n{seen}") from None
        entry = found()
        assert entry is not None
        return entry


@dataclass(slots=True)
class FediblogServer:
    """One running server."""

    site: Site
    worker: Worker
    book: Book
    ca_file: str

    @property
    def origin(self) -> str:
        return self.site.urls.origin

    async def settle(self) -> None:
        """Do everything that is due."""
        await self.worker.idle()

    async def heard(self, kind: str, *, about: str = "", by: str = "", after: int = 0) -> Asked:
        """An activity of that kind was taken in, and all that follows from it is done."""

        def wanted(asked: Asked) -> bool:
            return (
                asked.kind == kind
                and (not about or asked.object == about)
                and (not by or asked.document.get("actor") == by)
            )

        entry = await self.book.wait(wanted, after)
        assert entry.status == 202, entry
        await self.settle()
        return entry

    async def person(self, handle: str) -> Account:
        """Somebody who lives here. All have the same keys, since making them takes its time; the ids differ."""
        return await self.site.db.write(add_person, self.site.urls, handle, keys_of("fedi.test", "anybody"))

    async def do(self, action: Callable[..., T], *args: Any) -> T:
        """Do something as the pages would: `action(tx, urls, *args)`, and let it get about."""
        done = await self.site.db.write(action, self.site.urls, *args)
        await self.settle()
        return done

    async def publish(self, account: Account, source: str, **more: Any) -> Post:
        """Write something, and let it get about."""
        post = await prepared_actions.publish(self.site, account.id, Draft(source=source, **more))
        await self.settle()
        return post

    async def read(self, question: Callable[..., T], *args: Any) -> T:
        """Ask the database."""
        return await self.site.db.read(question, *args)

    async def post(self, uri: str) -> Post | None:
        """A post as it is stored here."""
        return await self.read(posts.by_uri, uri)

    async def account(self, uri: str) -> Account:
        """An account as it is stored here."""
        found = await self.read(accounts.by_uri, uri)
        assert found is not None, uri
        return found

    async def get(self, url: str, accept: str = JSON) -> httpx.Response:
        """Ask without a signature, over the network, as anybody may."""
        context = ssl.create_default_context(cafile=self.ca_file)
        host, path = self.site.urls.host, url.removeprefix(self.origin)
        port = host.rpartition(":")[2]
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            return await client.get(
                f"https://127.0.0.1:{port}{path}",
                headers={"host": host, "accept": accept},
                extensions={"sni_hostname": host.rpartition(":")[0]},
            )


async def _loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"] if host.endswith(".fedi.test") else []


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


def _certificate(ca: trustme.CA, host: str, folder: Path) -> tuple[str, str]:
    """The file of the server's key and certificate, and that of the authority."""
    own, authority = folder / f"{host}.pem", folder / "authority.pem"
    ca.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(str(own))
    ca.cert_pem.write_to_path(str(authority))
    return str(own), str(authority)


async def _open(settings: Settings, ca_file: str, clock: Callable[[], int]) -> Site:
    urls = Urls(settings.origin, settings.origin.removeprefix("https://"))
    policy = replace(make_policy(settings, urls), ca_file=ca_file)
    return await open_site(settings, engine=SocketEngine(policy, _loopback), clock=clock)


@asynccontextmanager
async def serving(
    ca: trustme.CA,
    folder: Path,
    *,
    host: str = "blog.fedi.test",
    clock: Callable[[], int] = system_clock,
    **settings: Any,
) -> AsyncIterator[FediblogServer]:
    """A server for the length of a block, on a free port; `folder` gets its certificate and its data."""
    own, authority = _certificate(ca, host, folder)
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"https://{host}:{listener.getsockname()[1]}"
    chosen = Settings(data=folder / host, origin=origin, lab_hosts=("*.fedi.test",), **settings)
    site = await _open(chosen, authority, clock)
    book = Book(create_app(site))
    config = uvicorn.Config(
        book,
        ssl_certfile=own,
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        timeout_keep_alive=75,  # as `serve` has it: who sends on one that is closing tries again late
        timeout_graceful_shutdown=5,
    )
    server, worker = _Server(config), Worker(site)
    running = asyncio.create_task(server.serve([listener]))
    listening = asyncio.create_task(server.listens.wait())
    try:
        await asyncio.wait([running, listening], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        yield FediblogServer(site, worker, book, authority)
    finally:
        listening.cancel()
        await worker.stop()
        server.should_exit = True
        await running
        await site.close()
