"""What is published on the pages waits for half a minute, in which it can be taken back: between two real servers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from fediblog.store.people import logins, post_preferences
from fediblog.store.people.logins import Session
from fediblog.store.people.post_preferences import Defaults
from fediblog.store.posts import account_posts, posts
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests.federation.pair import Pair
from tests.postgres import Cluster
from tests.world import World, ask

TYPED = {"source": "Too *soon* @ben@{far}", "title": "Half a thought", "visibility": "public", "do": "publish"}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def postgres(request: pytest.FixtureRequest) -> tuple[Cluster, str] | None:
    """What the databases are, if not SQLite."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("cluster"), request.getfixturevalue("migrated_database")


@pytest.fixture
async def waiting(postgres: tuple[Cluster, str] | None) -> AsyncIterator[Pair]:
    """Two servers that wait before a post leaves; Ben follows Ann, who is logged in."""
    async with World("one.test", "two.test", postgres=postgres, settings={"take_back_seconds": 30}) as world:
        pair = Pair(
            world, "one.test", "two.test", await world.person("one.test", "ann"), await world.person("two.test", "ben")
        )
        end = world.clock.now + 86_400_000

        def log_in(tx: Tx) -> None:
            login = logins.everyone(tx)[0].id
            logins.open_session(
                tx,
                Session(
                    token=hashed("t"),
                    login=login,
                    account=pair.ann.id,
                    csrf="own-page",
                    created=tx.now,
                    seen=tx.now,
                    agent="",
                    expires=end,
                ),
            )

        await world.sites[pair.near].db.write(log_in)
        await pair.follow()
        yield pair


async def send(pair: Pair, path: str, **fields: str) -> httpx.Response:
    """Ann sends a form."""
    origin = f"https://{pair.near}"
    headers = {
        "cookie": "__Host-session=t",
        "origin": origin,
        "accept": "text/html",
        "content-type": "application/x-www-form-urlencoded",
    }
    typed = {name: value.format(far=pair.far) for name, value in fields.items()} | {"csrf": "own-page"}
    return await ask(pair.world.network.apps[pair.near], "POST", origin + path, headers, urlencode(typed).encode())


async def look(pair: Pair, path: str, cookie: str = "__Host-session=t") -> str:
    headers = {"cookie": cookie, "accept": "text/html"} if cookie else {"accept": "text/html"}
    return (await ask(pair.world.network.apps[pair.near], "GET", f"https://{pair.near}{path}", headers)).text


async def number_of(pair: Pair) -> int:
    return (await pair.world.read(pair.near, account_posts.drafts, pair.ann.id))[0].id


async def wait(pair: Pair, seconds: int) -> None:
    pair.world.clock.forward(seconds=seconds)
    await pair.world.settle()


async def test_nothing_leaves_before_half_a_minute_is_over_and_then_it_does_once(waiting: Pair) -> None:
    before = len(waiting.world.network.posts())
    answer = await send(waiting, "/write", **TYPED)
    number = await number_of(waiting)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/post/{number}")
    page = await look(waiting, f"/post/{number}")
    assert f'action="/post/{number}/take-back"' in page
    assert 'data-leaves="30" data-left="The post has left."' in page
    await wait(waiting, 29)
    assert 'data-leaves="1"' in await look(waiting, f"/post/{number}")
    assert len(waiting.world.network.posts()) == before
    assert not await waiting.notices_of_ben()
    assert "Half a thought" not in await look(waiting, "/@ann", "")
    await wait(waiting, 1)
    post = await waiting.world.read(waiting.near, posts.stored, number)
    assert post is not None
    assert post.state == "published"
    assert [each.kind for each in waiting.world.network.posts()[before:]] == ["Create"]
    assert [each.uri for each in await waiting.stream()] == [post.uri]
    assert "take-back" not in await look(waiting, f"/@ann/{post.url.partition('/@ann/')[2]}")


async def test_what_is_taken_back_is_a_draft_and_nothing_of_it_ever_left(waiting: Pair) -> None:
    before = len(waiting.world.network.posts())
    await send(waiting, "/write", **TYPED)
    number = await number_of(waiting)
    await wait(waiting, 29)
    answer = await send(waiting, f"/post/{number}/take-back")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/write/{number}")
    page = await look(waiting, f"/write/{number}")
    assert "Too *soon* @ben@two.test" in page
    assert "Half a thought" in page
    await wait(waiting, 3_600)
    assert len(waiting.world.network.posts()) == before
    assert not await waiting.stream()
    rows = await waiting.world.read(
        waiting.near,
        lambda tx: tx.all(
            "select 'left' as what from outgoing where post is not null union all select uri from tombstone"
        ),
    )
    assert not rows
    # Its address is free: the next one gets it.
    await send(waiting, "/write", **{**TYPED, "source": "Whole"})
    await wait(waiting, 30)
    written = await waiting.world.read(waiting.near, account_posts.written, waiting.ann.id, waiting.ann.id)
    assert written[0].slug == "half-a-thought"


async def test_who_presses_late_is_told_so_and_can_delete_it(waiting: Pair) -> None:
    await send(waiting, "/write", **TYPED)
    number = await number_of(waiting)
    await wait(waiting, 30)
    answer = await send(waiting, f"/post/{number}/take-back")
    assert answer.status_code == 409
    assert "It has left already" in answer.text
    assert f'action="/post/{number}/delete"' in answer.text
    post = await waiting.world.read(waiting.near, posts.stored, number)
    assert post is not None
    assert post.state == "published"


async def test_a_server_that_is_killed_meanwhile_sends_it_once(waiting: Pair) -> None:
    world, before = waiting.world, len(waiting.world.network.posts())
    await send(waiting, "/write", **TYPED)
    await world.crash(waiting.near)
    world.clock.forward(seconds=31)
    await world.restart(waiting.near)
    await world.settle()
    await world.crash(waiting.near)
    await world.restart(waiting.near)
    await wait(waiting, 3600)
    assert [each.kind for each in world.network.posts()[before:]] == ["Create"]


async def test_above_the_stream_it_says_what_can_be_done(waiting: Pair) -> None:
    answer = await send(waiting, "/write", source="Oops", visibility="public", do="publish", next="/stream")
    number = await number_of(waiting)
    assert answer.headers["location"] == "/stream"
    flash = re.match(r"[^;]+", answer.headers["set-cookie"])
    assert flash is not None
    page = await look(waiting, "/stream", f"__Host-session=t; {flash[0]}")
    assert "Posted for everybody. It leaves in 30 seconds; until then only you see it." in page
    assert f'href="/post/{number}"' in page
    assert f'action="/post/{number}/take-back"' in page
    assert "take-back" not in await look(waiting, "/stream")


async def test_who_does_not_want_to_wait_does_not(waiting: Pair) -> None:
    assert "Wait 30 seconds before a post leaves" in await look(waiting, "/settings")
    await waiting.world.sites[waiting.near].db.write(post_preferences.put, waiting.ann.id, Defaults(wait=False))
    answer = await send(waiting, "/write", **TYPED)
    assert "half-a-thought" in answer.headers["location"]
    await waiting.world.settle()
    assert len(await waiting.stream()) == 1


async def test_nobody_else_takes_it_back(waiting: Pair) -> None:
    post = await waiting.publish("Mine")
    there = await waiting.there(post)
    assert there is not None
    assert (await send(waiting, f"/post/{there.id}/take-back")).status_code == 404
