"""What is kept is what would be made anew: over every route, with headers of all kinds, in any number."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from fediblog.actions.drafts import Draft
from fediblog.app import ROUTES, create_app
from fediblog.counters import PAGE_CACHE
from fediblog.domain.documents import PUBLIC, Actor, Note, Visibility
from fediblog.markup.clean import clean
from fediblog.messages import LANGUAGES, text
from fediblog.messages.accept_language import wanted
from fediblog.store.posts import post_writing
from fediblog.store.posts.post_columns import Placement
from fediblog.web.components.render import static
from fediblog.web.page_cache import MOST_KEY, PageCache, key_of
from tests import wording
from tests.conftest import USUAL
from tests.remote_accounts import save_remote
from tests.world import World

HOST = "home.test"
EXAMPLES = int(os.environ.get("FEDIBLOG_TEST_EXAMPLES", "300"))
Fields = list[tuple[bytes, bytes]]
Answer = tuple[int, Fields, bytes]


def _flat(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route) and "GET" in (route.methods or ()):
            yield route.path


PATHS = sorted({path for path in _flat(ROUTES) if "streaming" not in path})
VALUES: dict[bytes, list[bytes]] = {
    b"accept": [
        *(b"", b"text/html", b"application/activity+json", b"*/*", b"application/json", b"text/html;q=0.1, */*"),
        *(b'application/ld+json; profile="https://www.w3.org/ns/activitystreams"', b"image/png"),
    ],
    b"if-none-match": [b"", b"*", b'"x"', b"TAG", b"W/TAG", b'"x", TAG'],
    b"if-modified-since": [b"Fri, 01 Jan 2100 00:00:00 GMT", b"Thu, 01 Jan 1970 00:00:00 GMT", b"?"],
    b"if-unmodified-since": [b"Thu, 01 Jan 1970 00:00:00 GMT"],
    b"if-match": [b"*", b'"x"'],
    b"range": [b"bytes=0-1", b"bytes=5-,0-0", b"?"],
    b"if-range": [b"TAG", b'"x"'],
    b"host": [b"home.test", b"evil.test", b"home.test:443"],
    b"x-forwarded-host": [b"evil.test"],
    b"x-forwarded-proto": [b"http"],
    b"x-forwarded-for": [b"192.0.2.7"],
    b"forwarded": [b"for=192.0.2.7;host=evil.test"],
    b"origin": [b"https://evil.test", b"null"],
    b"sec-fetch-site": [b"cross-site"],
    b"sec-fetch-mode": [b"navigate"],
    b"accept-language": [
        *(b"", b"de", b"en", b"de-AT", b"de-DE,de;q=0.9,en;q=0.8", b"en-GB,en;q=0.5", b"pt", b"pt, de;q=0.1", b"*"),
        *(b"fr", b"de;q=0", b"de;q=0.2, en;q=0.1", b"x" * 500),
    ],
    b"accept-encoding": [b"gzip"],
    b"user-agent": [b"Mastodon/4.5", b"A browser"],
    b"referer": [b"https://evil.test/"],
    b"content-type": [b"application/json"],
    b"cookie": [b"__Host-flash=welcome", b"a=b"],
    b"authorization": [b"Bearer x"],
    b"signature": [b"x"],
    b"signature-input": [b"x"],
    b"cache-control": [b"no-cache", b"only-if-cached"],
    b"date": [b"Thu, 01 Jan 1970 00:00:00 GMT"],
    b"x-http-method-override": [b"DELETE"],
    b"x-requested-with": [b"XMLHttpRequest"],
    b"prefer": [b"return=minimal"],
}
BOB = Actor(
    uri="https://far.example/bob",
    kind="Person",
    handle="bob",
    inbox="https://far.example/inbox",
    url="https://far.example/@bob",
)
KEYED = (b"accept", b"if-none-match", b"accept-language")  # what is in the key


def heads_of(dice: Random) -> list[Fields]:
    """Some heads, made of a few lines, so that they often differ in the order and number of these alone."""
    names = dice.choices((*KEYED, *KEYED, b"accept", dice.choice(sorted(VALUES))), k=3)
    lines = [(name, dice.choice(VALUES[name])) for name in names]
    return [dice.choices(lines, k=dice.randrange(4)) for _ in range(8)]


@dataclass
class House:
    """A server with somebody and posts, once with what it keeps and once with nothing kept."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    world: World = field(default_factory=lambda: World(HOST))
    tags: dict[str, bytes] = field(default_factory=dict)
    asked: int = 0

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def furnish(self) -> None:
        await self.world.__aenter__()
        self.keeps = create_app(self.world.sites[HOST])
        self.fresh = create_app(self.world.sites[HOST])
        alice = await self.world.person(HOST, "alice")
        note = await self.world.do(HOST, wording.publish, alice.id, Draft(source="Hello #world"))
        await self.world.do(HOST, wording.publish, alice.id, Draft(source="Hello", title="A title"))
        far = await self.world.sites[HOST].db.write(save_remote, BOB, "far.example")
        answer = Note(
            uri=f"{BOB.uri}/1", kind="Note", author=BOB.uri, content=clean("Yes"), to=(PUBLIC,), in_reply_to=note.uri
        )
        placed = Placement(visibility=Visibility.PUBLIC)
        await self.world.sites[HOST].db.write(post_writing.insert, answer, far, placed)
        known = {"number": str(note.id), "n": str(note.id), "handle": "alice", "name": "alice", "tag": "world"}
        self.paths = [re.sub(r"{(\w+)(?::\w+)?}", lambda m: known.get(m[1], "alice"), path) for path in PATHS]
        self.paths += [note.url.removeprefix(f"https://{HOST}"), f"/p/{note.id}", f"/a/{alice.id}"]
        self.paths += [static("style.css").partition("?")[0], "/@alice/a-title"]

    def ask(self, app: Starlette, path: str, fields: Fields) -> Answer:
        """One answer. Each asker has an address of its own, so that no limit is met."""
        self.asked += 1
        address = f"10.{self.asked >> 16 & 255}.{self.asked >> 8 & 255}.{self.asked & 255}"
        scope: dict[str, Any] = {
            **{"type": "http", "http_version": "1.1", "method": "GET", "scheme": "https", "path": path},
            **{"raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": fields},
            **{"client": (address, 1), "server": (HOST, 443)},
        }
        sent: list[Any] = []

        bodies = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            return bodies.pop() if bodies else await asyncio.Future()  # nobody goes away

        async def send(message: Any) -> None:
            sent.append(message)

        self.run(app(scope, receive, send))
        body = b"".join(each.get("body", b"") for each in sent[1:])
        return sent[0]["status"], sorted(sent[0]["headers"]), body

    def tag(self, path: str) -> bytes:
        """The tag of a page, as its readers would send it back."""
        if path not in self.tags:
            self.tags[path] = dict(self.ask(self.fresh, path, [(b"accept", b"text/html")])[1]).get(b"etag", b'"y"')
        return self.tags[path]


def page_cache_of(app: Starlette) -> PageCache:
    """The layer that keeps answers."""
    layer: Any = app.middleware_stack
    while not isinstance(layer, PageCache):
        layer = layer.app
    return layer


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    made = House()
    made.run(made.furnish())
    yield made
    made.run(made.world.__aexit__(None, None, None))
    made.loop.close()


def compare(house: House, path: str, heads: list[Fields]) -> None:
    """Every answer is the same, whether or not others have asked before."""
    for head in heads:
        fields = [(name, value.replace(b"TAG", house.tag(path))) for name, value in head]
        kept = house.ask(house.keeps, path, fields)
        if house.fresh.middleware_stack is not None:
            page_cache_of(house.fresh).clear()
        fresh = house.ask(house.fresh, path, fields)
        same = kept == fresh  # told apart here: a difference between two pages is nothing to read
        assert same, (path, fields, kept[:2], fresh[:2])


_ASKED = st.lists(st.lists(st.sampled_from(VALUES[b"accept-language"]), max_size=2), min_size=2, max_size=8)
_TRIED = settings(
    max_examples=EXAMPLES * USUAL // 100,
    derandomize="FEDIBLOG_TEST_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@_TRIED
@given(dice=st.randoms(use_true_random=True))
def test_what_is_kept_is_what_would_be_made(house: House, dice: Random) -> None:
    compare(house, dice.choice(house.paths), heads_of(dice))


@_TRIED
@given(place=st.integers(min_value=0), asked=_ASKED)
def test_pages_of_two_languages_are_never_mixed(house: House, place: int, asked: list[list[bytes]]) -> None:
    """Whoever asks first and however it is said: everybody gets the page in the own language, and its tag."""
    _check_languages(house, house.paths[place % len(house.paths)], asked)


# Two lines of one name are one list (RFC 9110 section 5.3): of lengths and fillings that a key could take for others.
_ODD_LANGUAGES = [b"", b",", b" ,", b"de", b"en", b"de," + b"x" * 397, b"x" * 397 + b",de", b"x" * MOST_KEY]


@pytest.mark.parametrize("one", _ODD_LANGUAGES, ids=lambda value: repr(value[:4]) + str(len(value)))
def test_no_pair_of_lines_says_in_which_language_others_read(house: House, one: bytes) -> None:
    house.ask(house.keeps, "/@alice", [])  # else there is no cache yet
    for other in _ODD_LANGUAGES:
        page_cache_of(house.keeps).clear()
        _check_languages(house, "/@alice", [[one, other], [b"de"], [b"en"], []])


def _check_languages(house: House, path: str, asked: list[list[bytes]]) -> None:
    tags: dict[str, set[bytes]] = {}
    for values in asked:
        fields = [(b"accept", b"text/html"), *((b"accept-language", value) for value in values)]
        language = wanted(fields, "en")
        status, headers, body = house.ask(house.keeps, path, fields)
        if b"<html" in body:
            skip = text(language, "page.skip").encode()
            assert f'<html lang="{language}" dir="ltr">'.encode() in body, (path, values)
            assert b">" + skip + b"</a>" in body, (path, values)
            for other in LANGUAGES:
                said = text(other, "post.original-on", host="far.example").encode() in body
                assert said <= (language == other), (path, values)
            tags.setdefault(language, set()).add(dict(headers).get(b"etag", f"{status} {language}".encode()))
    assert all(len(each) == 1 for each in tags.values()), path
    assert len(set().union(*tags.values())) == len(tags), path


def test_the_same_language_is_kept_once(house: House) -> None:
    """However browsers write it."""
    cache = page_cache_of(house.keeps)
    for values, more in (((b"de", b"de-AT,de;q=0.5", b"pt,de;q=0.1"), 1), ((b"", b"en", b"pt", b"en-GB"), 1)):
        cache.clear()
        for value in values:
            house.ask(house.keeps, "/@alice", [(b"accept", b"text/html"), (b"accept-language", value)])
        assert len(cache._kept) == more


def test_what_is_kept_is_bounded_in_length(house: House) -> None:
    """Many long addresses fill no more memory than other answers do."""
    cache = page_cache_of(house.keeps)
    cache.clear()
    plain = [(b"accept", b"text/html")]
    room = MOST_KEY - len("/text/html")
    for headers in (plain, [*plain, (b"if-none-match", b"")]):
        assert key_of({"path": "/", "query_string": b"x" * room, "headers": headers}, "en") is not None
        assert key_of({"path": "/", "query_string": b"x" * (room + 1), "headers": headers}, "en") is None
    assert (
        key_of({"path": "/", "query_string": b"x" * room, "headers": [*plain, (b"if-none-match", b"y")]}, "en") is None
    )
    house.ask(house.keeps, "/@alice", plain)
    [(kept, (_, answer, weight))] = cache._kept._kept.items()
    assert weight == answer.size + sum(map(len, kept))


@pytest.mark.slow
def test_every_route_with_each_pair_of_lines(house: House) -> None:
    """Each header that answers are made of, in two lines, before and after the plain request."""
    before = PAGE_CACHE.total()
    accept = [(b"accept", value) for value in VALUES[b"accept"][:5]]
    tags = [(b"if-none-match", value) for value in (b"", b"TAG")]
    spoken = [(b"accept-language", value) for value in VALUES[b"accept-language"][:5]]
    since = [(b"if-modified-since", value) for value in VALUES[b"if-modified-since"]]
    for path in house.paths:
        pairs: list[Fields] = [[one, two] for one in accept for two in accept]
        pairs += [[(b"accept", b"text/html"), one, two] for one in tags for two in tags]
        pairs += [[(b"accept", b"text/html"), one, two] for one in spoken for two in spoken]
        pairs += [[one] for one in since]
        compare(house, path, [*pairs, [], *([one] for one in (*accept, *tags))])
    assert PAGE_CACHE.total() > before
