"""What is remembered of statuses is never shown once it is not so any more: against the same made anew."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from fediblog.actions import moderation_actions, post_actions, reaction_actions
from fediblog.actions.drafts import Draft, PollDraft
from fediblog.federation.site import Site
from fediblog.mastodon.entities.status_bytes import listed
from fediblog.mastodon.entities.status_entity import statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.timelines.timelines_api import shown
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts
from fediblog.store.posts import posts, reader_marks, timelines
from fediblog.store.readers import filters
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.server import Server

pytestmark = pytest.mark.slow

ROUNDS = 60
WORDS = ("hills", "lakes", "rain", "fog", "valley")
_KEEPS_ALL = ("id", "account", "uri", "local", "parent", "root", "poll", "quote", "visibility", "state", "published")


def differences(tx: Tx, site: Site, viewer: int, everybody: list[int]) -> list[str]:
    """Where the remembered answer is another than the one made anew, and what others have written about it."""
    found = []
    context = site.keep(EntityContext)
    window = Window(limit=40)
    for name, rows in (
        ("home", timelines.home(tx, viewer, window) if viewer else []),
        ("public", timelines.public(tx, viewer, window)),
        ("bookmarks", timelines.bookmarked(tx, viewer, window)),
    ):
        remembered: list[Any] = json.loads(listed(tx, context, rows, viewer))
        fresh = EntityContext(site)
        anew = json.loads(listed(tx, fresh, rows, viewer))
        # Those two by their own ways; what is beside a name may be some seconds old, so the same numbers for both.
        plain = json.loads(json.dumps(statuses(tx, context, shown(tx, rows, viewer), viewer)))
        for old, new, other in zip(remembered, anew, plain, strict=True):
            found += [
                f"{name}: {key}: {old.get(key)} != {other.get(key)}" for key in other if old.get(key) != other[key]
            ]
            found += [f"{name}: {key}" for key in old if key not in other]
            found += [f"{name}: {key} (anew)" for key in other if key not in _COUNTED and new.get(key) != other[key]]
    assert everybody
    return found


_COUNTED = ("account", "reblog", "quote")


class Actions:
    """Random things that people do, by one of them to something that is there."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.made: list[int] = []

    async def one(self) -> str:
        """Do something; whatever is refused is as good."""
        actions: list[Callable[[Tx, int, int], object]] = [
            self.publish, self.publish, self.answer, self.edit, self.delete, self.like, self.unlike, self.boost,
            self.unboost, self.rename, self.vote, self.block, self.unblock, self.mute, self.bookmark, self.pin,
            self.filter, self.quote, self.mute_thread, self.describe, self.withdraw, self.told,
        ]  # fmt: skip
        action = self.random.choice(actions)
        who = self.random.choice([each.id for each in self.server.people.values()])
        target = self.random.choice(self.made) if self.made else 0

        def run(tx: Tx) -> object:
            return action(tx, who, target)

        try:
            await self.server.write(run)
        except Exception as error:
            if not type(error).__module__.startswith("fediblog.errors"):
                raise
        self.server.clock.forward(ms=self.random.choice((0, 0, 1, 61_000)))
        return action.__name__

    def draft(self, **more: Any) -> Draft:
        words = " ".join(self.random.choices(WORDS, k=4))
        names = self.random.choice(("", " @alice", " @bob @carol"))
        return Draft(source=f"{words} #{self.random.choice(WORDS)}{names}", **more)

    def publish(self, tx: Tx, who: int, _: int) -> None:
        poll = PollDraft(options=("a", "b"), seconds=3600) if self.random.random() < 0.2 else None
        self.made.append(wording.publish(tx, self.server.site.urls, who, self.draft(poll=poll)).id)

    def answer(self, tx: Tx, who: int, target: int) -> None:
        self.made.append(wording.publish(tx, self.server.site.urls, who, self.draft(reply_to=target)).id)

    def quote(self, tx: Tx, who: int, target: int) -> None:
        other = posts.stored(tx, target)
        if other is not None and self.made:
            tx.run("update post set quote = :uri where id = :id", uri=other.uri, id=self.random.choice(self.made))

    def edit(self, tx: Tx, _: int, target: int) -> None:
        owner = posts.owner(tx, target)
        if owner is not None:
            wording.edit(tx, self.server.site.urls, owner.account, target, self.draft())

    def delete(self, tx: Tx, _: int, target: int) -> None:
        owner = posts.owner(tx, target)
        if owner is not None and self.random.random() < 0.4:
            post_actions.delete(tx, self.server.site.urls, owner.account, target)

    def like(self, tx: Tx, who: int, target: int) -> None:
        reaction_actions.like(tx, self.server.site.urls, who, target)

    def unlike(self, tx: Tx, who: int, target: int) -> None:
        reaction_actions.unlike(tx, self.server.site.urls, who, target)

    def boost(self, tx: Tx, who: int, target: int) -> None:
        reaction_actions.boost(tx, self.server.site.urls, who, target)

    def unboost(self, tx: Tx, who: int, target: int) -> None:
        reaction_actions.unboost(tx, self.server.site.urls, who, target)

    def rename(self, tx: Tx, who: int, _: int) -> None:
        accounts.update_profile(
            tx, who, name=self.random.choice(WORDS), icon=self.random.choice(("", "https://x.test/i"))
        )

    def vote(self, tx: Tx, who: int, target: int) -> None:
        reaction_actions.vote(tx, self.server.site.urls, who, target, ["a"])

    def block(self, tx: Tx, who: int, target: int) -> None:
        owner = posts.owner(tx, target)
        if owner is not None and self.random.random() < 0.3:
            moderation_actions.block(tx, self.server.site.urls, who, owner.account)

    def unblock(self, tx: Tx, who: int, target: int) -> None:
        owner = posts.owner(tx, target)
        if owner is not None:
            moderation_actions.unblock(tx, self.server.site.urls, who, owner.account)

    def mute(self, tx: Tx, who: int, target: int) -> None:
        owner = posts.owner(tx, target)
        if owner is not None and self.random.random() < 0.3:
            moderation_actions.mute(tx, self.server.site.urls, who, owner.account, tx.now + 60_000)

    def bookmark(self, tx: Tx, who: int, target: int) -> None:
        if posts.get(tx, target, who) is not None:
            reader_marks.bookmark(tx, who, target)

    def pin(self, tx: Tx, _: int, target: int) -> None:
        owner = posts.owner(tx, target)
        if owner is not None:
            post_actions.pin(tx, self.server.site.urls, owner.account, target)

    def filter(self, tx: Tx, who: int, _: int) -> None:
        number = filters.add(tx, who, "A filter", ["home"], "warn", tx.now + 100_000)
        filters.add_keyword(tx, number, self.random.choice(WORDS), whole_word=True)

    def mute_thread(self, tx: Tx, who: int, target: int) -> None:
        post = posts.stored(tx, target)
        if post is not None:
            reader_marks.mute_thread(tx, who, post.root or post.id)

    def describe(self, tx: Tx, who: int, target: int) -> None:
        """A file gets another description without the post being edited."""
        if posts.stored(tx, target) is not None:
            tx.run(
                "insert into attachment (id, post, position, kind, url, media_type, alt)"
                " values (:id, :post, :position, 'Image', 'https://x.test/i.png', 'image/png', 'old')",
                id=tx.new_id(), post=target, position=self.random.randrange(100),
            )  # fmt: skip
            tx.run("update attachment set alt = :alt where post = :post", alt=self.random.choice(WORDS), post=target)

    def withdraw(self, tx: Tx, who: int, target: int) -> None:
        """The post above goes, and with it the place in a thread."""
        tx.run("update post set parent = null where id = :id", id=target)

    def told(self, tx: Tx, who: int, target: int) -> None:
        """The origin tells totals."""
        tx.run("update post set likes_told = :n where id = :id", n=self.random.randrange(9), id=target)


async def _world(server: Server) -> None:
    await server.person("carol")
    for follower in ("alice", "bob", "carol"):
        for followed in {"alice", "bob", "carol"} - {follower}:
            await server.follow(follower, followed)


async def test_whatever_happens_what_is_remembered_is_what_would_be_made_anew(server: Server) -> None:
    await _world(server)
    context = server.site.keep(EntityContext)
    actions = Actions(server, 7)
    done: list[str] = []
    everybody = [each.id for each in server.people.values()]
    for _ in range(ROUNDS):
        done += [await actions.one() for _ in range(3)]
        for viewer in (0, *everybody):
            assert await server.read(differences, server.site, viewer, everybody) == [], done[-3:]
    assert len(set(done)) > 15
    assert assert_used(context)


def assert_used(context: EntityContext) -> bool:
    """That anything was remembered at all."""
    return len(context.posts) > 5 and len(context.people) >= 3


async def test_every_column_of_an_account_and_of_a_post_counts(server: Server) -> None:
    """Whatever changes in a row, the remembered JSON is that of the row as it is now."""
    await server.publish("bob", "Hello @alice #tag")
    for table in ("account", "post"):
        number = server.people["bob"].id if table == "account" else await server.read(_only_post)
        for column, kind in await server.read(_columns, table):
            if column in _KEEPS_ALL or column in ("login", "login_role", "guest"):
                continue
            await server.read(differences, server.site, 0, [1])
            await server.write(_change, table, number, column, kind)
            assert await server.read(differences, server.site, 0, [1]) == [], column


def _only_post(tx: Tx) -> int:
    return int(tx.all("select id from post")[0].id)


def _columns(tx: Tx, table: str) -> list[tuple[str, str]]:
    return [(row.name, row.type) for row in tx.all("select name, type from pragma_table_info(:name)", name=table)]


_CHANGES = {"account": "update account set COLUMN = ? where id = ?", "post": "update post set COLUMN = ? where id = ?"}


def _change(tx: Tx, table: str, number: int, column: str, kind: str) -> None:
    tx._db.execute(_CHANGES[table].replace("COLUMN", column), (_other(column, kind), number))  # type: ignore[attr-defined]


def _other(column: str, kind: str) -> object:
    """Something else that the column may hold."""
    lists = {
        "fields": '[["a", "b"]]',
        "emoji": '[["a", "https://x.test/e.png"]]',
        "fields_source": '[["a", "b"]]',
        "also_known_as": '["https://x.test/b"]',
        "to_list": '["https://x.test/b"]',
        "cc_list": '["https://x.test/b"]',
        "verified": '{"https://x.test/": [1, 0]}',
        "attribution_domains": '["x.test"]',
        "happening": '[1, 2, "There"]',
        "handle_key": "robert",
        "kind": "Service",
        "moved_to": "",
    }
    return lists.get(column, 1 if kind.lower().startswith("int") else "https://x.test/other")
