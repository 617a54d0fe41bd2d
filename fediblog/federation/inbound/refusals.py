"""Activities that are refused: what is answered, and what is counted, logged and stored of them."""

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
    """The answer to a delivery that is refused for good."""
    return Receipt(status_of(refusal).inbox, refusal.message, refusal.reason)


def later(trouble: Unavailable) -> Receipt:
    """The answer to a delivery that cannot be taken now: 503 with `retry_after`."""
    wait = PAUSE if trouble.delay is None else max(1, min(int(trouble.delay), 86_400))
    return Receipt(status_of(trouble).inbox, text(ENGLISH, "error.later"), trouble.reason, wait)


class RefusalCounts:
    """How many refusals are not stored yet: each host and reason is stored at most once in `EVERY`, with a count.

    All pairs together are limited too, so that whoever is refused can make us count but not write.
    """

    def __init__(self, site: Site) -> None:
        self._clock = site.clock
        self._lately: Memory[tuple[str, str], tuple[int, int]] = Memory(MOST_NOTED)
        self._rows = Limit(burst=300, seconds=1.0, clock=site.clock, keys=1)

    def __len__(self) -> int:
        return len(self._lately)

    def times(self, host: str, reason: str) -> int:
        """How many refusals of that host and reason to store now, this one included; 0 while they are only counted."""
        now, key = self._clock(), (host, reason)
        noted, waiting = self._lately.get(key) or (now - EVERY, 0)
        if abs(now - noted) < EVERY or self._rows.take(""):
            self._lately.put(key, (noted, waiting + 1))
            return 0
        self._lately.put(key, (now, 0))
        return waiting + 1


async def note(site: Site, refusal: Refused, actor: str = "", kind: str = "") -> None:
    """Count and log a refusal, and store it for the page of refusals; that it cannot be stored is logged alone."""
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
