"""R2: a post and its deliveries are one transaction. Killed in the middle of a fan-out, the server finishes it.

So it does with a file of relations: each line goes with what it does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fediblog.actions import import_actions
from fediblog.federation import relation_import
from fediblog.prepare import relation_csv
from fediblog.store.tx import Tx
from tests.promises.far import Far
from tests.promises.servers import Server, Stranger, until

INBOXES = 1000
FOLLOWED = 3 * relation_import.LINES

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


async def test_each_line_of_a_file_is_done_once(database_url: str, tmp_path: Path) -> None:
    """Killed while it follows whom a file names, it goes on where it was, and nobody is asked twice."""
    async with Far() as far:
        hosts = far.authorities(FOLLOWED)
        async with Server(tmp_path, database_url, reach=hosts) as server:
            strangers = [Stranger("ben", host) for host in hosts]
            await server.furnish(*strangers)
            rows = relation_csv.read("following", "".join(f"ben@{host}\n" for host in hosts).encode())
            account = server.account
            assert account is not None

            def bring(tx: Tx) -> int:
                return import_actions.bring(tx, account.id, "following", "", "", rows, overwrite=False)

            async def has_ended() -> bool:
                await server.do(lambda tx: tx.run("update job set run_at = 0 where kind = 'import'"))  # no rest
                return await server.ask("select 1 from relation_import where ended is null") == []

            await server.do(bring)
            for part in (1, FOLLOWED // 2):
                await server.start()
                await server.do(lambda tx: tx.run("update job set run_at = 0 where kind = 'import'"))
                await far.until(part)
                await server.kill()
                await server.wait_out()
            await server.start()
            await until(has_ended, "the file is gone through")
            await far.until(FOLLOWED, distinct=True)
            await server.settled()
            got = far.ids()
            assert set(got) == set(hosts)
            assert all(len(set(ids)) == 1 for ids in got.values())  # what was under way when it was killed goes twice
            assert await server.ask("select count(*) from follow") == [(FOLLOWED,)]
