"""Numbers for who watches the server, whether it can take more, and the limits that visitors and accounts meet."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.counters import ALL, PAGE_CACHE, Counter, Histogram
from fediblog.errors import TooOften, Unavailable
from fediblog.federation import prepared_actions, quotas
from fediblog.limits import Limit
from fediblog.store.engine.database import Database
from fediblog.web import middleware
from tests.conftest import Clock
from tests.world import App, World, ask

HOST, TOKEN = "home.test", "a-token-of-some-length"
LINE = re.compile(r'([a-z_]+)(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? [0-9.e+-]+\Z')


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(HOST) as made:
        yield made


@pytest.fixture
def app(world: World) -> App:
    site = world.sites[HOST]
    return create_app(replace(site, kept={}, settings=replace(site.settings, metrics_token=TOKEN)))


async def test_without_a_token_in_the_settings_there_is_no_such_page(world: World) -> None:
    headers = {"authorization": "Bearer "}
    assert (await ask(world.network.apps[HOST], "GET", f"https://{HOST}/metrics", headers)).status_code == 404


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
async def test_the_numbers_are_for_those_who_know_the_token(app: App, said: str) -> None:
    answer = await ask(app, "GET", f"https://{HOST}/metrics", {"authorization": said})
    assert answer.status_code == 401
    assert "fediblog_requests" not in answer.text


async def _numbers(app: App) -> dict[str, float]:
    answer = await ask(app, "GET", f"https://{HOST}/metrics", {"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    lines = [line for line in answer.text.splitlines() if not line.startswith("# ")]
    assert [line for line in lines if not LINE.match(line)] == []
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_what_happens_is_counted(world: World, app: App) -> None:
    before = await _numbers(app)
    await world.person(HOST, "alice")
    for _ in range(3):
        await ask(app, "GET", f"https://{HOST}/@alice", {"accept": "text/html"})
    for path in ("/@nobody", "/no/such/thing/at/all"):
        await ask(app, "GET", f"https://{HOST}{path}", {"accept": "text/html"})
    await ask(app, "POST", f"https://{HOST}/inbox", {"content-type": "application/activity+json"}, b"{}")
    after = await _numbers(app)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    made, kept = (
        more('fediblog_requests_total{route="/@{handle:handle}",status="200"}'),
        more('fediblog_page_cache_total{found="yes"}'),
    )
    assert made + kept == 3
    assert kept >= 1
    assert more('fediblog_requests_total{route="/@{handle:handle}",status="404"}') == 1
    assert more('fediblog_requests_total{route="none",status="404"}') == 1
    assert more('fediblog_requests_total{route="/inbox",status="400"}') == 1
    assert more('fediblog_inbox_total{kind="other",outcome="refused"}') == 1
    assert more('fediblog_refusals_total{where="inbox",reason="not-an-activity"}') == 1
    assert more("fediblog_commit_transactions_count") > 0
    assert after['fediblog_queue{queue="deliveries",state="waiting"}'] == 0
    assert after["fediblog_hosts_failing"] == 0
    assert after["process_resident_memory_bytes"] > 1_000_000
    assert after["process_cpu_seconds_total"] > 0


def test_names_follow_the_custom() -> None:
    names = [each.name for each in ALL]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"fediblog_[a-z_]+", name) for name in names)
    assert all(each.name.endswith("_total") for each in ALL if isinstance(each, Counter))


def test_a_histogram_is_cumulative() -> None:
    made = Histogram("fediblog_made_up", "For this test.", (1, 10))
    for value in (0.5, 1, 5, 100):
        made.add(value)
    assert [(name, labels.get("le"), value) for name, labels, value in made.samples()] == [
        ("fediblog_made_up_bucket", "1", 2),
        ("fediblog_made_up_bucket", "10", 3),
        ("fediblog_made_up_bucket", "+Inf", 4),
        ("fediblog_made_up_sum", None, 106.5),
        ("fediblog_made_up_count", None, 4),
    ]


async def test_every_metric_is_in_the_operators_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    assert [each.name for each in ALL if f"`{each.name}`" not in guide] == []


async def test_ready_means_that_it_can_write(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await ask(app, "GET", f"https://{HOST}/readyz", {})).status_code == 200

    async def write(self: Database, *_args: object) -> None:
        raise Unavailable("disk-full")

    monkeypatch.setattr(Database, "write", write)
    assert (await ask(app, "GET", f"https://{HOST}/readyz", {})).status_code == 200  # asked a moment ago
    app.state.site.kept.clear()  # type: ignore[attr-defined]
    answer = await ask(app, "GET", f"https://{HOST}/readyz", {})
    assert (answer.status_code, answer.text) == (503, "disk-full\n")
    assert int(answer.headers["retry-after"]) > 0
    assert (await ask(app, "GET", f"https://{HOST}/healthz", {})).status_code == 200


async def test_to_ask_whether_it_is_ready_does_not_empty_the_page_cache(app: App) -> None:
    await ask(app, "GET", f"https://{HOST}/", {"accept": "text/html"})
    await ask(app, "GET", f"https://{HOST}/readyz", {})
    before = PAGE_CACHE.value("yes")
    await ask(app, "GET", f"https://{HOST}/", {"accept": "text/html"})
    assert PAGE_CACHE.value("yes") == before + 1


async def test_who_reads_too_much_is_told_to_slow_down_and_others_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()

    def few(*, burst: int, seconds: float, clock: object) -> Limit:
        return Limit(burst=3, seconds=seconds, clock=still)

    still = clock
    monkeypatch.setattr(middleware, "Limit", few)
    app = create_app(world.sites[HOST])

    async def read(i: int, address: str = "192.0.2.1", **headers: str) -> int:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return (await ask(app, "GET", f"https://{HOST}/@n{i}", fields, address=address)).status_code

    assert [await read(i) for i in range(4)] == [404, 404, 404, 429]
    assert await read(5, x_forwarded_for="198.51.100.1") == 429  # not from our proxy: not believed
    assert await read(6, "192.0.2.2") == 404
    assert await read(7, "127.0.0.1", x_forwarded_for="192.0.2.1") == 429  # the same visitor, by way of our proxy
    assert [await read(i, "127.0.0.1") for i in range(8, 16)] == [404] * 8  # ourselves
    assert (await ask(app, "GET", f"https://{HOST}/static/none.css", {}, address="192.0.2.1")).status_code == 404
    clock.forward(seconds=1)
    assert await read(17) == 404


async def test_an_account_can_write_only_so_much(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(quotas.LIMITS, "post", (2, 36.0))
    site = world.sites[HOST]
    alice, bob = await world.person(HOST, "alice"), await world.person(HOST, "bob")
    for _ in range(2):
        await prepared_actions.publish(site, alice.id, Draft(source="More."))
    with pytest.raises(TooOften) as caught:
        await prepared_actions.publish(site, alice.id, Draft(source="And more."))
    assert caught.value.wait == 36
    await prepared_actions.publish(site, bob.id, Draft(source="Less."))
    world.clock.forward(seconds=36)
    await prepared_actions.publish(site, alice.id, Draft(source="Later."))
