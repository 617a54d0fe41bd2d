"""From what happened to those who listen: events of the database, turned into messages for each connection.

A connection that does not take its messages is dropped: what waits for it is bounded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from msgspec import Struct, field

from fediblog import log
from fediblog.errors import Forbidden, TooOften, Unavailable
from fediblog.federation.site import Site
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.streaming import stream_messages
from fediblog.mastodon.streaming.streams import Stream, admit
from fediblog.store.people import apps
from fediblog.store.people.apps import AccessToken
from fediblog.store.queues import events

MOST_WAITING = 256  # messages of one connection
MOST_OF_TOKEN = 16  # connections
MOST_IN_ALL = 2_000
MOST_STREAMS = 64  # of one connection
LOOK_EVERY = 1.0  # seconds, where another process cannot wake us
_SEEN = 32_768  # events that are remembered as sent


class Listener(Struct, eq=False):
    """One connection: its token, its streams, and the messages that wait for it."""

    token: AccessToken
    streams: set[Stream] = field(default_factory=set)
    waiting: asyncio.Queue[stream_messages.Message | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))
    closed: str = ""  # why, once it is

    def offer(self, message: stream_messages.Message) -> None:
        """Hand a message over, or drop the connection if too many wait."""
        if self.closed:
            return
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.close("slow")

    def close(self, reason: str) -> None:
        """Send nothing more; the messages that wait are dropped."""
        self.closed = reason
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Hub:
    """All connections of one process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._listeners: set[Listener] = set()
        self._last = 0
        self._seen: deque[int] = deque(maxlen=_SEEN)
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._checks: set[asyncio.Task[None]] = set()

    async def join(self, token: AccessToken) -> Listener:
        """A new connection. Raises TooOften if there are too many."""
        own = sum(1 for each in self._listeners if each.token.id == token.id)
        if own >= MOST_OF_TOKEN or len(self._listeners) >= MOST_IN_ALL:
            raise TooOften("api.too-many-streams", 30)
        listener = Listener(token)
        async with self._turn:  # nobody is sent anything before it is known what is new
            is_first = self._task is None
            if is_first:
                await self._begin()
            self._listeners.add(listener)
            if is_first:
                self._task = asyncio.create_task(self._watch())
        return listener

    async def _begin(self) -> None:
        """Begin to watch: what happened before the first connection came is sent to nobody."""
        known = await self._site.db.read(events.before)
        self._last = max(known, default=0)
        for number in known:
            self._seen.append(number)

    def close(self) -> None:
        """The server stops: all connections end, rather than be waited for."""
        for each in self._listeners:
            each.close("stopping")

    def leave(self, listener: Listener) -> None:
        """A connection ended; with the last one, the watching."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def tell(self) -> None:
        """Send to everybody what has happened since the last time. For the task, and for tests."""
        async with self._turn:  # each event once, and in their order
            for event in await self._site.db.read(events.since, self._last, self._seen):
                self._last = max(self._last, event.id)
                self._seen.append(event.id)
                await self._pass_on(event)

    async def check_tokens(self) -> None:
        """Tokens may have been revoked or narrowed: their streams end at once."""
        for number in {each.token.id for each in self._listeners}:
            token = await self._site.db.read(apps.token_by_id, number)
            for listener in [each for each in self._listeners if each.token.id == number]:
                _narrow(listener, token)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        ends = [
            self._site.db.listen(events.CHANNEL, self._wake.set),
            self._site.db.listen(apps.TOKENS, lambda: self._keep(loop.create_task(self.check_tokens()))),
        ]
        try:
            while True:
                await self._look()
        finally:
            for end in ends:
                end()

    def _keep(self, check: asyncio.Task[None]) -> None:
        """The event loop keeps no task alive by itself."""
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)

    async def _look(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._wake.wait()
        self._wake.clear()
        try:
            await self.tell()
            await self.check_tokens()
        except Unavailable as error:  # the database: it is asked again
            log.event("streams-wait", reason=error.reason)
        except Exception as error:
            log.trouble("streams-failed", error)

    async def _pass_on(self, event: events.Event) -> None:
        wanted = {
            (each.token.account or 0, stream): stream_messages.hears(stream, event, each.token)
            for each in self._listeners
            for stream in each.streams
        }
        asked = {key for key, hears in wanted.items() if hears}
        if not asked:
            return
        made = await self._site.db.read(stream_messages.messages, self._site.keep(EntityContext), event, asked)
        for listener in list(self._listeners):
            for stream in listener.streams:
                message = made.get((listener.token.account or 0, stream))
                if message is not None and stream_messages.hears(stream, event, listener.token):
                    listener.offer(message)


def _narrow(listener: Listener, token: AccessToken | None) -> None:
    if token is None or token.account != listener.token.account:
        listener.close("revoked")
    elif token.scopes != listener.token.scopes:
        listener.token = token
        if not all(_may(stream, token) for stream in listener.streams):
            listener.close("narrowed")


def _may(stream: Stream, token: AccessToken) -> bool:
    try:
        admit(stream, token)
    except Forbidden:
        return False
    return True
