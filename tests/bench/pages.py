"""What is asked for: documents for other servers, pages for visitors and for those who signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.store.engine.database import Database
from tests.bench import fill, load, process
from tests.bench.lab import HOST, ORIGIN, Lab, World, world
from tests.bench.measure import Row

ACTIVITY = "application/activity+json"
HTML = "text/html,application/xhtml+xml"
COMMENTS = 100  # below each post whose page is asked for
FOLLOWS = 500  # of the reader
_DOCUMENTS = ("webfinger", "nodeinfo", "actor", "note", "outbox")
_KINDS = ("", "-repeated", "-etag")
NAMES = (
    *(f"{name}{kind}" for name in _DOCUMENTS for kind in _KINDS),
    "profile",
    "profile-repeated",
    "post-first",
    "post",
    "post-repeated",
    "home",
    "start-filled",
)


@dataclass(frozen=True, slots=True)
class Filled:
    """An author with posts, of which the first ones have comments; a reader who follows many."""

    author: Account
    posts: list[Post]
    discussed: int


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    async with world(lab, "pages", _fill) as (place, filled):
        for name, path in _paths(filled).items():
            async for each in _document(place, name, path, wanted):
                yield each
        posts = [_path(post.url) for post in filled.posts[: filled.discussed]]
        if "post-first" in wanted:
            first = await _page(place, "post-first", posts, fresh=True, count=len(posts))
            yield replace(first, remark=f"{first.remark}; no comment was shown before")
        for name, paths in (("profile", [_path(filled.author.url)]), ("post", posts)):
            for kind in ("", "-repeated"):
                if f"{name}{kind}" in wanted:
                    yield await _page(place, f"{name}{kind}", paths, fresh=not kind)
        if "home" in wanted:
            yield await _home(place)
        yield place.memory("memory after pages")
    if "start-filled" in wanted and lab.cluster is None:
        size = (lab.folder / "pages" / "fediblog.db").stat().st_size / 1e6
        yield await process.start(lab, "pages", "start-filled", f"the same with a database of {size:.0f} MB")


async def _fill(lab: Lab, db: Database) -> Filled:
    author, reader = await fill.account(db, "alice"), await fill.account(db, "reader")
    many, follows = lab.size(40, 8), lab.size(FOLLOWS, 100)
    posts = await fill.own_posts(db, author.id, 60)
    people = await fill.actors(db, (fill.actor(lab, n, f"h{n % 50}") for n in range(follows)))
    await fill.follow(db, [(reader.id, each.id) for each in people])
    await fill.follow(db, [(each.id, author.id) for each in people])
    for post in posts[:many]:
        await fill.comments(db, post, people[:50], COMMENTS)
    await fill.remote_posts(db, people, lab.posts, home=reader.id)
    return Filled(author, posts, many)


def _paths(filled: Filled) -> dict[str, str]:
    number = filled.author.id
    return {
        "webfinger": f"/.well-known/webfinger?resource=acct:{filled.author.handle}@{HOST}",
        "nodeinfo": "/nodeinfo/2.1",
        "actor": f"/a/{number}",
        "note": f"/p/{filled.posts[0].id}",
        "outbox": f"/a/{number}/outbox?before={(1 << 63) - 1}",
    }


async def _document(place: World, name: str, path: str, wanted: set[str]) -> AsyncIterator[Row]:
    """Made anew each time, then the finished answer, then the answer that nothing has changed."""
    count = place.lab.size(2000, 200)
    same = [load.get(HOST, path, ACTIVITY)] * count
    if name in wanted:
        fresh = [load.get(HOST, _another(path, n), ACTIVITY) for n in range(count)]
        row, result = await place.measure(name, fresh, 200)
        yield replace(row, remark=f"{len(result.last) / 1000:.1f} kB, made anew, 8 at a time")
    if f"{name}-repeated" in wanted:
        row, _ = await place.measure(f"{name}-repeated", same, 200)
        yield replace(row, remark="the same again")
    if f"{name}-etag" in wanted:
        _, result = await place.measure(name, same[:1], 200, warm=0)
        known = load.get(HOST, path, ACTIVITY, If_None_Match=result.headers["etag"])
        row, _ = await place.measure(f"{name}-etag", [known] * count, 304)
        yield replace(row, remark="304")


def _another(path: str, number: int | str) -> str:
    """The same thing under an address that was never asked for, so that no finished answer is there."""
    return f"{path}{'&' if '?' in path else '?'}n={number}"


async def _page(place: World, name: str, paths: Sequence[str], *, fresh: bool, count: int = 0) -> Row:
    """Pages as a browser without a session asks for them."""
    count = count or place.lab.size(400, 40)
    asked = [_another(paths[n % len(paths)], f"{name}{n}") if fresh else paths[0] for n in range(count)]
    requests = [load.get(HOST, path, HTML) for path in asked]
    row, result = await place.measure(name, requests, 200, warm=4, concurrency=4)
    about = f", {COMMENTS} comments" if name.startswith("post") else ""
    made = ", made anew" if fresh else ", the same again"
    return replace(row, remark=f"{len(result.last) / 1000:.0f} kB{about}{made}, 4 at a time")


async def _home(place: World) -> Row:
    cookie = f"__Host-session={fill.TOKEN}-reader"
    request = load.get(HOST, "/stream", HTML, Cookie=cookie)
    row, result = await place.measure("home", [request] * place.lab.size(400, 40), 200, concurrency=4)
    follows = place.lab.size(FOLLOWS, 100)
    remark = f"{len(result.last) / 1000:.0f} kB, {follows} follows, {place.lab.posts} posts, 4 at a time"
    return replace(row, remark=remark)


def _path(url: str) -> str:
    return url.removeprefix(ORIGIN)
