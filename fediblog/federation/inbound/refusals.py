"""What is answered to those whose activity is not taken, and the note that is kept of it."""

from __future__ import annotations

import logging

from msgspec import Struct

from fediblog import log
from fediblog.counters import REFUSALS
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.http_status import status_of
from fediblog.limits import Limit
from fediblog.memory import Memory
from fediblog.messages import ENGLISH, text
from fediblog.store.people.accounts import host_of
from fediblog.store.readers import moderation

MOST_NOTED = 4096
EVERY = 60_000  # ms in which the same refusal of the same server is kept but once
PAUSE = 300  # seconds that we ask others to wait, where nothing better is known


class Receipt(Struct, frozen=True):
    """The answer to a delivery: an HTTP status and a short text; `reason` is for the log. `retry_after` in seconds."""

    status: int
    message: str = ""
    reason: str = ""
    retry_after: int | None = None


ACCEPTED = Receipt(202)


def receipt_for(refusal: Refused) -> Receipt:
    """The answer to what cannot be taken."""
    return Receipt(status_of(refusal).inbox, refusal.message, refusal.reason)


def later(trouble: Unavailable) -> Receipt:
    """The answer to what cannot be taken now."""
    wait = PAUSE if trouble.delay is None else max(1, min(int(trouble.delay), 86_400))
    return Receipt(status_of(trouble).inbox, text(ENGLISH, "error.later"), trouble.reason, wait)


class RefusalCounts:
    """What was noted lately: the same of the same server is noted once in a while, with how often it was.

    So is everything together: who refuses to be refused can make us count, and not write.
    """

    def __init__(self, site: Site) -> None:
        self._clock = site.clock
        self._lately: Memory[tuple[str, str], tuple[int, int]] = Memory(MOST_NOTED)
        self._rows = Limit(burst=300, seconds=1.0, clock=site.clock, keys=1)

    def __len__(self) -> int:
        return len(self._lately)

    def times(self, host: str, reason: str) -> int:
        """How many to note now, with this one; 0 if it can wait for the next."""
        now, key = self._clock(), (host, reason)
        noted, waiting = self._lately.get(key) or (now - EVERY, 0)
        if abs(now - noted) < EVERY or self._rows.take(""):
            self._lately.put(key, (noted, waiting + 1))
            return 0
        self._lately.put(key, (now, 0))
        return waiting + 1


async def note(site: Site, refusal: Refused, actor: str = "", kind: str = "") -> None:
    """Count a refusal, log it, and keep it for the owner to look at; not to be able to keep it is no reason to fail."""
    host = host_of(actor)
    log.event("inbox.refused", logging.INFO, host=host, actor=actor, kind=kind, reason=refusal.reason)
    REFUSALS.add("inbox", refusal.reason)
    times = site.keep(RefusalCounts).times(host, refusal.reason)
    if not times:
        return
    try:
        await site.db.write(moderation.refused, host, actor, kind, refusal.reason, refusal.detail, times)
    except Unavailable as trouble:
        log.event("refusal.lost", logging.WARNING, reason=trouble.reason)
