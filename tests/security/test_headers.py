"""Headers of answers hold nothing but what we know: over every route and endpoint, whatever is asked of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from fediblog.actions import follow_actions, reaction_actions
from fediblog.actions.drafts import Draft
from fediblog.app import ROUTES
from fediblog.mastodon.calls import MOST_LINK
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.people import logins
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests import wording
from tests.mastodon.server import HOST, Api, Server
from tests.world import World, ask

MOST = 10_000  # bytes of all headers together: more than a page of memory twice, and a proxy says 502
ODD = ["日本語", "x" * 3000, "\r\nx-evil: 1", "9" * 19, '\u202e\x85|<>"']
NAMES = (
    *("limit", "max_id", "min_id", "since_id", "types[]", "exclude_types[]", "local", "tagged", "q", "next", "before"),
    *("account_id", "state", "redirect_uri", "resource", "x", "limit[]"),
)
SESSION = "the-token-of-a-session"


def flat(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            yield route.path
        elif isinstance(route, Mount):
            yield f"{route.path}/x"


READ = sorted({path for path in flat(ROUTES) if path not in ("/api/{rest:path}", "/oauth/{rest:path}")})
CALLED = sorted({row.path for row in ENDPOINTS if row.method == "GET"})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Alice and Bob, who follow each other, with something in every list."""
    async with World(HOST) as world:
        server = Server(world)
        for handle in ("alice", "bob"):
            await server.person(handle)
        alice, bob = server.people["alice"].id, server.people["bob"].id
        for one, other in ((alice, bob), (bob, alice)):
            await server.write(follow_actions.follow, server.site.urls, one, other)
            for number in range(3):
                draft = Draft(source=f"@alice #日本語 #tag {number}")
                post = await server.write(wording.publish, server.site.urls, one, draft)
                for account in (alice, bob):
                    await server.write(reaction_actions.like, server.site.urls, account, post.id)
        await server.write(_session, alice)
        yield server


def _session(tx: Tx, account: int) -> None:
    login = logins.everyone(tx)[0].id
    end = tx.now + 30 * 86_400_000
    found = Session(
        token=hashed(SESSION),
        login=login,
        account=account,
        csrf="c",
        created=tx.now,
        seen=tx.now,
        expires=end,
        agent="",
    )
    logins.open_session(tx, found)


def check(asked: str, answer: httpx.Response) -> None:
    """Visible ASCII, in bounds, and addresses that are whole."""
    assert answer.status_code < 500, asked[:200]
    fields = answer.headers.raw
    for name, value in fields:
        assert value.isascii(), (asked[:200], name, value[:200])
        assert value.decode().isprintable(), (asked[:200], name, value[:200])
        assert name.lower() != b"x-evil", asked[:200]
    assert sum(len(name) + len(value) + 4 for name, value in fields) <= MOST, asked[:200]
    for link in answer.headers.get("link", "").split(","):
        where = link.partition("<")[2].partition(">")[0]
        assert len(where) <= MOST_LINK, asked[:200]
        assert not set(where) & set(' "<>\\^`{|}'), where


def paths(path: str, known: dict[str, int]) -> Iterator[str]:
    """The path about what there is, and about what there cannot be."""
    before, _, rest = path.partition("{")
    if not rest:
        yield path
        return
    after = rest.partition("}")[2]
    for value in (*known, *ODD):
        filled = before + quote(str(known.get(value, value)), safe="") + after
        yield from paths(filled, known) if "{" in after else [filled]


@pytest.mark.slow
async def test_whatever_is_asked_headers_are_known_and_bounded(server: Server) -> None:
    post = await server.read(lambda tx: tx.all("select id from post order by id")[0].id)
    known = {"post": post, "account": server.people["bob"].id, "alice": 0, "日本語": 0}
    known = {name: number or name for name, number in known.items()}
    api, count = await server.api("alice"), 0
    browser = {"cookie": f"__Host-session={SESSION}", "accept": "text/html"}

    async def asked(path: str) -> None:
        nonlocal count
        if (count := count + 1) % 500 == 0:
            server.clock.forward(seconds=301)  # so that no limit is met
        if path.startswith("/api/v1/streaming"):
            return
        address = f"10.{count >> 16 & 255}.{count >> 8 & 255}.{count & 255}"
        if path.startswith(("/api/", "/oauth/")):
            check(path, await api.http.get(path))
        check(path, await ask(server.app, "GET", f"https://{HOST}{path}", browser, address=address))

    for path in (*CALLED, *READ):
        for filled in paths(path, known):
            await asked(filled)
        plain = next(iter(paths(path, known)))
        for value in ODD:
            every = "&".join(f"{quote(name)}={quote(value)}" for name in NAMES)
            await asked(f"{plain}?{every}")
            for name in NAMES if "{" not in path else NAMES[:8]:
                await asked(f"{plain}?{quote(name)}={quote(value)}")


async def test_links_to_the_next_piece_keep_what_was_asked_for_and_nothing_else(server: Server) -> None:
    api = await server.api("alice")

    async def following(path: str, **params: str) -> dict[str, str]:
        answer = await api.http.get(path, params=params)
        assert answer.status_code == 200
        where = answer.links["next"]["url"]
        assert (await Api(server.app, "https://blog.test", api.token).http.get(where)).status_code == 200
        assert urlsplit(where).path == quote(urlsplit(path).path)
        return dict(parse_qsl(urlsplit(where).query))

    found = await following("/api/v1/timelines/tag/日本語", limit="2", local="true", x="y" * 3000)
    assert found.pop("max_id").isdigit()
    assert found == {"limit": "2", "local": "true"}
    for number in range(20):  # a link leads on from a full page alone
        await server.publish("bob", f"One of many {number}")
    found = await following("/api/v1/timelines/public", limit="x" * 3000)
    assert set(found) == {"max_id"}
    found = await following("/api/v1/notifications", **{"types[]": "mention", "limit": "1"})
    assert set(found) == {"max_id", "types[]", "limit"}
    # What cannot be repeated is left out with the whole link: without it the next piece would be of another list.
    answer = await api.http.get("/api/v1/timelines/public", params={"local": "true" + " " * MOST_LINK})
    assert (answer.status_code, "link" in answer.headers) == (200, False)


async def test_who_must_log_in_first_is_led_there_however_long_the_address(server: Server) -> None:
    for length, rest in ((10, True), (6000, True), (20_000, False)):
        answer = await ask(server.app, "GET", f"https://{HOST}/settings?x={'y' * length}", {"accept": "text/html"})
        assert answer.status_code == 303
        assert ("next=" in answer.headers["location"]) is rest
        assert len(answer.headers["location"]) < 8100


async def test_only_where_apps_open_a_window_may_it_answer_them(server: Server) -> None:
    """Apps in browsers log in with a pop-up, which tells its opener the outcome; no other page has an opener."""
    for path in (*CALLED, *READ):
        for asked in {next(paths(path, {"alice": 0})), path}:
            answer = await ask(server.app, "GET", f"https://{HOST}{asked}", {"accept": "text/html"})
            opener = answer.headers.get("cross-origin-opener-policy")
            assert opener == (None if path.startswith(("/login", "/oauth/")) else "same-origin"), path
    for path in ("/login", "/oauth/authorize"):
        answer = await ask(server.app, "POST", f"https://{HOST}{path}", {"accept": "text/html"})
        assert "cross-origin-opener-policy" not in answer.headers, path
