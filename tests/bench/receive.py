"""What comes in from others: signed, verified, stored, and answered where an answer is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.store.engine.database import Database
from fediblog.store.tx import Tx
from tests.bench import fill, load
from tests.bench.lab import HOST, ORIGIN, Lab, World, check, world
from tests.bench.measure import Row, row

NAMES = ("like", "announce", "reply", "reply-shown", "follow", "delete-unknown", "crossed")
HOSTS = 20
_SHOWN = 500_000  # the first number of the replies that are looked for on the page
_STRANGERS = 1_000_000  # the first number of actors that the server has never heard of
_CROSSED = 700_000  # the first of those of which something is done and taken back at once
_APART = 0.003  # seconds from an activity to what takes it back
_NOBODY = 2_000_000  # the first of those that were deleted before it could


@dataclass(frozen=True, slots=True)
class Filled:
    """Who lives here, who is known, and what they can speak about."""

    author: Account
    known: list[Account]
    posts: list[Post]
    quiet: list[Post]  # of which nothing is said until the page is looked at


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    async with world(lab, "receive", _fill) as (place, filled):
        for name, make in (("like", _like), ("announce", _announce), ("reply", _reply)):
            if name in wanted:
                yield await _known(place, filled, name, make)
        if "reply-shown" in wanted:
            yield await _reply_shown(place, filled)
        if "follow" in wanted:
            yield await _follow(place, filled)
        if "delete-unknown" in wanted:
            yield await _delete(place)
        if "crossed" in wanted:
            yield await _crossed(place, filled)
        yield place.memory("memory after what came in")


async def _fill(lab: Lab, db: Database) -> Filled:
    author = await fill.account(db, "alice")
    made = (fill.actor(lab, n, f"h{n % HOSTS}") for n in range(lab.size(200, 40)))
    known = await fill.actors(db, made)
    posts = await fill.own_posts(db, author.id, 60)
    return Filled(author, known, posts[10:], posts[:10])


Make = Callable[[Filled, Account, int], dict[str, object]]


def _like(filled: Filled, actor: Account, number: int) -> dict[str, object]:
    return {"id": f"{actor.uri}#likes/{number}", "type": "Like", "object": _about(filled, number).uri}


def _announce(filled: Filled, actor: Account, number: int) -> dict[str, object]:
    return {
        "id": f"{actor.uri}/boosts/{number}",
        "type": "Announce",
        "published": _now(),
        "to": [PUBLIC],
        "cc": [actor.followers, filled.author.uri],
        "object": _about(filled, number).uri,
    }


def _reply(filled: Filled, actor: Account, number: int) -> dict[str, object]:
    note = {
        "id": f"{actor.uri}/notes/{number}",
        "type": "Note",
        "attributedTo": actor.uri,
        "inReplyTo": _about(filled, number).uri,
        "published": _now(),
        "url": f"{actor.url}/{number}",
        "to": [PUBLIC],
        "cc": [actor.followers, filled.author.uri],
        "content": f'<p><a href="{filled.author.url}" class="mention">@alice</a> {fill.WORDS} {_mark(number)}</p>',
        "tag": [{"type": "Mention", "href": filled.author.uri, "name": f"@alice@{HOST}"}],
    }
    envelope = {"id": f"{note['id']}/activity", "type": "Create", "to": note["to"], "cc": note["cc"]}
    return envelope | {"published": note["published"], "object": note}


def _about(filled: Filled, number: int) -> Post:
    """Another post for each round through the actors, so that nobody likes one twice."""
    if number >= _SHOWN:
        return filled.quiet[number % len(filled.quiet)]
    return filled.posts[number // len(filled.known) % len(filled.posts)]


def _mark(number: int) -> str:
    return f"reply-number-{number}-of-the-benchmark"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _requests(place: World, filled: Filled, make: Make, numbers: range) -> list[bytes]:
    known = filled.known
    chosen = [(n, known[n % len(known)]) for n in numbers]
    return [fill.signed(place.lab, n % len(known), actor.uri, make(filled, actor, n)) for n, actor in chosen]


async def _known(place: World, filled: Filled, name: str, make: Make) -> Row:
    count = place.lab.size(2000, 200)
    requests = _requests(place, filled, make, range(count))
    measured, _ = await place.measure(name, requests, 202)
    table = {"like": _likes, "announce": _boosts, "reply": _replies}[name]
    await place.until(table, count=count)
    return replace(measured, remark="from known actors until stored, 8 at a time")


async def _reply_shown(place: World, filled: Filled) -> Row:
    """One after another: delivered, then looked for on the page."""
    count = place.lab.size(100, 20)
    requests = _requests(place, filled, _reply, range(_SHOWN, _SHOWN + count))
    # The first page after a start makes programs of the templates, which is not done again.
    own = load.get(HOST, filled.posts[0].url.removeprefix(ORIGIN), "text/html")
    check("reply-shown", await load.send(place.port, [own]), 200)
    await place.start()
    latencies = []
    for number, request in enumerate(requests, _SHOWN):
        started = time.monotonic()
        check("reply-shown", await load.send(place.port, [request]), 202)
        path = _about(filled, number).url.removeprefix(ORIGIN)
        while True:
            page = await load.send(place.port, [load.get(HOST, path, "text/html")])
            check("reply-shown", page, 200)
            if _mark(number).encode() in page.last:
                break
        latencies.append(time.monotonic() - started)
    await place.settle()
    remark = "until it is a comment on the page, the page included"
    return row("reply-shown", count, place.stop(sum(latencies)), latencies, remark)


async def _follow(place: World, filled: Filled) -> Row:
    """From actors never heard of: fetched, verified, stored, and the Accept has arrived."""
    lab, count = place.lab, place.lab.size(500, 60)
    actors = [(n, fill.uri(lab, n, f"f{n % HOSTS}")) for n in range(_STRANGERS, _STRANGERS + count)]
    requests = [
        fill.signed(lab, n, uri, {"id": f"{uri}#follow", "type": "Follow", "object": filled.author.uri})
        for n, uri in actors
    ]
    await lab.remote.ask("reset")
    await place.start()
    result = await load.send(place.port, requests, 2 if lab.counts else 8)  # or fetches would run into their time limit
    check("follow", result, 202)
    heard = await lab.remote.ask("wait", count=count, seconds=120)
    if not heard["done"]:
        raise RuntimeError(f"{len(heard['seen'])} of {count} follows were accepted")
    await place.settle()
    arrived = dict(heard["seen"])
    ends = [arrived[f"{uri.removeprefix('https://')}/inbox"] for _, uri in actors]
    latencies = [end - start for end, start in zip(ends, result.started, strict=True)]
    spent = place.stop(max(ends) - min(result.started))
    each = ", ".join(f"{heard[name] / count:.2f} {name}" for name in ("fetched", "connections"))
    remark = f"unknown actors on {HOSTS} hosts, until the Accept arrived; {each} each"
    return row("follow", count, spent, latencies, remark)


async def _delete(place: World) -> Row:
    """Mastodon tells every server it knows that an account is gone, also those that never heard of it."""
    lab, count = place.lab, place.lab.size(2000, 200)
    actors = [(n, fill.uri(lab, n, f"gone{n % HOSTS}")) for n in range(_NOBODY, _NOBODY + count)]
    requests = [
        fill.signed(lab, n, uri, {"id": f"{uri}#delete", "type": "Delete", "to": [PUBLIC], "object": uri})
        for n, uri in actors
    ]
    measured, _ = await place.measure("delete-unknown", requests, 202)
    return replace(measured, remark="accounts that nobody here knows, 8 at a time")


async def _crossed(place: World, filled: Filled) -> Row:
    """A Follow, a Like or a post, and 3 ms later what takes it back: how many of them are there all the same."""
    lab, count = place.lab, place.lab.size(100, 20)
    await place.start()
    latencies, before = [], await place.db.read(_standing)
    for kind in ("Follow", "Like", "Create"):
        for number in range(_CROSSED, _CROSSED + count):
            actor = filled.known[number % len(filled.known)]
            both = _pair(filled, actor, kind, number)
            pair = [fill.signed(lab, number % len(filled.known), actor.uri, each) for each in both]
            started = time.monotonic()
            first = asyncio.create_task(load.send(place.port, pair[:1]))
            await asyncio.sleep(_APART)
            check("crossed", await load.send(place.port, pair[1:]), 202)
            check("crossed", await first, 202)
            latencies.append(time.monotonic() - started)
    await place.settle()
    after = await place.db.read(_standing)
    names = ("followed", "liked", "written")
    left = ", ".join(f"{end - begin} {name}" for name, begin, end in zip(names, before, after, strict=True))
    remark = f"taken back 3 ms later; of {count} each {left} all the same"
    return row("crossed", 3 * count, place.stop(sum(latencies)), latencies, remark)


def _pair(filled: Filled, actor: Account, kind: str, number: int) -> tuple[dict[str, object], dict[str, object]]:
    """Something that is done, and what takes it back."""
    if kind == "Create":
        done = _reply(filled, actor, number)
        uri = str(done["id"]).removesuffix("/activity")
        return done, {"id": f"{uri}/gone", "type": "Delete", "object": uri}
    about = filled.author.uri if kind == "Follow" else filled.quiet[0].uri
    done = {"id": f"{actor.uri}#{kind}/{number}", "type": kind, "object": about}
    return done, {"id": f"{done['id']}/undo", "type": "Undo", "object": {"actor": actor.uri, **done}}


def _standing(tx: Tx) -> tuple[int, int, int]:
    found = tx.one(
        "select (select count(*) from follow) as follows, (select count(*) from reaction) as likes,"
        " (select count(*) from post where local = 0) as posts"
    )
    assert found is not None
    return found.follows, found.likes, found.posts


def _likes(tx: Tx, count: int) -> bool:
    row = tx.one("select count(*) as n from reaction")
    return row is not None and row.n >= count


def _boosts(tx: Tx, count: int) -> bool:
    row = tx.one("select count(*) as n from boost")
    return row is not None and row.n >= count


def _replies(tx: Tx, count: int) -> bool:
    row = tx.one("select count(*) as n from post where local = 0")
    return row is not None and row.n >= count
