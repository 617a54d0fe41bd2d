"""Whatever the owner of a server changes is seen at once on every page that is kept for everybody."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fediblog.actions import moderation_actions, reaction_actions, site_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.store.engine.sqlite_connection import SqliteTx
from fediblog.store.people import accounts
from fediblog.store.people.host_rules import HostRule
from fediblog.store.posts import media_files, posts
from fediblog.store.tx import _SILENT, Tx
from fediblog.web.page_cache import may_keep
from tests import wording
from tests.world import JSON, App, World, ask

A = "alice.test"
KINDS = ("text/html", JSON)
Pages = dict[tuple[str, str], tuple[int, str]]
LOOKS = {"announcement_texts", "emoji_in", "check_emoji_name", "preview_host", "host_name"}  # these change nothing
# Asked for who is looking, and nobody in particular has any; the last stands in a row of which pages show another part.
OF_READERS = {"mute", "bookmark", "thread_mute", "push_subscription"}
_TABLE = re.compile(r"\b(?:from|join) ([a-z_]+)")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(A) as made:
        yield made


@pytest.fixture
async def house(world: World) -> House:
    made = House(world)
    await made.furnish()
    return made


class House:
    """A server with its owner, a member, posts that name a custom emoji, and the paths of what anybody may see."""

    def __init__(self, world: World) -> None:
        self.world, self.site, self.asks = world, world.sites[A], 1

    async def furnish(self) -> None:
        self.owner, self.bert = await self.world.person(A, "owner"), await self.world.person(A, "bert")
        await self.picture("cat")
        await self.do(wording.announce, "Soon.", None)
        urls, both = self.site.urls, (self.owner, self.bert)
        shown = Draft(source="Hello :blob: #oak", title="Oaks :blob:")
        made = [await self.do(wording.publish, each.id, shown) for each in both]
        for each in both:
            await self.do(wording.update_profile, each.id, ProfileChanges(name="Me :blob:", summary="Likes :blob:"))
        made.append(await self.do(wording.publish, self.bert.id, Draft(source="Yes :blob:", reply_to=made[0].id)))
        await self.do(reaction_actions.boost, self.bert.id, made[0].id)
        self.posts = [each.id for each in made]
        self.paths = ["/", "/@owner", "/@bert", "/feed.atom", "/@owner/feed.atom", "/tags/oak", "/emoji/blob"]
        self.paths += [f"/a/{each.id}" for each in both] + [f"/a/{each.id}/outbox?before={2**63 - 1}" for each in both]
        self.paths += [each.removeprefix(urls.origin) for post in made for each in (post.uri, post.url)]
        self.paths += [f"/p/{made[0].id}/{name}" for name in ("replies?page=1", "likes", "shares")]

    async def do(self, action: Any, *args: Any) -> Any:
        return await self.world.do(A, action, *args)

    async def picture(self, name: str) -> None:
        """Have `:blob:` be that picture."""

        def upload(tx: Tx, account: int) -> int:
            more: dict[str, Any] = {"large": "", "small": "", "width": 1, "height": 1, "blurhash": "", "size": 1}
            return media_files.add(tx, account, media_type="image/png", file=f"aa/{name}.png", **more)

        number = await self.site.db.write(upload, (await self.site.keys.instance_account()).id)
        await self.do(site_actions.add_emoji, "blob", number, "")

    async def pages(self, app: App) -> Pages:
        found: Pages = {}
        for path in self.paths:
            for kind in KINDS:
                address = f"198.51.100.{self.asks}"
                answer = await ask(app, "GET", f"https://{A}{path}", {"accept": kind}, address=address)
                found[path, kind] = (answer.status_code, answer.text)
        return found


ACTIONS: dict[str, Any] = {
    "set_emoji_disabled": lambda house: house.site.db.write(disable_emoji, house),
    "add_emoji": lambda house: house.picture("dog"),
    "hide_emoji": lambda house: house.do(site_actions.hide_emoji, house.owner.id, "https://far.test/x.png"),
    "show_emoji": lambda house: house.site.db.write(site_actions.show_emoji, house.owner.id, "https://far.test/x.png"),
    "remove_emoji": lambda house: house.site.db.write(site_actions.remove_emoji, "blob"),
    "announce": lambda house: house.do(wording.announce, "Later.", None),
    "withdraw": lambda house: house.site.db.write(withdraw_all),
    "block": lambda house: house.do(moderation_actions.block, house.owner.id, house.bert.id),
    "unblock": lambda house: house.do(moderation_actions.unblock, house.owner.id, house.bert.id),
    "mute": lambda house: house.do(moderation_actions.mute, house.owner.id, house.bert.id),
    "unmute": lambda house: house.do(moderation_actions.unmute, house.owner.id, house.bert.id),
    "mute_host": lambda house: house.do(moderation_actions.mute_host, house.owner.id, "far.test"),
    "unmute_host": lambda house: house.do(moderation_actions.unmute_host, house.owner.id, "far.test"),
    "block_host": lambda house: house.do(moderation_actions.block_host, "far.test"),
    "unblock_host": lambda house: house.do(moderation_actions.unblock_host, "far.test"),
    "rule_on_host": lambda house: house.do(moderation_actions.rule_on_host, HostRule(host="far.test")),
    "set_limited": lambda house: house.site.db.write(limit, house),
    "set_disabled": lambda house: house.site.db.write(disable, house),
    "suspend": lambda house: house.do(moderation_actions.suspend, house.bert.id),
    "unsuspend": lambda house: house.do(moderation_actions.unsuspend, house.bert.id),
    "delete": lambda house: house.site.db.write(shut_and_delete, house),
}


def withdraw_all(tx: Tx) -> None:
    for row in tx.all("select id from announcement"):
        site_actions.withdraw(tx, row.id)


def disable_emoji(tx: Tx, house: House) -> None:
    site_actions.set_emoji_disabled(tx, house.site.urls, house.owner.id, "blob", disabled=True)


def limit(tx: Tx, house: House) -> None:
    moderation_actions.set_limited(tx, house.bert.id, limited=True)


def disable(tx: Tx, house: House) -> None:
    for disabled in (True, False):
        moderation_actions.set_disabled(tx, house.bert.id, disabled=disabled)


def shut_and_delete(tx: Tx, house: House) -> None:
    moderation_actions.suspend(tx, house.site.urls, house.bert.id)
    moderation_actions.delete(tx, house.site.urls, house.bert.id)


def test_the_walk_knows_all_actions_of_the_owner() -> None:
    found = {
        name
        for module in (site_actions, moderation_actions)
        for name, each in vars(module).items()
        if inspect.isfunction(each) and each.__module__ == module.__name__ and not name.startswith("_")
    }
    assert found - LOOKS == set(ACTIONS)


@pytest.mark.slow
async def test_what_the_owner_changes_is_seen_at_once(house: House) -> None:
    """One action after another, and after each every page and document is what would be made anew."""
    keeps, changing = create_app(house.site), set()
    before = await house.pages(keeps)
    for name, action in ACTIONS.items():
        house.asks += 1  # from another address, so that nobody asks too often
        await action(house)
        kept, fresh = await house.pages(keeps), await house.pages(create_app(house.site))
        assert [key for key in kept if kept[key] != fresh[key]] == [], name
        changing |= {name} if kept != before else set()
        before = kept
    assert changing >= {
        "add_emoji",
        "remove_emoji",
        "block",
        "unblock",
        "suspend",
        "unsuspend",
        "delete",
        "set_limited",
        "set_emoji_disabled",
    }


async def test_an_emoji_is_shown_as_it_is_now(house: House) -> None:
    """Changed, taken away and put there again: in posts, titles and names, for browsers, servers and apps."""

    def pictures(pages: Pages) -> set[str]:
        return {found for _, text in pages.values() for found in re.findall(r"aa/(\w+)\.png", text)}

    async def accounts_and_posts() -> str:
        def read(tx: Tx) -> list[Any]:
            people = [accounts.get(tx, each.id) for each in (house.owner, house.bert)]
            return [*people, *(posts.stored(tx, number) for number in house.posts)]

        return str(await house.site.db.read(read))

    app = create_app(house.site)
    assert pictures(await house.pages(app)) == {"cat"}
    await house.picture("dog")
    assert pictures(await house.pages(app)) == {"dog"}
    await house.site.db.write(site_actions.remove_emoji, "blob")
    assert pictures(await house.pages(app)) == set()
    assert "dog" not in await accounts_and_posts()
    await house.picture("cow")
    assert pictures(await house.pages(app)) == {"cow"}


async def test_what_is_kept_is_made_of_no_table_that_may_change_silently(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table whose changes empty nothing must not be read for an answer that is kept."""
    read: set[str] = set()
    one, every = SqliteTx.one, SqliteTx.all

    def asked_one(tx: SqliteTx, sql: str, /, **more: Any) -> Any:
        read.update(_TABLE.findall(sql))
        return one(tx, sql, **more)

    def asked_all(tx: SqliteTx, sql: str, /, **more: Any) -> Any:
        read.update(_TABLE.findall(sql))
        return every(tx, sql, **more)

    monkeypatch.setattr(SqliteTx, "one", asked_one)
    monkeypatch.setattr(SqliteTx, "all", asked_all)
    kept = 0
    for path in house.paths:
        for kind in KINDS:
            read.clear()
            answer = await ask(create_app(house.site), "GET", f"https://{A}{path}", {"accept": kind})
            start = {"status": answer.status_code, "headers": answer.headers.raw}
            if may_keep([start, {"body": answer.content}]):
                kept += 1
                assert not read & (_SILENT - OF_READERS), (path, kind)
    assert kept > len(house.paths)
