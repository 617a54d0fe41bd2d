"""What leaves for one host: signed, in order, two at a time; and what is learned from each kind of answer."""

# long because: one table of what a host may answer, and what is learnt from it

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.accounts import Account
from fediblog.federation.outbound.deliver import deliver_batch, take
from fediblog.federation.site import Site
from fediblog.messages.stored import unpack
from fediblog.protocol import signatures
from fediblog.protocol.keys import load_public
from fediblog.store.people import hosts
from fediblog.store.queues import delivery_queue, job_queue, leases
from fediblog.store.queues.leases import Batch
from fediblog.store.tx import Tx
from tests import host_blocks
from tests.conftest import Clock
from tests.world import Network, Sent, WorldEngine, add_person, keys_of, new_site

MINUTE, HOUR, DAY = 60, 3600, 86_400  # seconds
EVEN = 0.5  # dice that make no jitter


@dataclass
class Post:
    """A site that has something to send, and the network that takes it."""

    site: Site
    network: Network
    clock: Clock
    sender: Account
    refuse: dict[str, int] = field(default_factory=dict)  # kind of activity -> status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The server at the other end: takes everything but what it is told to refuse."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status = self.refuse.get(json.loads(body)["type"], 202)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def reaches(self, *hosts: str) -> None:
        for host in hosts:
            self.network.apps[host] = self

    async def emit(self, *inboxes: str, kind: str = "Create", subject: str = "") -> int:
        """Put an activity into the queue; its number."""

        def action(tx: Tx) -> int:
            number = tx.new_id()
            uri = self.site.urls.activity(number)
            body = json.dumps({"id": uri, "type": kind, "actor": self.sender.uri})
            delivery_queue.emit(tx, self.sender.id, uri, kind, subject or uri, body, number=number, inboxes=inboxes)
            return number

        return await self.site.db.write(action)

    async def batches(self) -> list[Batch]:
        return await self.site.db.write(take, 50, 12)

    async def work(self) -> None:
        """Send all that is due."""
        while batches := await self.batches():
            for batch in batches:
                await deliver_batch(self.site, batch, dice=lambda: EVEN)

    async def state(self, number: int) -> tuple[int, int, int]:
        """Reached, failed, waiting."""
        found = await self.site.db.read(delivery_queue.get, number)
        assert found is not None
        return found.reached, found.failed, found.waiting

    def told(self, host: str = "") -> list[str]:
        return [each.kind for each in self.network.posts(host)]


@pytest.fixture
async def post(database_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Post]:
    network = Network()
    site = await new_site(tmp_path, "https://alice.test", WorldEngine(network), clock, database=database_url)
    sender = await site.db.write(add_person, site.urls, "alice", keys_of("alice.test", "alice"))
    made = Post(site, network, clock, sender)
    made.reaches("bob.test", "carol.test")
    yield made
    await site.close()


def inbox(host: str = "bob.test", name: str = "inbox") -> str:
    return f"https://{host}/{name}"


async def test_a_delivery_is_signed_by_its_author_and_then_done_with(post: Post) -> None:
    number = await post.emit(inbox())
    await post.work()
    (sent,) = post.network.posts()
    assert sent.headers["content-type"] == "application/activity+json"
    assert sent.headers["user-agent"].startswith("fediblog/")
    assert await post.state(number) == (1, 0, 0)
    assert await post.site.db.read(delivery_queue.waiting) == 0
    _verify(sent, post)


def _verify(sent: Sent, post: Post) -> None:
    """With the real verifier, as the other side would."""
    incoming = signatures.IncomingRequest(
        method="POST", target="/inbox", headers=tuple(sent.headers.items()), body=sent.body
    )
    claim = signatures.read(incoming, "https://bob.test")
    assert claim.key_id == f"{post.sender.uri}#main-key"
    now = post.clock() // 1000
    signatures.check(claim, incoming, now)
    key = load_public(keys_of("alice.test", "alice")[0].public)
    assert key is not None
    signatures.verify(claim, incoming, key, "https://bob.test", now)


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_any_success_counts(post: Post, status: int) -> None:
    post.refuse["Create"] = status
    number = await post.emit(inbox())
    await post.work()
    assert await post.state(number) == (1, 0, 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 406, 413, 422, 451, 501])
async def test_a_refusal_is_final_for_that_message(post: Post, status: int) -> None:
    post.refuse["Create"] = status
    number = await post.emit(inbox())
    other = await post.emit(inbox(), kind="Like")
    await post.work()
    assert await post.state(number) == (0, 1, 0)
    assert await post.state(other) == (1, 0, 0)
    post.clock.forward(days=1)
    await post.work()
    tries = 2 if status in (400, 401) else 1  # those may mean that the signature was not understood
    assert post.told().count("Create") == tries
    (row,) = await post.site.db.read(delivery_queue.failures, number)
    assert row.status == status


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 302])
async def test_other_failures_are_tried_again(post: Post, status: int) -> None:
    post.network.fail("bob.test", status)
    number = await post.emit(inbox())
    await post.work()
    assert await post.state(number) == (0, 0, 1)
    post.clock.forward(seconds=59)
    await post.work()
    assert len(post.told()) == 1
    post.clock.forward(seconds=1)
    await post.work()
    assert await post.state(number) == (1, 0, 0)


async def test_an_inbox_that_is_gone_is_looked_into(post: Post) -> None:
    post.refuse["Create"] = 410
    number = await post.emit(inbox())
    await post.work()
    assert await post.state(number) == (0, 1, 0)
    (job,) = await post.site.db.write(job_queue.claim)
    assert (job.kind, job.subject) == ("confirm-gone", inbox())


async def test_a_signature_that_is_not_understood_is_made_in_the_other_way_and_that_is_remembered(post: Post) -> None:
    post.network.fail("bob.test", 401)
    number = await post.emit(inbox())
    await post.work()
    first, second = post.network.posts()
    assert "signature-input" not in first.headers
    assert "signature-input" in second.headers
    assert await post.state(number) == (1, 0, 0)
    _verify(second, post)
    await post.emit(inbox())
    await post.work()
    assert len(post.network.posts()) == 3
    assert "signature-input" in post.network.posts()[-1].headers
    assert await post.site.db.read(hosts.schemes) == {"bob.test": "rfc9421"}


async def test_retries_are_spread_over_a_week_and_then_one_a_day(post: Post) -> None:
    post.network.down.add("bob.test")
    number = await post.emit(inbox())
    start = post.clock.now
    moments: list[int] = []
    for _ in range(9 * 24 * 60):
        before = len(post.network.posts())
        await post.work()
        moments += [(post.clock.now - start) // 1000] * (len(post.network.posts()) - before)
        due = await post.site.db.read(leases.next_due)
        if due is None:
            break
        post.clock.now = max(due, post.clock.now + 1)
    pauses = [b - a for a, b in pairwise(moments)]
    assert pauses[:6] == [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 8 * HOUR]
    assert set(pauses[6:]) == {DAY}
    assert moments[-1] <= 8 * DAY
    assert await post.state(number) == (0, 1, 0)
    (host,) = await post.site.db.read(hosts.troubled_hosts)
    assert host.unavailable is not None

    before = len(post.network.posts())
    later = [await post.emit(inbox()) for _ in range(5)]
    for _ in range(3):
        post.clock.forward(days=1)
        await post.work()
    assert len(post.network.posts()) == before + 3
    post.network.down.clear()
    post.clock.forward(days=1)
    await post.work()
    assert [await post.state(each) for each in later] == [(1, 0, 0)] * 5


async def test_many_waiting_messages_cause_one_probe(post: Post) -> None:
    post.network.down.add("bob.test")
    for _ in range(100):
        await post.emit(inbox())
    await post.work()
    assert len(post.network.posts()) == 1
    post.clock.forward(minutes=2)
    await post.work()
    assert len(post.network.posts()) == 2
    post.network.down.clear()
    post.clock.forward(hours=1)
    await post.work()
    assert await post.site.db.read(delivery_queue.waiting) == 0


async def test_hearing_from_a_host_ends_the_wait(post: Post) -> None:
    post.network.down.add("bob.test")
    number = await post.emit(inbox())
    for _ in range(5):
        await post.work()
        post.clock.forward(hours=1)
    post.network.down.clear()
    await post.work()
    before = await post.state(number)
    await post.site.db.write(hosts.host_heard, "bob.test")
    await post.work()
    assert (before, await post.state(number)) == ((0, 0, 1), (1, 0, 0))


@pytest.mark.parametrize("status", [429, 503])
async def test_a_host_that_asks_for_a_pause_gets_it(post: Post, status: int) -> None:
    post.network.fail("bob.test", status, retry_after="600")
    number = await post.emit(inbox())
    await post.work()
    post.clock.forward(seconds=599)
    await post.work()
    assert len(post.told()) == 1
    post.clock.forward(seconds=2)
    await post.work()
    assert await post.state(number) == (1, 0, 0)


async def test_no_host_may_ask_for_more_than_a_day(post: Post) -> None:
    post.network.fail("bob.test", 503, retry_after="9999999")
    number = await post.emit(inbox())
    await post.work()
    post.clock.forward(days=1)
    await post.work()
    assert await post.state(number) == (1, 0, 0)


@pytest.mark.parametrize("failure", ["down", "error", "lost"])
async def test_what_is_about_one_thing_arrives_in_order(post: Post, failure: str) -> None:
    if failure == "down":
        post.network.down.add("bob.test")
    elif failure == "error":
        post.network.fail("bob.test", 500)
    else:
        post.network.lose("bob.test")
    await post.emit(inbox(), kind="Create", subject="https://alice.test/p/1")
    await post.work()
    for kind in ("Update", "Delete"):
        await post.emit(inbox(), kind=kind, subject="https://alice.test/p/1")
        await post.work()
    await post.emit(inbox(), kind="Like")
    await post.work()
    post.network.down.clear()
    for _ in range(10):
        post.clock.forward(minutes=5)
        await post.work()
    done = [each.kind for each in post.network.posts() if each.status == 202 and each.kind != "Like"]
    assert done == ["Create", "Update", "Delete"]
    assert await post.site.db.read(delivery_queue.waiting) == 0


async def test_a_lost_answer_means_the_same_activity_twice(post: Post) -> None:
    post.network.lose("bob.test")
    number = await post.emit(inbox())
    await post.work()
    post.clock.forward(minutes=1)
    await post.work()
    first, second = post.network.posts()
    assert first.document["id"] == second.document["id"]
    assert await post.state(number) == (1, 0, 0)


async def test_a_message_that_always_fails_hinders_no_other_and_is_given_up(post: Post) -> None:
    post.refuse["Flag"] = 500
    poison = await post.emit(inbox(), kind="Flag")
    await post.work()
    post.clock.forward(minutes=1)
    for _ in range(30):
        others = [await post.emit(inbox()) for _ in range(3)]
        await post.work()
        assert [await post.state(each) for each in others] == [(1, 0, 0)] * 3
        post.clock.forward(hours=12)
    assert await post.state(poison) == (0, 1, 0)
    assert post.told().count("Flag") == delivery_queue.MOST_TRIES


async def test_a_failed_message_is_not_tried_again_at_once_because_of_others(post: Post) -> None:
    post.refuse["Flag"] = 500
    await post.emit(inbox(), kind="Flag")
    await post.emit(inbox())
    await post.work()
    for _ in range(5):
        await post.emit(inbox())
        await post.work()
    assert post.told().count("Flag") == 1
    assert post.told().count("Create") == 6


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 425, 302])
async def test_a_lone_message_that_is_answered_with_an_error_puts_off_no_other(post: Post, status: int) -> None:
    post.refuse["QuoteRequest"] = status
    await post.emit(inbox(), kind="QuoteRequest")
    for waits in (0, 1, 5, 15, 60):
        post.clock.forward(minutes=waits)
        await post.work()  # the first time and each time again, it goes alone
        assert post.told()[-1] == "QuoteRequest"
        assert await post.site.db.read(hosts.troubled_hosts) == []
        other = await post.emit(inbox(), inbox(name="another"))
        await post.work()
        assert await post.state(other) == (2, 0, 0)
    assert post.told().count("QuoteRequest") == 5


async def test_the_message_for_two_inboxes_of_a_host_is_still_one(post: Post) -> None:
    post.refuse["QuoteRequest"] = 500
    await post.emit(inbox(), inbox(name="another"), kind="QuoteRequest")
    await post.work()
    assert len(post.told()) == 2
    assert await post.site.db.read(hosts.troubled_hosts) == []


@pytest.mark.parametrize("together", [True, False])
async def test_a_second_message_that_fails_in_a_row_is_the_hosts_failure(post: Post, together: bool) -> None:
    post.refuse |= {"Create": 500}
    for _ in range(3):
        await post.emit(inbox())
        if not together:
            await post.work()
    await post.work()
    assert len(post.told()) == 2, "the third one is not tried"
    (host,) = await post.site.db.read(hosts.troubled_hosts)
    assert (host.name, unpack("de", host.last_error)) == ("bob.test", "Der Server antwortete mit 500.")
    moments = []
    for _ in range(24 * 60):
        before = len(post.told())
        post.clock.forward(minutes=1)
        await post.work()
        moments += [0] * (len(post.told()) - before)
    assert len(moments) == 6, "one probe after 1, 5, 15 minutes, 1, 3 and 8 hours"
    post.refuse.clear()
    post.clock.forward(days=1)
    await post.work()
    assert await post.site.db.read(delivery_queue.waiting) == 0


async def test_errors_with_a_success_between_them_are_two_messages_faults(post: Post) -> None:
    post.refuse |= {"Flag": 500, "Undo": 500}
    for kind in ("Flag", "Create", "Undo", "Create", "Flag"):
        await post.emit(inbox(), kind=kind)
        await post.work()
        assert await post.site.db.read(hosts.troubled_hosts) == []
    assert post.told() == ["Flag", "Create", "Undo", "Create", "Flag"]


async def test_what_is_about_the_same_thing_waits_behind_a_lone_message(post: Post) -> None:
    post.refuse["Create"] = 500
    await post.emit(inbox(), kind="Create", subject="https://alice.test/p/1")
    await post.work()
    later = await post.emit(inbox(), kind="Delete", subject="https://alice.test/p/1")
    other = await post.emit(inbox(), kind="Like")
    await post.work()
    assert (await post.state(later), await post.state(other)) == ((0, 0, 1), (1, 0, 0))
    post.refuse.clear()
    post.clock.forward(minutes=1)
    await post.work()
    assert post.told() == ["Create", "Like", "Create", "Delete"]


async def test_a_mistake_of_ours_stops_only_its_message(post: Post) -> None:
    broken = await post.emit(inbox())
    number = await post.emit(inbox(), kind="Like")

    def spoil(tx: Tx) -> None:
        tx.run("update delivery set account = 12345 where outgoing = :id", id=broken)

    await post.site.db.write(spoil)
    await post.work()
    assert await post.state(broken) == (0, 1, 0)
    assert await post.state(number) == (1, 0, 0)


async def test_nothing_is_sent_to_a_blocked_host(post: Post) -> None:
    number = await post.emit(inbox("social.bob.test"), inbox("carol.test"))
    await post.site.db.write(host_blocks.block, "bob.test")
    await post.work()
    assert [each.host for each in post.network.posts()] == ["carol.test"]
    assert await post.state(number) == (1, 1, 0)
    later = await post.emit(inbox("social.bob.test"))
    await post.work()
    assert await post.state(later) == (0, 1, 0)


@pytest.mark.parametrize("address", ["https://10.0.0.1/inbox", "http://bob.test/inbox", "https://bob.test:8443/inbox"])
async def test_an_address_that_may_not_be_asked_is_final(post: Post, address: str) -> None:
    number = await post.emit(address)
    await post.work()
    assert post.network.posts() == []
    assert await post.state(number) == (0, 1, 0)


async def test_two_exchanges_at_a_time_go_to_one_host(post: Post) -> None:
    for name in ("a", "b", "c", "d"):
        await post.emit(inbox(name=name))
    waiting: list[str] = []
    two = asyncio.Event()

    def stall(sent: Sent) -> bool:
        if sent.url == inbox(name="a"):  # once it has answered
            return False
        waiting.append(sent.url)
        if len(waiting) >= 2:
            two.set()
        return True

    post.network.stall = stall
    (batch,) = await post.batches()
    task = asyncio.create_task(deliver_batch(post.site, batch, dice=lambda: EVEN))
    await two.wait()
    assert sorted(waiting) == [inbox(name="b"), inbox(name="c")]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await post.site.db.read(delivery_queue.waiting) == 3


async def test_a_batch_that_is_cut_short_keeps_what_it_learned(post: Post) -> None:
    first = await post.emit(inbox(), subject="https://alice.test/p/1")
    second = await post.emit(inbox(), kind="Update", subject="https://alice.test/p/1")
    hangs = asyncio.Event()

    def stall(sent: Sent) -> bool:
        if sent.kind == "Update":
            hangs.set()
        return sent.kind == "Update"

    post.network.stall = stall
    (batch,) = await post.batches()
    task = asyncio.create_task(deliver_batch(post.site, batch, dice=lambda: EVEN))
    await hangs.wait()
    task.cancel()
    await asyncio.wait([task])
    assert await post.state(first) == (1, 0, 0)
    assert await post.state(second) == (0, 0, 1)
    post.network.stall = None
    await post.work()  # the lease was given back
    assert await post.state(second) == (1, 0, 0)


async def test_one_that_is_closing_begins_nothing(post: Post) -> None:
    await post.emit(inbox())
    (batch,) = await post.batches()
    await deliver_batch(post.site, batch, closing=lambda: True)
    assert post.network.posts() == []
    await post.work()
    assert len(post.network.posts()) == 1


async def test_a_lease_that_was_lost_runs_out(post: Post) -> None:
    await post.emit(inbox())
    assert len(await post.batches()) == 1
    assert await post.batches() == []
    post.clock.forward(ms=leases.LEASE)
    assert len(await post.batches()) == 1


async def test_hosts_that_failed_take_only_a_few_places(post: Post) -> None:
    hosts = [f"dead{i}.test" for i in range(6)]
    for host in hosts:
        await post.emit(inbox(host))
    await post.work()
    post.clock.forward(hours=1)
    good = await post.emit(inbox("carol.test"))
    batches = await post.site.db.write(take, 50, 3)
    assert batches[0].host == "carol.test"
    assert len(batches) == 1 + 3
    assert batches[0].deliveries[0].outgoing == good
