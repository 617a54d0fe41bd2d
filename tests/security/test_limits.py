"""Where each number ends: texts that are parsed, bodies, parts of posts, complaints, and accounts of one login."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.actions import account_actions
from fediblog.app import create_app
from fediblog.counters import BUGS
from fediblog.errors import Invalid
from fediblog.protocol import json_values
from fediblog.protocol.attachments import LIMIT, read_attachments
from fediblog.protocol.notes import read_note
from fediblog.protocol.webfinger import parse_handle
from fediblog.store.people import accounts, logins, operator_alerts
from fediblog.store.readers import moderation
from fediblog.web import metrics
from tests.federation.stranger import ACTIVITY, Home, Person
from tests.web.pages.conftest import Blog
from tests.world import ask, keys_of

IMAGE = {"type": "Image", "url": "https://bob.test/a.png", "mediaType": "image/png"}


def test_a_handle_is_read_only_up_to_a_length() -> None:
    assert parse_handle(" " * 400 + "me@a.example") == ("me", "a.example")
    assert parse_handle(" " * 600 + "me@a.example") is None


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1.5, 1.5),
        (1e300, 2.0**53),
        (-1e300, -(2.0**53)),
        (10**400, 2.0**53),
        (-(10**400), -(2.0**53)),
        (math.inf, None),
        (-math.inf, None),
        (math.nan, None),
        (True, None),
        ("1", None),
    ],
    ids=lambda value: str(value)[:8],
)
def test_a_real_number_fits_everywhere(value: Any, read: float | None) -> None:
    assert json_values.real(value) == read


def test_files_of_a_post_are_counted_however_they_come() -> None:
    assert len(read_attachments([IMAGE] * 500)) == LIMIT
    video = {"type": "Link", "mediaType": "video/mp4", "href": "https://bob.test/v.mp4"}
    document = {"id": "https://bob.test/v/1", "type": "Video", "attributedTo": "https://bob.test/u/bob", "name": "v"}
    found = read_note({**document, "url": [video], "attachment": [IMAGE] * 500})
    assert found is not None
    assert len(found.attachments) == LIMIT
    assert {each.kind for each in found.attachments} == {"Video", "Image"}  # so they come in two ways


async def test_size_is_looked_at_before_anything_else(at_home: Home, bob: Person) -> None:
    body = b" " * 1_000_001
    receipt = await at_home.send(bob, body, headers={"content-type": "text/plain", "content-encoding": "br"})
    assert (receipt.status, receipt.reason) == (413, "too-large")


async def test_reports_are_kept_up_to_a_number(at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moderation, "KEPT_REPORTS", 3)
    for number in range(6):
        at_home.clock.forward(minutes=1)
        await at_home.send(bob, bob.does("Flag", at_home.alice.uri, number, content=f"{number}"))
    assert await at_home.site.db.write(moderation.sweep) == 3
    assert [row[0] for row in await at_home.ask("select content from report order by id")] == ["3", "4", "5"]


@pytest.mark.parametrize("state", ["remote", "suspended"])
async def test_only_an_inbox_of_ours_is_an_inbox(at_home: Home, bob: Person, state: str) -> None:
    known = await at_home.know(bob)
    if state == "suspended":
        await at_home.site.db.write(accounts.set_state, at_home.alice.id, "suspended")
    path = f"/a/{known.id if state == 'remote' else at_home.alice.id}/inbox"
    request = at_home.request(bob, json.dumps(bob.creates(bob.note(to=[], cc=[]))).encode(), path)
    app = create_app(at_home.site)
    answer = await ask(app, "POST", f"https://home.test{path}", dict(request.headers), request.body)
    assert answer.status_code == 404
    assert await at_home.count("incoming") == await at_home.count("post") == 0


async def _raw(app: Any, query: bytes) -> tuple[int, str]:
    """A request whose query is bytes that no client of ours would send; status and body of the answer."""
    sent: list[dict[str, Any]] = []
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
    }
    scope |= {"path": "/search", "raw_path": b"/search", "root_path": "", "query_string": query}
    scope |= {"headers": [(b"host", b"home.test"), (b"accept", b"text/html")], "client": ("198.18.0.1", 1)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope | {"server": ("home.test", 443)}, receive, send)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent).decode()


@pytest.mark.parametrize("query", [b"q=\xff\xfe", b"\x80", b"q=\xed\xa0\x80"])
async def test_a_query_that_is_no_text_is_no_address(at_home: Home, query: bytes) -> None:
    before = BUGS.total()
    assert await _raw(create_app(at_home.site), query) == (400, "There is no such address.\n")
    assert BUGS.total() == before


@pytest.mark.parametrize(
    "body", [b"{", b'{"a": 1, "a": 2}', b"[" * 500, b"\xff", b'{"@graph": []}', b"[]", b" " * 1_000_000 + b"{}"]
)
async def test_whose_key_cannot_be_read_is_not_signed(at_home: Home, bob: Person, body: bytes) -> None:
    """Their document is at fault, and not what they sent: so they hear 401, and not 400."""
    at_home.web.pages[bob.uri] = (200, ACTIVITY, body)
    receipt = await at_home.send(bob, bob.does("Like", (await at_home.writes()).uri))
    assert (receipt.status, receipt.reason) == (401, "key-unreadable")
    assert await at_home.refusals() == ["key-unreadable"]


async def test_a_login_adds_so_many_accounts(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    site = replace(blog.site, kept={}, settings=replace(blog.site.settings, accounts_per_login=3))
    monkeypatch.setattr(blog.app.state, "site", site)
    browser = await blog.owner()
    for number in range(2):
        assert (await browser.post("/settings/accounts", {"handle": f"more{number}"})).status_code == 303
    answer = await browser.post("/settings/accounts", {"handle": "toomany"})
    assert answer.status_code == 422
    assert "A login may have 3 accounts here" in answer.text
    assert blog.alice.login is not None
    owned = await blog.site.db.read(logins.accounts_of, blog.alice.login)
    assert {each.handle for each in owned} == {"alice", "more0", "more1"}
    for each in owned:
        await blog.site.db.write(accounts.set_state, each.id, "suspended")
    await browser.get("/new-account")  # where those are led who have no account that they can use
    answer = await browser.post("/new-account", {"handle": "toomany"})
    assert answer.status_code == 403, "nobody gets round a suspension by another account"
    assert len(await blog.site.db.read(logins.accounts_of, blog.alice.login)) == 3


async def test_the_operator_may_add_more(at_home: Home) -> None:
    site, keys = at_home.site, keys_of("home.test", "more")
    assert at_home.alice.login is not None
    for number in range(site.settings.accounts_per_login):
        await site.db.write(account_actions.add_account, site.urls, at_home.alice.login, f"more{number}", "", keys)
    with pytest.raises(Invalid, match="may have 10 accounts"):
        await site.db.write(account_actions.add_account, site.urls, at_home.alice.login, "last", "", keys, most=10)


async def test_a_worker_shows_its_numbers_and_nothing_else(at_home: Home) -> None:
    token = "a-token-of-some-length"
    site = replace(at_home.site, kept={}, settings=replace(at_home.site.settings, role="worker", metrics_token=token))
    app = metrics.create_app(site)
    url = "https://home.test"
    assert (await ask(app, "GET", f"{url}/metrics", {})).status_code == 401
    shown = await ask(app, "GET", f"{url}/metrics", {"authorization": f"Bearer {token}"})
    assert shown.status_code == 200
    assert "fediblog_deliveries_total" in shown.text
    assert (await ask(app, "GET", f"{url}/readyz", {})).text == "ready\n"
    for path in ("/", "/inbox", "/a/1", "/login", f"/a/{at_home.alice.id}"):
        assert (await ask(app, "GET", url + path, {})).status_code == 404
    assert (await ask(metrics.create_app(at_home.site), "GET", f"{url}/metrics", {})).status_code == 404


async def test_it_is_not_ready_while_the_spare_room_is_used(at_home: Home) -> None:
    await at_home.site.db.write(operator_alerts.note, operator_alerts.DISK, "x")
    answer = await ask(create_app(at_home.site), "GET", "https://home.test/readyz", {})
    assert (answer.status_code, answer.text) == (503, "disk-full\n")
    await at_home.site.db.write(operator_alerts.clear, operator_alerts.DISK)
    at_home.site.kept.clear()  # as if some seconds had passed
    assert (await ask(create_app(at_home.site), "GET", "https://home.test/readyz", {})).status_code == 200
