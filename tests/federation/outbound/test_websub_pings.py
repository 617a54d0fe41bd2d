"""A WebSub hub is told of what everybody may see, by the addresses of the feeds, where the operator named one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace as changed
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Visibility
from fediblog.errors import Refused, Unavailable
from fediblog.federation import prepared_actions
from fediblog.federation.jobs import JOBS
from fediblog.federation.outbound import websub_pings
from fediblog.net import Response
from fediblog.store.queues import job_kinds, job_queue
from tests.federation.stranger import Home, home

HUB = "https://hub.test/hub"
JOBS_OF_IT = (job_kinds.WEBSUB, job_kinds.RELEASE)


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as made:
        yield made


def with_hub(home: Home) -> Home:
    return changed(home, site=replace(home.site, settings=replace(home.site.settings, websub_hub=HUB)))


async def told(home: Home, monkeypatch: pytest.MonkeyPatch, status: int = 202) -> list[str]:
    """Do what waits; what the hub is told."""
    bodies: list[str] = []

    async def exchange(method: str, url: str, headers: Any, body: bytes = b"", **_: Any) -> Response:
        assert (method, url, dict(headers)["content-type"]) == ("POST", HUB, "application/x-www-form-urlencoded")
        bodies.append(body.decode())
        return Response(status, (), b"", url)

    monkeypatch.setattr(home.web, "exchange", exchange)
    while jobs := [job for job in await home.site.db.write(job_queue.claim) if job.kind in JOBS_OF_IT]:
        for job in jobs:
            await JOBS[job.kind](home.site, job)
    return bodies


async def test_the_hub_is_told_which_feeds_have_something_new(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    house = with_hub(at_home)
    post = await prepared_actions.publish(house.site, house.alice.id, Draft(source="plover #Sea"))
    [body] = await told(house, monkeypatch)
    fields = parse_qsl(body)
    assert fields[0] == ("hub.mode", "publish")
    assert {value for name, value in fields if name == "hub.url"} == {
        f"https://home.test{base}/feed.{ending}"
        for base in ("", "/@alice", "/tags/sea")
        for ending in ("atom", "rss", "json")
    }
    assert "plover" not in body
    await prepared_actions.edit(house.site, house.alice.id, post.id, Draft(source="other words"))
    assert len(await told(house, monkeypatch)) == 1
    later = Draft(source="later", state="scheduled", scheduled=house.clock.now + 60_000)
    await prepared_actions.publish(house.site, house.alice.id, later)
    assert await told(house, monkeypatch) == []
    house.clock.forward(seconds=61)
    assert len(await told(house, monkeypatch)) == 1


async def test_it_is_told_nothing_of_what_is_not_for_everybody(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    house = with_hub(at_home)
    for visibility in (Visibility.UNLISTED, Visibility.FOLLOWERS):
        await prepared_actions.publish(house.site, house.alice.id, Draft(source="plover", visibility=visibility))
    await prepared_actions.publish(house.site, house.alice.id, Draft(source="plover", state="draft"))
    assert await told(house, monkeypatch) == []
    await prepared_actions.publish(house.site, house.alice.id, Draft(source="A #dunlin", warning="Storms"))
    [body] = await told(house, monkeypatch)
    assert "dunlin" not in body


async def test_without_a_hub_nothing_is_put_down(at_home: Home) -> None:
    await prepared_actions.publish(at_home.site, at_home.alice.id, Draft(source="Hello"))
    assert await at_home.ask("select count(*) from job where kind = 'websub'") == [(0,)]


async def test_a_hub_in_trouble_is_told_later(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    house = with_hub(at_home)
    post = await prepared_actions.publish(house.site, house.alice.id, Draft(source="Hello"))
    for status, error in ((503, Unavailable), (429, Unavailable), (400, Refused)):
        with pytest.raises(error):
            await told(house, monkeypatch, status)
        await websub_pings.put_down(house.site, post.id)
        await house.site.db.write(lambda tx: tx.run("delete from job where state <> 'waiting'"))
