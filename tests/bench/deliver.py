"""A post on its way to many inboxes: over open connections, over new ones, and with dead hosts among them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor
from fediblog.store.engine.database import Database
from fediblog.store.tx import Tx
from tests.bench import fill
from tests.bench.lab import Lab, World, world
from tests.bench.measure import Row, row

NAMES = ("deliver-warm", "deliver-new", "deliver-dead")
HOSTS = 8  # behind which the many inboxes of the warm case are


@dataclass(frozen=True, slots=True)
class Filled:
    """The three authors and how many of their followers' inboxes can be reached."""

    warm: Account
    new: Account
    dead: Account
    inboxes: int
    hosts: int
    living: int


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    async with world(lab, "deliver", _fill) as (place, filled):
        if "deliver-warm" in wanted:
            await _deliver(place, filled.warm, filled.inboxes, filled.inboxes)
            remark = f"distinct inboxes on {HOSTS} hosts, connections open"
            yield await _measured(place, "deliver-warm", filled.warm, filled.inboxes, filled.inboxes, remark)
        if "deliver-new" in wanted:
            remark = "one inbox on each host, TLS handshake each"
            yield await _measured(place, "deliver-new", filled.new, filled.hosts, filled.hosts, remark)
        if "deliver-dead" in wanted:
            dead = filled.hosts - filled.living
            remark = f"the same, {dead} of them refuse the connection, hang, answer 500 or 410"
            yield await _measured(place, "deliver-dead", filled.dead, filled.hosts, filled.living, remark)
        yield place.memory("memory after deliveries")


async def _fill(lab: Lab, db: Database) -> Filled:
    inboxes, hosts = lab.size(2000, 240), lab.size(500, 80)
    authors = [await fill.account(db, handle) for handle in ("warm", "new", "dead")]
    many = await fill.actors(db, (fill.actor(lab, n, f"warm{n % HOSTS}") for n in range(inboxes)))
    single = await fill.actors(db, (fill.actor(lab, n, f"new{n}") for n in range(inboxes, inboxes + hosts)))
    mixed = await fill.actors(db, (_perhaps_dead(lab, n, inboxes + hosts + n) for n in range(hosts)))
    for author, followers in zip(authors, (many, single, mixed), strict=True):
        await fill.follow(db, [(each.id, author.id) for each in followers])
    living = sum(each.uri.startswith("https://alive") for each in mixed)
    warm, new, dead = authors
    return Filled(warm=warm, new=new, dead=dead, inboxes=inboxes, hosts=hosts, living=living)


def _perhaps_dead(lab: Lab, index: int, number: int) -> tuple[Actor, str]:
    """Every fifth host is dead, in one of four ways in turn."""
    if index % 5:
        return fill.actor(lab, number, f"alive{index}")
    match index // 5 % 4:
        case 0:
            return fill.actor(lab, number, f"refusing{index}", lab.deaf)
        case 1:
            return fill.actor(lab, number, f"silent{index}", lab.silent)
        case 2:
            return fill.actor(lab, number, f"broken{index}")
    return fill.actor(lab, number, f"gone{index}")


async def _measured(place: World, name: str, author: Account, inboxes: int, living: int, remark: str) -> Row:
    await place.start()
    latencies = await _deliver(place, author, inboxes, living)
    await place.settle()
    # The rate is that of the living: with dead hosts the end is when the last of them has run into its time limit.
    return row(name, inboxes, place.stop(latencies[-1]), latencies, remark)


async def _deliver(place: World, author: Account, inboxes: int, living: int) -> list[float]:
    """Publish, wait until everybody has been tried; when it arrived where it could, in seconds after publishing."""
    await place.lab.remote.ask("reset")
    told = await place.server.ask("publish", account=author.id, text=f"{fill.WORDS} {time.monotonic_ns()}")
    heard = await place.lab.remote.ask("wait", count=living, seconds=120)
    if not heard["done"]:
        raise RuntimeError(f"{len(heard['seen'])} of {living} inboxes were reached")
    await place.until(all_tried)
    return sorted(at - told["started"] for _, at in heard["seen"])


def all_tried(tx: Tx) -> bool:
    """Whether there is nothing that waits for its first try."""
    row = tx.one(
        "select (select count(*) from delivery where state = 'waiting' and tries = 0)"
        " + (select count(*) from job where kind = 'fanout') as n"
    )
    return row is not None and row.n == 0
