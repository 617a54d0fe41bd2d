"""Several real servers that reach each other in one process: no sockets, but real signatures, databases and workers.

Time stands still unless a test moves it, and the network fails only where a test says so.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from fediblog.actions import account_actions
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, Unavailable
from fediblog.federation.keyring import make_keys
from fediblog.federation.site import Site, open_site
from fediblog.net import AccessPolicy, Response, check_url
from fediblog.net.http_engine import Headers
from fediblog.settings import Settings
from fediblog.store.engine.database import connect, sqlite_path
from fediblog.store.people import logins, server_state
from fediblog.store.people.accounts import NewKey
from fediblog.store.tx import Tx
from tests.conftest import Clock, empty_database
from tests.postgres import Cluster

T = TypeVar("T")
App = Callable[..., Any]
JSON = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
_POLICY = AccessPolicy()
_OWN = frozenset({"host", "content-length", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was made, and the status that came back; None if no answer did."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    status: int | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def document(self) -> dict[str, Any]:
        """The activity that was posted."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def kind(self) -> str:
        return str(self.document["type"])


@dataclass(slots=True)
class Network:
    """What lies between the servers: who is reached under which name, and what goes wrong on the way."""

    apps: dict[str, App] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sent: list[Sent] = field(default_factory=list)
    stall: Callable[[Sent], bool] | None = None  # requests that hang for ever

    def fail(self, host: str, status: int, times: int = 1, **headers: str) -> None:
        """The next so many posts to that host are answered with this status, and not processed."""
        self.answers[host] += [(status, {name.replace("_", "-"): value for name, value in headers.items()})] * times

    def lose(self, host: str, times: int = 1) -> None:
        """The next so many posts to that host are processed, but the answer is lost."""
        self.lost[host] += times

    def posts(self, host: str = "", kind: str = "") -> list[Sent]:
        """The posts so far, of all hosts and kinds or only of these."""
        return [
            each
            for each in self.sent
            if each.method == "POST" and (not host or each.host == host) and (not kind or each.kind == kind)
        ]


class WorldEngine:
    """The door to the outside, behind which are the other servers of the world."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        target = check_url(url, _POLICY)
        fields = {name.lower(): value for name, value in dict(headers).items()}
        request = Sent(method, target.url, fields, body)
        network, host = self._network, target.authority
        if network.stall is not None and network.stall(request):
            await asyncio.Event().wait()
        if host in network.down or (host not in network.apps and not network.answers[host]):
            network.sent.append(request)
            raise Unavailable("unreachable", detail=host)
        if method == "POST" and network.answers[host]:
            status, extra = network.answers[host].pop(0)
            network.sent.append(Sent(method, target.url, fields, body, status))
            return Response(status, tuple(extra.items()), b"", url)
        response = await ask(network.apps[host], method, target.url, fields, body)
        if method == "POST" and network.lost[host]:
            network.lost[host] -= 1
            network.sent.append(request)
            raise Unavailable("timeout", detail=host)
        network.sent.append(Sent(method, target.url, fields, body, response.status_code))
        if method == "GET" and response.is_success and len(response.content) > limit:
            raise Refused("answer-too-large")
        kept = tuple((name.lower(), value) for name, value in response.headers.items())
        return Response(response.status_code, kept, response.content[:limit], url)

    async def close(self) -> None:
        """Nothing is open."""


async def ask(
    app: App, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, address: str = "198.18.0.1"
) -> httpx.Response:
    """One request to an application; without httpx's client, which would take as long as the application."""
    kept = httpx.Headers({"accept": "*/*", "accept-encoding": "identity", "user-agent": "python-httpx"})
    kept.update({name: value for name, value in headers.items() if name not in _OWN})
    request = httpx.Request(method, url, headers=kept, content=body)
    answer = await httpx.ASGITransport(app=app, client=(address, 4711)).handle_async_request(request)
    answer.request = request
    await answer.aread()
    return answer


@cache
def keys_of(host: str, handle: str) -> tuple[NewKey, ...]:
    """Keys of an account, made once in a test run: RSA takes its time."""
    return make_keys()


# SQLite databases of servers that have just begun, by their address, domain and time.
_BEGUN: dict[tuple[Urls, int], bytes] = {}


async def new_site(
    folder: Path, origin: str, engine: WorldEngine, clock: Clock, *, database: str = "", **settings: Any
) -> Site:
    """A server with its instance actor, which is not made anew each time."""
    chosen = Settings(data=folder, origin=origin, database=database, **settings)
    folder.mkdir(parents=True, exist_ok=True)
    urls = Urls(origin, settings.get("handle_domain") or urlsplit(origin).netloc)
    file, begun = sqlite_path(chosen.database_url), (urls, clock.now)
    if file is None or (file.exists() and not _is_empty(file)):
        await _begin(chosen, urls, clock)
    elif begun in _BEGUN:
        file.write_bytes(_BEGUN[begun])
    else:
        file.write_bytes(empty_database())
        await _begin(chosen, urls, clock)
        _BEGUN[begun] = file.read_bytes()
    return await open_site(chosen, engine=engine, clock=clock)


def _is_empty(file: Path) -> bool:
    return not Path(f"{file}-wal").exists() and file.read_bytes() == empty_database()


async def _begin(chosen: Settings, urls: Urls, clock: Clock) -> None:
    db = await connect(chosen.database_url, clock=clock)
    try:
        await db.write(account_actions.ensure_instance, urls, keys_of(urls.host, account_actions.INSTANCE_HANDLE))
        await db.write(server_state.put, "origin", urls.origin)
        await db.write(server_state.put, "handle-domain", urls.handle_domain)
    finally:
        await db.close()


def add_person(tx: Tx, urls: Urls, handle: str, keys: Sequence[NewKey]) -> Account:
    """A login and its account."""
    login = logins.by_name(tx, handle) or account_actions.add_login(tx, handle, "-")
    return account_actions.add_account(tx, urls, login.id, handle, handle.title(), keys)


class World:
    """Servers by their names: `async with World("alice.test", "bob.test") as world:`."""

    def __init__(
        self,
        *hosts: str,
        clock: Clock | None = None,
        postgres: tuple[Cluster, str] | None = None,
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.hosts = hosts
        self.settings = {"take_back_seconds": 0, **settings}  # what is published is there at once, unless a test waits
        self.clock = clock or Clock()
        self.network = Network()
        self.sites: dict[str, Site] = {}
        self.workers: dict[str, Any] = {}
        self._postgres = postgres
        self._databases: dict[str, str] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="fediblog-world-"))

    async def __aenter__(self) -> World:
        for host in self.hosts:
            if self._postgres is not None:
                cluster, template = self._postgres
                self._databases[host] = cluster.create(template)
            await self.open(host)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for host in list(self.sites):
            await self.close(host)
        if self._postgres is not None:
            for name in self._databases.values():
                self._postgres[0].drop(name)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def open(self, host: str) -> Site:
        """Start a server, on what it had stored."""
        database = self._postgres[0].url(self._databases[host]) if self._postgres else ""
        site = await new_site(
            self._folder / host,
            f"https://{host}",
            WorldEngine(self.network),
            self.clock,
            database=database,
            **self.settings,
        )
        self.sites[host] = site
        # Found by name: this module also serves tests of what the application is made of.
        self.workers[host] = import_module("fediblog.federation.worker").Worker(site, dice=lambda: 0.5)
        self.network.apps[host] = import_module("fediblog.app").create_app(site)
        return site

    async def close(self, host: str) -> None:
        """Stop a server in good order."""
        self.network.apps.pop(host, None)
        await self.workers.pop(host).stop()
        await self.sites.pop(host).close()

    async def crash(self, host: str) -> None:
        """Kill a server: what it was about to write is lost."""
        self.network.apps.pop(host, None)
        await self.sites.pop(host).close()
        await self.workers.pop(host).stop(grace=0)

    async def restart(self, host: str) -> Site:
        """Start a server again; its worker takes back what an earlier one had begun."""
        site = await self.open(host)
        await self.workers[host].recover()
        return site

    async def settle(self, rounds: int = 50) -> None:
        """Let all workers do what is due, until nothing is on the way any more."""
        for _ in range(rounds):
            if not sum([await worker.idle() for worker in self.workers.values()]):
                return
        raise AssertionError(f"the world does not come to rest within {rounds} rounds")

    async def person(self, host: str, handle: str) -> Account:
        """Somebody who lives on that server."""
        site = self.sites[host]
        return await site.db.write(add_person, site.urls, handle, keys_of(host, handle))

    async def get(self, host: str, path: str, accept: str = JSON) -> httpx.Response:
        """Ask a server, as anybody may."""
        url = path if path.startswith("https:") else f"https://{host}{path}"
        return await ask(self.network.apps[host], "GET", url, {"accept": accept})

    async def read(self, host: str, question: Callable[..., T], *args: Any) -> T:
        """Ask a server's database."""
        return await self.sites[host].db.read(question, *args)

    async def do(self, host: str, action: Callable[..., T], *args: Any) -> T:
        """Do something on a server, as its web pages would: `action(tx, urls, *args)`."""
        site = self.sites[host]
        return await site.db.write(action, site.urls, *args)
