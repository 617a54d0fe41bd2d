"""Checks of the doctor that look inwards: database, disk, worker, queues, hosts that do not answer."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import Struct

from fediblog.cli import disk_reserve, worker_lock
from fediblog.federation.site import Site
from fediblog.messages import ENGLISH
from fediblog.messages.stored import unpack
from fediblog.store.engine import migrate
from fediblog.store.people import accounts, logins
from fediblog.store.people.hosts import TroubledHost
from fediblog.store.queues import delivery_queue, incoming_queue, job_queue
from fediblog.store.tx import Tx

LITTLE_SPACE, NO_SPACE = 2_000_000_000, 200_000_000  # bytes
SMALL_DISK = 10_000_000_000  # bytes: one such is full when it is full, and not before
LATE = 300_000  # ms after which something that is due should have been done
MOST_HOSTS = 5


class Finding(Struct, frozen=True):
    """One fact, and what to do if it is not as it should be."""

    state: Literal["good", "note", "wrong"]
    fact: str
    advice: str = ""


async def database(site: Site) -> list[Finding]:
    """Whether the stored data is whole."""
    damage = await site.db.check()
    if damage:
        return [
            Finding("wrong", f"The database is damaged: {damage[0]}", "Stop the server and restore the latest backup.")
        ]
    schema = await site.db.read(migrate.version)
    return [Finding("good", f"{'SQLite' if site.db.engine == 'sqlite' else 'PostgreSQL'}, whole, schema {schema}")]


async def disk(site: Site) -> list[Finding]:
    """Whether there is room."""
    left = (await asyncio.to_thread(shutil.disk_usage, site.settings.data)).free
    fact = f"{left / 1e9:.1f} GB are free in {site.settings.data}"
    if left < (disk_reserve.FULL if capacity(site.settings.data) < SMALL_DISK else NO_SPACE):
        return [Finding("wrong", fact, "Make room at once: without it nothing can be received or written.")]
    if left < LITTLE_SPACE:
        return [Finding("note", fact, "Make room soon.")]
    return [Finding("good", fact)]


def capacity(folder: Path) -> int:
    """Bytes on the disk of a folder, used or free."""
    if not hasattr(os, "statvfs"):
        return SMALL_DISK
    disk = os.statvfs(folder)
    return disk.f_blocks * disk.f_frsize


async def people(site: Site) -> list[Finding]:
    """Whether somebody can use it."""
    number, own = await site.db.read(_people)
    if not number:
        return [
            Finding(
                "note", "Nobody can sign in yet", "Open the set-up link that `fediblog serve` prints, or add a user."
            )
        ]
    return [Finding("good", f"Users who can sign in: {number}, accounts: {own}")]


def _people(tx: Tx) -> tuple[int, int]:
    return len(logins.everyone(tx)), len(accounts.ours(tx))


async def worker(site: Site) -> list[Finding]:
    """Whether somebody delivers."""
    late = await site.db.read(_most_late)
    working = worker_lock.is_working(site.settings)
    if working is False:
        return [
            Finding("wrong", "No server works with this folder, so nothing is delivered", "Start `fediblog serve`.")
        ]
    if late > LATE:
        return [
            Finding(
                "wrong",
                f"Something has been due for {late // 60_000} minutes",
                "Look whether a process with the role all or worker runs, and into its log.",
            )
        ]
    return [Finding("good", "Nothing is late" if working is None else "A server delivers, and nothing is late")]


def _most_late(tx: Tx) -> int:
    due = [
        at
        for at in (delivery_queue.next_due(tx), job_queue.next_due(tx), incoming_queue.next_due(tx))
        if at is not None
    ]
    return max((tx.now - at for at in due), default=0)


async def queues(site: Site) -> list[Finding]:
    """What waits, and what was given up."""
    waiting, work, incoming, given_up = await site.db.read(_queues)
    found = [
        Finding(
            "good",
            f"Waiting: {waiting} deliveries, {work.get('waiting', 0)} jobs, {incoming.get('waiting', 0)} received",
        )
    ]
    for kind, subject, error in given_up:
        fact = f"The job {kind} of {subject} was given up: {unpack(ENGLISH, error)}"
        found.append(Finding("note", fact, "This is a mistake of fediblog, or of its surroundings: look into the log."))
    if incoming.get("dead"):
        fact = f"Received activities that could not be dealt with: {incoming['dead']}"
        found.append(Finding("note", fact, "This is a mistake of fediblog: look into the log for incoming-failed."))
    return found


def _queues(tx: Tx) -> tuple[int, dict[str, int], dict[str, int], list[tuple[str, str, str]]]:
    return delivery_queue.waiting(tx), job_queue.totals(tx), incoming_queue.totals(tx), job_queue.dead(tx, 3)


async def hosts(site: Site) -> list[Finding]:
    """Servers that do not answer. That is their business, mostly."""
    rows = await site.db.read(delivery_queue.troubled_hosts)
    if not rows:
        return [Finding("good", "Every server that something was sent to answers")]
    found = [Finding("note", _of_host(row)) for row in rows[:MOST_HOSTS]]
    if len(rows) > MOST_HOSTS:
        found.append(Finding("note", f"… and {len(rows) - MOST_HOSTS} more servers do not answer"))
    return found


def _of_host(row: TroubledHost) -> str:
    since = datetime.fromtimestamp((row.failing_since or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    again = datetime.fromtimestamp((row.next_try or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    return (
        f"{row.name} has not answered since {since} UTC ({unpack(ENGLISH, row.last_error) or 'no reason'});"
        f" {row.waiting} wait, next try {again} UTC"
    )
