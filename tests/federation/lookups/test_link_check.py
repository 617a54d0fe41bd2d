"""Links of a profile are verified by looking at the pages to which they lead, now and again, never in a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fediblog.actions.account_actions import ProfileChanges
from fediblog.errors import Refused
from fediblog.federation.jobs import JOBS, start_repeating
from fediblog.federation.lookups import link_check
from fediblog.mastodon.entities import account_entity
from fediblog.net import Response
from fediblog.net.http_engine import Headers
from fediblog.store.people import accounts
from fediblog.store.queues import job_queue
from tests import wording
from tests.federation.stranger import Home, Web, home

PAGE = "https://alice.example/"
BACK = '<p>I am <a rel="me" href="https://home.test/@alice">@alice@home.test</a></p>'
DAYS = 86_400_000


@pytest.fixture
async def at_home(tmp_path: Path, database_url: str) -> AsyncIterator[Home]:
    async with home(tmp_path, database=database_url) as place:
        yield place


def serve(web: Web, url: str, page: str, kind: str = "text/html; charset=utf-8", status: int = 200) -> None:
    web.pages[url] = (status, kind, page.encode())


async def saved(at_home: Home, *links: str) -> None:
    changes = ProfileChanges(name="Alice", fields=tuple((f"Site {n}", link) for n, link in enumerate(links)))
    await at_home.site.db.write(wording.update_profile, at_home.site.urls, at_home.alice.id, changes)


async def work(at_home: Home) -> int:
    """Look at the links if that is due; how many jobs that were."""
    found = [each for each in await at_home.site.db.write(job_queue.claim) if each.kind == "verify-links"]
    for job in found:
        await JOBS[job.kind](at_home.site, job)
    return len(found)


async def verified(at_home: Home) -> list[int | None]:
    account = await at_home.site.db.read(accounts.get, at_home.alice.id)
    assert account is not None
    return [each.verified for each in account.fields]


async def test_a_link_is_verified_while_its_page_links_back(at_home: Home) -> None:
    serve(at_home.web, PAGE, BACK)
    serve(at_home.web, "https://other.example/", "<p>Nothing</p>")
    await saved(at_home, PAGE, "https://other.example/", "she/her")
    assert (await verified(at_home), at_home.web.asked) == (
        [None, None, None],
        [],
    )  # nothing is asked while it is saved
    first = at_home.clock.now
    assert await work(at_home) == 1
    assert await verified(at_home) == [first, None, None]
    assert not at_home.web.signed
    assert await work(at_home) == 0
    at_home.clock.forward(days=6)
    assert await work(at_home) == 0
    at_home.clock.forward(days=1)
    assert await work(at_home) == 1
    assert await verified(at_home) == [first + 7 * DAYS, None, None]
    # One failure is no sign of anything; a second a day later is.
    at_home.web.down.add("alice.example")
    at_home.clock.forward(days=7)
    await work(at_home)
    assert await verified(at_home) == [first + 7 * DAYS, None, None]
    at_home.clock.forward(days=1)
    assert await work(at_home) == 1
    assert await verified(at_home) == [None, None, None]
    # It is looked at anew when the profile is saved, also where nothing in it changed.
    at_home.web.down.clear()
    await saved(at_home, PAGE, "https://other.example/", "she/her")
    await work(at_home)
    assert await verified(at_home) == [at_home.clock.now, None, None]
    # One failure between two that went well is forgotten.
    for page in ("gone", BACK, "gone"):
        serve(at_home.web, PAGE, page)
        at_home.clock.forward(days=7)
        await work(at_home)
        assert (await verified(at_home))[0] is not None
    # Another link in its place is not verified, nor is one that came back.
    await saved(at_home, "https://other.example/")
    assert await verified(at_home) == [None]
    await work(at_home)
    await saved(at_home, PAGE)
    assert await verified(at_home) == [None]


async def test_what_apps_and_servers_are_told(at_home: Home) -> None:
    serve(at_home.web, PAGE, BACK)
    await saved(at_home, PAGE, "she/her")
    await work(at_home)
    account = await at_home.site.db.read(accounts.get, at_home.alice.id)
    assert account is not None
    assert account.fields[0].value == f'<a rel="me" href="{PAGE}">{PAGE}</a>'
    assert [each["verified_at"] for each in account_entity._fields_source(account)] == [
        "2025-06-15T15:06:40.000Z",
        None,
    ]


@pytest.mark.parametrize(
    ("where", "status", "kind", "page", "good"),
    [
        (PAGE, 200, "text/html", BACK, True),
        (PAGE, 200, "application/xhtml+xml", BACK, True),
        ("https://www.alice.example/home", 200, "text/html", BACK, True),
        ("https://elsewhere.example/", 200, "text/html", BACK, False),
        ("https://home.test/@alice", 200, "text/html", BACK, False),
        ("https://localhost/", 200, "text/html", BACK, False),
        (PAGE, 404, "text/html", BACK, False),
        (PAGE, 500, "text/html", BACK, False),
        (PAGE, 200, "text/plain", BACK, False),
        (PAGE, 200, "application/json", BACK, False),
        (PAGE, 200, "text/html", BACK.replace("@alice", "@mallory"), False),
    ],
)
async def test_what_counts_as_a_page_of_the_same_person(
    at_home: Home, where: str, status: int, kind: str, page: str, good: bool
) -> None:
    """Also where the link leads on to `where`."""
    if where != PAGE:
        at_home.web.redirects[PAGE] = where
    serve(at_home.web, where, page, kind, status)
    await saved(at_home, PAGE)
    await work(at_home)
    assert (await verified(at_home) != [None]) is good


async def test_a_header_is_enough(at_home: Home) -> None:
    serve(at_home.web, PAGE, "<p>Nothing</p>")
    at_home.web.headers[PAGE] = (("link", '<https://home.test/@alice>; rel="me"'),)
    await saved(at_home, PAGE)
    await work(at_home)
    assert await verified(at_home) != [None]


async def test_pages_of_our_own_are_not_asked(at_home: Home) -> None:
    serve(at_home.web, "https://home.test/@alice", BACK)
    await saved(at_home, "https://home.test/@alice")
    await work(at_home)
    assert (await verified(at_home), at_home.web.asked) == ([None], [])


async def test_a_huge_page_is_asked_for_within_a_limit(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []

    async def exchange(
        _method: str, url: str, _headers: Headers, _body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        limits.append((limit, deadline <= link_check.DEADLINE, url))
        raise Refused("answer-too-large", n=limit)

    monkeypatch.setattr(at_home.web, "exchange", exchange)
    await saved(at_home, PAGE)
    await work(at_home)
    assert (limits, await verified(at_home)) == ([(1_000_000, True, PAGE)], [None])


async def test_suspended_and_deleted_accounts_ask_nobody(at_home: Home) -> None:
    serve(at_home.web, PAGE, BACK)
    await saved(at_home, PAGE)
    for state in ("suspended", "deleted"):
        await at_home.site.db.write(accounts.set_state, at_home.alice.id, state)
        await work(at_home)
        at_home.clock.forward(days=7)
    assert (await verified(at_home), at_home.web.asked) == ([None], [])
    assert await work(at_home) == 0  # the deleted one is done with


async def test_links_from_before_are_looked_at_once_after_a_start(at_home: Home) -> None:
    serve(at_home.web, PAGE, BACK)
    await saved(at_home, PAGE)
    await at_home.site.db.write(lambda tx: tx.run("delete from job"))
    for _ in range(2):
        await at_home.site.db.write(start_repeating)
        await work(at_home)
    assert at_home.web.asked == [PAGE]
