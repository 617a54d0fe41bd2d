"""What everybody else feels of 400 kB that an author writes: how long the event loop is held, and other writes wait.

Each is watched to its end: with the deliveries to other servers, what listeners are told, and the first look at it.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fediblog.store.engine.database import Database
from fediblog.store.people import apps
from fediblog.store.tx import Tx
from tests.bench import fill, load
from tests.bench.deliver import all_tried
from tests.bench.lab import HOST, ORIGIN, Lab, World, check, world
from tests.bench.measure import Row

NAMES = ("long-nothing", "long-publish", "long-edit", "long-preview", "long-api", "long-api-edit", "long-command")
SIZE = 399_000  # characters
ROUNDS = (3, 1)  # in a whole and in a small run
PARAGRAPH = "Some *words* about a [thing](https://example.org/a) and `code`; #tag{0} here.\n\n## Part {0}\n\n- one\n\n"
HOSTS = 4
FOLLOWERS = 20  # on these hosts
HTML, ACTIVITY = "text/html,application/xhtml+xml", "application/activity+json"
Work = Callable[[], Awaitable[float | None]]
_EDGE = "----------edge-of-a-part"
_COOKIE = f"__Host-session={fill.TOKEN}-author"


@dataclass(frozen=True, slots=True)
class Seen:
    """The most in one round, ms; `took` until the author had an answer, in seconds."""

    took: float
    held: float
    busy: float
    wrote: float


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    if lab.counts:  # instructions say nothing of waiting
        return
    async with world(lab, "long", _fill) as (place, _):
        bench = _Bench(place)
        await bench.warm()
        alone = await bench.rounds("long-nothing", lambda: asyncio.sleep(2))
        own = max(each.wrote for each in alone)
        if "long-nothing" in wanted:
            yield _row("long-nothing", alone, own)
        for name, work in bench.works().items():
            if name in wanted:
                yield _row(name, await bench.rounds(name, work), own)
        yield place.memory("memory after long texts")


def _row(name: str, seen: list[Seen], own: float) -> Row:
    """The least and the greatest of the rounds: other programs hold the loop as well."""

    def span(what: str) -> str:
        values = sorted(getattr(each, what) for each in seen)
        return f"{values[0]:.0f} to {values[-1]:.0f}" if len(values) > 1 else f"{values[0]:.0f}"

    remark = f"loop held {span('held')} ms ({span('busy')} of CPU), a write took {span('wrote')} ms, alone {own:.0f}"
    took = statistics.median(each.took for each in seen)
    return Row(name=name, operations=len(seen), p50=took * 1000, remark=remark)


async def _fill(lab: Lab, db: Database) -> None:
    author, reader = await fill.account(db, "author"), await fill.account(db, "reader")
    people = await fill.actors(db, (fill.actor(lab, n, f"h{n % HOSTS}") for n in range(FOLLOWERS)))
    await fill.follow(db, [*((each.id, author.id) for each in people), (reader.id, author.id)])

    def prepare(tx: Tx) -> None:
        for who in (author, reader):
            token = apps.digest(f"{fill.TOKEN}-{who.handle}")
            apps.add_token(tx, token, ["read", "write"], login=who.login, account=who.id)

    await db.write(prepare)


class _Bench:
    """The ways in which a long text comes in, each with what follows from it."""

    def __init__(self, place: World) -> None:
        self._place = place
        self._number = 0
        self._size = SIZE
        self._post = ""  # the last that was published: its number

    def works(self) -> dict[str, Work]:
        """What is measured, by the name of its row; each returns when its author had the answer."""
        return {
            "long-publish": self.publish,
            "long-edit": self.edit,
            "long-preview": self.preview,
            "long-api": self.publish_by_app,
            "long-api-edit": self.edit_by_app,
            "long-command": self.publish_by_command,
        }

    async def rounds(self, name: str, work: Work) -> list[Seen]:
        """Do it some times, watched. What was written is deleted each time: feeds and profiles have it whole."""
        seen = []
        for _ in range(self._place.lab.size(*ROUNDS)):
            if "edit" in name:
                await self.publish()
                await self._place.until(all_tried)
            await self._place.settle()
            await self._place.server.ask("watch")
            async with self._listening():
                started = time.monotonic()
                ended = await work()
                await self._place.until(all_tried)
                await asyncio.sleep(0.5)
            told = await self._place.server.ask("watched")
            await self._forget()
            seen.append(Seen((ended or time.monotonic()) - started, told["held"], told["busy"], told["wrote"]))
        return seen

    async def warm(self) -> None:
        """Everything once with a short text: templates are compiled, modules imported, hosts met."""
        size, self._size = self._size, 1_000
        async with self._listening():
            for work in self.works().values():
                await work()
                await self._place.until(all_tried)
        await self._forget()
        self._size = size

    async def publish(self) -> float:
        """By the form, and a look at it."""
        answer = await self._form("/write", do="publish", title=f"Long {self._number}", source=self._text())
        ended = time.monotonic()
        await self._look(answer)
        return ended

    async def edit(self) -> float:
        """By the form, and a look at it."""
        answer = await self._form(f"/write/{self._post}", do="publish", title="Long", source=self._text())
        ended = time.monotonic()
        await self._look(answer)
        return ended

    async def preview(self) -> None:
        """By the form."""
        await self._form("/write", 200, do="preview", title="Long", source=self._text())

    async def publish_by_app(self) -> float:
        """As JSON, by the API."""
        return await self._api("POST", "/api/v1/statuses")

    async def edit_by_app(self) -> float:
        """As JSON, by the API."""
        return await self._api("PUT", f"/api/v1/statuses/{self._post}")

    async def publish_by_command(self) -> float:
        """`fediblog post`, while the server runs."""
        lab = self._place.lab
        words = ["-m", "fediblog", "post", "author", "--data", str(lab.folder / "long"), "--origin", ORIGIN]
        words += ["--title", f"Long {self._number}", *(["--database", self._place.url] if lab.cluster else [])]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate(self._text().encode())
        ended = time.monotonic()
        await self._visit(told.decode().strip().removeprefix(ORIGIN))
        return ended

    def _text(self) -> str:
        self._number += 1
        return f"Number {self._number}.\n\n{''.join(PARAGRAPH.replace('{0}', str(n)) for n in range(5000))}"[
            : self._size
        ]

    async def _form(self, path: str, status: int = 303, **fields: str) -> load.Result:
        """As browsers send it: with a file that was not chosen."""
        parts = [f'name="{name}"\r\n\r\n{value}' for name, value in {"csrf": "", "language": "en", **fields}.items()]
        parts.append('name="upload"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')
        text = "".join(f"--{_EDGE}\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
        body = f"{text}--{_EDGE}--\r\n".replace("\r\n", "\n").replace("\n", "\r\n").encode()
        head = {"Host": HOST, "Cookie": _COOKIE, "Content-Type": f"multipart/form-data; boundary={_EDGE}"}
        return await self._ask("form", load.post(path, head, body), status)

    async def _forget(self) -> None:
        """Delete what was published."""
        if self._post:
            token = {"Authorization": f"Bearer {fill.TOKEN}-author"}
            request = load.get(HOST, f"/api/v1/statuses/{self._post}", "*/*", **token)
            await self._ask("delete", request.replace(b"GET", b"DELETE", 1))
            self._post = ""

    async def _api(self, method: str, path: str) -> float:
        ours = {"type": "Article", "title": f"Long {self._number}"}
        body = json.dumps({"status": self._text(), "content_type": "text/markdown", "fediblog": ours}).encode()
        head = {"Host": HOST, "Authorization": f"Bearer {fill.TOKEN}-author", "Content-Type": "application/json"}
        request = load.post(path, head, body).replace(b"POST", method.encode(), 1)
        found = json.loads((await self._ask("api", request)).last)
        ended = time.monotonic()
        await self._visit(found["url"].removeprefix(ORIGIN))
        return ended

    async def _look(self, answer: load.Result) -> None:
        """The author is led to the page; a visitor, a server and a feed reader see it for the first time."""
        path = answer.headers["location"].removeprefix(ORIGIN)
        await self._ask("own page", load.get(HOST, path, HTML, Cookie=_COOKIE))
        await self._visit(path)

    async def _visit(self, path: str) -> None:
        page = await self._ask("page", load.get(HOST, path, HTML))
        found = re.search(r"/p/(\d+)", page.headers["link"])
        assert found is not None
        self._post = found[1]
        await self._ask("document", load.get(HOST, f"/p/{self._post}", ACTIVITY))
        await self._ask("profile", load.get(HOST, "/@author", HTML))
        await self._ask("feed", load.get(HOST, "/@author/feed.atom", "*/*"))
        token = {"Authorization": f"Bearer {fill.TOKEN}-reader"}
        await self._ask("home", load.get(HOST, "/api/v1/timelines/home", "*/*", **token))
        cookie = f"__Host-session={fill.TOKEN}-reader"
        await self._ask("stream", load.get(HOST, "/stream", HTML, Cookie=cookie))

    async def _ask(self, name: str, request: bytes, status: int = 200) -> load.Result:
        result = await load.send(self._place.port, [request], 1)
        check(name, result, status)
        return result

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """Somebody's app hears what comes into the home timeline."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._place.port)
        token = {"Authorization": f"Bearer {fill.TOKEN}-reader"}
        writer.write(load.get(HOST, "/api/v1/streaming/user", "text/event-stream", **token))
        heard = asyncio.create_task(reader.read())
        await asyncio.sleep(0.2)
        try:
            yield
        finally:
            writer.close()
            await asyncio.gather(heard, return_exceptions=True)
