"""`fediblog doctor`: whether the server is well, each line a fact, and what to do about it where it is wrong."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from msgspec.structs import replace

from fediblog import log
from fediblog.cli import doctor_local, doctor_remote
from fediblog.cli.command import Command
from fediblog.cli.command_site import need_folder, opened, read_settings
from fediblog.cli.doctor_local import Finding
from fediblog.cli.terminal import language, say, tell, translated
from fediblog.domain.urls import is_trial
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.messages.stored import unpack
from fediblog.settings import Settings
from fediblog.store.people import operator_alerts

Check = Callable[[Site], Awaitable[list[Finding]]]

_TROUBLES = {operator_alerts.DAMAGE: "damage", operator_alerts.DISK: "disk", operator_alerts.CLOCK: "clock"}


async def troubles(site: Site) -> list[Finding]:
    """What the running server has noticed by itself."""
    found = await site.db.read(operator_alerts.standing)
    if not found:
        return [Finding("good", translated("doctor.no-troubles"))]
    return [_trouble(_TROUBLES[each.kind], unpack(language(), each.detail)) for each in found]


def _trouble(kind: str, detail: str) -> Finding:
    return Finding("wrong", translated(f"doctor.trouble-{kind}", detail=detail), translated(f"doctor.mend-{kind}"))


CHECKS: dict[str, Check] = {
    "database": doctor_local.database,
    "troubles": troubles,
    "disk": doctor_local.disk,
    "copies": doctor_local.copies,
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


async def examine(site: Site) -> list[tuple[str, Finding]]:
    """Run every check; one that fails by itself is a finding too."""
    found: list[tuple[str, Finding]] = []
    for name, check in CHECKS.items():
        if name in NEED_ADDRESS and any(of == "address" and each.state == "wrong" for of, each in found):
            continue  # they would only say the same once more
        try:
            found += [(name, finding) for finding in await check(site)]
        except (Refused, Unavailable) as error:
            found.append((name, Finding("wrong", error.sentence(language()), translated("doctor.look-into-log"))))
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
    marks = {state: translated(f"doctor.{state}") for state in ("good", "note", "wrong")}
    width = max(map(len, marks.values()))
    for name, finding in report:
        say(f"{marks[finding.state]:{width}}  {name:10} {finding.fact}")
        if finding.advice:
            say(f"{'':{width + 12}} -> {finding.advice}")
    wrong = sum(finding.state == "wrong" for _, finding in report)
    say()
    tell("doctor.some-wrong" if wrong else "doctor.all-well", n=wrong)
    return 1 if wrong else 0


COMMANDS = (
    Command(
        words=("doctor",),
        usage="",
        examples=("fediblog doctor --data /var/lib/fediblog",),
        run=run,
    ),
)
