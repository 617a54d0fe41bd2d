"""R2: a post and its deliveries are one transaction. Killed in the middle of a fan-out, the server finishes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promises.far import Far
from tests.promises.servers import Server, Stranger

INBOXES = 1000

pytestmark = pytest.mark.slow


async def test_each_of_a_thousand_inboxes_gets_it_with_the_same_id(database_url: str, tmp_path: Path) -> None:
    async with Far() as far:
        hosts = far.authorities(INBOXES)
        async with Server(tmp_path, database_url, reach=hosts) as server:
            await server.furnish()
            await server.followed_by(*(Stranger("ben", host) for host in hosts))
            await server.start()
            answer = await server.publish(server.client(), "To a thousand")
            assert answer.status_code == 303
            for part in (INBOXES // 4, INBOXES // 2):
                await far.until(part)
                await server.kill()
                await server.wait_out()
                await server.start()
            await far.until(INBOXES, distinct=True)
            await server.settled()
            got = far.ids()
            assert set(got) == set(hosts)
            assert len({each for ids in got.values() for each in ids}) == 1
            # What was on its way when the server was killed goes twice, nothing else.
            assert sum(map(len, got.values())) < INBOXES + 2 * 200
            ((total, reached, failed),) = await server.ask("select total, reached, failed from outgoing")
            assert (total, reached, failed) == (INBOXES, INBOXES, 0)
