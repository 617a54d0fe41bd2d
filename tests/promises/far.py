"""The servers of others, all in one: it listens under every address of this machine, and notes what is delivered."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import TracebackType
from typing import Any

from fediblog.cli.serve import raise_file_limit
from tests.promises.servers import PATIENCE

FIRST = IPv4Address("127.1.0.1")


@dataclass(frozen=True, slots=True)
class Taken:
    """One delivery: the authority that it went to, the activity's id, and when (seconds, monotonic)."""

    authority: str
    id: str
    at: float
    document: dict[str, Any]


@dataclass(slots=True)
class Far:
    """Answers 202 to every delivery; hosts in `hanging` never answer, those in `answers` with that status."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    hanging: set[str] = field(default_factory=set)
    answers: dict[str, int] = field(default_factory=dict)
    hung: int = 0  # requests that wait for an answer which does not come
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def authorities(self, number: int) -> list[str]:
        """So many addresses of this machine, each a server of its own."""
        return [f"{FIRST + i}:{self.port}" for i in range(number)]

    async def __aenter__(self) -> Far:
        raise_file_limit()
        self._server = await asyncio.start_server(self._serve, "0.0.0.0", 0, backlog=2000)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, number: int, *, distinct: bool = False) -> None:
        """Wait for so many deliveries, or for deliveries to so many addresses."""

        def enough() -> bool:
            return len({each.authority for each in self.taken} if distinct else self.taken) >= number

        try:
            async with asyncio.timeout(PATIENCE), self.news:
                await self.news.wait_for(enough)
        except TimeoutError:
            raise AssertionError(f"{len(self.taken)} of {number} deliveries came") from None

    def ids(self) -> dict[str, list[str]]:
        """The ids that each address got."""
        found = defaultdict(list)
        for each in self.taken:
            found[each.authority].append(each.id)
        return found

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = dict(_fields(head[1:]))
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        authority = fields["host"]
        if authority in self.hanging:
            self.hung += 1
            await reader.read()  # until the other side has enough of it
            return False
        status = self.answers.get(authority, 202 if head[0].startswith("POST") else 404)
        if body and status == 202:
            document = json.loads(body)
            async with self.news:
                self.taken.append(Taken(authority, document["id"], time.monotonic(), document))
                self.news.notify_all()
        writer.write(f"HTTP/1.1 {status} Fine\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()
        return True


def _fields(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()
