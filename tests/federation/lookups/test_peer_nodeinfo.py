"""Which software other servers run: asked by one job, of each at most once a day, and nothing they answer does harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.actions import moderation_actions
from fediblog.federation.jobs import JOBS, PEERS, start_repeating
from fediblog.federation.lookups import peer_nodeinfo
from fediblog.protocol.nodeinfo import SCHEMA, read_discovery, read_software
from fediblog.store.people import peers
from fediblog.store.queues import clock_repair, job_kinds, job_queue
from tests.federation.stranger import Home, Person, Web, home

FIRST = "https://{}/.well-known/nodeinfo"
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        await place.site.db.write(start_repeating)
        yield place


def tells(web: Web, host: str, software: Any, *, address: str = "", version: str = "2.1") -> None:
    """Let a server say what it runs."""
    address = address or f"https://{host}/nodeinfo/{version}"
    web.put(FIRST.format(host), {"links": [{"rel": f"{SCHEMA}{version}", "href": address}]}, kind="application/json")
    web.put(address, {"version": version, "software": software}, kind="application/json")


async def hourly(at_home: Home) -> int:
    """Let an hour pass, and ask whoever is due; how many requests that took."""
    at_home.clock.forward(hours=1)
    before = len(at_home.web.asked)
    for _ in range(20):
        found = [job for job in await at_home.site.db.write(job_queue.claim) if job.kind == job_kinds.NODEINFO]
        for job in found:
            await JOBS[job.kind](at_home.site, job)
        if not found:
            break
        at_home.clock.forward(seconds=1)
    return len(at_home.web.asked) - before


async def known(at_home: Home) -> dict[str, tuple[str, str]]:
    return {row[0]: (row[1], row[2]) for row in await at_home.ask("select host, software, version from peer")}


async def test_a_server_that_is_new_here_is_asked_once_a_day(at_home: Home) -> None:
    bob = Person(at_home.web, "bob.test", "bob")
    tells(at_home.web, "bob.test", {"name": "Mastodon", "version": "4.4.1"})
    await at_home.know(bob)
    assert await hourly(at_home) == 2
    assert await known(at_home) == {"bob.test": ("mastodon", "4.4.1")}
    assert not at_home.web.signed & {url for url in at_home.web.asked if "nodeinfo" in url}
    assert [await hourly(at_home) for _ in range(20)] == [0] * 20
    tells(at_home.web, "bob.test", {"name": "mastodon", "version": "4.5.0"})
    assert sum([await hourly(at_home) for _ in range(5)]) == 2
    assert await known(at_home) == {"bob.test": ("mastodon", "4.5.0")}
    (job,) = await at_home.ask("select count(*) from job where kind = 'nodeinfo'")
    assert job == (1,)


async def test_who_is_silent_for_a_week_is_asked_no_more_and_forgotten_with_its_people(at_home: Home) -> None:
    await at_home.know(Person(at_home.web, "bob.test", "bob"))
    assert await hourly(at_home) == 1
    at_home.clock.forward(days=8)
    assert await hourly(at_home) == 0
    at_home.clock.forward(days=40)
    assert await at_home.site.db.write(peers.sweep) == 0
    await at_home.site.db.write(lambda tx: tx.run("delete from account where local = 0"))
    assert await at_home.site.db.write(peers.sweep) == 1


async def test_one_that_is_away_waits_longer_each_time_and_what_it_told_stays(at_home: Home) -> None:
    tells(at_home.web, "bob.test", {"name": "mitra", "version": "4"})
    account = await at_home.follows(Person(at_home.web, "bob.test", "bob"))
    await hourly(at_home)
    at_home.web.down.add("bob.test")
    asked = []
    for _ in range(16):
        at_home.clock.forward(hours=23)
        await at_home.site.db.write(
            lambda tx: tx.run("update account set fetched = :n where id = :i", n=tx.now, i=account.id)
        )
        asked.append(await hourly(at_home))
    assert asked == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert await known(at_home) == {"bob.test": ("mitra", "4")}
    await at_home.site.db.write(lambda tx: tx.run("update peer set due = 0"))
    await at_home.site.db.write(lambda tx: tx.run("update host set failures = 1, changed = :now", now=tx.now))
    assert await hourly(at_home) == 0  # a server that does not take what we send is left alone


async def test_few_are_asked_in_one_go_and_all_in_the_end(at_home: Home) -> None:
    for number in range(3 * PEERS):
        await at_home.know(Person(at_home.web, f"s{number}.test", "eve", alike="eve"))
        tells(at_home.web, f"s{number}.test", {"name": "snac", "version": str(number)})
    at_home.clock.forward(hours=1)
    (job,) = [each for each in await at_home.site.db.write(job_queue.claim) if each.kind == job_kinds.NODEINFO]
    before = len(at_home.web.asked)
    await JOBS[job.kind](at_home.site, job)
    assert len(at_home.web.asked) - before == 2 * PEERS
    at_home.clock.forward(hours=-1, seconds=2)
    assert await hourly(at_home) == 4 * PEERS
    assert {software for software, _ in (await known(at_home)).values()} == {"snac"}


@pytest.mark.parametrize(
    "case", ["giant", "giant list", "elsewhere", "leads elsewhere", "no json", "nothing", "nameless", "ours", "deep"]
)
async def test_what_a_server_says_does_no_harm(at_home: Home, case: str) -> None:
    web, first = at_home.web, FIRST.format("bob.test")
    await at_home.know(Person(web, "bob.test", "bob"))
    tells(web, "bob.test", {"name": "honest", "version": "1"})
    match case:
        case "giant":
            tells(web, "bob.test", {"name": "x", "version": "y" * peer_nodeinfo.LIMIT})
        case "giant list":
            web.put(first, {"links": ["x" * 80] * 1000})
        case "elsewhere":
            tells(web, "bob.test", {"name": "x"}, address="https://victim.test/nodeinfo/2.1")
        case "leads elsewhere":
            web.redirects["https://bob.test/nodeinfo/2.1"] = "https://victim.test/nodeinfo/2.1"
            web.put("https://victim.test/nodeinfo/2.1", {"software": {"name": "x"}})
        case "no json":
            web.pages[first] = (200, "text/html", b"<!doctype html>")
        case "nothing":
            del web.pages[first]
        case "nameless":
            tells(web, "bob.test", ["x"])
        case "ours":
            tells(web, "bob.test", {"name": "x"}, address="https://home.test/nodeinfo/2.1")
        case "deep":
            web.pages[first] = (200, "application/json", b'{"links":' + b"[" * 5000 + b"]" * 5000 + b"}")
    assert 1 <= await hourly(at_home) <= 2
    assert await known(at_home) == {"bob.test": ("", "")}
    assert not [url for url in web.asked if "victim" in url]
    assert web.patience[first] <= peer_nodeinfo.DEADLINE
    assert await at_home.ask("select failures from peer") == [(1,)]


async def test_a_blocked_server_is_not_asked(at_home: Home) -> None:
    await at_home.know(Person(at_home.web, "bob.test", "bob"))
    await at_home.site.db.write(moderation_actions.block_host, at_home.site.urls, "bob.test", "spam")
    assert await hourly(at_home) == 0


async def test_a_clock_that_was_wrong_puts_nobody_off(at_home: Home) -> None:
    await at_home.know(Person(at_home.web, "bob.test", "bob"))
    tells(at_home.web, "bob.test", {"name": "honest", "version": "1"})
    at_home.clock.forward(days=3)
    assert await hourly(at_home) == 2
    at_home.clock.forward(days=-3)
    await at_home.site.db.write(clock_repair.mend)
    (due,) = await at_home.ask("select due from peer")
    assert due[0] <= at_home.clock.now + peers.DAY


@given(st.dictionaries(st.sampled_from(["links", "software", "name", "version", "rel", "href"]), _VALUES) | _VALUES)
def test_any_document_can_be_read(document: Any) -> None:
    name, version = read_software(document)
    assert len(name) <= 60
    assert len(version) <= 60
    assert name == name.lower()
    assert isinstance(read_discovery({"links": document}), str)
