"""Markers: up to where somebody has read a timeline, on all devices."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from fediblog.store.tx import Tx

TIMELINES = ("home", "notifications")


class Marker(Struct, frozen=True, kw_only=True):
    """One marker; `version` counts how often it was set."""

    timeline: str
    last_read: int
    version: int
    updated: int


def get(tx: Tx, account: int, timelines: Collection[str]) -> list[Marker]:
    """The markers of these timelines, those that were set."""
    rows = tx.all(
        "select timeline, last_read, version, updated from marker where account = :account"
        " and timeline in (:timelines) order by timeline",
        account=account,
        timelines=sorted(timelines),
    )
    return [Marker(**row._asdict()) for row in rows]


def put(tx: Tx, account: int, timeline: str, last_read: int) -> None:
    """Set a marker."""
    tx.run(
        "insert into marker (account, timeline, last_read, updated) values (:account, :timeline, :last, :now)"
        " on conflict (account, timeline) do update set last_read = excluded.last_read,"
        " version = marker.version + 1, updated = excluded.updated",
        account=account,
        timeline=timeline,
        last=last_read,
        now=tx.now,
    )
