"""Limits of the inboxes: who sends too much, or was refused too often, comes again later; checked before all else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from fediblog.counters import TURNED_AWAY
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.limits import Limit, Place, Room
from fediblog.pacing import Slots
from fediblog.store.people.accounts import host_of
from fediblog.timers import Timers

INSIDE = 192  # requests to inboxes that are dealt with at a time: with bodies of 1 MB, that much memory
SHARE = 64  # of which one address, or one server that a signature names, may have so many
AT_ONCE = 16  # of them that keep the processor busy: pages wait behind no more than these
PATIENCE = 20.0  # seconds in which a body must have come
MAX_ACTIVITY = 1_000_000  # bytes
_HOST = re.compile(rb'keyid="https?://([^/"?#\s\x1c-\x1f\x85\xa0]{1,255})', re.IGNORECASE)
_LOOK = 4000  # characters of a header in which the key's address is looked for


def monotonic() -> int:
    """Milliseconds of a clock that nobody sets."""
    return time.monotonic_ns() // 1_000_000


class InboxLimits:
    """Limits of the inboxes of one site: requests dealt with at a time, and refusals of each address lately."""

    def __init__(self, _site: Site) -> None:
        self.room = Room(most=INSIDE, share=SHARE, on_full=lambda: TURNED_AWAY.add("inbox-busy"))
        self.slots = Slots(AT_ONCE)
        self.timers = Timers()
        self.refused = Limit(burst=500, seconds=0.5, clock=monotonic)

    def check(self, party: str) -> None:
        """Raise Unavailable if too much of what the address sent lately was refused."""
        wait = self.refused.wait(party) if party else 0
        if wait:
            TURNED_AWAY.add("inbox-refused")
            raise Unavailable("too-many-refused", wait)

    def enter(self, party: str, host: str) -> Place:
        """Hold a place while one request is dealt with. Raises Unavailable at once if too many are already."""
        return self.room.enter(f"from {party}" if party else "", host)

    def note_refused(self, party: str) -> None:
        """Count a request of that address that was refused."""
        if party:
            self.refused.take(party)


def party_of(scope: Scope) -> str:
    """Whom limits count the request for; nobody in particular if it came from our own machine or proxy."""
    party: str = scope.get("fediblog.party", "")
    return party


def claimed_host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The server whose key is said to have signed. Nothing is proven yet."""
    for name in (b"signature", b"signature-input"):
        for given, value in headers:
            if given == name:
                found = _HOST.search(value, 0, _LOOK)
                if found:
                    return host_of(f"https://{found[1].decode('latin-1')}")
                break  # of several lines the first counts
    return ""


async def body_of(receive: Receive, timers: Timers) -> bytes:
    """The body, as far as it comes in time and is not too large; Refused otherwise."""
    chunks, size, more = [], 0, True
    try:
        with timers.timeout(PATIENCE):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk, more = message.get("body", b""), message.get("more_body", False)
                size += len(chunk)
                if size > MAX_ACTIVITY:
                    raise Refused("too-large", key="refusal.activity-over-a-megabyte")
                chunks.append(chunk)
    except TimeoutError:
        raise Refused("too-slow") from None
    return b"".join(chunks)
