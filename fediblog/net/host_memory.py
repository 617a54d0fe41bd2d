"""What a client remembers of others, within bounds: which URLs failed, and how each host wants its signatures."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Literal

from msgspec import Struct

from fediblog.errors import Refused, Unavailable
from fediblog.memory import Memory
from fediblog.net.response import Response

Scheme = Literal["cavage", "rfc9421"]

FIRST_PAUSE = 300.0  # seconds
LONGEST_PAUSE = 86_400.0
_MAX_URLS = 8192
_MAX_HOSTS = 8192


class _Failure(Struct, frozen=True):
    until: float
    pause: float
    outcome: Response | Refused | Unavailable


class Failures:
    """URLs that failed, and are left alone: for 5 minutes, then twice as long each time, up to a day."""

    def __init__(self, clock: Callable[[], float], size: int = _MAX_URLS) -> None:
        self._clock = clock
        self._known: Memory[Hashable, _Failure] = Memory(size)

    def recall(self, key: Hashable) -> Response | None:
        """None if `key` may be asked now; else the answer that it gave, or the error that it met."""
        known = self._known.get(key)
        if known is None or known.until <= self._clock():
            return None
        match known.outcome:
            case Response():
                return known.outcome
            case Refused() as error:
                raise error.again()
            case Unavailable() as error:
                raise error.again(known.until - self._clock())

    def note(self, key: Hashable, outcome: Response | Refused | Unavailable) -> None:
        """Remember that a URL failed, and how: it is left alone for twice as long as the last time."""
        known = self._known.get(key)
        pause = FIRST_PAUSE if known is None else min(known.pause * 2, LONGEST_PAUSE)
        self._known.put(key, _Failure(self._clock() + pause, pause, _bare(outcome)))

    def clear(self, key: Hashable) -> None:
        """Forget the failures of a URL that answered well."""
        self._known.drop(key)


def _bare(outcome: Response | Refused | Unavailable) -> Response | Refused | Unavailable:
    """A copy with as little as will do: an error that was raised holds all that was at hand where that happened."""
    match outcome:
        case Response():
            return Response(outcome.status, (), b"", outcome.url)
        case Refused():
            return Refused(outcome.reason, outcome.detail[:500], key=outcome.key, **outcome.values)
        case Unavailable():
            return outcome.again(outcome.delay)


class Schemes:
    """Which signature scheme each host understands, as it turned out; `prefer` knows it from before."""

    def __init__(
        self,
        prefer: Callable[[str], Scheme | None] | None = None,
        on_learned: Callable[[str, Scheme], None] | None = None,
        default: Scheme = "cavage",
    ) -> None:
        self._prefer = prefer
        self._on_learned = on_learned
        self._default: Scheme = default
        self._known: Memory[str, Scheme] = Memory(_MAX_HOSTS)

    def first(self, host: str) -> Scheme:
        """The scheme to try first at a host."""
        known = self._known.get(host)
        if known is None:
            known = (self._prefer(host) if self._prefer is not None else None) or self._default
            self._known.put(host, known)
        return known

    def learn(self, host: str, scheme: Scheme) -> None:
        """Remember that a host understood a scheme."""
        if self._known.get(host) == scheme:
            return
        self._known.put(host, scheme)
        if self._on_learned is not None:
            self._on_learned(host, scheme)


def other(scheme: Scheme) -> Scheme:
    """The scheme to try next."""
    return "rfc9421" if scheme == "cavage" else "cavage"
