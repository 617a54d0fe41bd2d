"""What stands below a content warning is told by no route and no message beside it: no text, no picture.

Random posts with warnings are made, and every stream, every message that goes out and every push message is searched
for the words that are hidden; `security/test_crossed_posts.py` asks every route.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from fediblog.actions import post_actions, reaction_actions
from fediblog.actions.drafts import File, PollDraft
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.federation.outbound import push_messages
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.streaming.stream_messages import messages
from fediblog.mastodon.streaming.streams import STREAMS, Stream
from fediblog.protocol.webpush import encode
from fediblog.store.posts import media_files
from fediblog.store.queues import events
from fediblog.store.queues.events import Event
from fediblog.store.queues.push_subscriptions import Subscription
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.server import Server
from tests.store.makers import notices_of

HIDDEN = "plover"
TAG = "dunlin"
WARNING = "Careful"
BELOW = {  # what a document holds of the post itself, under the warning that stands beside it
    *("content", "contentMap", "source", "attachment", "image", "oneOf", "anyOf"),
    *("media_attachments", "poll", "text", "params"),
}


def told(value: Any, warned: bool = False) -> list[str]:
    """The hidden words in JSON that do not stand below a warning."""
    if isinstance(value, list):
        return [each for entry in value for each in told(entry, warned)]
    if isinstance(value, dict):
        has = WARNING in (value.get("spoiler_text"), value.get("summary"), value.get("dcterms:subject"))
        return [
            each
            for key, entry in value.items()
            for each in told(entry, (warned or (has and key in BELOW)) and key != "preview")
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


@pytest.fixture(params=range(2))
async def hiding(request: pytest.FixtureRequest, server: Server) -> tuple[Server, list[Post]]:
    await server.follow("alice", "bob")
    await server.follow("bob", "alice")
    made = await written(server, random.Random(request.param))
    return server, made


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
