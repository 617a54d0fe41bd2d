"""What only people can mend and the owner must be told: a damaged database, a full disk, a clock that is wrong."""

from __future__ import annotations

from msgspec import Struct

from fediblog.messages.stored import pack
from fediblog.store.people import server_state
from fediblog.store.tx import Tx

DAMAGE = "damage"  # found by the daily check of the database
DISK = "disk-full"  # the spare room had to be given up
CLOCK = "clock"  # another server does not take what we signed, and its time is not ours
KINDS = (DAMAGE, DISK, CLOCK)
KEPT_CLOCK = 86_400_000  # ms after the last time that it was noticed


class OperatorAlert(Struct, frozen=True):
    """One of them: what was found, a packed message (`messages.stored`) or the words of the system, and when (ms)."""

    kind: str
    detail: str
    at: int


def note(tx: Tx, kind: str, detail: str) -> None:
    """It is so, now."""
    server_state.put(tx, kind, f"{tx.now} {detail[:500]}")


def note_clock(tx: Tx, host: str, gap: int) -> None:
    """A host refused a signature of ours, and its clock is `gap` ms ahead of ours (or behind, if negative)."""
    note(tx, CLOCK, pack(f"trouble.clock-{'ahead' if gap > 0 else 'behind'}", host=host, length=_length(abs(gap))))


def clear(tx: Tx, kind: str) -> None:
    """It is not so any more."""
    server_state.drop(tx, kind)


def standing(tx: Tx) -> list[OperatorAlert]:
    """All that is wrong as far as we know."""
    found = [(kind, *(server_state.get(tx, kind) or "").partition(" ")) for kind in KINDS]
    troubles = [OperatorAlert(kind, detail, int(at)) for kind, at, _, detail in found if at.isdigit()]
    return [each for each in troubles if each.kind != CLOCK or tx.now - each.at < KEPT_CLOCK]


def _length(ms: int) -> str:
    minutes = max(round(ms / 60_000), 1)
    if minutes < 120:
        return pack("length.minutes", n=minutes)
    return (
        pack("length.hours", n=round(minutes / 60))
        if minutes < 48 * 60
        else pack("length.days", n=round(minutes / 1440))
    )
