"""Finished answers for everybody, kept until anything changes that they could show.

The database notifies a channel with each commit that writes to a table of which pages are made. That empties the cache:
an answer is never older than the last such commit, and a page is made at most once between two of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fediblog.counters import PAGE_CACHE
from fediblog.errors import Unavailable
from fediblog.memory import Memory
from fediblog.messages import ENGLISH, accept_language
from fediblog.store.engine.database import Database
from fediblog.store.tx import CONTENT

MOST_BYTES = 16_000_000  # of all bodies together
MOST_BODY = 1_000_000
LOOK_AFTER = 0.5  # seconds after which it is asked whether another process has written
PATIENCE = 0.2  # seconds to wait for the answer: whoever knows it may wait for that process to let go of its lock
MOST_AGE = 60.0  # seconds: what depends on the time of day alone may be as old as that

# A request with one of these is somebody's own, or is answered by other rules (of files: RFC 9110 §13).
_PERSONAL = frozenset(
    {
        *(b"cookie", b"signature", b"signature-input", b"authorization", b"range", b"if-range", b"if-match"),
        *(b"if-modified-since", b"if-unmodified-since"),
    }
)
_READ = _PERSONAL | {b"accept", b"if-none-match", accept_language.NAME}
MOST_KEY = 2400  # bytes of address, Accept and If-None-Match together

_ACCOUNTS = b"/@"  # begins the paths of what accounts of ours show

Key = tuple[bytes, bytes, bytes, bytes, str]
Opened = Callable[[bytes, bytes, Iterable[tuple[bytes, bytes]]], None]
"""Told of each request of nobody in particular for what an account shows: its path, what it accepts, its headers."""


class CachedAnswer(Struct, frozen=True):
    """A whole answer as it is sent, and when it was made (seconds of a monotonic clock)."""

    start: Message
    body: Message
    made: float

    @property
    def size(self) -> int:
        """Bytes of the body, and a guess for the rest."""
        return len(self.body["body"]) + 1000


class PageCache:
    """Middleware in front of the application: answers from memory what it has answered since the last change."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        db: Database,
        language: str = ENGLISH,
        opened: Opened | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self._opened = opened
        self._language = language
        self._db = db
        self._clock = clock
        self._kept: Memory[Key, CachedAnswer] = Memory(MOST_BYTES)
        self._generation = 0
        self._foreign = 0
        self._looked = clock()
        self._looking: asyncio.Task[None] | None = None
        db.listen(CONTENT, self.clear)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope, self._language) if scope["type"] == "http" and scope["method"] == "GET" else None
        if key is None:
            await self.app(scope, receive, send)
            return
        if self._opened is not None and key[0].startswith(_ACCOUNTS):
            self._opened(key[0], key[2], scope["headers"])
        now = self._clock()
        if now - self._looked > LOOK_AFTER:
            await self._look()
        found = self._kept.get(key)
        if found is not None and now - found.made < MOST_AGE:
            PAGE_CACHE.add("yes")
            await send(found.start)
            await send(found.body)
            return
        PAGE_CACHE.add("no")
        await self._make(key, scope, receive, send)

    def clear(self) -> None:
        """Forget all answers: something has changed that they could show."""
        self._generation += 1
        self._kept.clear()

    async def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looked = self._clock()
            self._looking = asyncio.create_task(self._compare())
        await asyncio.wait([self._looking], timeout=PATIENCE)

    async def _compare(self) -> None:
        try:
            foreign = await self._db.foreign_version()
        except Unavailable:  # whoever must read will say so; what is kept is as true as before
            return
        if foreign != self._foreign:
            self._foreign = foreign
            self.clear()

    async def _make(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        generation = self._generation
        parts: list[Message] = []

        async def watch(message: Message) -> None:
            parts.append(message)
            await send(message)

        await self.app(scope, receive, watch)
        # What was read before the last change must not be kept after it.
        if len(parts) >= 2 and generation == self._generation and may_keep(parts):
            body = b"".join(part.get("body", b"") for part in parts[1:])
            answer = CachedAnswer(parts[0], {"type": "http.response.body", "body": body}, self._clock())
            self._kept.put(key, answer, weight=answer.size + sum(map(len, key)))


def key_of(scope: Scope, language: str) -> Key | None:
    """All that answers for everybody are made of, bounded in length.

    None if the request is longer, is not anybody's, or says one thing twice.

    Of what languages are asked for only the one that is answered in counts: browsers write the same in many ways.
    `language` is that of those who ask for none that there is.
    """
    accept = tag = languages = None
    for name, value in scope["headers"]:
        if name not in _READ:
            continue
        if name == b"accept":
            if accept is not None:
                return None
            accept = value
        elif name == b"if-none-match":
            if tag is not None:
                return None
            tag = value
        elif name == accept_language.NAME:  # several lines are one list
            languages = value if languages is None else languages + b"," + value
        else:
            return None
    accept, tag = accept or b"", tag or b""
    path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
    if len(path) + len(query) + len(accept) + len(tag) > MOST_KEY:
        return None
    if languages is not None:
        language = accept_language.chosen(languages, language)
    return path, query, accept, tag, language


def may_keep(parts: list[Message]) -> bool:
    """Whether an answer says itself that it is for everybody."""
    start = parts[0]
    if start.get("status") not in (200, 304) or sum(len(part.get("body", b"")) for part in parts[1:]) > MOST_BODY:
        return False
    headers = dict(start.get("headers", ()))
    control = headers.get(b"cache-control", b"")
    return (
        b"set-cookie" not in headers and b"etag" in headers and b"private" not in control and b"no-store" not in control
    )
