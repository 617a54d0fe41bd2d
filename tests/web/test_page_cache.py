"""Finished answers are kept for everybody, and never longer than they are true."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fediblog.actions import post_actions, reaction_actions
from fediblog.actions.post_actions import Draft
from fediblog.domain.accounts import Account, AccountRole
from fediblog.domain.documents import Visibility
from fediblog.store.engine import backup
from fediblog.store.engine.database import connect
from fediblog.store.people import access, logins, peers
from fediblog.store.queues import poll_totals
from fediblog.store.tx import _SILENT, changes_content
from fediblog.web.page_cache import LOOK_AFTER, PageCache
from tests import wording
from tests.world import JSON, World, ask

A = "alice.test"
# What pages for everybody are made of, or what is written so seldom that it may empty the cache for nothing.
SHOWN = {
    *(
        "account",
        "announcement",
        "blocked_host",
        "allowed_host",
        "block",
        "custom_emoji",
        "hidden_emoji",
        "endorsement",
        "featured_tag",
        "follow",
    ),
    *("group_member", "guest", "host_mute", "profile_totals", "setting", "shut_out", "signing_key", "tombstone"),
    "showcase",
    *("post", "attachment", "boost", "media", "mention", "poll_vote", "post_link", "post_tag", "reaction", "revision"),
    *("approval", "quote_authorization", "quote_proof", "quote_request", "reply_authorization"),
    *("category", "post_category", "page", "former_post_slug", "former_category_slug", "former_page_slug"),
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(A) as made:
        yield made


@pytest.fixture
async def alice(world: World) -> Account:
    return await world.person(A, "alice")


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("insert into post (id) values (1)", True),
        ("update account set name = ''", True),
        ("delete from reaction where post = 1", True),
        ("insert into something_new values (1)", True),  # what is not known to be silent counts
        ("select * from post", False),
        ("insert into seen (uri, at) values ('', 0)", False),
        ("insert or ignore into notice (id) values (1)", False),
        ("insert or ignore into post (id) values (1)", True),
        ("update host set leased = 0", False),
        ("begin immediate", False),
    ],
)
def test_which_statements_change_what_everybody_sees(sql: str, shown: bool) -> None:
    assert changes_content(sql) is shown


async def test_of_every_table_it_is_known_whether_pages_are_made_of_it(world: World) -> None:
    """A new table is named here or there: whoever adds one says whether writing to it empties the page cache."""
    tables = set(await world.sites[A].db.read(backup.tables))
    assert tables - _SILENT == SHOWN
    assert tables | {"schema_version"} >= _SILENT


async def made(world: World, path: str, **headers: str) -> str:
    answer = await ask(world.network.apps[A], "GET", f"https://{A}{path}", {"accept": JSON, **headers})
    return answer.text


async def test_a_like_is_seen_at_once(world: World, alice: Account) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Hello."))
    path = f"/p/{post.id}"
    before = await made(world, path)
    assert await made(world, path) == before
    await world.do(A, reaction_actions.like, alice.id, post.id)
    after = await made(world, path)
    assert '"totalItems":1' in after
    assert after != before


async def test_what_is_deleted_is_gone_at_once(world: World, alice: Account) -> None:
    post = await world.do(A, wording.publish, alice.id, Draft(source="Hello."))
    assert "Hello." in await made(world, f"/p/{post.id}")
    await world.do(A, post_actions.delete, alice.id, post.id)
    assert "Tombstone" in await made(world, f"/p/{post.id}")


async def test_answers_are_told_apart_by_what_was_asked(world: World, alice: Account) -> None:
    page = await made(world, "/@alice", accept="text/html")
    document = await made(world, "/@alice")
    assert page.startswith("<!doctype html>")
    assert document.startswith("{")
    assert await made(world, "/@alice", accept="text/html") == page
    assert await made(world, "/@alice") == document


async def test_what_is_somebodys_own_is_not_kept(world: World, alice: Account) -> None:
    draft = Draft(source="For those who follow.", visibility=Visibility.FOLLOWERS)
    post = await world.do(A, wording.publish, alice.id, draft)
    assert "not-found" in await made(world, f"/p/{post.id}")
    assert "session=x" not in await made(world, "/", cookie="session=x", accept="text/html")


async def test_writing_what_nobody_sees_empties_nothing(world: World, alice: Account) -> None:
    calls = 0

    async def app(scope: object, receive: object, send: object) -> None:
        nonlocal calls
        calls += 1
        headers = [(b"etag", b'"x"'), (b"cache-control", b"max-age=0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"page"})  # type: ignore[operator]

    site = world.sites[A]
    (owner,) = await site.db.read(logins.everyone)
    post = await world.do(A, wording.publish, alice.id, Draft(source="Tea?"))
    cache = PageCache(app, db=site.db)
    for _ in range(3):
        assert (await ask(cache, "GET", f"https://{A}/", {})).text == "page"
    assert calls == 1
    await site.db.write(logins.sweep_sessions)
    await site.db.write(peers.put, "far.test", "snac", "2.80")
    await site.db.write(access.give, owner.id, alice.id, AccountRole.EDITOR)
    await site.db.write(poll_totals.voted, post.id)
    await ask(cache, "GET", f"https://{A}/", {})
    assert calls == 1
    await world.do(A, wording.publish, alice.id, Draft(source="New."))
    await ask(cache, "GET", f"https://{A}/", {})
    assert calls == 2


async def test_what_another_process_writes_is_seen_too(world: World, alice: Account) -> None:
    site = world.sites[A]
    now, calls = 0.0, 0

    async def app(scope: object, receive: object, send: object) -> None:
        nonlocal calls
        calls += 1
        headers = [(b"etag", b'"x"'), (b"cache-control", b"max-age=0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"page"})  # type: ignore[operator]

    cache = PageCache(app, db=site.db, clock=lambda: now)
    now += LOOK_AFTER * 2
    await ask(cache, "GET", f"https://{A}/", {})
    other = await connect(site.settings.database_url, clock=world.clock, random=lambda bits: 7)
    try:
        await other.write(wording.publish, site.urls, alice.id, Draft(source="From the command line."))
    finally:
        await other.close()
    await ask(cache, "GET", f"https://{A}/", {})
    assert calls == 1
    now += LOOK_AFTER * 2
    await ask(cache, "GET", f"https://{A}/", {})
    assert calls == 2
