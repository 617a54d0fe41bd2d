"""Everybody asks every address, and reads nothing but what the world's own rule says: posts of every kind crossed with
audiences, warnings, states, blocks, follows and viewers.

Each GET route of the pages and each GET row of the API is asked, its places filled with what there is: a route whose
places nothing fills makes the test fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from html.parser import HTMLParser
from itertools import count, cycle, product
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from fediblog.actions import import_actions
from fediblog.app import ROUTES, create_app
from fediblog.federation import relation_import
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.streaming.stream_messages import Message, hears, messages
from fediblog.mastodon.streaming.streams import LIST, STREAMS, Stream
from fediblog.prepare import relation_csv
from fediblog.protocol import cavage
from fediblog.store.people import apps
from fediblog.store.queues import events, job_kinds, job_queue
from fediblog.store.queues.events import Event
from fediblog.store.tx import Tx
from tests.federation.stranger import ACTIVITY, ORIGIN, home
from tests.mastodon.test_warned import BELOW as UNDER
from tests.postgres import Cluster
from tests.security import crossed_posts
from tests.security.crossed_posts import BELOW, MARK, OURS, Crossed, word
from tests.security.reading import reader
from tests.security.test_privacy import flat

READ = sorted({route.path for route in flat(ROUTES) if "GET" in (route.methods or ())})
CALLS = [row for row in ENDPOINTS if row.method == "GET"]
WIDE = ("read", "write", "follow", "push", "profile", "admin:read", "admin:write")
NARROW = ("profile",)
SIGNERS = ("zoe", "yan", "eve")  # who ask from other servers
QUERIES = (  # several at once: few routes read any, and none reads two of which one hides what the other shows
    "page=1&q=zqshelf&show=articles&branch={n}",
    "after=0&show=replies&reply={n}&focus={n}",
    "before=9223372036854775807&show=boosts&quote={n}",
)
LISTED = ("local=true", "remote=true", "only_media=true", "pinned=true", "exclude_replies=true", "exclude_reblogs=true")
BY_ADDRESS = ("/api/oembed", "/api/v1/timelines/link")
SHOWING = {  # among what has to show something, or the walk has asked nothing
    *("/", "/archive", "/archive/{year:year}/{month:month}", "/search", "/stream", "/notices", "/drafts", "/trash"),
    "/trash/{n:number}",
    *("/feed.{format:feed}", "/@{handle:handle}", "/@{handle:handle}/feed.{format:feed}", "/category/{slug}", "/write"),
    *("/category/{slug}/feed.{format:feed}", "/tags/{name}/feed.{format:feed}", "/sitemap-{n:number}.xml"),
    *("/tags", "/tags/{name}"),
    *("/p/{number:number}", "/a/{number:number}/outbox", "/a/{number:number}/featured", "/x/{number:number}"),
    *("/api/oembed", "/api/v2/search", "/api/v1/timelines/home", "/api/v1/timelines/public", "/api/v1/bookmarks"),
    *("/api/v1/timelines/list/{id}", "/api/v1/timelines/tag/{name}", "/api/v1/statuses/{id}/context"),
    *("/api/v1/statuses", "/api/v1/notifications", "/api/v2/notifications", "/api/v1/conversations"),
    *("/api/v1/trends/statuses", "/api/v1/favourites", "/api/v1/scheduled_statuses", "/api/v1/accounts/{id}/statuses"),
}
UNKNOWN = word(99, "t")  # which stands in nothing
_VOID = {"meta", "link", "img", "input", "br", "hr", "path", "wbr", "source", "col"}
_IS_OF_ONE = re.compile(
    r"[{]|/(?:stream|notices|drafts|trash|deliveries|write|share|notifications|bookmarks|favourites|conversations"
    r"|oembed|streaming|moderation)\b|/statuses$"
)
"""Routes that are about one post or person, or that list what somebody wrote, kept, was told or has to judge."""
_NO_COOKIE = re.compile(r"/feed\b|^/[a-z]/{number:number}|^/sitemap")
"""Feeds, documents and sitemaps: whoever has signed in is anybody there."""
_SAME = ("/api/oembed", "/tags", "/api/v1/trends/tags", "/api/v1/trends")
"""What is the same for all who ask: hashtags are counted once, and other pages show only what is open."""
_ITSELF = re.compile(r"^/api/v1/(?:statuses/{id}/source|polls/{id}|media/{id}|scheduled_statuses\b.*)$")
"""Calls that give no more than a text or file to its author, or a poll: no warning stands beside these."""
_OWN_FILES = ("/api/v1/media/{id}", "/write/pictures")
"""What shows somebody their own uploads, without posts."""
Mark = tuple[int, str]


@dataclass(frozen=True)
class Answer:
    """What came back; of pictures without their bytes. `kind` is the media type."""

    status: int
    headers: str
    kind: str
    text: str


@dataclass(frozen=True)
class Viewer:
    """Somebody who asks; `who` is nothing for anybody at all. `name` says how they ask."""

    name: str
    who: str
    headers: tuple[tuple[str, str], ...] = ()
    scopes: tuple[str, ...] = ()  # of the token
    is_browser: bool = False

    def is_known_at(self, route: str) -> bool:
        """Whether a route asks who this is, and lets them in: else they are anybody at all."""
        return self.scopes != NARROW and route not in _SAME and not (self.is_browser and _NO_COOKIE.search(route))


async def fetch(app: Any, address: str, headers: tuple[tuple[str, str], ...]) -> Answer:
    """One GET, without a client between: there are thousands of them."""
    parts, sent = urlsplit(address), []
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https"},
        **{"path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode()},
        **{"root_path": "", "client": ("127.0.0.1", 5000), "server": ("home.test", 443)},
        "headers": [(name.encode(), value.encode()) for name, value in (("host", "home.test"), *headers)],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    body = b"".join(each.get("body", b"") for each in sent[1:])
    kind = told.get("content-type", "")
    text = "" if kind.startswith("image/") else body.decode()
    return Answer(sent[0]["status"], str(told), kind, text)


class Shown(HTMLParser):
    """The words of posts that a page shows without anything being opened for them, outside of its author's form."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: set[Mark] = set()
        self.feed(page)

    def _look(self, text: str) -> None:
        below = "details" in self.open and "summary" not in self.open
        if not below and "own form" not in self.open:
            self.found |= marks(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(" ".join(value or "" for _, value in attrs))
        if tag not in _VOID:
            self.open.append("own form" if tag == "form" and dict(attrs).get("id") == "write" else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self._look(data)


def marks(text: str) -> set[Mark]:
    """Which parts of which posts a text has words of."""
    return {(int(number), part.lower()) for number, part in MARK.findall(text)}


def told(value: Any, warned: bool = False) -> set[Mark]:
    """The words in JSON that do not stand below a warning."""
    if isinstance(value, list):
        return {each for entry in value for each in told(entry, warned)}
    if isinstance(value, dict):
        has = any(MARK.search(str(value.get(name) or "")) for name in ("spoiler_text", "summary", "dcterms:subject"))
        has = has and value.get("type") != "Link" and "version" not in value
        found: set[Mark] = set()
        for name, entry in value.items():
            found |= told(entry, (warned or (has and name in UNDER)) and name != "preview")
        return found
    return marks(value) if isinstance(value, str) and not warned else set()


@dataclass
class Walk:
    """One world, its application, and what was met on the way."""

    world: Crossed
    app: Any
    seen: dict[str, set[tuple[str, int]]] = field(default_factory=dict)  # who read which post, by kind of route
    faults: dict[str, str] = field(default_factory=dict)  # with the address where each was met first

    async def ask(
        self, viewer: Viewer, route: str, address: str, accept: str = "", more: tuple[Any, ...] = ()
    ) -> Answer:
        """Ask, and judge what is told."""
        headers = (*viewer.headers, *more, *((("accept", accept),) if accept else ()))
        answer = await fetch(self.app, address, headers)
        assert answer.status < 500, (route, address, answer.text[:300])
        assert answer.status != 429, "then nothing is shown for a reason of its own"
        self.judge(viewer, route, address, answer)
        return answer

    def judge(self, viewer: Viewer, route: str, address: str, answer: Answer) -> None:
        """Write down each word that is told to whom it must not be, or in spite of a warning."""
        world, known = self.world, marks(unquote(address))
        found = (marks(answer.text) | marks(unquote(answer.headers))) - known
        who = viewer.who if viewer.is_known_at(route) else ""
        if route in _OWN_FILES:  # whatever became of the posts
            found = {
                (number, part) for number, part in found if part not in "am" or world.written[number].author != who
            }
        for number, part in found:
            it = world.written[number]
            if route.startswith("/trash") and it.state == "deleted" and it.author == who:
                pass  # what somebody deleted is there for that one alone
            elif not world.may_read(who, number) and not self.is_link(answer, number, part):
                self.fault(viewer, route, address, f"{part} of {it}")
            elif not _IS_OF_ONE.search(route) and not world.is_for_lists(who, number):
                self.fault(viewer, route, address, f"in a list {part} of {it}")
            self.seen.setdefault(route, set()).add((viewer.name, number))
        hidden = {(number, part) for number, part in found if world.written[number].warned and part in BELOW | {"g"}}
        if hidden and (shown := hidden & self.outside(route, answer, hidden)):
            self.fault(viewer, route, address, f"in spite of a warning {sorted(shown)}")
        for boost in world.boosts:
            is_asked = boost in address.partition("?")[0]
            is_told = answer.status == 200 if is_asked else boost in answer.text and boost not in address
            if is_told and not world.may_know_of_boost(who, boost):
                self.fault(viewer, route, address, f"of the boost {world.boosts[boost]}")

    def check(self, showing: AbstractSet[str] = frozenset()) -> None:
        """Fail for what was told to whom it must not be, and where a route among `showing` has shown nothing."""
        assert not self.faults, "\n".join(f"{what} ({address})" for what, address in [*self.faults.items()][:20])
        assert not showing - set(self.seen), showing - set(self.seen)
        assert {it.state for it in self.world.written.values()} >= {"published", "draft", "scheduled", "deleted"}
        assert {it.audience for it in self.world.written.values()} == set(crossed_posts.AUDIENCES)

    def has_read(self, viewer: Viewer, number: int) -> bool:
        """Whether somebody was shown a post anywhere."""
        return any((viewer.name, number) in each for each in self.seen.values())

    def is_link(self, answer: Answer, number: int, part: str) -> bool:
        """Whether somebody else's text links to a post that is open to all, whose title stands in its address."""
        post = self.world.written[number].post
        if post is None or part != "h" or not self.world.may_read("", number):
            return False
        return (number, part) not in marks(answer.text.replace(post.url, ""))

    def fault(self, viewer: Viewer, route: str, address: str, what: str) -> None:
        """Somebody was told what is not for them."""
        self.faults.setdefault(f"{viewer.name} is told by {route} {what}", address)

    def outside(self, route: str, answer: Answer, hidden: set[Mark]) -> set[Mark]:
        """What stands before a warning that hides it, or without one."""
        found = marks(unquote(answer.headers))
        if "html" in answer.kind:
            return found | Shown(answer.text).found
        if _ITSELF.search(route):
            return found
        if "json" in answer.kind and "/feed" not in route:
            tags = {"g"} if route not in _SAME else set()  # below a warning they are listed to nobody
            return found | {(number, part) for number, part in told(json.loads(answer.text)) if part not in tags}
        return found | hidden


Subject = dict[str, str]
"""What fills the places of a route: by the place and the part before it, since a number does not say of what it is."""


def places(path: str) -> list[str]:
    """What is to be filled in a route, in order."""
    parts = path.replace(".{", "/.{").split("/")
    return ["/".join(parts[at - 1 : at + 1]) for at, part in enumerate(parts) if "{" in part]


def filled(path: str, subject: Subject) -> str:
    """The address."""
    for place in places(path):
        path = path.replace(place.split("/")[1], quote(subject[place], safe="@.-"), 1)
    return path


def addresses(path: str, subjects: list[Subject]) -> list[str]:
    """All that a route has for these subjects."""
    wanted = places(path)
    fitting = [subject for subject in subjects if all(place in subject for place in wanted)]
    assert fitting, f"{path}: nobody knows what fills {wanted}"
    return list(dict.fromkeys(filled(path, subject) for subject in fitting))


async def subjects(world: Crossed) -> list[Subject]:
    """Everything that an address may be about: posts, accounts, boosts, and the rest."""
    rows = await world.home.site.db.read(_numbers)
    made: list[Subject] = []
    for it in world.written.values():
        if it.post is None:
            made.append({"/{slug:slug}": word(it.number, "h")})
            continue
        number, path = str(it.post.id), urlsplit(it.post.url).path.split("/")
        subject = {f"{name}/{{number:number}}": number for name in ("p", "c", "x")}
        subject |= {f"{name}/{{n:number}}": number for name in ("post", "write")}
        subject |= {f"{name}/{{id}}": number for name in ("polls", "statuses", "scheduled_statuses")}
        subject |= {f"{name}/{{name}}": word(it.number, "g") for name in ("tag", "tags")}
        subject |= {"remote/{owner:owner}": f"p{number}", "{owner:owner}/{mark:mark}": "A" * 22}
        if it.author in crossed_posts.HOSTS:
            made.append(subject)
            continue
        dated = path[2:] if len(path) > 4 else ["2025", "06", it.post.slug or "none"]
        subject |= {"/@{handle:handle}": f"@{it.author}"}
        subject |= {"@{handle:handle}/{n:number}": number, "@{handle:handle}/{number:number}": number}
        subject |= {"@{handle:handle}/{year:year}": dated[0], "{year:year}/{month:month}": dated[1]}
        subject |= {"{month:month}/{slug}": dated[2]}
        made.append(subject)
    for name, account in world.people.items():
        number = str(account.id)
        subject = {"a/{number:number}": number, "account/{n:number}": number, "requests/{id}": number}
        subject |= {"people/{n:number}": number}
        subject |= {"accounts/{id}": number, "remote/{owner:owner}": f"a{number}"}
        subject |= {"{owner:owner}/{mark:mark}": "A" * 22}
        made.append(subject | ({} if name in crossed_posts.HOSTS else {"/@{handle:handle}": f"@{name}"}))
    made += [{"x/{number:number}": boost, "post/{n:number}": boost, "statuses/{id}": boost} for boost in world.boosts]
    for table, found in rows.items():
        made += [{place: str(number) for place in _OF[table]} for number in found]
    rest = {
        **{"api/{rest:path}": "v1/none", "oauth/{rest:path}": "none", "streaming/{rest:path}": "none"},
        **{"nodeinfo/{version}": "2.0", "/sitemap-{n:number}.xml": "1", "media/{name:path}": "none"},
        **{"category/{slug}": world.category, "emoji/{name}": "none", "notifications/{key}": "none"},
        **{"emoji/{mark:mark}": "A" * 22, "{mark:mark}/{encoded:encoded}": "bm9uZQ"},
        **{"archive/{year:year}": "2025", "{year:year}/{month:month}": "06"},
        **{f"{place}/{{id}}": "1" for place in ("domain_allows", "domain_blocks", "filters", "keywords")},
    }
    return [
        {**rest, **each, "feed/.{format:feed}": form} for form in (".atom", ".rss", ".json") for each in ({}, *made)
    ]


_OF = {  # places by the tables whose numbers fill them
    "quote_authorization": ("q/{number:number}",),
    "reply_authorization": ("r/{number:number}",),
    "user_list": ("list/{id}", "lists/{id}", "lists/{n:number}"),
    "notice": ("notifications/{id}",),
    "report": ("reports/{id}", "report/{n:number}"),
    "word_filter": ("filters/{n:number}",),
    "media": ("media/{id}",),
    "category": ("categories/{n:number}",),
    "page": ("pages/{n:number}",),
    "conversation": ("letters/{n:number}",),
    "passkey": ("passkeys/{n:number}",),
    "trash": ("trash/{n:number}",),
    "relation_import": ("import/{n:number}",),
}


def _numbers(tx: Tx) -> dict[str, list[int]]:
    return {table: [row.id for row in tx.all(f"select id from {table} order by id")] or [1] for table in _OF}


async def import_bookmarks(world: Crossed) -> None:
    """Everybody of ours tries to keep every post of ours by its address."""
    site = world.home.site
    uris = [it.post.uri for it in world.written.values() if it.post and it.author not in crossed_posts.HOSTS]
    lines = relation_csv.read("bookmarks", "\n".join(uris).encode())
    for name in crossed_posts.OURS:
        bring = partial(import_actions.bring, account=world.people[name].id, kind="bookmarks", file="", looks_like="")
        await site.db.write(partial(bring, found=lines, overwrite=False))
    while jobs := [each for each in await site.db.write(job_queue.claim, 99) if each.kind == job_kinds.IMPORT]:
        for job in jobs:
            await relation_import.step(site, job)
        world.home.clock.forward(seconds=relation_import.PAUSE // 1000)


@pytest.fixture(
    params=[
        *(pytest.param(("", seed), id=f"seed{seed}") for seed in (1, 2)),
        pytest.param(("postgres", 1), id="postgres", marks=pytest.mark.postgres),
    ]
)
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """The database of a world, nothing for a file of its own, and the seed that it is made from."""
    engine, seed = request.param
    if not engine:
        yield "", seed
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create(request.getfixturevalue("migrated_database"))
    yield cluster.url(name), seed
    cluster.drop(name)


@pytest.fixture
async def walk(place: tuple[str, int], tmp_path: Path) -> AsyncIterator[Walk]:
    database, seed = place
    async with home(tmp_path, database=database) as at_home:
        world = await crossed_posts.make(at_home, seed)
        await import_bookmarks(world)
        yield Walk(world, create_app(at_home.site))


async def test_everybody_reads_on_pages_what_is_for_them_and_nothing_else(walk: Walk) -> None:
    """As visitors and as people of ours in their browsers."""
    about, turn = await subjects(walk.world), count()
    nobody, members = Viewer("nobody", ""), [await member(walk, name) for name in OURS]
    numbers = cycle([each["p/{number:number}"] for each in about if "p/{number:number}" in each])
    for route in READ:
        for address in addresses(route, about):
            await walk.ask(nobody, route, address, "*/*")
            for viewer in (nobody, *members):
                await walk.ask(viewer, route, address, "text/html")
            is_of_post = re.search(r"{(?:n|number):number}|{slug}", route)
            for query in [QUERIES[next(turn) % len(QUERIES)]] if is_of_post else QUERIES:
                asked = f"{address}?{query.format(n=next(numbers))}"
                await walk.ask(nobody, route, asked, "text/html")
                await walk.ask(members[next(turn) % len(members)], route, asked, "text/html")
    for route, query in product(("/write", "/share"), ("reply", "quote")):
        for it, viewer in product(walk.world.written.values(), members):
            if it.post is not None:
                await walk.ask(viewer, route, f"{route}?{query}={it.post.id}", "text/html")
    for viewer in (nobody, *members):
        await search(walk, viewer, "/search")
    await check_sitemap(walk)
    walk.check({route for route in SHOWING if route in READ})
    for viewer, it in product(members, walk.world.written.values()):
        if (it.state == "published" or viewer.who == it.author) and walk.world.may_read(viewer.who, it.number):
            assert walk.has_read(viewer, it.number), (viewer.name, it)
        if it.state == "deleted" and viewer.who == it.author:
            assert (viewer.name, it.number) in walk.seen["/trash/{n:number}"], (viewer.name, it)


async def test_other_servers_read_what_is_for_their_people_and_nothing_else(walk: Walk) -> None:
    """Whatever route gives ActivityPub to anybody, asked by nobody and by servers that sign."""
    world, about, documents = walk.world, await subjects(walk.world), set[str]()
    for route in READ:
        for address in addresses(route, about):
            if "activity+json" in (await walk.ask(Viewer("nobody", ""), route, address, ACTIVITY)).kind:
                documents.add(route)
    assert documents >= {"/p/{number:number}", "/x/{number:number}", "/a/{number:number}/outbox", "/@{handle:handle}"}
    for route in sorted(documents):
        for address in addresses(route, about):
            for query in ("page=1", "after=0", "before=9223372036854775807"):
                await walk.ask(Viewer("nobody", ""), route, f"{address}?{query}", ACTIVITY)
            for name in SIGNERS:
                signer = Viewer(f"server of {name}", name, signed(world, name, address))
                await walk.ask(signer, route, address, ACTIVITY)
    walk.check()
    for name, it in product(SIGNERS, world.written.values()):
        if it.author in OURS and it.post is not None and it.state == "published" and world.may_read(name, it.number):
            read = (f"server of {name}", it.number) in walk.seen["/p/{number:number}"]
            assert read == (name not in world.suspended), (name, it)


async def test_programs_read_what_is_for_their_people_and_nothing_else(walk: Walk) -> None:
    """Every row of the API, search, and what would be sent to who listens."""
    programs = [await program(walk, name, WIDE) for name in OURS]
    viewers = [Viewer("nobody", ""), *programs]
    await ask_api(walk, await subjects(walk.world), [*viewers, await program(walk, "alice", NARROW)])
    for viewer in viewers:
        await search(walk, viewer, "/api/v2/search")
    await listen(walk)
    walk.check({route for route in SHOWING if route.startswith("/api/")} | {"/api/v1/streaming/list"})
    for viewer, it in product(programs, walk.world.written.values()):
        if it.post is not None and it.state == "published" and walk.world.may_read(viewer.who, it.number):
            assert walk.has_read(viewer, it.number), (viewer.name, it)
    shown = {number for name, number in walk.seen["/api/oembed"] if name == "nobody"}
    assert {walk.world.written[number].warned for number in shown} == {True, False}


async def ask_api(walk: Walk, about: list[Subject], viewers: list[Viewer]) -> None:
    """Every row of the API, with the places in its path and in its query filled."""
    written = [it.post for it in walk.world.written.values() if it.post is not None]
    given = "&".join(f"id[]={post.id}" for post in written)
    for row in CALLS:
        walk.world.home.clock.forward(minutes=5)  # no program may ask more in that time
        variants = ("", *LISTED) if row.gives == "Status[]" else ("",)
        for address, viewer, variant in product(addresses(row.path, about), viewers, variants):
            if not variant or "{" not in row.path or viewer.scopes == WIDE:
                query = f"limit=40&acct=bob&q=zqshelf&domain=far.test&{given}&url={quote(written[0].url)}&{variant}"
                await walk.ask(viewer, row.path, f"{address}?{query}")
        for post, viewer in product(written, viewers[:3] if row.path in BY_ADDRESS else ()):
            await walk.ask(viewer, row.path, f"{row.path}?url={quote(post.url)}")


async def search(walk: Walk, viewer: Viewer, route: str) -> None:
    """Look for each post by a word of it: where it is not for somebody, the answer is as if there were none."""
    nothing = await walk.ask(viewer, route, f"{route}?q={UNKNOWN}", "text/html")
    for it in walk.world.written.values():
        asked = word(it.number, "t")
        answer = await walk.ask(viewer, route, f"{route}?q={asked}", "text/html")
        if not walk.world.may_read(viewer.who, it.number):
            assert answer.text.replace(asked, UNKNOWN) == nothing.text, f"{viewer.name} can tell that {it} is there"


async def check_sitemap(walk: Walk) -> None:
    """What search engines are led to, by the addresses of posts: a note has no word in its own."""
    listed = (await walk.ask(Viewer("nobody", ""), "/sitemap-{n:number}.xml", "/sitemap-1.xml")).text
    for it in walk.world.written.values():
        if it.post is not None and f"<loc>{it.post.url}</loc>" in listed:
            assert (it.audience, it.warned) == ("public", False), it
            assert walk.world.may_read("", it.number), it


async def listen(walk: Walk) -> None:
    """What has happened, as it would be sent to everybody who listens."""
    site, tokens = walk.world.home.site, {}
    for name in OURS:
        token = await site.db.read(apps.token, apps.digest(f"token-{name}-{len(WIDE)}"))
        assert token is not None
        tokens[name] = token
    streams = [Stream(name, walk.world.category) for name in STREAMS if name != LIST]
    streams += [Stream(LIST, str(number)) for number in (await site.db.read(_numbers))["user_list"]]

    def heard(tx: Tx, event: Event) -> dict[tuple[int, Stream], Message]:
        pairs = product(tokens.values(), streams)
        asked = [(token.account or 0, stream) for token, stream in pairs if hears(stream, event, token)]
        return messages(tx, site.keep(EntityContext), event, asked)

    for event in await site.db.read(events.since, 0, ()):
        for (account, stream), message in (await site.db.read(heard, event)).items():
            name = next(name for name, token in tokens.items() if token.account == account)
            route = f"/api/v1/streaming/{stream.kind}"
            answer = Answer(200, "", "application/json", message.payload if message.payload.startswith("{") else "{}")
            walk.judge(Viewer(f"stream of {name}", name, scopes=WIDE), route, route, answer)


async def member(walk: Walk, name: str) -> Viewer:
    """A browser in which somebody of ours has signed in."""
    await reader(walk.world.home.site, walk.world.people[name], walk.app)
    return Viewer(f"{name} in a browser", name, (("cookie", f"__Host-session=token-of-{name}"),), is_browser=True)


async def program(walk: Walk, name: str, scopes: tuple[str, ...]) -> Viewer:
    """A program that acts for somebody of ours."""
    account = walk.world.people[name]
    secret = f"token-{name}-{len(scopes)}"
    await walk.world.write(apps.add_token, apps.digest(secret), scopes, login=account.login, account=account.id)
    return Viewer(f"an app of {name} ({len(scopes)})", name, (("authorization", f"Bearer {secret}"),), scopes)


def signed(world: Crossed, name: str, address: str) -> tuple[tuple[str, str], ...]:
    """Headers with which somebody's server signs."""
    person = world.strangers[name]
    headers = {"accept": ACTIVITY, "host": "home.test"}
    added = cavage.sign("GET", ORIGIN + address, headers, b"", person.key_id, person.key, world.home.clock.now // 1000)
    return tuple((key.lower(), value) for key, value in added.items() if key.lower() != "host")
