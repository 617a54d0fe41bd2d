"""`fediblog serve`: answers requests and delivers, until it gets a signal to stop."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import secrets
import signal
import socket
import sys
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette

from fediblog import __version__, log
from fediblog.actions import account_actions
from fediblog.app import create_app
from fediblog.cli import connection_limits, disk_reserve, listen_sockets, trial_origin, worker_lock
from fediblog.cli.command import Command
from fediblog.cli.command_site import read_settings
from fediblog.cli.terminal import say, tell, translated, warn
from fediblog.domain.urls import is_trial
from fediblog.errors import Refused, Unavailable
from fediblog.federation import jobs
from fediblog.federation.site import Site, make_folder
from fediblog.federation.worker import Worker
from fediblog.mastodon.streaming.hub import Hub
from fediblog.settings import Settings
from fediblog.store.engine.schema_lock import Upgrade
from fediblog.store.people import logins, server_state
from fediblog.store.tx import Tx
from fediblog.web import metrics

GRACE = 8  # seconds for requests and deliveries under way, once a signal says to stop
IDLE = 75  # seconds that a connection is kept open: longer than proxies keep theirs
MOST_CONNECTIONS = 2_000
MOST_FILES = 8_192


def run(args: Namespace) -> int:
    """Serve with the settings of this command line."""
    return serve(read_settings(args), yes=args.yes)


def serve(found: Settings, *, yes: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code."""
    log.configure(found.log_level)
    raise_file_limit()
    make_folder(found.data)
    with ExitStack() as held:
        upgrade = worker_lock.upgrade_of(
            found, yes=yes
        )  # before our own lock, which would be taken for another worker's
        if found.role != "web":
            held.enter_context(worker_lock.only_worker(found))
        used = disk_reserve.Reserve(found.data, found.spare_bytes).give_up()  # or there is no room to open it
        sockets = _watchers_sockets(held, found) if found.role == "worker" else _sockets(held, found)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(found, sockets, used, upgrade))


def _sockets(held: ExitStack, found: Settings) -> list[socket.socket]:
    return held.enter_context(listen_sockets.sockets(found.listen))


def _watchers_sockets(held: ExitStack, found: Settings) -> list[socket.socket]:
    """A worker listens to whoever watches it, if anybody may; that it cannot is no reason not to work."""
    if not found.metrics_token:
        return []
    try:
        return _sockets(held, found)
    except Refused as refusal:
        warn("cli.no-metrics-page", reason=refusal)
        return []


def raise_file_limit() -> None:
    """Each connection, in or out, is an open file; what a shell gives at first would soon be used up."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def calm_collector() -> None:
    """Have Python look for cycles less often: requests make few, and looking took a tenth of the time."""
    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(20_000, 20, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(found: Settings, sockets: list[socket.socket], used: bool, upgrade: Upgrade) -> int:
    chosen = await trial_origin.with_origin(found, [] if found.role == "worker" else sockets, upgrade)
    async with (
        _opened(chosen, upgrade) as site,
        disk_reserve.watched(chosen.data, site.db, _spare(site), used=used),
        _checked(site),
    ):
        server = await _server(site, sockets) if sockets else None
        worker = Worker(site) if chosen.role != "web" else None
        calm_collector()
        status = await _work(server, sockets, worker, _stop_signals())
    tell("cli.stopped")
    return status


async def _work(
    server: _Server | None, sockets: list[socket.socket], worker: Worker | None, stop: asyncio.Event
) -> int:
    """Both side by side, until a signal says to stop or one of them fails: then whoever watches us starts us again."""
    parts = [asyncio.create_task(server.serve(sockets))] if server is not None else []
    parts += [asyncio.create_task(worker.run())] if worker is not None else []
    if server is None and worker is not None:
        tell("cli.delivers", version=__version__)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((stopping, *parts), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if server is not None:
        server.should_exit = True
    if worker is not None:
        await worker.stop(GRACE)
    failed = [end for end in await asyncio.gather(*parts, return_exceptions=True) if isinstance(end, Exception)]
    for error in failed:
        log.trouble("server-failed", error)
    return 1 if failed else 0


def _spare(site: Site) -> int:
    """Bytes of spare room; a server for trying out takes no more of the disk than it needs."""
    return 0 if is_trial(site.urls.origin) else site.settings.spare_bytes


async def _server(site: Site, sockets: list[socket.socket]) -> _Server:
    """What answers on the sockets: the whole site, or of a worker its numbers alone."""
    if site.settings.role != "worker":
        config = _config(create_app(site), site.settings.trusted_proxies)
        return _Server(config, await _greeting(site, sockets), site.keep(Hub).close)
    where = ", ".join(listen_sockets.name_of(each) for each in sockets)
    said = translated("cli.delivers-with-metrics", version=__version__, where=where)
    return _Server(_config(metrics.create_app(site), site.settings.trusted_proxies), [said])


@asynccontextmanager
async def _opened(found: Settings, upgrade: Upgrade) -> AsyncIterator[Site]:
    site = await trial_origin.open_chosen(found, upgrade)
    try:
        yield site
    finally:
        await site.close()


@asynccontextmanager
async def _checked(site: Site) -> AsyncIterator[None]:
    """Reads the database whole in the background, whatever its size, so that the start need not wait for it."""
    task = asyncio.create_task(_check(site)) if site.db.engine == "sqlite" else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _check(site: Site) -> None:
    try:
        await jobs.check(site)
    except Unavailable as error:
        log.event("check-failed", reason=error.reason, detail=error.detail)
    except Exception as error:
        log.trouble("check-failed", error)


def _config(app: Starlette, trusted: Iterable[str]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=connection_limits.protocol(trusted),  # type: ignore[arg-type]  # what is called need not be a class
        ws=_web_socket,  # type: ignore[arg-type]  # what is called for a protocol need not be its class
        ws_max_size=65_536,
        ws_ping_interval=30,
        ws_ping_timeout=30,
        ws_per_message_deflate=False,  # costs 300 kB for each connection
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the application's own middleware knows which proxies to believe
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=IDLE,
        limit_concurrency=MOST_CONNECTIONS,
    )


def _web_socket(**given: Any) -> asyncio.Protocol:
    """The protocol of a connection that becomes a WebSocket; the first one imports it, a twentieth of a start."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**given)


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to us: uvicorn's own handling ends the process as if it had failed."""

    def __init__(self, config: uvicorn.Config, greeting: list[str], on_stop: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._on_stop = on_stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for line in self._greeting:
            say(line)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()  # streams never end by themselves, and would be waited for
        await super().shutdown(sockets)


def _stop_signals() -> asyncio.Event:
    """An event that is set by SIGTERM and SIGINT; while the loop runs, a second signal ends the process at once."""
    stop = asyncio.Event()

    def asked() -> None:
        if stop.is_set():
            tell("cli.stopped-at-once")
            os._exit(1)  # an exception would wait for what is under way, and print where it came from
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, asked)
    return stop


async def _greeting(site: Site, sockets: list[socket.socket]) -> list[str]:
    """What the operator must know, once the server answers."""
    where = ", ".join(listen_sockets.name_of(each) for each in sockets)
    lines = [translated("cli.ready", version=__version__, origin=site.urls.origin, where=where)]
    token = await site.db.write(_setup_token)
    if token:
        lines.append(translated("cli.set-up", address=f"{site.urls.origin}/setup?token={token}"))
    for key, values in warnings(site.settings, site.urls.origin).items():
        warn(key, **values)
    return lines


def _setup_token(tx: Tx) -> str:
    """A fresh one as long as there is no login; only its hash is kept, so an earlier link ends."""
    if logins.everyone(tx):
        server_state.drop(tx, account_actions.SETUP_TOKEN)
        return ""
    token = secrets.token_urlsafe(24)
    server_state.put(tx, account_actions.SETUP_TOKEN, hashlib.sha256(token.encode()).hexdigest())
    return token


def warnings(found: Settings, origin: str) -> dict[str, dict[str, str]]:
    """What is fine for trying out and wrong for a public server: messages by their keys, with values."""
    trial = {"cli.is-trial": {"origin": origin, "data": found.data_option}} if is_trial(origin) else {}
    lab = {"cli.is-lab": {"hosts": ", ".join(found.lab_hosts)}} if found.lab_hosts else {}
    return trial | lab


COMMANDS = (
    Command(
        words=("serve",),
        usage="",
        examples=(
            "fediblog serve",
            "fediblog serve --origin https://blog.example --data /var/lib/fediblog",
            "fediblog serve --listen unix:/run/fediblog/socket --data /var/lib/fediblog",
        ),
        arguments=worker_lock.yes_argument,
        options=("data", "origin", "listen", "handle_domain", "database", "role", "log_level"),
        run=run,
    ),
)
