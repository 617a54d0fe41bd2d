"""What the doctor finds, check by check: a site whose way out leads to answers that the test gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from fediblog.cli import doctor_local, doctor_remote
from fediblog.cli.doctor import CHECKS, examine
from fediblog.cli.doctor_local import Finding
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor
from fediblog.errors import Unavailable
from fediblog.federation.site import Site, open_site
from fediblog.net import Headers, Response
from fediblog.settings import Settings
from fediblog.store.people import accounts, hosts, relations
from fediblog.store.queues import delivery_queue, incoming_queue, job_queue
from fediblog.store.tx import Tx
from tests.cli.conftest import ORIGIN
from tests.conftest import Clock
from tests.remote_accounts import save_remote

ELSEWHERE = "https://elsewhere.example"


@dataclass
class Outside:
    """An engine whose other servers are in a table: address -> (status, body, header fields)."""

    pages: dict[str, tuple[int, str, Mapping[str, str]]] = field(default_factory=dict)

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        if url not in self.pages:
            raise Unavailable("unreachable", detail=f"{url} does not answer")
        status, text, fields = self.pages[url]
        return Response(status, tuple(fields.items()), text.encode(), url)

    async def close(self) -> None:
        """Nothing is open."""

    def say(self, url: str, text: str, status: int = 200, **fields: str) -> None:
        self.pages[url] = (status, text, fields)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
async def site(begun: Path, tmp_path: Path, outside: Outside, clock: Clock) -> AsyncIterator[Site]:
    folder = tmp_path / "data"
    shutil.copytree(begun, folder)
    site = await open_site(Settings(data=folder), engine=outside, clock=clock)
    yield site
    await site.close()


async def alice(site: Site) -> Account:
    found = await site.db.read(accounts.local_by_handle, "alice")
    assert found is not None
    return found


def states(findings: list[Finding]) -> list[str]:
    return [finding.state for finding in findings]


def nodeinfo(origin: str) -> str:
    return json.dumps({"links": [{"href": f"{origin}/nodeinfo/2.1"}]})


async def test_all_is_well(site: Site, outside: Outside) -> None:
    account = await alice(site)
    outside.say(f"{ORIGIN}/.well-known/nodeinfo", nodeinfo(ORIGIN))
    links = {"links": [{"rel": "self", "href": account.uri}]}
    outside.say(f"{ORIGIN}/.well-known/webfinger?resource=acct:alice@blog.example", json.dumps(links))
    outside.say(account.uri, json.dumps({"id": account.uri, "type": "Person"}))
    found = dict(await examine(site))
    assert list(found) == list(CHECKS)
    assert {name for name, finding in found.items() if finding.state == "wrong"} == {"worker"}  # none runs here


async def test_an_address_that_leads_nowhere_is_said_once(site: Site) -> None:
    found = await examine(site)
    assert [name for name, finding in found if finding.state == "wrong"] == ["worker", "address"]
    assert not {"handles", "documents"} & {name for name, _ in found}


async def test_an_address_where_something_else_answers(site: Site, outside: Outside) -> None:
    outside.say(f"{ORIGIN}/.well-known/nodeinfo", "Welcome to nginx!")
    found = await doctor_remote.address(site)
    assert states(found) == ["wrong"]
    assert "does not answer as this server would (status 200)" in found[0].fact


async def test_handles_that_are_not_found(site: Site, outside: Outside) -> None:
    assert "does not answer" in (await doctor_remote.handles(site))[0].fact
    outside.say(f"{ORIGIN}/.well-known/webfinger?resource=acct:alice@blog.example", "no", 404)
    found = await doctor_remote.handles(site)
    assert states(found) == ["wrong"]
    assert "@alice@blog.example is not found (status 404)" in found[0].fact
    assert "/.well-known/webfinger on blog.example" in found[0].advice


@pytest.mark.parametrize(
    ("status", "text"), [(200, "<!doctype html>"), (200, '{"id": "https://x.example/a/1"}'), (404, "no")]
)
async def test_documents_that_are_others(site: Site, outside: Outside, status: int, text: str) -> None:
    account = await alice(site)
    outside.say(account.uri, text, status)
    found = await doctor_remote.documents(site)
    assert states(found) == ["wrong"]
    assert f"does not give its document (status {status})" in found[0].fact


@pytest.mark.parametrize(
    ("off", "state", "word"), [(5, "good", "agrees"), (-400, "wrong", "behind"), (400, "wrong", "ahead")]
)
async def test_the_clock(site: Site, outside: Outside, clock: Clock, off: int, state: str, word: str) -> None:
    await site.db.write(_follow_somebody, (await alice(site)).id)
    there = clock() / 1000 - off
    outside.say(f"{ELSEWHERE}/.well-known/nodeinfo", "", date=formatdate(there, usegmt=True))
    found = await doctor_remote.clock(site)
    assert states(found) == [state]
    assert word in found[0].fact


async def test_a_clock_that_cannot_be_compared(site: Site, outside: Outside) -> None:
    assert states(await doctor_remote.clock(site)) == ["note"]
    await site.db.write(_follow_somebody, (await alice(site)).id)
    outside.say(f"{ELSEWHERE}/.well-known/nodeinfo", "", date="yesterday")
    assert states(await doctor_remote.clock(site)) == ["note"]


def _follow_somebody(tx: Tx, account: int) -> None:
    uri = f"{ELSEWHERE}/users/bob"
    actor = Actor(uri=uri, kind="Person", handle="bob", inbox=f"{uri}/inbox")
    other = save_remote(tx, actor, "elsewhere.example")
    relations.put_follow(tx, account, other.id, f"{ORIGIN}/x/1", "accepted")


async def test_little_room(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    left = {10**8: "wrong", 10**9: "note", 10**11: "good"}
    for free, state in left.items():
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, free=free: SimpleNamespace(free=free))
        assert states(await doctor_local.disk(site)) == [state]


async def test_what_was_given_up(site: Site) -> None:
    def give_up(tx: Tx) -> None:
        job_queue.add(tx, "thread", "https://elsewhere.example/1")
        (job,) = [each for each in job_queue.claim(tx, 100) if each.kind == "thread"]
        job_queue.put_off(tx, replace(job, tries=job_queue.MOST_TRIES), "LookupError", 0)
        incoming_queue.keep(
            tx, "https://elsewhere.example/x", "https://elsewhere.example/bob", "elsewhere.example", "{}"
        )
        (item,) = incoming_queue.claim(tx)
        assert incoming_queue.put_off(tx, item, "LookupError", 0, most=0)

    await site.db.write(give_up)
    facts = [finding.fact for finding in await doctor_local.queues(site)]
    assert "The job thread of https://elsewhere.example/1 was given up: LookupError" in facts
    assert "Received activities that could not be dealt with: 1" in facts


async def test_hosts_that_do_not_answer(site: Site, clock: Clock) -> None:
    def fail(tx: Tx) -> None:
        for number in range(doctor_local.MOST_HOSTS + 2):
            host = f"dead{number}.example"
            hosts.remember_scheme(tx, host, "cavage")
            delivery_queue.host_failed(tx, host, "timeout", lambda _failures, _since: tx.now + 60_000)

    await site.db.write(fail)
    found = await doctor_local.hosts(site)
    assert set(states(found)) == {"note"}
    assert "dead0.example has not answered since 2025-06-15 15:06 UTC (timeout); 0 wait" in found[0].fact
    assert found[-1].fact == "… and 2 more servers do not answer"
