"""For whoever watches the server: numbers in Prometheus' text format, and whether it can take more."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from fediblog import __version__, counters
from fediblog.counters import Sample
from fediblog.errors import DAMAGED, NotFound, Unavailable, damage
from fediblog.federation.site import Site
from fediblog.store.people import operator_alerts
from fediblog.store.queues import queue_lengths
from fediblog.store.queues.queue_lengths import QueueLengths
from fediblog.store.tx import Tx
from fediblog.web.negotiation import site_of

FRESH = 5_000  # ms for which the answer about readiness is kept, so that asking costs no writing
MEDIA_TYPE = "text/plain; version=0.0.4"
_PRIVATE = {"Cache-Control": "no-store"}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_STARTED = time.time()


async def metrics(request: Request) -> Response:
    """All numbers of this process and of the database; for those who know the token."""
    site = site_of(request)
    token = site.settings.metrics_token
    if not token:
        raise NotFound
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"', **_PRIVATE}
        return PlainTextResponse("Say the metrics_token of the settings as a Bearer token.\n", 401, headers=headers)
    found = await site.db.read(queue_lengths.measure)
    return PlainTextResponse(write(found), media_type=MEDIA_TYPE, headers=_PRIVATE)


class Readiness:
    """What was lacking when that was last asked (ms of a clock that nobody sets)."""

    def __init__(self, _site: Site) -> None:
        self.at, self.lacking = -FRESH, ""


async def ready(request: Request) -> Response:
    """Whether the database can be written, and the inbox and the disk have room; asked at most every few seconds."""
    site = site_of(request)
    asked, now = site.keep(Readiness), time.monotonic_ns() // 1_000_000
    if now - asked.at >= FRESH:
        try:
            known = await site.db.write(_lacking)
        except Unavailable as error:
            known = f"{error.reason}\n{damage(error.detail).message}" if error.reason == DAMAGED else error.reason
        asked.at, asked.lacking = now, known
    if asked.lacking:
        return PlainTextResponse(f"{asked.lacking}\n", 503, headers={**_PRIVATE, "Retry-After": "30"})
    return PlainTextResponse("ready\n", headers=_PRIVATE)


def _lacking(tx: Tx) -> str:
    """The reason why the server cannot take more: `inbox-full` or `disk-full`; '' if it can."""
    if not queue_lengths.probe(tx):
        return "inbox-full"
    return "disk-full" if any(each.kind == operator_alerts.DISK for each in operator_alerts.standing(tx)) else ""


def write(found: QueueLengths) -> str:
    """The page: what is counted, what waits, and what the process uses."""
    parts: list[str] = []
    for each in counters.ALL:
        parts += _family(each.name, each.kind, each.help, each.samples())
    for name, help, samples in _gauges(found):
        parts += _family(name, "gauge", help, samples)
    used = time.process_time()
    parts += _family(
        "process_cpu_seconds_total", "counter", "CPU time used.", [("process_cpu_seconds_total", {}, used)]
    )
    return "".join(parts)


def _gauges(found: QueueLengths) -> Iterator[tuple[str, str, list[Sample]]]:
    queue = "fediblog_queue"
    yield (
        queue,
        "What waits or was given up.",
        [(queue, {"queue": name, "state": state}, n) for (name, state), n in sorted(found.queues.items())],
    )
    for name, help, value in (
        ("fediblog_hosts_failing", "Servers that did not answer the last time.", found.hosts_failing),
        ("fediblog_hosts_unavailable", "Servers that have not answered for a week.", found.hosts_unavailable),
        ("process_start_time_seconds", "When this process began.", _STARTED),
        ("process_resident_memory_bytes", "Memory in use.", resident()),
    ):
        yield name, help, [(name, {}, value)]
    yield "fediblog_info", "The version.", [("fediblog_info", {"version": __version__}, 1)]


def _family(name: str, kind: str, help: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {help}\n# TYPE {name} {kind}\n"
    for sample, labels, value in samples:
        inner = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
        yield f"{sample}{{{inner}}} {value}\n" if inner else f"{sample} {value}\n"


def resident() -> int:
    """Bytes of memory that the process holds; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


ROUTES: list[BaseRoute] = [Route("/metrics", metrics), Route("/readyz", ready)]


def create_app(site: Site) -> Starlette:
    """The application of a process that serves nobody but those who watch it."""
    app = Starlette(routes=ROUTES, exception_handlers={NotFound: _nothing, Unavailable: _not_now})
    app.state.site = site
    return app


async def _nothing(_: Request, __: Exception) -> Response:
    return PlainTextResponse("There is no such address.\n", 404)


async def _not_now(_: Request, __: Exception) -> Response:
    return PlainTextResponse("Try again later.\n", 503, headers={**_PRIVATE, "Retry-After": "30"})
