"""Many who write at once: Ann in her browser and strangers to her inbox. What was acknowledged is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.promises.servers import GONE, Server, Stranger

WRITERS, SENDERS = 3, 5
DONE = (202, 303)


@dataclass(slots=True)
class Load:
    """What was asked of one server, and what it answered."""

    server: Server
    strangers: list[Stranger]
    post: str  # which strangers answer
    texts: list[str] = field(default_factory=list)  # of Ann's that were acknowledged
    notes: list[str] = field(default_factory=list)  # of strangers that were acknowledged
    statuses: list[int] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: count[int] = field(default_factory=lambda: count(1))
    ended: bool = False

    @property
    def acknowledged(self) -> int:
        return len(self.texts) + len(self.notes)

    async def until(self, number: int) -> None:
        """Until so many more were acknowledged."""
        wanted = self.acknowledged + number
        while self.acknowledged < wanted:
            self.news.clear()
            await self.news.wait()

    def begin(self) -> asyncio.Task[None]:
        """Everybody goes on until the server is gone, or `ended` is set."""
        return asyncio.create_task(self._all())

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(WRITERS):
                group.create_task(self._until_gone(self._write(self.server.client())))
            for stranger in self.strangers[:SENDERS]:
                group.create_task(self._until_gone(self._send(self.server.client(), stranger)))

    async def _until_gone(self, work: Coroutine[Any, Any, None]) -> None:
        with suppress(*GONE):
            await work

    async def _write(self, client: httpx.AsyncClient) -> None:
        while not self.ended:
            text = f"word{next(self.numbers)}"
            answer = await self.server.publish(client, text)
            self._note(answer, self.texts, text)

    async def _send(self, client: httpx.AsyncClient, stranger: Stranger) -> None:
        while not self.ended:
            activity = stranger.answers(self.post, next(self.numbers))
            answer = await self.server.deliver(client, stranger, activity)
            self._note(answer, self.notes, activity["object"]["id"])

    def _note(self, answer: httpx.Response, acknowledged: list[str], what: str) -> None:
        self.statuses.append(answer.status_code)
        if answer.status_code in DONE:
            acknowledged.append(what)
        self.news.set()

    async def check(self) -> None:
        """All that was acknowledged is there."""
        sources = {row[0] for row in await self.server.ask("select source from post where local = 1")}
        assert sorted(set(self.texts) - sources) == []
        uris = {row[0] for row in await self.server.ask("select uri from post where local = 0")}
        assert sorted(set(self.notes) - uris) == []
        assert await self.server.damage() == []


async def furnished(server: Server) -> Load:
    """A server that runs, with a post of Ann's and strangers who know of it."""
    strangers = [Stranger(f"s{i}", f"s{i}.test") for i in range(SENDERS)]
    await server.furnish(*strangers)
    await server.start()
    answer = await server.publish(server.client(), "Say something")
    assert answer.status_code == 303, answer.text
    ((uri,),) = await server.ask("select uri from post")
    return Load(server, strangers, uri)
