"""Conversations: private posts by thread."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.domain.posts import Post
from fediblog.errors import NotFound
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.status_entity import statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.id_paging import Window
from fediblog.store.posts import conversations, posts
from fediblog.store.posts.conversations import Conversation
from fediblog.store.tx import Tx

API = Table()


@API.get("/api/v1/conversations", scope="read:statuses", gives="Conversation[]", tier=2)
async def index(call: Call) -> Reply:
    """The account's conversations, the one with the latest post first; paging goes by the last post."""
    body, numbers = await call.read(_index, call.context, call.account, call.window())
    return call.page(body, numbers)


@API.delete("/api/v1/conversations/{id}", scope="write:conversations", tier=2)
async def remove(call: Call) -> None:
    """Take a conversation from the list; its posts stay."""
    if not await call.write(conversations.remove, call.account, call.number()):
        raise NotFound()


@API.post("/api/v1/conversations/{id}/read", scope="write:conversations", gives="Conversation", tier=2)
async def read(call: Call) -> Json:
    """A conversation has been read."""
    return await call.write(_mark, call.context, call.account, call.number(), unread=False)


@API.post("/api/v1/conversations/{id}/unread", scope="write:conversations", gives="Conversation", tier=3)
async def unread(call: Call) -> Json:
    """A conversation is to be read again."""
    return await call.write(_mark, call.context, call.account, call.number(), unread=True)


def one(tx: Tx, context: EntityContext, account: int, number: int) -> Json | None:
    """Conversation of that number, None if the account has none or may not see its last post any more."""
    found = conversations.own(tx, account, number)
    return next(iter(_shapes(tx, context, account, [found])), None) if found else None


def _mark(tx: Tx, context: EntityContext, account: int, number: int, *, unread: bool) -> Json:
    conversations.mark(tx, account, number, unread=unread)
    entity = one(tx, context, account, number)
    if entity is None:
        raise NotFound()
    return entity


def _index(tx: Tx, context: EntityContext, account: int, window: Window) -> tuple[list[Json], list[int]]:
    last = [row.item for row in conversations.last_posts(tx, account, window)]
    return _shapes(tx, context, account, conversations.of_posts(tx, account, last)), last


def _shapes(tx: Tx, context: EntityContext, account: int, found: Sequence[Conversation]) -> list[Json]:
    whole = posts.many(tx, [each.last for each in found], account)
    shown = [each for each in found if each.last in whole]
    entities = statuses(tx, context, [whole[each.last] for each in shown], account)
    members = account_entity.by_number(
        tx, context, {number for post in whole.values() for number in _others(post, account)}
    )
    return [
        {
            "id": str(each.id),
            "unread": each.unread,
            "accounts": [members[number] for number in _others(whole[each.last], account) if number in members],
            "last_status": entity,
        }
        for each, entity in zip(shown, entities, strict=True)
    ]


def _others(post: Post, account: int) -> list[int]:
    """Everybody who takes part but oneself, the author first."""
    everybody = [post.account.id, *sorted(post.addressed - {post.account.id})]
    return [number for number in everybody if number != account]
