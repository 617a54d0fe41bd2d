"""Whatever others send, what is kept of it has an end: in memory and in the tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from fediblog.errors import Refused, Unavailable
from fediblog.federation import jobs
from fediblog.federation.inbound import request_signers
from fediblog.federation.inbound.receive import AT_ONCE, InFlight
from fediblog.federation.inbound.request_signers import KeyFetches
from fediblog.limits import Limit
from fediblog.memory import Memory
from fediblog.net.host_memory import Failures, Schemes
from fediblog.store.queues import incoming_queue
from fediblog.store.queues.job_queue import Job
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from fediblog.web.middleware import is_trusted
from fediblog.web.page_cache import MOST_BYTES, CachedAnswer, PageCache
from tests.conftest import Clock
from tests.federation.stranger import Home, Person, home

DAY = 86_400_000


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as made:
        yield made


def test_what_is_remembered_of_others_has_a_size() -> None:
    recent: Memory[int, int] = Memory(100)
    failures, schemes = Failures(lambda: 0.0, 100), Schemes()
    limit = Limit(burst=1, seconds=1, clock=Clock(), keys=100)
    for i in range(10_000):
        recent.put(i, i)
        failures.note(f"https://h{i}.test/", Unavailable("unreachable"))
        schemes.learn(f"h{i}.test", "rfc9421")
        limit.take(str(i))
    assert (len(recent), len(limit), len(failures._known)) == (100, 100, 100)
    assert len(schemes._known) <= 8192
    assert recent.get(9_999) == 9_999


async def test_keys_that_are_no_good_are_remembered_up_to_a_number(at_home: Home) -> None:
    fetches = at_home.site.keep(KeyFetches)
    for i in range(request_signers._MOST_FAILED + 500):
        fetches.fail(f"https://h{i}.test/k", Refused("key-gone"), at_home.clock.now)
    assert len(fetches._failed) == request_signers._MOST_FAILED


async def test_the_page_cache_holds_so_many_bytes(at_home: Home) -> None:
    async def nothing(*_: object) -> None: ...

    cache = PageCache(nothing, db=at_home.site.db)
    body = {"type": "http.response.body", "body": b"x" * 100_000}
    for i in range(1_000):
        answer = CachedAnswer({"type": "http.response.start"}, body, 0.0)
        cache._kept.put((b"/%d" % i, b"", b"", b"", "en"), answer, weight=answer.size)
    assert len(cache._kept) <= MOST_BYTES // 100_000


def test_caches_of_functions_have_a_size() -> None:
    size = is_trusted.cache_info().maxsize
    assert size is not None
    assert size <= 4096


async def test_the_queue_of_the_inbox_has_an_end_for_all_and_for_each_server(
    at_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_queue, "FULL", 30)
    monkeypatch.setattr(incoming_queue, "HOST_SHARE", 10)
    post = await at_home.writes()
    outcomes = []
    people = [Person(at_home.web, f"far{i}.test", "bob") for i in range(6)]
    with ExitStack() as held:
        for _ in range(AT_ONCE + 1):  # so crowded that what comes has to wait for the worker
            held.enter_context(at_home.site.keep(InFlight))
        for person in people:
            await at_home.know(person)
            for i in range(12):
                note = person.note(i, inReplyTo=post.uri, cc=[at_home.alice.uri])
                receipt = await at_home.send(person, person.creates(note, i))
                outcomes.append((person.host, receipt.status, receipt.reason))
    assert {status for _, status, _ in outcomes} == {202, 503}
    assert {reason for _, status, reason in outcomes if status == 503} == {"inbox-full"}
    for person in people[:3]:
        assert sum(host == person.host and status == 202 for host, status, _ in outcomes) == 10
    assert await at_home.count("incoming") == 30


async def test_what_strangers_leave_behind_is_swept_away(at_home: Home) -> None:
    site, bob = at_home.site, Person(at_home.web, "far.test", "bob")
    await at_home.know(bob)
    post = await at_home.writes()

    def fill(tx: Tx) -> None:
        for i in range(300):
            moderation.refused(tx, f"h{i}.test", "", "", "some-reason")
            incoming_queue.first_time(tx, f"https://far.test/seen/{i}")
            incoming_queue.remember_early(tx, f"https://far.test/early/{i}", bob.uri, "Undo")

    await site.db.write(fill)
    for i in range(20):  # undone before they were done, and deleted before they were there
        undo = bob.does("Undo", bob.does("Like", post.uri, 1000 + i), i)
        await at_home.send(bob, undo)
        await at_home.send(bob, bob.does("Delete", f"https://far.test/n/bob/never-{i}", i))
    assert await at_home.count("early") >= 300
    at_home.clock.forward(days=100)
    await jobs.sweep(site, Job(id=0, kind="sweep", subject="hourly", payload={}, tries=1))
    assert await at_home.count("seen") == 0
    assert await at_home.count("early") == 0
    assert await at_home.ask("select count(*) from tombstone where local = 0") == [(0,)]


async def test_refusals_are_kept_up_to_a_number(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moderation, "KEPT_REFUSALS", 50)

    def fill(tx: Tx) -> None:
        for i in range(200):
            moderation.refused(tx, f"h{i}.test", "", "", "some-reason")

    await at_home.site.db.write(fill)
    await jobs.sweep(at_home.site, Job(id=0, kind="sweep", subject="hourly", payload={}, tries=1))
    assert len(await at_home.refusals()) == 50


HOSTILE: list[tuple[str, Callable[[int], object]]] = [
    ("tags", lambda n: [{"type": "Hashtag", "name": f"#t{i}", "href": f"https://far.test/t/{i}"} for i in range(n)]),
    (
        "emoji",
        lambda n: [{"type": "Emoji", "name": f":e{i}:", "icon": {"url": f"https://far.test/{i}"}} for i in range(n)],
    ),
    (
        "people",
        lambda n: [{"type": "Mention", "href": f"https://m{i}.test/u", "name": f"@u@m{i}.test"} for i in range(n)],
    ),
]


@pytest.mark.parametrize(("what", "make"), HOSTILE, ids=[what for what, _ in HOSTILE])
async def test_one_post_cannot_bring_a_thousand_things(at_home: Home, what: str, make: Callable[[int], object]) -> None:
    bob = Person(at_home.web, "far.test", "bob")
    await at_home.follows(bob)
    files = [{"type": "Image", "mediaType": "image/png", "url": f"https://far.test/i/{i}.png"} for i in range(500)]
    note = bob.note(1, tag=make(2_000), attachment=files, content="<p>" + "<b>x" * 20_000, name="n" * 100_000)
    receipt = await at_home.send(bob, bob.creates(note))
    assert receipt.status == 202
    await at_home.work()
    assert await at_home.count("post") == 1
    for table, most in (("post_tag", 50), ("mention", 50), ("attachment", 16)):
        ((number,),) = await at_home.ask(f"select count(*) from {table}")
        assert number <= most, table
    ((emoji, content, title),) = await at_home.ask("select length(emoji), length(content), length(title) from post")
    assert emoji < 64 * 500
    assert content <= 500_000
    assert title <= 5_000
    assert await at_home.count("account") <= 30
    assert len(at_home.web.asked) <= 60


async def test_what_failed_is_remembered_without_what_was_at_hand(at_home: Home) -> None:
    """An exception that was raised holds its frames, and they the whole body: kept, that would be megabytes each."""
    post = await at_home.writes()
    for i, down in enumerate((True, False)):
        eve = Person(at_home.web, f"evil{i}.test", "eve")
        at_home.web.put(eve.uri, {}, status=410)
        at_home.web.down |= {eve.host} if down else set()
        receipt = await at_home.send(eve, eve.does("Like", post.uri) | {"content": "x" * 100_000})
        assert receipt.status == (503 if down else 401)
    refused = [refusal for _, (_, refusal), _ in at_home.site.keep(KeyFetches)._failed._kept.values()]
    failed = [known.outcome for _, known, _ in at_home.site.client._failures._known._kept.values()]
    kept = [each for each in (*refused, *failed) if isinstance(each, BaseException)]
    assert kept
    assert [each for each in kept if each.__traceback__ is not None or each.__context__ is not None] == []
