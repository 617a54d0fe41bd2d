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
from fediblog.cli.terminal import decimal, language, translated
from fediblog.federation.site import Site
from fediblog.messages.stored import unpack
from fediblog.store.engine import migrate
from fediblog.store.people import accounts, logins
from fediblog.store.people.hosts import TroubledHost, troubled_hosts
from fediblog.store.posts import remote_media
from fediblog.store.queues import delivery_queue, incoming_queue, job_queue, leases
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
            Finding(
                "wrong",
                translated("doctor.damaged", finding=unpack(language(), damage[0])),
                translated("doctor.mend-damage"),
            )
        ]
    schema = await site.db.read(migrate.version)
    return [
        Finding(
            "good",
            translated("doctor.whole", engine="SQLite" if site.db.engine == "sqlite" else "PostgreSQL", schema=schema),
        )
    ]


async def disk(site: Site) -> list[Finding]:
    """Whether there is room."""
    left = (await asyncio.to_thread(shutil.disk_usage, site.settings.data)).free
    fact = translated("doctor.free", size=decimal(left / 1e9), folder=site.settings.data)
    if left < (disk_reserve.FULL if capacity(site.settings.data) < SMALL_DISK else NO_SPACE):
        return [Finding("wrong", fact, translated("doctor.no-room"))]
    if left < LITTLE_SPACE:
        return [Finding("note", fact, translated("doctor.little-room"))]
    return [Finding("good", fact)]


async def copies(site: Site) -> list[Finding]:
    """How much room copies of other servers' pictures take."""
    size, most = await site.db.scan(remote_media.total), site.settings.media_cache_bytes
    return [Finding("good", translated("doctor.copies", size=decimal(size / 1e9), most=decimal(most / 1e9)))]


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
        return [Finding("note", translated("doctor.nobody"), translated("doctor.set-up"))]
    return [Finding("good", translated("doctor.people", users=number, accounts=own))]


def _people(tx: Tx) -> tuple[int, int]:
    return len(logins.everyone(tx)), len(accounts.ours(tx))


async def worker(site: Site) -> list[Finding]:
    """Whether somebody delivers."""
    late = await site.db.read(_most_late)
    working = worker_lock.is_working(site.settings)
    if working is False:
        return [Finding("wrong", translated("doctor.no-server"), translated("doctor.start"))]
    if late > LATE:
        return [
            Finding(
                "wrong",
                translated("doctor.late", n=late // 60_000),
                translated("doctor.look-for-worker"),
            )
        ]
    return [Finding("good", translated("doctor.not-late" if working is None else "doctor.delivers"))]


def _most_late(tx: Tx) -> int:
    due = [at for at in (leases.next_due(tx), job_queue.next_due(tx), incoming_queue.next_due(tx)) if at is not None]
    return max((tx.now - at for at in due), default=0)


async def queues(site: Site) -> list[Finding]:
    """What waits, and what was given up."""
    waiting, work, incoming, given_up = await site.db.read(_queues)
    found = [
        Finding(
            "good",
            translated(
                "doctor.waiting",
                deliveries=waiting,
                jobs=work.get("waiting", 0),
                received=incoming.get("waiting", 0),
            ),
        )
    ]
    for kind, subject, error in given_up:
        fact = translated("doctor.job-given-up", kind=kind, subject=subject, error=unpack(language(), error))
        found.append(Finding("note", fact, translated("doctor.job-mistake")))
    if incoming.get("dead"):
        fact = translated("doctor.incoming-given-up", n=incoming["dead"])
        found.append(Finding("note", fact, translated("doctor.incoming-mistake")))
    return found


def _queues(tx: Tx) -> tuple[int, dict[str, int], dict[str, int], list[tuple[str, str, str]]]:
    return delivery_queue.waiting(tx), job_queue.totals(tx), incoming_queue.totals(tx), job_queue.dead(tx, 3)


async def hosts(site: Site) -> list[Finding]:
    """Servers that do not answer. That is their business, mostly."""
    rows = await site.db.read(troubled_hosts)
    if not rows:
        return [Finding("good", translated("doctor.hosts-answer"))]
    found = [Finding("note", _of_host(row)) for row in rows[:MOST_HOSTS]]
    if len(rows) > MOST_HOSTS:
        found.append(Finding("note", translated("doctor.more-hosts", n=len(rows) - MOST_HOSTS)))
    return found


def _of_host(row: TroubledHost) -> str:
    since = datetime.fromtimestamp((row.failing_since or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    again = datetime.fromtimestamp((row.next_try or 0) / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    error = unpack(language(), row.last_error) or translated("doctor.no-reason")
    return translated("doctor.host-silent", host=row.name, since=since, error=error, n=row.waiting, again=again)
