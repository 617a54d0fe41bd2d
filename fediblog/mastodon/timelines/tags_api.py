"""Hashtags: how they are used, which ones one follows, and which one shows on one's profile."""

from __future__ import annotations

import unicodedata

from fediblog.actions import reader_actions
from fediblog.errors import Invalid, NotFound
from fediblog.federation import quotas
from fediblog.hashtags import LIMIT, SIGNS, key
from fediblog.mastodon.accounts.accounts_api import find
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import tag_entity
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.id_paging import Window
from fediblog.store.posts import tags
from fediblog.store.tx import Tx

API = Table()
MOST_FEATURED = 10


def checked(name: str) -> str:
    """A hashtag without its #. Raises NotFound for what cannot be one."""
    bare = unicodedata.normalize("NFC", name.strip().lstrip(SIGNS))
    if not (0 < len(bare) <= LIMIT and any(char.isalpha() for char in bare) and all(map(_fits, bare))):
        raise NotFound
    return bare


def _fits(char: str) -> bool:
    return char.isalnum() or char in "_·・\u200c" or unicodedata.category(char)[0] == "M"


@API.get("/api/v1/tags/{name}", scope="read:follows", who="anybody", gives="Tag")
async def show(call: Call) -> Json:
    """A hashtag, used or not."""
    return await call.read(_one, call.context, call.viewer, checked(call.path["name"]))


def _one(tx: Tx, context: EntityContext, viewer: int, name: str) -> Json:
    return tag_entity.tags(tx, context, [tags.name_of(tx, name)], viewer)[0]


@API.post("/api/v1/tags/{name}/follow", scope="write:follows", gives="Tag")
async def follow(call: Call) -> Json:
    """Have public posts with a hashtag in one's home timeline."""
    return await _mark(call, "follow")


@API.post("/api/v1/tags/{name}/unfollow", scope="write:follows", gives="Tag")
async def unfollow(call: Call) -> Json:
    """Have public posts with a hashtag in one's home timeline no more."""
    return await _mark(call, "unfollow")


@API.post("/api/v1/tags/{name}/feature", scope="write:accounts", gives="Tag", tier=3)
async def feature(call: Call) -> Json:
    """Show a hashtag on one's profile."""
    return await _mark(call, "feature")


@API.post("/api/v1/tags/{name}/unfeature", scope="write:accounts", gives="Tag", tier=3)
async def unfeature(call: Call) -> Json:
    """Show a hashtag on one's profile no more, by its name."""
    return await _mark(call, "unfeature")


async def _mark(call: Call, action: str) -> Json:
    quotas.use(call.site, call.account, "action")
    return await call.write(_marked, call.context, call.account, checked(call.path["name"]), action)


def _marked(tx: Tx, context: EntityContext, account: int, name: str, action: str) -> Json:
    if action == "follow":
        reader_actions.follow_tag(tx, account, name)
    elif action == "unfollow":
        tags.unfollow(tx, account, name)
    elif action == "feature":
        _feature(tx, account, name)
    else:
        tags.set_featured(tx, account, name, on=False)
    return _one(tx, context, account, name)


def _feature(tx: Tx, account: int, name: str) -> None:
    standing = set(map(key, tags.featured_names(tx, account)))
    if key(name) not in standing and len(standing) >= MOST_FEATURED:
        raise Invalid("name", "api.too-many", n=MOST_FEATURED)
    tags.set_featured(tx, account, name, on=True)


@API.get("/api/v1/followed_tags", scope="read:follows", gives="Tag[]", tier=1)
async def followed(call: Call) -> Reply:
    """Hashtags that one follows."""
    return call.page(*await call.read(_followed, call.context, call.account, call.window(100, 200)))


def _followed(tx: Tx, context: EntityContext, account: int, window: Window) -> tuple[list[Json], list[int]]:
    found = tags.followed(tx, account, window)
    return tag_entity.tags(tx, context, [name for _, name in found], account), [number for number, _ in found]


@API.get("/api/v1/featured_tags", scope="read:accounts", gives="FeaturedTag[]", tier=3)
async def featured(call: Call) -> list[Json]:
    """Hashtags that one shows on one's profile."""
    return await call.read(_featured, call.context, call.account)


def _featured(tx: Tx, context: EntityContext, account: int) -> list[Json]:
    return tag_entity.featured(context, find(tx, account), tags.featured(tx, account))


@API.post("/api/v1/featured_tags", scope="write:accounts", gives="FeaturedTag", tier=3)
async def add_featured(call: Call) -> Json:
    """Show a hashtag on one's profile."""
    try:
        name = checked(call.params.text("name"))
    except NotFound:
        raise Invalid("name", "api.bad-tag") from None
    quotas.use(call.site, call.account, "action")
    return await call.write(_added, call.context, call.account, name)


def _added(tx: Tx, context: EntityContext, account: int, name: str) -> Json:
    _feature(tx, account, name)
    found = [each for each in tags.featured(tx, account) if key(each.name) == key(name)]
    return tag_entity.featured(context, find(tx, account), found)[0]


@API.delete("/api/v1/featured_tags/{id}", scope="write:accounts", tier=3)
async def remove_featured(call: Call) -> None:
    """Show a hashtag on one's profile no more."""
    if not await call.write(tags.unfeature, call.account, call.number()):
        raise NotFound


@API.get("/api/v1/featured_tags/suggestions", scope="read:accounts", gives="Tag[]", tier=3)
async def suggestions(call: Call) -> list[Json]:
    """Hashtags that one uses most and does not show on one's profile."""
    return await call.read(_suggested, call.context, call.account)


def _suggested(tx: Tx, context: EntityContext, account: int) -> list[Json]:
    return tag_entity.tags(tx, context, tags.most_used(tx, account), account)
