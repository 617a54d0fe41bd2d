"""An author with very many followers: how a post of theirs goes out, and what everybody else feels of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.store.engine.database import Database
from fediblog.store.tx import Scalar, Tx
from tests.bench import fill, load
from tests.bench.deliver import all_tried
from tests.bench.lab import HOST, ORIGIN, Lab, World, check, world
from tests.bench.measure import Row, family, memory, percentile, row

NAMES = ("scale",)
FOLLOWERS, HOSTS = (100_000, 2000), (20_000, 400)  # in a whole and in a small run
FEW = 10  # followers of the other author, each on a host of their own
COMMENTS = 20  # below the post whose page is asked for
PAUSE = (2.0, 0.05)  # seconds from one post to the next
LONGEST = 300.0  # seconds until everybody must have it
_ROWS = 5000  # in one transaction
_NAMED = (  # what a stored account has of its own; all else is as the table says
    "insert into account (id, uri, kind, handle, handle_key, domain, host, inbox, shared_inbox, followers, url,"
    " created, changed) values (:id, :uri, 'Person', :handle, :handle, :host, :host, :inbox, :shared, :followers,"
    " :url, :now, :now)"
)
_FOLLOWS = (
    "insert into follow (follower, followed, uri, state, created) values (:id, :followed, :follow, 'accepted', :now)"
)


@dataclass(frozen=True, slots=True)
class Filled:
    """Somebody whom very many follow, somebody whom few do, and a post that people look at meanwhile."""

    known: Account
    small: Account
    page: Post
    hosts: int


@dataclass(slots=True)
class Watch:
    """What was seen of the server while it worked."""

    pss: list[float] = field(default_factory=list)  # MB
    files: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)  # of pages, seconds


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    if not wanted:
        return
    async with world(lab, "scale", _fill) as (place, filled):
        yield await _quiet_page(place, filled)
        yield await _one_post(place, filled)
        async for each in _more_posts(place, filled):
            yield each


async def _fill(lab: Lab, db: Database) -> Filled:
    known, small = [await fill.account(db, handle) for handle in ("known", "small")]
    followers, hosts = lab.size(*FOLLOWERS), lab.size(*HOSTS)
    await _crowd(lab, db, known.id, [(n, f"h{n % hosts:05}") for n in range(followers)])
    await _crowd(lab, db, small.id, [(followers + n, f"few{n}") for n in range(FEW)])
    (page,) = await fill.own_posts(db, small.id, 1)
    talkers = await fill.actors(db, (fill.actor(lab, followers + FEW + n, f"talk{n}") for n in range(COMMENTS)))
    await fill.comments(db, page, talkers, COMMENTS)
    return Filled(known, small, page, hosts)


async def _crowd(lab: Lab, db: Database, followed: int, people: list[tuple[int, str]]) -> None:
    """Followers, many on each host, reached by its shared inbox; their profiles are empty."""

    def save(tx: Tx, some: list[tuple[int, str]]) -> None:
        rows: list[dict[str, Scalar]] = []
        for number, host in some:
            authority = f"{host}.bench.test:{lab.port}"
            uri = f"https://{authority}/u/{number}"
            rows.append({
                "id": tx.new_id(), "uri": uri, "handle": f"u{number}", "host": authority, "inbox": f"{uri}/inbox",
                "shared": f"https://{authority}/inbox", "followers": f"{uri}/followers", "followed": followed,
                "url": f"https://{authority}/@u{number}", "follow": f"{uri}/follows/1", "now": tx.now,
            })  # fmt: skip
        tx.many(_NAMED, rows)
        tx.many(_FOLLOWS, rows)

    for first in range(0, len(people), _ROWS):
        await db.write(save, people[first : first + _ROWS])


async def _quiet_page(place: World, filled: Filled) -> Row:
    """What the page takes while nothing else happens, for comparison."""
    requests = list(_pages(filled, "quiet", place.lab.size(200, 20)))
    measured, _ = await place.measure("scale-quiet", requests, 200, concurrency=1)
    return replace(measured, remark=f"the page of a post with {COMMENTS} comments, made anew; nothing else happens")


async def _one_post(place: World, filled: Filled) -> Row:
    """One post to everybody, and nobody asks for anything meanwhile."""
    await place.lab.remote.ask("reset")
    await place.start()
    watch = Watch()
    async with _looking(place, watch):
        started = await _publish(place, filled.known, "first")
        arrived = await _all_arrived(place, filled.hosts)
        seconds = arrived[-1] - started
        await place.until(all_tried)
        await place.settle()
    told = f"{place.lab.size(*FOLLOWERS)} followers on {filled.hosts} hosts, TLS handshake each; {_occupied(watch)}"
    latencies = [at - started for at in arrived]
    return row("scale-post", filled.hosts, place.stop(seconds), latencies, told)


async def _more_posts(place: World, filled: Filled) -> AsyncIterator[Row]:
    """A post to everybody, the next one soon after, and one of somebody else; people look at a page meanwhile."""
    marks = {name: f"mark{name}{time.monotonic_ns()}" for name in ("one", "two", "three")}
    await place.lab.remote.ask("reset", marks=list(marks.values()))
    await place.settle()
    watch, pause = Watch(), place.lab.size(*PAUSE)
    async with _looking(place, watch), _asking(place, filled, watch):
        started = {"one": await _publish(place, filled.known, marks["one"])}
        await asyncio.sleep(pause)
        started["two"] = await _publish(place, filled.known, marks["two"])
        await asyncio.sleep(pause)
        started["three"] = await _publish(place, filled.small, marks["three"])
        count = 2 * filled.hosts + FEW
        arrived = await _all_arrived(place, count)
    heard = await place.lab.remote.ask("wait", count=count, seconds=1)
    seconds = arrived[-1] - started["one"]
    for name, told in (("one", "a post"), ("two", f"the next, {pause:g} s later"), ("three", "somebody else's")):
        times = [at - started[name] for at in heard["marks"][marks[name]]]
        first = f"{told}: first arrival after {times[0] * 1000:.0f} ms, last after {times[-1]:.1f} s"
        yield Row(
            name=f"scale-{name}", operations=len(times), rate=len(times) / times[-1],
            p50=percentile(times, 0.5), p99=percentile(times, 0.99), remark=first,
        )  # fmt: skip
    ordered = sorted(watch.latencies)
    remark = f"the page meanwhile, for {seconds:.1f} s; slowest {ordered[-1] * 1000:.0f} ms; {_occupied(watch)}"
    yield Row(
        name="scale-page", operations=len(ordered), p50=percentile(ordered, 0.5), p99=percentile(ordered, 0.99),
        remark=remark,
    )  # fmt: skip


async def _publish(place: World, author: Account, mark: str) -> float:
    """When it was published, on the monotonic clock."""
    told = await place.server.ask("publish", account=author.id, text=f"{fill.WORDS} {mark}")
    started: float = told["started"]
    return started


async def _all_arrived(place: World, count: int) -> list[float]:
    heard = await place.lab.remote.ask("wait", count=count, seconds=LONGEST)
    if not heard["done"]:
        raise RuntimeError(f"{len(heard['seen'])} of {count} deliveries arrived within {LONGEST:g} s")
    if len({address for address, _ in heard["seen"]}) != len(heard["seen"]) and count <= place.lab.size(*HOSTS):
        raise RuntimeError("something arrived twice")
    return [at for _, at in heard["seen"]]


def _pages(filled: Filled, name: str, count: int) -> Iterator[bytes]:
    path = filled.page.url.removeprefix(ORIGIN)
    return (load.get(HOST, f"{path}?{name}={n}", "text/html") for n in range(count))


@asynccontextmanager
async def _asking(place: World, filled: Filled, watch: Watch) -> AsyncIterator[None]:
    """Somebody asks for a page twenty times a second, always one that was never made before."""
    at_work = True

    async def ask() -> None:
        for request in _pages(filled, "meanwhile", 1_000_000):
            if not at_work:
                return
            result = await load.send(place.port, [request])
            check("scale-page", result, 200)
            watch.latencies += result.latencies
            await asyncio.sleep(0.05)

    task = asyncio.create_task(ask())
    try:
        yield
    finally:
        at_work = False
        await task


@asynccontextmanager
async def _looking(place: World, watch: Watch) -> AsyncIterator[None]:
    """Memory and open files of the server, twice a second."""
    pid = place.server.pid

    async def look() -> None:
        while True:
            watch.pss.append(memory(pid)[0])
            watch.files.append(sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in family(pid)))
            await asyncio.sleep(0.5)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _occupied(watch: Watch) -> str:
    return f"PSS {watch.pss[0]:.0f} MB before, at most {max(watch.pss):.0f}; {max(watch.files)} files open"
