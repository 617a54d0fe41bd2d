"""The worker: what is due is done, once at least; nothing is lost by a crash, and no trouble spreads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor
from fediblog.domain.posts import Category
from fediblog.errors import Unavailable
from fediblog.federation import jobs as work
from fediblog.federation.site import Site
from fediblog.federation.worker import Worker
from fediblog.store.id_paging import Window
from fediblog.store.people import logins, relations
from fediblog.store.people.logins import Session
from fediblog.store.posts import categories, media_files, search
from fediblog.store.queues import claims, delivery_queue, job_queue
from fediblog.store.tx import Tx
from tests import wording
from tests.conftest import ENGINES
from tests.postgres import Cluster
from tests.remote_accounts import save_remote
from tests.store import makers
from tests.world import Sent, World

HOUR, DAY = 3_600_000, 86_400_000  # ms


@dataclass
class Hub:
    """One of our servers with an account, and any number of others that take what it sends."""

    world: World
    ann: Account
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        host = dict(scope["headers"])[b"host"].decode()
        self.taken.append((host, json.loads(body)))
        self.news.set()
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    @property
    def worker(self) -> Worker:
        found = self.world.workers["one.test"]
        assert isinstance(found, Worker)
        return found

    async def followers(self, count: int) -> list[str]:
        """So many followers, each on a server of its own; the names of those."""
        hosts = [f"f{i:04}.test" for i in range(count)]
        for host in hosts:
            self.world.network.apps[host] = self

        def action(tx: Tx) -> None:
            for host in hosts:
                uri = f"https://{host}/u"
                actor = Actor(
                    uri=uri, kind="Person", handle="u", inbox=f"{uri}/inbox", shared_inbox=f"https://{host}/inbox"
                )
                follower = save_remote(tx, actor, host)
                relations.put_follow(tx, follower.id, self.ann.id, f"{uri}/follow", "accepted")

        await self.world.sites["one.test"].db.write(action)
        return hosts

    async def publish(self, source: str = "Hello") -> str:
        """Ann writes; the id of the Create."""
        post = await self.world.do("one.test", wording.publish, self.ann.id, Draft(source=source))
        return self.world.sites["one.test"].urls.activity(post.id)

    async def until_taken(self, count: int) -> None:
        while len(self.taken) < count:
            self.news.clear()
            await self.news.wait()

    async def add_job(self, kind: str, subject: str, run_at: int | None = None) -> None:
        def action(tx: Tx) -> None:
            job_queue.add(tx, kind, subject, run_at=run_at)

        await self.world.sites["one.test"].db.write(action)


@pytest.fixture(params=ENGINES)
def databases(request: pytest.FixtureRequest) -> tuple[Cluster, str] | None:
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("cluster"), request.getfixturevalue("migrated_database")


@pytest.fixture
async def hub(databases: tuple[Cluster, str] | None) -> AsyncIterator[Hub]:
    async with World("one.test", postgres=databases) as world:
        yield Hub(world, await world.person("one.test", "ann"))


async def test_a_fan_out_of_many_steps_reaches_each_inbox_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "CHUNK", 10)
    hosts = await hub.followers(35)
    create = await hub.publish()
    await hub.world.settle()
    assert sorted(host for host, _ in hub.taken) == hosts
    assert {document["id"] for _, document in hub.taken} == {create}
    found = await hub.world.read("one.test", makers.sent, create)
    assert found is not None
    assert (found.total, found.reached) == (35, 35)
    assert await hub.world.read("one.test", job_queue.totals) == {}


async def test_followers_on_one_server_share_a_delivery(hub: Hub) -> None:
    await hub.followers(1)

    def action(tx: Tx) -> None:
        for name in ("v", "w"):
            uri = f"https://f0000.test/{name}"
            shared = "https://f0000.test/inbox"
            actor = Actor(uri=uri, kind="Person", handle=name, inbox=f"{uri}/inbox", shared_inbox=shared)
            relations.put_follow(tx, save_remote(tx, actor, "f0000.test").id, hub.ann.id, uri, "accepted")

    await hub.world.sites["one.test"].db.write(action)
    await hub.publish()
    await hub.world.settle()
    assert len(hub.taken) == 1


@pytest.mark.parametrize("step", [1, 7, 20, 29])
async def test_a_crash_in_the_middle_of_a_fan_out_loses_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(work, "CHUNK", 8)
    hosts = await hub.followers(30)
    create = await hub.publish()
    reached, begun = asyncio.Event(), count(1)

    def stall(_: Sent) -> bool:
        late = next(begun) > step
        if late:
            reached.set()
        return late

    hub.world.network.stall = stall
    running = asyncio.create_task(hub.worker.idle())
    stalled = asyncio.create_task(reached.wait())
    # The last ones may all be on the way at once, and then nothing is left to stall.
    await asyncio.wait((running, stalled), return_when=asyncio.FIRST_COMPLETED)
    stalled.cancel()
    await hub.world.crash("one.test")
    await asyncio.gather(running, return_exceptions=True)

    hub.world.network.stall = None
    await hub.world.restart("one.test")
    hub.world.clock.forward(minutes=10)  # where others might live, a claim has to run out first
    await hub.world.settle()
    assert {host for host, _ in hub.taken} == set(hosts)
    assert {document["id"] for _, document in hub.taken} == {create}
    found = await hub.world.read("one.test", makers.sent, create)
    assert found is not None
    assert (found.total, found.reached, found.waiting) == (30, 30, 0)


async def test_a_host_that_hangs_delays_nobody(hub: Hub) -> None:
    hosts = await hub.followers(20)
    slow = set(hosts[:5])
    hub.world.network.stall = lambda sent: sent.host in slow
    await hub.publish()
    hub.worker.start()
    await hub.until_taken(15)
    assert not {host for host, _ in hub.taken} & slow
    await hub.publish("again")  # nor what comes later
    await hub.until_taken(30)
    await hub.worker.stop(grace=0)
    assert len([each for each in hub.taken if each[0] not in slow]) == 30


async def test_a_worker_is_woken_by_what_is_written(hub: Hub) -> None:
    await hub.followers(3)
    hub.worker.start()
    for n in range(1, 4):
        await hub.publish()
        await hub.until_taken(3 * n)
    await hub.worker.stop()
    assert await hub.world.read("one.test", delivery_queue.waiting) == 0


async def test_what_has_begun_ends_before_the_worker_stops(hub: Hub) -> None:
    await hub.followers(1)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await go_on.wait()
        await hub(scope, receive, send)

    hub.world.network.apps["f0000.test"] = slow
    first = await hub.publish("one")
    hub.worker.start()
    await begun.wait()
    stopping = asyncio.create_task(hub.worker.stop())
    second = await hub.publish("two")
    go_on.set()
    await stopping
    assert [document["id"] for _, document in hub.taken] == [first]
    await hub.world.close("one.test")
    await hub.world.restart("one.test")
    await hub.world.settle()
    assert [document["id"] for _, document in hub.taken] == [first, second]


async def test_a_worker_that_is_alone_takes_back_what_the_last_one_had_begun(hub: Hub) -> None:
    await hub.add_job("send-counts", "1")
    db = hub.world.sites["one.test"].db
    assert len(await db.write(job_queue.claim)) == 1
    assert await hub.worker.idle() == 0
    await hub.worker.recover()
    assert await hub.worker.idle() == (1 if db.engine == "sqlite" else 0)
    hub.world.clock.forward(ms=claims.CLAIM + 1)
    await hub.worker.idle()
    assert await hub.world.read("one.test", job_queue.totals) == {"waiting": 3}  # the hourly and the daily ones


@pytest.mark.parametrize(("role", "alone"), [("all", True), ("worker", True), ("web", False)])
async def test_who_holds_the_lock_of_a_folder_is_alone(hub: Hub, role: str, alone: bool) -> None:
    await hub.add_job("send-counts", "1")
    site = hub.world.sites["one.test"]
    assert len(await site.db.write(job_queue.claim)) == 1
    worker = Worker(replace(site, kept={}, settings=replace(site.settings, role=role)))
    await worker.recover()
    assert await worker.idle() == (1 if alone and site.db.engine == "sqlite" else 0)


async def test_a_job_that_always_fails_stops_only_itself_and_is_put_aside(hub: Hub) -> None:
    await hub.add_job("release", "not a number")
    await hub.add_job("release", "1")
    await hub.worker.idle()
    assert await hub.world.read("one.test", job_queue.totals) == {"waiting": 1}
    for _ in range(job_queue.MOST_TRIES):
        hub.world.clock.forward(hours=2)
        await hub.worker.idle()
    ((kind, subject, error),) = await hub.world.read("one.test", job_queue.dead)
    assert (kind, subject) == ("release", "not a number")
    assert "ValueError" in error


async def test_a_job_that_nobody_knows_is_dropped(hub: Hub) -> None:
    await hub.add_job("of-tomorrow", "1")
    await hub.worker.idle()
    assert await hub.world.read("one.test", job_queue.totals) == {}


async def test_a_job_that_takes_longer_than_its_claim_is_not_begun_twice(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    go_on = asyncio.Event()

    async def slow(site: Site, job: job_queue.Job) -> None:
        begun.append(job.tries)
        await go_on.wait()
        await site.db.write(job_queue.done, job.id)

    monkeypatch.setitem(work.JOBS, "slow", slow)
    await hub.add_job("slow", "1")
    working = asyncio.create_task(hub.worker.idle())
    while not begun:
        await asyncio.sleep(0)
    for _ in range(2):
        hub.world.clock.forward(ms=claims.CLAIM + 1)
        assert await hub.worker._take() == 1, "claimed again, so that nobody else takes it"
    assert begun == [1]
    go_on.set()
    await working
    assert begun == [1]
    assert await hub.world.read("one.test", job_queue.totals) == {}


async def test_a_job_that_carries_on_is_begun_again_before_its_task_has_ended(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next part may be claimed while the task of the last one still returns; it counts its tries anew."""
    parts: list[object] = []

    async def long(site: Site, job: job_queue.Job) -> None:
        parts.append(job.payload.get("part", 0))
        if len(parts) == 3:
            await site.db.write(job_queue.done, job.id)
            return
        await site.db.write(job_queue.carry_on, job.id, {"part": len(parts)})
        await hub.worker._take()

    monkeypatch.setitem(work.JOBS, "long", long)
    await hub.add_job("long", "1")
    await hub.worker.idle()
    assert parts == [0, 1, 2]
    assert await hub.world.read("one.test", job_queue.totals) == {}


async def test_a_job_waits_as_long_as_it_is_told_to(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    async def busy(site: object, job: job_queue.Job) -> None:
        tries.append(hub.world.clock.now)
        raise Unavailable("not-now", 600)

    monkeypatch.setitem(work.JOBS, "busy", busy)
    await hub.add_job("busy", "1")
    for _ in range(3):
        await hub.worker.idle()
        hub.world.clock.forward(seconds=300)
    assert [each - tries[0] for each in tries] == [0, 600_000]


async def test_what_is_put_off_waits_for_its_time(hub: Hub) -> None:
    await hub.add_job("send-counts", "1", run_at=hub.world.clock.now + HOUR)
    assert await hub.worker.idle() == 0
    hub.world.clock.forward(hours=1)
    assert await hub.worker.idle() == 1


async def test_what_is_filed_under_a_renamed_category_is_indexed_anew(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of it at a time, to the end; also where it is renamed again meanwhile."""
    monkeypatch.setattr(work, "INDEXED", 2)
    tools = Category(id=1, name="Needles", slug="needles")

    def file(tx: Tx) -> None:
        categories.add(tx, tools)
        for _ in range(5):
            categories.file_under(tx, makers.post(tx, hub.ann), [tools.id])
        categories.change(tx, tools, replace(tools, name="Pins"))

    def rename(tx: Tx) -> None:
        categories.change(tx, replace(tools, name="Pins"), replace(tools, name="Nails"))

    def found(tx: Tx, typed: str) -> int:
        return len(search.newest(tx, typed, 0, Window()).posts)

    site = hub.world.sites["one.test"]
    await site.db.write(file)
    hub.world.clock.forward(ms=1)
    await site.db.write(rename)
    await hub.worker.idle()
    assert [await site.db.read(found, typed) for typed in ("needles", "pins", "nails")] == [0, 0, 5]
    assert await hub.world.read("one.test", job_queue.totals) == {}


async def test_the_sweep_forgets_what_is_old_and_comes_again(hub: Hub) -> None:
    site = hub.world.sites["one.test"]
    now = hub.world.clock.now
    name = site.files.save(b"a picture", ".png")

    def action(tx: Tx) -> None:
        login = logins.everyone(tx)[0].id
        old = Session(
            token="old", login=login, account=None, csrf="", created=now, seen=now, expires=now + HOUR, agent=""
        )
        logins.open_session(tx, old)
        media_files.add(
            tx,
            hub.ann.id,
            media_type="image/png",
            file=name,
            large="",
            small="",
            width=1,
            height=1,
            blurhash="",
            size=9,
        )

    await site.db.write(action)
    await hub.worker.recover()
    hub.world.clock.forward(days=2)
    assert await hub.worker.idle() == 3  # the daily check of the database and the questions to others as well
    assert await site.db.read(media_files.names) == set()
    assert await hub.world.read("one.test", job_queue.totals) == {"waiting": 3}
    assert await hub.worker.idle() == 0
    hub.world.clock.forward(hours=1)
    assert await hub.worker.idle() == 2

    def sessions(tx: Tx) -> int:
        return len(tx.all("select token from session"))

    assert await site.db.read(sessions) == 0


async def test_the_delete_of_an_account_is_sent_to_those_it_followed(hub: Hub) -> None:
    await hub.followers(1)

    def action(tx: Tx) -> None:
        uri = "https://liked.test/u"
        actor = Actor(uri=uri, kind="Person", handle="u", inbox=f"{uri}/inbox")
        relations.put_follow(tx, hub.ann.id, save_remote(tx, actor, "liked.test").id, uri, "accepted")

    hub.world.network.apps["liked.test"] = hub
    await hub.world.sites["one.test"].db.write(action)
    await hub.world.do("one.test", account_actions.delete_account, hub.ann.id)
    await hub.world.settle()
    assert sorted((host, document["type"]) for host, document in hub.taken) == [
        ("f0000.test", "Delete"),
        ("liked.test", "Delete"),
    ]


async def test_what_could_not_be_written_down_is_done_once_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk fills up between a claim and what comes of it: nobody waits until the claim has run out."""
    async with World("one.test") as world:
        hub = Hub(world, await world.person("one.test", "ann"))
        await hub.followers(1)
        await hub.publish()
        db = world.sites["one.test"].db
        write, writes = db.write, count()

        async def fills_up(fn: Any, *args: Any, **kwargs: Any) -> Any:
            if next(writes):
                raise Unavailable("disk-full", 300)
            return await write(fn, *args, **kwargs)

        monkeypatch.setattr(db, "write", fills_up)
        with pytest.raises(Unavailable):
            await hub.worker.idle()
        monkeypatch.undo()
        await hub.worker.idle()
        assert [kind["type"] for _, kind in hub.taken] == ["Create"]
