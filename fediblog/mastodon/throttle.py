"""Rate limits of the API: how often one account or address may call, and the headers that say so."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field
from starlette.requests import Request

from fediblog.counters import TURNED_AWAY
from fediblog.errors import TooOften
from fediblog.federation.site import Site
from fediblog.memory import Memory
from fediblog.store.people.apps import AccessToken

PERIOD = 300_000  # ms
MOST = 1_500  # calls of an account in that time: Mastodon allows 300, which its own apps run into
MOST_OF_ADDRESS = 600
KEYS = 20_000


class _Counts:
    """Calls in the current period, by who made them; the one who called least recently is forgotten first."""

    def __init__(self, _site: Site) -> None:
        self._began = -1
        self._used: Memory[str, int] = Memory(KEYS)

    def take(self, key: str, now: int) -> tuple[int, int]:
        """How many that were, this one included, and when the period ends (ms)."""
        began = now - now % PERIOD
        if began != self._began:
            self._began = began
            self._used.clear()
        count = (self._used.get(key) or 0) + 1
        self._used.put(key, count)
        return count, began + PERIOD


class RateLimit(Struct):
    """How many calls are used and left, for the headers of the answer."""

    headers: dict[str, str] = field(default_factory=dict)

    def take(self, site: Site, request: Request, token: AccessToken | None) -> None:
        """Count the call. Raises TooOften when there are none left; our own machine or proxy is not counted."""
        account = token.account if token is not None else None
        party: str = request.scope.get("fediblog.party", "")
        key, most = (f"account {account}", MOST) if account else (party, MOST_OF_ADDRESS)
        if not key:
            return
        now = site.clock()
        used, ends = site.keep(_Counts).take(key, now)
        self.headers = {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(0, most - used)),
            "X-RateLimit-Reset": datetime.fromtimestamp(ends / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        if used > most:
            TURNED_AWAY.add("api")
            wait = max(1, -(-(ends - now) // 1000))
            raise TooOften("error.too-much", wait)
