"""What apps ask for most: the home timeline, 40 statuses at a time, with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from fediblog.domain.accounts import Account
from fediblog.store.engine.database import Database
from fediblog.store.people import apps
from fediblog.store.tx import Tx
from tests.bench import fill, load
from tests.bench.lab import HOST, Lab, World, world
from tests.bench.measure import Row

JSON = "application/json"
FOLLOWS = 500  # of the reader
LIMIT = 40  # statuses of a page
PAGES = (240, 20)  # that are asked for, in a whole and in a small run; below what one account may ask in five minutes
NAMES = ("api-home", "api-home-again")


@dataclass(frozen=True, slots=True)
class Filled:
    """Somebody who follows many, and where the pages of the home timeline begin."""

    reader: Account
    starts: list[int]


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    async with world(lab, "api", _fill) as (place, filled):
        if "api-home" in wanted:
            yield await _home(place, "api-home", filled.starts, "each page for the first time")
        if "api-home-again" in wanted:
            again = filled.starts[:1] * len(filled.starts)
            yield await _home(place, "api-home-again", again, "the same page again")
        yield place.memory("memory after api")


async def _fill(lab: Lab, db: Database) -> Filled:
    reader = await fill.account(db, "reader")
    people = await fill.actors(db, (fill.actor(lab, n, f"h{n % 50}") for n in range(lab.size(FOLLOWS, 100))))
    await fill.follow(db, [(reader.id, each.id) for each in people])
    await fill.remote_posts(db, people, lab.posts, home=reader.id)

    def prepare(tx: Tx) -> list[int]:
        token = apps.digest(f"{fill.TOKEN}-api")
        apps.add_token(tx, token, ["read"], login=reader.login, account=reader.id)
        items = tx.all(
            "select item from stream where account = :id order by item desc limit :n",
            id=reader.id,
            n=lab.size(*PAGES) * LIMIT,
        )
        return [row.item + 1 for row in items[::LIMIT]]

    return Filled(reader, await db.write(prepare))


async def _home(place: World, name: str, starts: list[int], remark: str) -> Row:
    requests = [
        load.get(HOST, f"/api/v1/timelines/home?limit={LIMIT}&max_id={start}", JSON, **_TOKEN) for start in starts
    ]
    row, result = await place.measure(name, requests, 200, concurrency=4)
    follows = place.lab.size(FOLLOWS, 100)
    about = f"{len(result.last) / 1000:.0f} kB, {follows} follows, {place.lab.posts} posts, {remark}"
    return replace(row, remark=f"{about}, 4 at a time")


_TOKEN = {"Authorization": f"Bearer {fill.TOKEN}-api"}
