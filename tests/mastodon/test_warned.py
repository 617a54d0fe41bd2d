"""What stands below a content warning is told by no route and no message beside it: no text, no picture.

Random posts with warnings are made, and every route of the pages, every row of the API, every stream, every message
that goes out and every push message is searched for the words that are hidden.
"""

from __future__ import annotations

import json
import random
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from fediblog.actions import category_actions, post_actions, reaction_actions
from fediblog.actions.drafts import File, PollDraft
from fediblog.app import ROUTES
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Category, Post
from fediblog.federation.outbound import push_messages
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.streaming.stream_messages import messages
from fediblog.mastodon.streaming.streams import STREAMS, Stream
from fediblog.protocol.webpush import encode
from fediblog.store.posts import categories, media_files
from fediblog.store.queues import events
from fediblog.store.queues.events import Event
from fediblog.store.queues.push_subscriptions import Subscription
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.server import Api, Server
from tests.security.reading import reader, visitor
from tests.security.test_privacy import flat
from tests.store.makers import notices_of

HIDDEN = "plover"
TAG = "dunlin"  # of documents and apps, which show it as they show the text; not of pages and feeds
WARNING = "Careful"
TYPES = ("text/html", "application/activity+json", "*/*")
QUERIES = ("", "page=1", "q=sea", "reply={n}", "quote={n}", "show=articles", "show=replies")
READ = sorted({route.path for route in flat(ROUTES) if "GET" in (route.methods or ())})
_PART = re.compile(r"{(\w+)(?::\w+)?}")
_BELOW = {  # what a document holds of the post itself, under the warning that stands beside it
    *("content", "contentMap", "source", "attachment", "image", "oneOf", "anyOf"),
    *("media_attachments", "poll", "text", "params"),
}
_VOID = {"meta", "link", "img", "input", "br", "hr", "path", "wbr"}


class Page(HTMLParser):
    """The hidden words that a page shows outside of what a reader must open, and of the form of their author."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[str] = []
        self.feed(page)

    def _look(self, text: str) -> None:
        below = "details" in self.open and "summary" not in self.open
        if any(word in text.lower() for word in (HIDDEN, TAG)) and not below and "sheet" not in self.open:
            self.found.append(f"{self.open[-3:]} {text[:200]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(" ".join(value or "" for _, value in attrs))
        if tag not in _VOID:
            self.open.append("sheet" if dict(attrs).get("class") == "sheet" else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self._look(data)


def told(value: Any, warned: bool = False) -> list[str]:
    """The hidden words in JSON that do not stand below a warning."""
    if isinstance(value, list):
        return [each for entry in value for each in told(entry, warned)]
    if isinstance(value, dict):
        has = WARNING in (value.get("spoiler_text"), value.get("summary"), value.get("dcterms:subject"))
        return [
            each
            for key, entry in value.items()
            for each in told(entry, (warned or (has and key in _BELOW)) and key != "preview")
        ]
    return [value[:200]] if isinstance(value, str) and HIDDEN in value.lower() and not warned else []


def upload(tx: Tx, account: Account, number: int) -> int:
    name = f"pl/ov/{HIDDEN}{number:026}.png"
    return media_files.add(
        tx, account.id, media_type="image/png", file=name, large="", small="", width=9, height=9, blurhash="", size=1
    )


async def written(server: Server, dice: random.Random) -> list[Post]:
    """Notes, polls and articles with warnings, with and without pictures, answers and quotations among them."""
    made: list[Post] = []
    for number in range(8):
        author = server.people[dice.choice(("alice", "bob"))]
        text = f"The {HIDDEN} lives {HIDDEN}. #sea #{TAG} @alice @bob"
        if dice.random() < 0.6:
            text += f"\n\n![{HIDDEN}](https://far.example/{HIDDEN}.png)"
        fields: dict[str, Any] = {"warning": WARNING}
        if number % 2:
            fields |= {"title": f"Birds {number}", "summary": dice.choice(("", "About birds"))}
            if dice.random() < 0.6:
                fields["hero"] = File(upload=await server.write(upload, author, 100 + number), alt=HIDDEN)
        elif dice.random() < 0.4:
            fields["poll"] = PollDraft(options=(f"{HIDDEN} one", f"{HIDDEN} two"))
        if dice.random() < 0.6 and "poll" not in fields:
            fields["files"] = (File(upload=await server.write(upload, author, number), alt=HIDDEN),)
        if made and dice.random() < 0.4:
            fields["reply_to"] = dice.choice(made).id
        elif made and dice.random() < 0.5:
            fields["quote"] = dice.choice(made).id
        made.append(await server.publish(author.handle, text, **fields))
        for each in ("alice", "bob"):
            await server.write(reaction_actions.boost, server.site.urls, server.people[each].id, made[-1].id)
        await server.write(reaction_actions.like, server.site.urls, server.people["bob"].id, made[-1].id)
    first = made[0]
    await server.write(
        wording.edit,
        server.site.urls,
        first.account.id,
        first.id,
        post_actions.Draft(source=f"A second {HIDDEN} #sea", warning=WARNING),
    )
    return made


def filed(tx: Tx, made: list[Post]) -> None:
    """All of them filed under one category."""
    number = category_actions.add(tx, Category(id=0, name="Sea", slug="sea")).id
    for post in made:
        categories.file_under(tx, post.id, [number])


def filled(path: str, post: Post) -> str:
    parts = urlsplit(post.url).path.split("/")
    known = {"n": post.id, "number": post.id, "handle": post.account.handle, "slug": parts[-1], "name": "sea"}
    known |= {"slug": "sea"} if path.startswith("/category/") else {}
    known |= {"year": parts[2] if len(parts) > 3 else "2025", "month": parts[3] if len(parts) > 3 else "06"}
    known |= {"version": "2.0", "path": "x", "rest": "v1/none", "format": "{format}"}
    known |= {"owner": f"p{post.id}", "mark": "A" * 22}
    return _PART.sub(lambda found: str(known[found[1]]), path)


async def searched(browser: Any, path: str, accept: str) -> None:
    answer = await browser.get(path, headers={"accept": accept})
    kind = answer.headers.get("content-type", "")
    assert HIDDEN not in str(answer.headers).lower(), path
    if "feed" in path:
        assert not any(word in answer.text.lower() for word in (HIDDEN, TAG)), path
    elif "html" in kind:
        assert Page(answer.text).found == [], path
    elif "json" in kind:
        assert told(answer.json()) == [], path
    elif not path.startswith("/media"):
        assert HIDDEN not in answer.text.lower(), path


@pytest.fixture(params=range(2))
async def hiding(request: pytest.FixtureRequest, server: Server) -> tuple[Server, list[Post]]:
    await server.follow("alice", "bob")
    await server.follow("bob", "alice")
    made = await written(server, random.Random(request.param))
    await server.write(filed, made)
    return server, made


@pytest.mark.slow
async def test_no_page_feed_or_document_tells_it(hiding: tuple[Server, list[Post]]) -> None:
    server, made = hiding
    browsers = [visitor(server.site, server.app), await reader(server.site, server.people["alice"], server.app)]
    done: set[tuple[int, str, str]] = set()
    for post in made:
        for path in READ:
            whole = filled(path, post)
            for form in ("atom", "rss", "json") if "{format}" in whole else ("",):
                for query in QUERIES:
                    for accept in TYPES if not query else TYPES[:1]:
                        for number, browser in enumerate(browsers):
                            address = f"{whole.replace('{format}', form)}?{query.format(n=post.id)}"
                            if (number, address, accept) not in done:
                                done.add((number, address, accept))
                                await searched(browser, address, accept)


@pytest.mark.slow
async def test_no_call_of_the_api_tells_it(hiding: tuple[Server, list[Post]]) -> None:
    server, made = hiding
    api = Api(server.app, server.site.urls.origin, await server.token("alice"), address="127.0.0.1")
    numbers = {"lists": "1", "filters": "1", "name": "sea", "stream": "user", "domain": "x.example"}
    for post in made:
        ids = numbers | {"statuses": str(post.id), "accounts": str(post.account.id), "polls": str(post.id)}
        for row in (row for row in ENDPOINTS if row.method == "GET"):
            parts = row.path.split("/")
            for place, part in enumerate(parts):
                if part.startswith("{"):
                    parts[place] = numbers.get(part[1:-1]) or ids.get(parts[place - 1], "1")
            asked = {"limit": "40", "q": "sea", "acct": "bob", "url": post.url, "id[]": [str(post.id)]}
            answer = await api.call("GET", "/".join(parts), params=asked)
            if answer.status_code == 200 and "json" in answer.headers.get("content-type", ""):
                itself = row.path.endswith("/source") or row.gives == "Poll"  # not derived: the text, the poll
                assert itself or told(answer.json()) == [], row.path
    shown = await api.get("/api/oembed", url=quote(made[0].url, safe=":/@"))
    assert shown["title"] == WARNING or made[0].title


def _heard(tx: Tx, server: Server, event: Event) -> list[Any]:
    places = [(each.id, Stream(name, "sea")) for each in server.people.values() for name in STREAMS if name != "list"]
    found = messages(tx, server.site.keep(EntityContext), event, places).values()
    return [json.loads(each.payload) for each in found if each.payload.startswith("{")]


async def test_no_stream_tells_it(hiding: tuple[Server, list[Post]]) -> None:
    server, _ = hiding
    happened = await server.read(events.since, 0, ())
    assert {each.kind for each in happened} >= {events.POST, events.BOOST, events.EDIT, events.NOTICE}
    for event in happened:
        for payload in await server.read(_heard, server, event):
            assert told(payload) == [], event.kind


async def test_nothing_that_goes_out_tells_it(hiding: tuple[Server, list[Post]]) -> None:
    server, made = hiding
    rows = await server.read(lambda tx: tx.all("select kind, body from outgoing"))
    assert len(rows) >= len(made)
    previews = 0
    for row in rows:
        document = json.loads(row.body)
        assert told(document) == [], row.kind
        inner = document.get("object")
        preview = inner.get("preview") if isinstance(inner, dict) else None
        previews += preview is not None
        assert HIDDEN not in json.dumps(preview).lower()
        assert preview is None or "attachment" not in preview
    assert previews


async def test_no_push_message_tells_it(hiding: tuple[Server, list[Post]]) -> None:
    server, _ = hiding
    subscription = Subscription(
        id=1, token=1, account=1, endpoint="https://push.test", key="", secret="", sealed=encode(b"x" * 40),
        standard=True, policy="all", alerts={},
    )  # fmt: skip
    seen = 0
    for account in server.people.values():
        for notice in await server.read(notices_of, account.id):
            told_to = push_messages._payload(server.site, push_messages._Message(subscription, notice, "en"))
            seen += notice.post is not None
            assert HIDDEN not in json.dumps(told_to).lower()
    assert seen
