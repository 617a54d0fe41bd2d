"""The place where it is measured: a folder, an authority for TLS, the other hosts, and a server under test."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import trustme

from fediblog.actions import account_actions
from fediblog.domain.urls import Urls
from fediblog.federation.keyring import make_keys
from fediblog.protocol.keys import PrivateKey, new_rsa
from fediblog.store.engine.database import Database, connect
from fediblog.store.tx import Tx
from tests import postgres
from tests.bench import instructions, load
from tests.bench.helper import Helper, running
from tests.bench.instructions import SLOWER, Instructions
from tests.bench.measure import Meter, Row, Spent, cpu_of_family, memory, row

T = TypeVar("T")
N = TypeVar("N", int, float)

REST = 10.0  # seconds in which it is seen what a server does of itself
HOST = "blog.bench.test"
ORIGIN = f"https://{HOST}"
URLS = Urls(ORIGIN, HOST)


@dataclass(frozen=True, slots=True)
class Lab:
    """What all servers under test share."""

    small: bool
    posts: int  # in the home timeline
    folder: Path
    ca_file: Path
    keys: Sequence[PrivateKey]  # of the remote actors, by number modulo their count
    remote: Helper
    port: int  # of all remote hosts
    silent: int  # a port that takes connections and says nothing
    deaf: int  # a port where nobody listens
    cluster: postgres.Cluster | None
    counts: bool  # instructions, and not time

    def size(self, full: N, small: N) -> N:
        """How many, in a whole or a small run."""
        return small if self.small else full


@asynccontextmanager
async def open_lab(*, small: bool, posts: int, use_postgres: bool, counts: bool) -> AsyncIterator[Lab]:
    """Set everything up but the server under test."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fediblog-bench-")))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        certificate = authority.issue_cert("*.bench.test", key_type=trustme.KeyType.ECDSA)
        certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "remote.pem"))
        keys = [new_rsa() for _ in range(4 if small else 32)]
        config = {"certificate": str(folder / "remote.pem"), "pems": [key.public.pem() for key in keys]}
        remote, ports = await stack.enter_async_context(running("remote", folder, config))
        cluster = stack.enter_context(_cluster()) if use_postgres else None
        yield Lab(
            small=small, posts=posts, folder=folder, ca_file=folder / "ca.pem", keys=keys, remote=remote,
            port=ports["port"], silent=ports["silent"], deaf=ports["deaf"], cluster=cluster,
            counts=counts,
        )  # fmt: skip


def _cluster() -> Any:
    programs = postgres.programs()
    if programs is None:
        raise SystemExit("PostgreSQL's server programs are not installed.")
    return postgres.running_cluster(programs)


@dataclass(frozen=True, slots=True)
class World:
    """One server under test, and what is asked of it."""

    lab: Lab
    server: Helper
    port: int
    db: Database  # the benchmark's own way to the same data
    meter: Meter | Instructions
    url: str  # of the database

    async def settle(self) -> None:
        """Until the server is at rest, so that what it does afterwards counts where it belongs."""
        end = time.monotonic() + 20
        before = cpu_of_family(self.server.pid)
        while time.monotonic() < end:
            await asyncio.sleep(0.1)
            now = cpu_of_family(self.server.pid)
            if now - before < 0.003:
                return
            before = now

    async def start(self) -> None:
        """Count from here, at rest.

        Where instructions are counted, the collector of cycles looks first: one look is a tenth of a row of pages.
        """
        if self.lab.counts:
            await self.server.ask("collect")
        await self.settle()
        self.meter.start()

    async def until(self, question: Callable[..., bool], seconds: float = 60, **values: object) -> None:
        """Until the data say so."""
        end = time.monotonic() + seconds
        while not await self.db.read(question, **values):
            if time.monotonic() > end:
                raise RuntimeError(f"{question.__name__} did not come true within {seconds:g} s")
            await asyncio.sleep(0.05)

    async def measure(
        self, name: str, requests: Sequence[bytes], expected: int, *, warm: int | None = None, concurrency: int = 8
    ) -> tuple[Row, load.Result]:
        """Send requests, the first `warm` of them unmeasured; all must have the expected status."""
        ahead = max(4, len(requests) // 20) if warm is None else warm
        if ahead:
            check(name, await load.send(self.port, requests[:ahead], concurrency), expected)
        await self.start()
        result = await load.send(self.port, requests[ahead:], concurrency)
        seconds = self.meter.stop().seconds
        check(name, result, expected)
        await self.settle()
        spent = replace(self.meter.stop(), seconds=seconds)
        return row(name, len(requests) - ahead, spent, result.latencies, f"{concurrency} at a time"), result

    def memory(self, name: str) -> Row:
        """What the server occupies now."""
        pss, rss = memory(self.server.pid)
        return Row(name=name, operations=1, remark=f"PSS {pss:.0f} MB, RSS {rss:.0f} MB")

    def stop(self, seconds: float) -> Spent:
        """What was spent, for an operation that took so long."""
        return replace(self.meter.stop(), seconds=seconds)


def check(name: str, result: load.Result, expected: int) -> None:
    """Numbers of requests that failed would say nothing."""
    wrong = [status for status in result.statuses if status != expected]
    if wrong:
        raise RuntimeError(f"{name}: {len(wrong)} of {len(result.statuses)} answered {wrong[0]}, not {expected}")


@asynccontextmanager
async def world(lab: Lab, name: str, fill: Callable[[Lab, Database], Awaitable[T]]) -> AsyncIterator[tuple[World, T]]:
    """A server whose database was filled beforehand."""
    folder = lab.folder / name
    folder.mkdir()
    url = lab.cluster.url(lab.cluster.create()) if lab.cluster else f"sqlite:///{folder / 'fediblog.db'}"
    db = await connect(url)
    try:
        await db.write(account_actions.ensure_instance, URLS, make_keys())
        filled = await fill(lab, db)
        await db.write(_analyze)
        within = instructions.counting(folder) if lab.counts else ()
        async with running("server", lab.folder, server_config(lab, folder, url), within) as (server, told):
            meter = Instructions(server.pid, folder) if lab.counts else Meter(server.pid, await _postmaster(lab))
            place = World(lab, server, told["port"], db, meter, url)
            if isinstance(meter, Instructions):
                await place.settle()
                await meter.learn_rest(REST)
            yield place, filled
    finally:
        await db.close()


def _analyze(tx: Tx) -> None:
    """What PostgreSQL does by itself a minute after so much was written."""
    if tx.engine == "postgres":
        tx.run("analyze")


def server_config(lab: Lab, folder: Path, url: str) -> dict[str, Any]:
    """How a server under test is started."""
    return {
        "data": str(folder),
        "slower": SLOWER if lab.counts else 1,
        "origin": ORIGIN,
        "database": url if lab.cluster else "",
        "environment": {"SSL_CERT_FILE": str(lab.ca_file)},
    }


async def _postmaster(lab: Lab) -> int | None:
    if lab.cluster is None:
        return None
    return int((lab.cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
