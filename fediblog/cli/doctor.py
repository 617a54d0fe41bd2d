"""`fediblog doctor`: whether the server is well, each line a fact, and what to do about it where it is wrong."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from fediblog import log
from fediblog.cli import doctor_local, doctor_remote
from fediblog.cli.command import Command
from fediblog.cli.command_site import is_trial, need_folder, opened, read_settings, say
from fediblog.cli.doctor_local import Finding
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.messages import ENGLISH
from fediblog.messages.stored import unpack
from fediblog.settings import Settings
from fediblog.store.people import operator_alerts

Check = Callable[[Site], Awaitable[list[Finding]]]

_TROUBLES = {
    operator_alerts.DAMAGE: (
        "The server found the database damaged: {}",
        "Stop the server and restore the latest backup.",
    ),
    operator_alerts.DISK: (
        "The disk was full: {}",
        "Make room; the server keeps spare room again once there is enough.",
    ),
    operator_alerts.CLOCK: (
        "Another server did not take what was signed here, and its clock differs: {}",
        "Set the clock right.",
    ),
}


async def troubles(site: Site) -> list[Finding]:
    """What the running server has noticed by itself."""
    found = await site.db.read(operator_alerts.standing)
    if not found:
        return [Finding("good", "The server has noticed nothing that only people can mend")]
    return [
        Finding("wrong", _TROUBLES[each.kind][0].format(unpack(ENGLISH, each.detail)), _TROUBLES[each.kind][1])
        for each in found
    ]


CHECKS: dict[str, Check] = {
    "database": doctor_local.database,
    "troubles": troubles,
    "disk": doctor_local.disk,
    "people": doctor_local.people,
    "worker": doctor_local.worker,
    "queues": doctor_local.queues,
    "hosts": doctor_local.hosts,
    "address": doctor_remote.address,
    "handles": doctor_remote.handles,
    "documents": doctor_remote.documents,
    "clock": doctor_remote.clock,
}
NEED_ADDRESS = ("handles", "documents")
_MARKS: dict[Literal["good", "note", "wrong"], str] = {"good": "ok   ", "note": "note ", "wrong": "WRONG"}


async def examine(site: Site) -> list[tuple[str, Finding]]:
    """Run every check; one that fails by itself is a finding too."""
    found: list[tuple[str, Finding]] = []
    for name, check in CHECKS.items():
        if name in NEED_ADDRESS and any(of == "address" and each.state == "wrong" for of, each in found):
            continue  # they would only say the same once more
        try:
            found += [(name, finding) for finding in await check(site)]
        except (Refused, Unavailable) as error:
            found.append((name, Finding("wrong", str(error), "Look at the server's log.")))
    return found


def run(args: Namespace) -> int:
    """Print the report; 1 if something is wrong."""
    found = read_settings(args)
    need_folder(found)
    log.configure("error")
    return asyncio.run(_examine(found))


async def _examine(found: Settings) -> int:
    async with opened(found) as site:
        origin = site.urls.origin
        report = [] if is_trial(origin) else await examine(site)
    if is_trial(origin):  # the door to the outside is closed to this machine's own addresses, but for this one
        async with opened(replace(found, loopback_authorities=(urlsplit(origin).netloc,))) as site:
            report = await examine(site)
    for name, finding in report:
        say(f"{_MARKS[finding.state]}  {name:10} {finding.fact}")
        if finding.advice:
            say(f"{'':17} -> {finding.advice}")
    wrong = sum(finding.state == "wrong" for _, finding in report)
    say(f"\nWrong: {wrong}. What to do is said above." if wrong else "\nAll is well.")
    return 1 if wrong else 0


COMMANDS = (
    Command(
        words=("doctor",),
        usage="",
        help="look whether the server is well, and say what to do",
        about="Look whether the database is whole, the disk has room, the worker runs, the address is reachable from"
        " outside, handles are found, the clock is right, and what waits. The exit status is 1 if something is wrong.",
        examples=("fediblog doctor --data /var/lib/fediblog",),
        run=run,
    ),
)
