"""Real servers as processes, which can be killed at any moment, and people who write on them and to them.

Nothing here sleeps: a process is waited for by what it says, by its end, or by what can be read in its database.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from fediblog.actions import account_actions
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Actor, Key
from fediblog.domain.urls import Urls
from fediblog.protocol import cavage
from fediblog.protocol.keys import PrivateKey, load_private
from fediblog.store.engine.database import Database, connect, system_clock
from fediblog.store.people import logins, relations, server_state
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests.remote_accounts import save_remote
from tests.world import add_person, keys_of

T = TypeVar("T")
Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
PATIENCE = 40.0  # seconds until something that does not happen is taken for never
LOOK = 0.05  # seconds between two looks into a database
CONTEXT = "https://www.w3.org/ns/activitystreams"
GONE = (httpx.TransportError,)  # the server died, or does not listen any more


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def until(seen: Callable[[], Awaitable[bool]], what: str) -> None:
    """Look again and again until it is so."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await seen():
                await asyncio.sleep(LOOK)
    except TimeoutError:
        raise AssertionError(f"did not happen within {PATIENCE:g} s: {what}") from None


class Process:
    """A process and the lines that it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = asyncio.Condition()
        assert process.stdout is not None
        self._reader = asyncio.create_task(self._read(process.stdout))

    async def _read(self, pipe: asyncio.StreamReader) -> None:
        async for raw in pipe:
            async with self._news:
                self.lines.append(raw.decode("utf-8", "replace").rstrip())
                self._news.notify_all()
        async with self._news:
            self.lines.append("(it has ended)")
            self._news.notify_all()

    async def until(self, words: str) -> str:
        """The first line with these words."""

        def found() -> str | None:
            return next((line for line in self.lines if words in line), None)

        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(lambda: found() or self.lines[-1:] == ["(it has ended)"])
        except TimeoutError:
            pass
        line = found()
        assert line is not None, f"it never said {words!r}, but:\n" + "\n".join(self.lines[-40:])
        return line

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and wait for the end; the exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await self.wait()

    async def wait(self) -> int:
        """Wait for the end; the exit code."""
        try:
            async with asyncio.timeout(PATIENCE):
                status = await self.process.wait()
                await self._reader
        except TimeoutError:
            self.process.kill()
            raise AssertionError("it does not end; it said:\n" + "\n".join(self.lines[-40:])) from None
        return status


async def run(*words: str, told: object = None) -> Process:
    """Start `python …` in the checkout; `told` is handed to it as a line of JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("FEDIBLOG_")},
        limit=1 << 20,
    )
    assert process.stdin is not None
    if told is not None:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        await process.stdin.drain()
    process.stdin.close()
    return Process(process)


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody on another server, whom ours knows already. All have the same keys: making them takes its time."""

    name: str
    authority: str = "far.test"

    @property
    def uri(self) -> str:
        return f"http://{self.authority}/u/{self.name}"

    @property
    def key(self) -> PrivateKey:
        return load_private(keys_of("far.test", "anybody")[0].private)

    @property
    def actor(self) -> Actor:
        public = keys_of("far.test", "anybody")[0].public
        return Actor(
            uri=self.uri,
            kind="Person",
            handle=self.name,
            inbox=f"{self.uri}/inbox",
            shared_inbox=f"http://{self.authority}/inbox",
            keys=(Key(uri=f"{self.uri}#main-key", owner=self.uri, kind="rsa", public=public),),
        )

    def does(self, kind: str, thing: Any, number: int | str) -> Json:
        """An activity."""
        uri = f"http://{self.authority}/x/{self.name}/{number}"
        return {"@context": CONTEXT, "id": uri, "type": kind, "actor": self.uri, "object": thing}

    def answers(self, post: str, number: int | str) -> Json:
        """A reply to a post, as an activity."""
        note = {
            "id": f"http://{self.authority}/n/{self.name}/{number}",
            "type": "Note",
            "attributedTo": self.uri,
            "to": [PUBLIC],
            "inReplyTo": post,
            "content": f"<p>answer {number}</p>",
        }
        return self.does("Create", note, f"create-{number}") | {"to": [PUBLIC]}


@dataclass(slots=True)
class Server:
    """One of our servers: its data, the person who lives there, and the process as long as there is one."""

    folder: Path
    database: str = ""  # SQLite in the folder if empty
    port: int = field(default_factory=free_port)
    reach: Sequence[str] = ()  # authorities on this machine that it may send to
    origin: str = ""
    trusted: Sequence[str] = ("127.0.0.0/8", "::1")  # proxies
    process: Process | None = None
    account: Account | None = None
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.origin = self.origin or f"http://127.0.0.1:{self.port}"
        self.database = "" if self.database.startswith("sqlite:") else self.database

    @property
    def urls(self) -> Urls:
        return Urls(self.origin, self.origin.partition("//")[2])

    @property
    def cookie(self) -> str:
        """Of Ann's browser."""
        return f"session-{urlsplit(self.origin).port}={self.token}"

    @property
    def url(self) -> str:
        """Of the database."""
        return self.database or f"sqlite:///{self.folder / 'fediblog.db'}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.process.pid

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self.clients:
            await client.aclose()
        if self.process is not None:
            await self.kill()

    async def furnish(self, *known: Stranger) -> None:
        """A person with a session in the browser, and strangers whom the server knows, before the first start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        urls, now = self.urls, system_clock()

        def action(tx: Tx) -> Account:
            account_actions.ensure_instance(tx, urls, keys_of(urls.host, account_actions.INSTANCE_HANDLE))
            server_state.put(tx, "origin", self.origin)
            account = add_person(tx, urls, "ann", keys_of("near.test", "ann"))
            end = now + 86_400_000
            logins.open_session(
                tx,
                Session(
                    token=hashed(self.token),
                    login=logins.everyone(tx)[0].id,
                    account=account.id,
                    csrf="own-page",
                    created=now,
                    seen=now,
                    expires=end,
                    agent="",
                ),
            )
            for stranger in known:
                save_remote(tx, stranger.actor, stranger.authority)
            return account

        self.account = await self.do(action)

    async def followed_by(self, *strangers: Stranger) -> None:
        """Followers of the one who lives here."""
        account = self.account
        assert account is not None

        def action(tx: Tx) -> None:
            for stranger in strangers:
                follower = save_remote(tx, stranger.actor, stranger.authority)
                relations.put_follow(tx, follower.id, account.id, f"{stranger.uri}/follow", "accepted")

        await self.do(action)

    async def do(self, action: Callable[[Tx], T]) -> T:
        """Something in its database, beside the process."""
        db = await self._open()
        try:
            return await db.write(action)
        finally:
            await db.close()

    async def ask(self, sql: str, **params: Any) -> list[Any]:
        """Rows of its database."""
        db = await self._open()
        try:
            return await db.read(lambda tx: [tuple(row) for row in tx.all(sql, **params)])
        finally:
            await db.close()

    async def damage(self) -> list[str]:
        """What is wrong with its database."""
        db = await self._open()
        try:
            return await db.check()
        finally:
            await db.close()

    async def _open(self) -> Database:
        return await connect(self.url, readers=1, connections=2)

    async def start(self, role: str = "all") -> None:
        """Start, and wait until it answers."""
        told = {
            "data": str(self.folder),
            "origin": self.origin,
            "listen": f"127.0.0.1:{self.port}",
            "database": self.database,
            "role": role,
            "trusted_proxies": list(self.trusted),
            "loopback_authorities": list(self.reach),
            "take_back_seconds": 0,
        }
        self.process = await run("-m", "tests.promises.server", told=told)
        await self.process.until(" is ready: ")

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        await self.process.end(signal.SIGKILL)
        self.process = None

    async def wait_out(self) -> None:
        """The minutes pass after which other workers, where there may be some, take up what a dead one had begun."""

        def action(tx: Tx) -> None:
            tx.run("update host set leased = 0 where leased > 0")
            tx.run("update job set claimed = 0 where claimed is not null")
            tx.run("update incoming set claimed = 0 where claimed is not null")

        if self.database:
            await self.do(action)

    async def stop(self) -> int:
        """Tell it to stop; the exit code."""
        assert self.process is not None
        status = await self.process.end()
        self.process = None
        return status

    def client(self, seconds: float = PATIENCE) -> httpx.AsyncClient:
        """A client that does not follow redirects. It must be made anew after a restart."""
        made = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"host": self.urls.host},
            timeout=seconds,
            trust_env=False,
        )
        self.clients.append(made)
        return made

    async def publish(self, client: httpx.AsyncClient, source: str) -> httpx.Response:
        """Ann writes something in her browser."""
        form = {"csrf": "own-page", "do": "publish", "source": source}
        headers = {"cookie": self.cookie, "origin": self.origin, "accept": "text/html"}
        return await client.post("/write", data=form, headers=headers)

    async def deliver(self, client: httpx.AsyncClient, sender: Stranger, activity: Json) -> httpx.Response:
        """A stranger's server posts something to the inbox."""
        return await client.post("/inbox", **self.signed(sender, activity))

    def signed(self, sender: Stranger, activity: Json) -> Json:
        """The arguments of such a request."""
        body = json.dumps(activity).encode()
        fields = {"content-type": "application/activity+json"}
        now = system_clock() // 1000
        added = cavage.sign("POST", f"{self.origin}/inbox", fields, body, f"{sender.uri}#main-key", sender.key, now)
        return {"content": body, "headers": fields | added}

    async def settled(self) -> None:
        """Wait until nothing that came in or is to go out waits any more."""

        async def seen() -> bool:
            rows = await self.ask(
                "select (select count(*) from incoming where state <> 'dead'), (select count(*) from delivery"
                " where state = 'waiting'), (select count(*) from job where kind = 'fanout')"
            )
            return tuple(rows[0]) == (0, 0, 0)

        await until(seen, "all that waits is done")
