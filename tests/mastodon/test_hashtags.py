"""A hashtag is one and the same however it is typed: in whatever is written, followed, featured, linked and asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from starlette.routing import Route

from fediblog.app import ROUTES
from fediblog.domain.documents import Visibility
from fediblog.domain.urls import Urls
from fediblog.hashtags import key
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.streaming.streams import stream_of
from fediblog.protocol.tag_array import read_hashtags, sort, write_hashtag
from fediblog.store.engine import migrate
from fediblog.store.posts import tags, timelines
from fediblog.store.posts.timelines import TagFilter
from fediblog.store.readers.filter_matching import FilterMatcher, pattern_of
from fediblog.store.readers.filters import Filter, Keyword
from fediblog.store.tx import Tx
from tests.mastodon.accounts.test_relations_api import _arrive
from tests.mastodon.server import Server
from tests.store.makers import home_of, remote

ONE = "caf\u00e9"
SPELLINGS = [
    ONE,
    "cafe\u0301",  # two characters for the last letter
    "CAF\u00c9",
    "CAFE\u0301",
    "\uff43\uff41\uff46\uff45\u0301",  # as wide as Chinese letters
]
ALL = [*SPELLINGS, *(f"#{each}" for each in SPELLINGS), *(f"\uff03{each}" for each in SPELLINGS)]


def _rows(tx: Tx) -> dict[str, set[str]]:
    """What is stored in each table that has hashtags."""
    return {
        "post_tag": {row.tag for row in tx.all("select tag from post_tag")},
        "followed_tag": {row.tag for row in tx.all("select tag from followed_tag")},
        "featured_tag": {row.tag for row in tx.all("select tag from featured_tag")},
    }


async def test_no_other_table_has_hashtags(server: Server) -> None:
    def found(tx: Tx) -> set[str]:
        names = [row.name for row in tx.all("select name from sqlite_master where type = 'table'")]
        columns = {name: tx.all("select name from pragma_table_info(:t)", t=name) for name in names}
        return {name for name in names if any("tag" in each.name.split("_") for each in columns[name])}

    assert await server.read(found) == set(await server.read(_rows))


def test_one_form() -> None:
    assert {key(each) for each in ALL} == {ONE}
    assert key("STRASSE") == key("stra\u00dfe") == key("Stra\u1e9ee")
    assert key("\u212bngstr\u00f6m") == key("\u00e5ngstro\u0308m")
    assert key("\uff34\uff45\uff41") == "tea"
    for each in (*ALL, "\u1e9e", "\u03d2\u0301", "\u0345", "\u01c5"):
        assert key(key(each)) == key(each)


@pytest.mark.parametrize("typed", ALL)
def test_documents_and_addresses_have_one_form(typed: str) -> None:
    told = [{"type": "Hashtag", "name": each} for each in (typed, ONE, f"#{ONE}")]
    assert len(read_hashtags(sort(told))) == 1
    address = Urls("https://blog.test", "blog.test").tag(typed)
    assert address == Urls("https://blog.test", "blog.test").tag(ONE)
    assert write_hashtag(typed.lstrip("#\uff03"), "https://blog.test/tags/")["href"] == address
    assert stream_of({"stream": "hashtag", "tag": typed}).about == ONE


async def _tagged(both: Server) -> list[str]:
    """A post with each way to type it, by ours and by somebody elsewhere; their numbers, the latest first."""
    far = await both.write(remote, "zoe", "far.example")
    found = []
    for typed in SPELLINGS:
        found.append((await both.publish("bob", f"A cup, #{typed}")).id)
        found.append((await both.publish("bob", f"A cup, \uff03{typed}")).id)
        found.append((await both.publish("bob", "A cup", tags=(typed,))).id)
        found.append(await both.write(_arrive, far, hashtags=(typed,)))
    return [str(number) for number in sorted(found, reverse=True)]


@pytest.mark.slow
async def test_every_call_finds_all_of_them(both: Server) -> None:
    tagged, bob, alice = await _tagged(both), await both.api("bob"), await both.api("alice")
    number = both.people["bob"].id
    rows = [row for row in ENDPOINTS if "/tag" in row.path and "{name}" in row.path]
    assert {row.method for row in rows} == {"GET", "POST"}
    answers: dict[str, list[Any]] = {}
    for typed in ALL:
        part = quote(typed, safe="")
        for row in rows:
            answer = await bob.call(row.method, row.path.replace("{name}", part) + "?limit=40")
            assert answer.status_code == 200, (row.path, typed)
            answers.setdefault(f"{row.method} {row.path}", []).append(answer.json())
        for path in (
            f"/api/v1/timelines/tag/x?limit=40&any[]={part}",
            f"/api/v1/timelines/tag/{quote(ONE)}?limit=40&all[]={part}",
        ):
            assert [each["id"] for each in await alice.get(path)] == tagged, path
        assert await alice.get(f"/api/v1/timelines/tag/{quote(ONE)}?none[]={part}") == []
        assert len(await alice.get(f"/api/v1/accounts/{number}/statuses?limit=40&tagged={part}")) == 15
        (hashtag,) = (await alice.get(f"/api/v2/search?q={part}"))["hashtags"]
        assert key(hashtag["name"]) == ONE
    for path, told in answers.items():
        each = [
            [one["id"] for one in found] if isinstance(found, list) else (found["id"], found["url"]) for found in told
        ]
        assert all(one == each[0] for one in each), path
    assert [each["id"] for each in answers["GET /api/v1/timelines/tag/{name}"][0]] == tagged
    assert (await both.read(_rows))["post_tag"] == {ONE}


@pytest.mark.parametrize("typed", ALL)
async def test_it_is_followed_and_featured_once_and_taken_back(both: Server, typed: str) -> None:
    api, path = await both.api("alice"), f"/api/v1/tags/{quote(typed, safe='')}"
    for again in (ONE, typed):
        await api.post(f"/api/v1/tags/{quote(again, safe='')}/follow")
        await api.post("/api/v1/featured_tags", {"name": again})
    assert len(await api.get("/api/v1/followed_tags")) == len(await api.get("/api/v1/featured_tags")) == 1
    assert await both.read(_rows) == {"post_tag": set(), "followed_tag": {ONE}, "featured_tag": {ONE}}
    far = await both.write(remote, "zoe", "far.example")
    new = {await both.write(_arrive, far, hashtags=(each,)) for each in SPELLINGS}
    assert {each.id for each in await both.read(home_of, both.people["alice"].id)} == new
    found = await api.get(path)
    assert (found["following"], found["featuring"]) == (True, True)
    assert (await api.get("/api/v1/featured_tags"))[0]["url"] == found["url"]
    await api.post(f"{path}/unfollow")
    await api.post(f"{path}/unfeature")
    assert await both.read(home_of, both.people["alice"].id) == []
    rows = await both.read(_rows)
    assert (rows["followed_tag"], rows["featured_tag"]) == (set(), set())
    shown = await api.post("/api/v1/featured_tags", {"name": typed})
    assert await api.status("DELETE", f"/api/v1/featured_tags/{shown['id']}") == 200
    assert (await both.read(_rows))["featured_tag"] == set()


async def test_every_page_of_a_hashtag_has_them(server: Server) -> None:
    await server.publish("bob", f"A cup, #{SPELLINGS[1]}")
    nobody = await server.api()
    paths = [
        route.path
        for route in ROUTES
        if isinstance(route, Route) and "/tags/" in route.path and "GET" in (route.methods or ())
    ]
    assert len(paths) == 2
    for path in paths:
        for typed in ALL:
            address = path.replace("{name}", quote(typed, safe="")).replace("{format:feed}", "json")
            answer = await nobody.http.get(address, headers={"accept": "text/html"})
            assert answer.status_code == 200
            assert "A cup" in answer.text, address


@pytest.mark.parametrize("typed", SPELLINGS)
@pytest.mark.parametrize("sign", ["#", "\uff03"])
def test_a_filter_finds_it_however_it_was_typed(typed: str, sign: str) -> None:
    for written in SPELLINGS:
        word = Keyword(id=1, keyword=f"{sign}{typed}", whole_word=True)
        kept = Filter(id=1, title="", contexts=("home",), action="hide", expires=None, keywords=(word,), posts=())
        sieve = FilterMatcher(((kept, pattern_of(kept.keywords)),), 1)
        assert len(sieve.matches(1, 2, f"A cup, #{written}")) == 1, written
        assert sieve.matches(1, 2, f"A cup, #{written}s") == []


async def test_what_was_stored_before_is_found_as_well(both: Server) -> None:
    alice = both.people["alice"].id
    old = [await both.publish("bob", f"#{typed}", visibility=Visibility.PUBLIC) for typed in SPELLINGS[:2]]

    def as_it_was(tx: Tx) -> None:
        for post, typed in zip(old, SPELLINGS, strict=False):
            tx.run("update post_tag set tag = :tag where post = :post", tag=typed.lower(), post=post.id)
        for number, typed in enumerate(SPELLINGS[:2]):
            tx.run(
                "insert into followed_tag (account, tag, name, id) values (:a, :t, :t, :n)", a=alice, t=typed, n=number
            )
            tx.run("insert into featured_tag (account, tag, name) values (:a, :t, :t)", a=alice, t=typed)
        tx.run("delete from schema_version where version >= :v", v=step.version)

    step = next(each for each in migrate.known_migrations() if each.name == "hashtags")
    await both.write(as_it_was)
    assert await both.write(migrate.apply, step)
    assert await both.read(_rows) == {"post_tag": {ONE}, "followed_tag": {ONE}, "featured_tag": {ONE}}
    assert {each.id for each in await both.read(timelines.tagged, 0, TagFilter(tag=key(ONE)))} == {
        each.id for each in old
    }
    assert await both.read(tags.featured_names, alice) == [ONE]
