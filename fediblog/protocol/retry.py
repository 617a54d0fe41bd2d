"""When to send again: what an answer to a delivery means, and how long to wait. All times in milliseconds."""

from __future__ import annotations

from enum import StrEnum

from fediblog.protocol.json_values import http_date

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
JITTER = 0.2
DELAYS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR)  # after the first, second … failure; then daily
CLOCK_TOLERANCE = MINUTE  # by which two clocks may differ before a signature's time can be why it was refused
TRIES = len(DELAYS) + 6  # 12 h 21 min and six days: the last is within the seven days after the first failure
_TRANSIENT = frozenset({408, 425, 429})


class Verdict(StrEnum):
    """What an answer means for the message that was sent."""

    DELIVERED = "delivered"
    FINAL = "final"  # this message will never be taken; others may
    GONE = "gone"  # the inbox is gone: ask the actor, and perhaps forget the follower
    LATER = "later"


def verdict(status: int | None, *, clock_gap: int | None = None) -> Verdict:
    """What a status means; None is no answer at all (no address, refused, timed out, bad TLS).

    With a `clock_gap` a 401 is about the time of the signature, which a clock put right will mend.
    """
    if status is None:
        return Verdict.LATER
    if 200 <= status < 300:
        return Verdict.DELIVERED
    if status == 410:
        return Verdict.GONE
    if status == 401 and clock_gap is not None:
        return Verdict.LATER
    if status == 501 or (400 <= status < 500 and status not in _TRANSIENT):
        return Verdict.FINAL
    return Verdict.LATER


def clock_gap(date: str, now: int) -> int | None:
    """By how much their clock is ahead of ours, by the Date of their answer (RFC 9110 §6.6.1); None if it is right."""
    theirs = http_date(date.strip())
    return None if theirs is None or abs(theirs - now) < CLOCK_TOLERANCE else theirs - now


def retry_after(header: str, now: int) -> int | None:
    """The wait that a Retry-After header asks for (RFC 9110 §10.2.3), a day at most; None if it says nothing usable."""
    value = header.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]) * SECOND, DAY)
    at = http_date(value)
    return None if at is None else max(0, min(at - now, DAY))


def next_try(failures: int, now: int, retry_after: int | None = None, jitter: float = 0.0) -> int | None:
    """When to try a host again after so many failures in a row, or None to give up and call it unavailable.

    `jitter` between -1 and 1 is the caller's dice; `retry_after` a wait that the host asked for.
    """
    if failures > TRIES:
        return None
    base = DELAYS[max(failures, 1) - 1] if failures <= len(DELAYS) else DAY
    wait = round(base * (1 + JITTER * max(-1.0, min(1.0, jitter))))
    return now + max(wait, min(retry_after or 0, DAY))


def is_unavailable(failing_since: int | None, now: int) -> bool:
    """Whether a host has failed for so long that nothing new is queued for it; anything it sends us ends that."""
    return failing_since is not None and now - failing_since >= WEEK


def next_probe(now: int, jitter: float = 0.0) -> int:
    """When to knock at an unavailable host again: about once a day."""
    return now + round(DAY * (1 + JITTER * max(-1.0, min(1.0, jitter))))
