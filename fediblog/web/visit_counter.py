"""Counts how often pages of posts are opened, in memory, and writes that down from time to time.

Neither cookies nor addresses are looked at, and nothing of a request is kept: its address makes one number larger. So a
reader who comes back counts again, and a page that is read to its end counts as one that is left at once.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache

from fediblog.federation.site import Site
from fediblog.store.readers import visits

EVERY = 60.0  # seconds after which the numbers are written
MOST = 5_000  # addresses between two times; further ones are not counted
AGENT = 300  # bytes of a User-Agent that are looked at, and remembered
_PROGRAM = re.compile(
    rb"bot|crawl|spider|slurp|fetch|scrape|preview|monitor|archiv|feed|http|curl|wget|python|java|ruby|perl|go-|axios"
    rb"|node|headless|mastodon|pleroma|akkoma|misskey|lemmy|friendica|fediblog|activitypub",
    re.IGNORECASE,
)


class VisitCounter:
    """The numbers of one site that are not written yet, by path."""

    def __init__(self, site: Site, clock: Callable[[], float] = time.monotonic) -> None:
        self._site = site
        self._clock = clock
        self._counts: dict[bytes, int] = {}
        self._written = clock()
        self._writing: asyncio.Task[None] | None = None

    def note(self, path: bytes, accept: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Somebody without a session asked for a path that may be the page of a post."""
        if b"text/html" not in accept:
            return
        agent = next((value for name, value in headers if name == b"user-agent"), b"")
        if is_program(agent[:AGENT]):
            return
        if path in self._counts or len(self._counts) < MOST:
            self._counts[path] = self._counts.get(path, 0) + 1
        if self._clock() - self._written > EVERY and (self._writing is None or self._writing.done()):
            self._written = self._clock()
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        counts, self._counts = self._counts, {}
        origin = self._site.urls.origin
        opened = {f"{origin}{path.decode('latin-1')}": times for path, times in counts.items()}
        await self._site.write_aside(visits.add, opened)

    async def finish(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            await self._writing
        if self._counts:
            await self._write()


@lru_cache(maxsize=4096)
def is_program(agent: bytes) -> bool:
    """Whether that names itself as something else than a person's browser, or not at all."""
    return not agent or _PROGRAM.search(agent) is not None
