"""R3: what comes several times has its effect once, also when the copies come at once and to two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.promises.servers import Json, Server, Stranger

COPIES = 10
BEN = Stranger("ben", "far.test")


@dataclass
class Twins:
    """Two processes that answer requests for one site, and a post of Ann's."""

    server: Server
    second: Server
    post: str

    async def send(self, *activities: Json) -> set[int]:
        """All at once, to both in turn; the statuses."""
        clients = [self.server.client(), self.second.client()]
        answers = await asyncio.gather(
            *(self.server.deliver(clients[i % 2], BEN, each) for i, each in enumerate(activities))
        )
        await self.server.settled()
        return {answer.status_code for answer in answers}

    async def rows(self, sql: str) -> list[Any]:
        return await self.server.ask(sql)


@pytest.fixture
async def twins(database_url: str, tmp_path: Path) -> AsyncIterator[Twins]:
    async with Server(tmp_path, database_url) as first, Server(tmp_path, database_url, origin=first.origin) as second:
        await first.furnish(BEN)
        await first.start()
        await second.start("web")
        assert (await first.publish(first.client(), "Hello")).status_code == 303
        ((uri,),) = await first.ask("select uri from post")
        yield Twins(first, second, uri)


@pytest.mark.slow
async def test_ten_copies_at_once(twins: Twins) -> None:
    assert await twins.send(*[BEN.answers(twins.post, 1)] * COPIES) == {202}
    assert await twins.rows("select count(*) from post where local = 0") == [(1,)]
    assert await twins.rows("select kind from notice") == [("reply",)]

    assert await twins.send(*[BEN.does("Like", twins.post, "like")] * COPIES) == {202}
    assert await twins.send(*(BEN.does("Like", twins.post, f"like-{i}") for i in range(COPIES))) == {202}
    assert await twins.rows("select count(*) from reaction") == [(1,)]

    assert await twins.send(*(BEN.does("Announce", twins.post, f"boost-{i}") for i in range(COPIES))) == {202}
    assert await twins.rows("select count(*) from boost") == [(1,)]

    me = twins.server.urls.actor(twins.server.account.id) if twins.server.account else ""
    assert await twins.send(*(BEN.does("Follow", me, f"follow-{i}") for i in range(COPIES))) == {202}
    assert await twins.rows("select count(*) from follow") == [(1,)]
    kinds = sorted(row[0] for row in await twins.rows("select kind from notice"))
    assert kinds == ["boost", "follow", "like", "reply"]
