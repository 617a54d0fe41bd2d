"""A server under honest and hostile traffic for a while: `python -m tests.soak --minutes 10`.

Prints its memory, the sizes of its tables and what it answered, and fails if it made a mistake of its own or answered
with a status that it should not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.fuzz.test_routes import ODD, READ, filled
from tests.promises.far import Far
from tests.promises.servers import Server, Stranger

EVERY = 15.0  # seconds between two lines
STRANGERS = 30
TABLES = (
    *("account", "post", "reaction", "follow", "notice", "outgoing", "delivery", "host", "job", "incoming", "seen"),
    *("early", "tombstone", "refusal", "signing_key"),
)
ACTIVITY = "application/activity+json"
GOOD = frozenset({200, 202, 302, 303, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 413, 415, 422, 429, 503})


class Soak:
    """The server, those who do something to it, and what came of that."""

    def __init__(self, server: Server, far: Far, strangers: list[Stranger], seed: int) -> None:
        self.server, self.far, self.strangers = server, far, strangers
        self.dice = random.Random(seed)
        self.numbers = count(1)
        self.statuses: dict[str, Counter[int]] = {}
        self.posts: list[str] = []
        self.memory: list[float] = []

    async def run(self, seconds: float) -> bool:
        """All of them side by side; whether all was well."""
        await self.server.publish(self.server.client(), "The first words")
        actions: list[tuple[Callable[[httpx.AsyncClient], Awaitable[None]], float]] = [
            (self.write, 0.3),
            (self.answer, 0.02),
            (self.like, 0.02),
            (self.read, 0.01),
            (self.read_oddly, 0.01),
            (self.forge, 0.01),
            (self.babble, 0.01),
            (self.pose_as_strangers, 0.05),
            (self.take_leave, 0.02),
            (self.overload, 0.05),
            (self.dawdle, 0.2),
        ]
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report(end))
            for action, pause in actions:
                group.create_task(self._repeat(action, pause, end))
        return self._sum_up()

    async def _repeat(self, action: Callable[[httpx.AsyncClient], Awaitable[None]], pause: float, end: float) -> None:
        client = self.server.client(seconds=60)
        while time.monotonic() < end:
            with suppress(httpx.TransportError):
                await action(client)
            await asyncio.sleep(pause * self.dice.uniform(0.2, 1.8))

    def _note(self, what: str, answer: httpx.Response) -> None:
        self.statuses.setdefault(what, Counter())[answer.status_code] += 1

    # --- honest ---

    async def write(self, client: httpx.AsyncClient) -> None:
        text = f"Words {next(self.numbers)} #tag{self.dice.randrange(50)}"
        self._note("write", await self.server.publish(client, text))
        rows = await self.server.ask("select uri from post where local = 1 order by id desc limit 20")
        self.posts = [row[0] for row in rows]

    async def answer(self, client: httpx.AsyncClient) -> None:
        activity = self._one().answers(self._post(), next(self.numbers))
        self._note("answer", await self._deliver(client, activity))

    async def like(self, client: httpx.AsyncClient) -> None:
        activity = self._one().does("Like", self._post(), f"like-{next(self.numbers)}")
        if self.dice.random() < 0.3:
            activity = self._one().does("Undo", activity, f"undo-{next(self.numbers)}")
        self._note("like", await self._deliver(client, activity))

    async def read(self, client: httpx.AsyncClient) -> None:
        path = self.dice.choice(["/", "/@ann", "/feed.atom", "/@ann/feed.rss", "/tags/tag1", "/nodeinfo/2.1"])
        accept = self.dice.choice(["text/html", ACTIVITY])
        own = {"cookie": self.server.cookie} if self.dice.random() < 0.3 else {}
        self._note("read", await client.get(path, headers={"accept": accept, **own}))

    # --- hostile ---

    async def read_oddly(self, client: httpx.AsyncClient) -> None:
        odd = self.dice.choice(ODD)
        path = filled(self.dice.choice(READ), odd, self.dice.choice(["1", "9" * 25]))
        asked = f"{path}?{self.dice.choice(['before', 'q', 'resource', 'page'])}={quote(odd, safe='')}"
        accept = self.dice.choice(["text/html", ACTIVITY, ""])
        self._note("read oddly", await client.get(asked, headers={"accept": accept, **self._from()}))

    async def forge(self, client: httpx.AsyncClient) -> None:
        activity = self._one().answers(self._post(), next(self.numbers))
        made = self.server.signed(self._one(), activity)
        made["content"] += b" "
        made["headers"] |= self._from()
        self._note("forge", await client.post("/inbox", **made))

    async def babble(self, client: httpx.AsyncClient) -> None:
        body = self.dice.choice(
            [b"", b"{", b"[" * 5000, b'{"a":' * 500 + b"1" + b"}" * 500, self.dice.randbytes(300), b"9" * 9000]
        )
        headers = {"content-type": self.dice.choice([ACTIVITY, "text/plain", "a" * 300]), **self._from()}
        self._note(
            "babble", await client.post(self.dice.choice(["/inbox", "/login", "/write"]), content=body, headers=headers)
        )

    async def pose_as_strangers(self, client: httpx.AsyncClient) -> None:
        stranger = Stranger(f"n{next(self.numbers)}", f"n{next(self.numbers)}.invalid")
        many = [{"type": "Mention", "href": f"https://m{i}.invalid/u", "name": f"@u{i}"} for i in range(500)]
        activity = stranger.answers(self._post(), next(self.numbers))
        activity["object"]["tag"] = many
        made = self.server.signed(stranger, activity)
        made["headers"] |= self._from()
        self._note("pose", await client.post("/inbox", **made))

    async def take_leave(self, client: httpx.AsyncClient) -> None:
        stranger = Stranger(f"gone{next(self.numbers)}", "gone.invalid")
        made = self.server.signed(stranger, stranger.does("Delete", stranger.uri, next(self.numbers)))
        self._note("take leave", await client.post("/inbox", **made))

    async def overload(self, client: httpx.AsyncClient) -> None:
        activity = self._one().answers(self._post(), next(self.numbers))
        activity["object"]["content"] = "<p>" + "<b>x" * self.dice.randrange(200_000)
        self._note("overload", await self._deliver(client, activity))

    async def dawdle(self, client: httpx.AsyncClient) -> None:
        """Begin a request and go away in the middle of it."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        head = f"POST /inbox HTTP/1.1\r\nhost: {self.server.urls.host}\r\ncontent-length: 900\r\n"
        writer.write(f"{head}\r\nnot".encode() if self.dice.random() < 0.7 else head.encode())
        await asyncio.sleep(self.dice.random() * 2)
        writer.close()

    # --- helpers ---

    def _one(self) -> Stranger:
        return self.dice.choice(self.strangers)

    def _post(self) -> str:
        return self.dice.choice(self.posts) if self.posts else f"{self.server.origin}/p/1"

    def _from(self) -> dict[str, str]:
        return {"x-forwarded-for": f"198.51.{self.dice.randrange(100)}.{self.dice.randrange(250)}"}

    async def _deliver(self, client: httpx.AsyncClient, activity: dict[str, Any]) -> httpx.Response:
        sender = next(each for each in self.strangers if each.uri == activity["actor"])
        return await self.server.deliver(client, sender, activity)

    async def _report(self, end: float) -> None:
        began = time.monotonic()
        while time.monotonic() < end:
            await asyncio.sleep(min(EVERY, max(end - time.monotonic(), 0)))
            sizes = await self._sizes()
            self.memory.append(private(self.server.pid))
            answered = sum((Counter(each) for each in self.statuses.values()), Counter[int]())
            print(f"{time.monotonic() - began:6.0f} s  {self.memory[-1]:6.1f} MB  {dict(sorted(answered.items()))}")
            print(f"          {sizes}")
            self.far.taken.clear()

    async def _sizes(self) -> str:
        rows = [(name, (await self.server.ask(f"select count(*) from {name}"))[0][0]) for name in TABLES]
        return " ".join(f"{name}={number}" for name, number in rows)

    def _sum_up(self) -> bool:
        assert self.server.process is not None
        lines = self.server.process.lines
        mistakes = [i for i, line in enumerate(lines) if line.startswith("Traceback")]
        wrong = {what: dict(seen) for what, seen in self.statuses.items() if set(seen) - GOOD}
        for what, seen in sorted(self.statuses.items()):
            print(f"{what:>12}: {json.dumps(dict(sorted(seen.items())))}")
        for i in mistakes[:5]:
            print("\n".join(lines[max(i - 1, 0) : i + 30]))
        half = self.memory[len(self.memory) // 2 :] or [0.0]
        print(f"memory: {self.memory[:1]} at first, {half[0]:.1f} MB in the middle, {half[-1]:.1f} MB in the end")
        print(f"{len(mistakes)} tracebacks in {len(lines)} lines of the log; unexpected answers: {wrong or 'none'}")
        return not mistakes and not wrong


def private(pid: int) -> float:
    """Megabytes of memory that a process holds for itself: without what it sees of its database's file."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1000


async def soak(minutes: float, seed: int) -> bool:
    """Set everything up, and let it happen."""
    with tempfile.TemporaryDirectory(prefix="fediblog-soak-") as folder:
        async with Far() as far:
            places = far.authorities(STRANGERS)
            far.hanging.update(places[:3])
            far.answers |= {places[3]: 500, places[4]: 410, places[5]: 401}
            strangers = [Stranger(f"s{i}", place) for i, place in enumerate(places)]
            async with Server(Path(folder) / "data", reach=places) as server:
                await server.furnish(*strangers)
                await server.followed_by(*strangers)
                await server.start()
                return await Soak(server, far, strangers, seed).run(minutes * 60)


def main() -> int:
    """Read the command line; 0 if all was well."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    return 0 if asyncio.run(soak(args.minutes, args.seed)) else 1


if __name__ == "__main__":
    sys.exit(main())
