"""R14: a backup made while everybody writes holds all that was acknowledged before; restored, it federates again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.promises.far import Far
from tests.promises.load import Load, furnished
from tests.promises.servers import Server, Stranger, run

pytestmark = pytest.mark.slow


@pytest.fixture
def second_database(request: pytest.FixtureRequest, database_url: str) -> Iterator[str]:
    """Where the backup is restored to: a new database of the same engine; nothing for SQLite."""
    if database_url.startswith("sqlite:"):
        yield ""
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


async def _command(*words: str) -> None:
    process = await run("-m", "fediblog", *words)
    assert await process.wait() == 0, process.lines


async def test_a_backup_under_load_is_restored_and_federates(
    database_url: str, second_database: str, tmp_path: Path
) -> None:
    async with Far() as far:
        (host,) = far.authorities(1)
        async with Server(tmp_path / "data", database_url, reach=[host]) as server:
            load = await furnished(server)
            await server.followed_by(Stranger("ben", host))
            work = load.begin()
            await load.until(40)
            texts, notes = list(load.texts), list(load.notes)
            where = ["--database", server.database] if server.database else []
            await _command("backup", str(tmp_path / "backup.tar"), "--data", str(server.folder), *where)
            await load.until(10)
            await server.kill()
            await work
        where = ["--database", second_database] if second_database else []
        await _command("restore", str(tmp_path / "backup.tar"), "--data", str(tmp_path / "restored"), *where)
        async with Server(
            tmp_path / "restored", second_database, port=server.port, reach=[host], token=server.token
        ) as restored:
            await restored.wait_out()
            await restored.start()
            await restored.settled()
            await Load(restored, load.strangers, load.post, texts, notes).check()

            answer = await restored.publish(restored.client(), "We are back")
            assert answer.status_code == 303
            sender = load.strangers[0]
            reply = await restored.deliver(restored.client(), sender, sender.answers(load.post, "after"))
            assert reply.status_code == 202
            await restored.settled()
            ((uri,),) = await restored.ask("select uri from post where source = 'We are back'")
            assert uri in [taken.document["object"]["id"] for taken in far.taken if taken.document["type"] == "Create"]
