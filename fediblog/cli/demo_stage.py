"""The stage of the demo: two servers in processes of their own, and a listener for what they send each other."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

from msgspec import Struct, field

from fediblog import passwords
from fediblog.actions import account_actions
from fediblog.cli.demo_server import settings_of
from fediblog.domain.accounts import Account
from fediblog.errors import Refused
from fediblog.federation.keyring import new_keys
from fediblog.federation.site import Site, open_site
from fediblog.store.queues import delivery_queue

START = 20.0  # seconds that a server may take to come up
STEP = 10.0  # seconds until a step must be seen on the other side
LOOK = 0.2  # seconds between two looks into the other's database
_DELIVERY = re.compile(r" delivery .*?\bactivity=(\d+) .*?\bstatus=(\w+)")


class Crossing(Struct, frozen=True):
    """One activity that went from one server to the other, and what that one answered."""

    kind: str
    sender: str
    receiver: str
    status: str


class Party(Struct, kw_only=True):
    """One server, with the one person who lives there."""

    name: str
    site: Site
    account: Account
    password: str

    @property
    def host(self) -> str:
        """Where the server is."""
        return self.site.urls.host


class CrossingListener(Struct):
    """Hears what crosses."""

    tell: Callable[[Crossing], None]
    crossings: list[Crossing] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def note(self, party: Party, other: str, line: str) -> None:
        """A line of a server's log: if it tells of a delivery, say what that was."""
        found = _DELIVERY.search(line)
        if found is None:
            return
        sent = await party.site.db.read(delivery_queue.get, int(found[1]))
        crossing = Crossing(sent.kind if sent else "?", party.name, other, found[2])
        self.crossings.append(crossing)
        self.tell(crossing)
        self.news.set()

    async def until(self, seen: Callable[[], Awaitable[bool]], kinds: list[str], first: int) -> bool:
        """Wait until the other side has it, and these activities have crossed since the first so many."""
        try:
            async with asyncio.timeout(STEP):
                while not (await seen() and self._crossed(kinds, first)):
                    self.news.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self.news.wait(), LOOK)
        except TimeoutError:
            return False
        return True

    def _crossed(self, kinds: list[str], first: int) -> bool:
        good = [each.kind for each in self.crossings[first:] if each.status.startswith("2")]
        return all(good.count(kind) >= kinds.count(kind) for kind in kinds)


@asynccontextmanager
async def stage(
    folder: Path, names: tuple[str, str], tell: Callable[[Crossing], None]
) -> AsyncIterator[tuple[Party, Party, CrossingListener]]:
    """Both servers up, each with its person, until the end of the block."""
    own = tuple(f"127.0.0.1:{port}" for port in _free_ports(len(names)))
    listener = CrossingListener(tell)
    async with AsyncExitStack() as held:
        places = [(folder / names[0], own[0], own[1]), (folder / names[1], own[1], own[0])]
        servers = [await held.enter_async_context(_process(*place)) for place in places]
        await asyncio.gather(*(server.ready() for server in servers))
        first, second = [await _move_in(held, name, place) for name, place in zip(names, places, strict=True)]
        servers[0].listen(lambda line: listener.note(first, second.name, line))
        servers[1].listen(lambda line: listener.note(second, first.name, line))
        yield first, second, listener


async def _move_in(held: AsyncExitStack, name: str, place: tuple[Path, str, str]) -> Party:
    """Open the same data folder beside the running server, and make a login and an account there."""
    site = await open_site(settings_of(*place))
    held.push_async_callback(site.close)
    password = secrets.token_urlsafe(9)
    hashed = await passwords.hashed(password)
    login = await site.db.write(account_actions.add_login, name, hashed)
    account = await site.db.write(
        account_actions.add_account, site.urls, login.id, name, name.capitalize(), await new_keys()
    )
    return Party(name=name, site=site, account=account, password=password)


class _Server:
    """A server's process, and its log line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._last: deque[str] = deque(maxlen=20)
        self._up = asyncio.Event()
        self._heard: Callable[[str], Awaitable[None]] | None = None
        self._tasks = [asyncio.create_task(self._read(pipe)) for pipe in (process.stdout, process.stderr) if pipe]

    def listen(self, heard: Callable[[str], Awaitable[None]]) -> None:
        """Take in every line of the log."""
        self._heard = heard

    async def ready(self) -> None:
        """Wait until it answers. Raises Refused if it does not come up."""
        up = asyncio.create_task(self._up.wait())
        ended = asyncio.create_task(self._process.wait())
        await asyncio.wait((up, ended), timeout=START, return_when=asyncio.FIRST_COMPLETED)
        for task in (up, ended):
            task.cancel()
        if not self._up.is_set():
            raise Refused("demo-failed", lines="\n".join(self._last))

    async def end(self) -> None:
        """Tell it to stop, and see that it does."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(START):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _read(self, pipe: asyncio.StreamReader) -> None:
        async for raw in pipe:
            line = raw.decode("utf-8", "replace").rstrip()
            self._last.append(line)
            if " is ready: " in line:
                self._up.set()
            if self._heard is not None:
                await self._heard(line)


@asynccontextmanager
async def _process(folder: Path, own: str, other: str) -> AsyncIterator[_Server]:
    """A server as a process; in a session of its own, so that Ctrl-C reaches us alone and we end it in order."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fediblog.cli.demo_server", str(folder), own, other),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},  # what it says is read here
    )
    server = _Server(process)
    try:
        yield server
    finally:
        await server.end()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        bound = [held.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(count)]
        return [each.getsockname()[1] for each in bound]
