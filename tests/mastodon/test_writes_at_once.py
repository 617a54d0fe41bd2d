"""Every row of the API that writes, called ten times at once: no error of ours, and the effect of one call."""

from __future__ import annotations

import asyncio
import logging

import pytest

from fediblog.mastodon.endpoint_table import Endpoint
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.readers import notification_lists
from fediblog.store.tx import Tx
from tests.mastodon.samples import Maker, options_of, path_of
from tests.mastodon.server import Api, Server

pytestmark = pytest.mark.slow

TABLES = (
    *("post", "follow", "block", "mute", "reaction", "boost", "notice", "outgoing", "delivery", "poll_vote", "report"),
    *("bookmark", "marker", "user_list", "list_member", "word_filter", "filter_keyword", "filter_post", "followed_tag"),
    *("featured_tag", "account_note", "endorsement", "thread_mute", "host_mute", "push_subscription", "preference"),
    *("notice_consent", "notice_policy", "blocked_host", "media", "conversation", "suggestion_dismissed", "tombstone"),
    *("app", "token", "announcement_read"),
)
EACH_MAKES_ONE = {  # so ten make ten
    *(("POST", f"/api/v{n}/{name}") for n, name in ((1, "filters"), (2, "filters"), (1, "lists"), (1, "apps"))),
    *(("POST", f"/api/v{n}/media") for n in (1, 2)),
    ("POST", "/api/v2/filters/{id}/keywords"),
    ("POST", "/api/v1/reports"),
}
EACH_IS_TOLD = {  # to the followers, however often it is said
    *(("PATCH", path) for path in ("/api/v1/accounts/update_credentials", "/api/v1/profile")),
    *(("DELETE", f"/api/v1/profile/{name}") for name in ("avatar", "header")),
    ("PUT", "/api/v1/statuses/{id}"),
}
ONE_OF_EACH = ("marker", "push_subscription", "notice_policy", "preference")  # by their keys: one is replaced


def _totals(tx: Tx) -> dict[str, int]:
    return {name: sum(1 for _ in tx.all(f"select 1 as yes from {name}")) for name in TABLES}


async def _called(maker: Maker, row: Endpoint, times: int) -> tuple[dict[str, int], set[int]]:
    """What one row changed when it was called so often at once, and the answers."""
    maker.server.clock.forward(hours=1)  # nobody may write more in an hour than a person does
    await maker.api.get("/api/v1/accounts/verify_credentials")
    await maker.server.write(notification_lists.clear, maker.alice.id)
    path, options = await path_of(maker, row), await options_of(maker, row)
    before = await maker.server.read(_totals)
    answers = await asyncio.gather(*(maker.api.call(row.method, path, **options) for _ in range(times)))
    after = await maker.server.read(_totals)
    return {name: after[name] - before[name] for name in TABLES}, {each.status_code for each in answers}


async def test_every_write_ten_times_at_once(both: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "fediblog")
    server = both
    maker = Maker(server, Api(server.app, server.site.urls.origin, await server.token("alice"), address="127.0.0.1"))
    differing: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for row in ENDPOINTS:
        if row.method == "GET":
            continue
        once, first = await _called(maker, row, 1)
        often, answers = await _called(maker, row, 10)
        assert max(first | answers) < 429, (row.method, row.path, first, answers)
        assert not first or min(first) in answers, (row.method, row.path, first, answers)
        if (row.method, row.path) in EACH_MAKES_ONE:
            once = {name: 10 * number for name, number in once.items()}
        if (row.method, row.path) in EACH_IS_TOLD:
            once["outgoing"] = often["outgoing"]
        once |= {name: often[name] for name in ONE_OF_EACH}
        if row.path == "/oauth/token":  # the code was used twice, so that what it gave has ended
            once["token"] = 0
        if wrong := {name: (once[name], often[name]) for name in TABLES if once[name] != often[name]}:
            differing[row.method, row.path] = wrong
    assert differing == {}
    assert [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR] == []
