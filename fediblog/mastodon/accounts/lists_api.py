"""Lists: made, changed, filled with people whom the account follows."""

from __future__ import annotations

from fediblog.actions import reader_actions
from fediblog.actions.reader_actions import own_list
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.store.id_paging import Window
from fediblog.store.readers import lists
from fediblog.store.readers.lists import List
from fediblog.store.tx import Tx

API = Table()
MOST_AT_ONCE = 500


def shape(found: List) -> Json:
    """List: the entity of one list."""
    return {
        "id": str(found.id),
        "title": found.title,
        "replies_policy": found.replies,
        "exclusive": found.exclusive,
    }


@API.get("/api/v1/lists", scope="read:lists", gives="List[]", tier=1)
async def index(call: Call) -> list[Json]:
    """The account's lists."""
    return [shape(each) for each in await call.read(lists.of_account, call.account)]


@API.get("/api/v1/lists/{id}", scope="read:lists", gives="List")
async def show(call: Call) -> Json:
    """One list."""
    return shape(await call.read(own_list, call.account, call.number()))


@API.post("/api/v1/lists", scope="write:lists", gives="List")
async def create(call: Call) -> Json:
    """Make a list."""
    return shape(await call.write(_create, call.account, call.params))


@API.put("/api/v1/lists/{id}", scope="write:lists", gives="List")
async def update(call: Call) -> Json:
    """Change a list."""
    return shape(await call.write(_update, call.account, call.number(), call.params))


@API.delete("/api/v1/lists/{id}", scope="write:lists")
async def remove(call: Call) -> None:
    """Take a list away."""
    await call.write(reader_actions.remove_list, call.account, call.number())


@API.get("/api/v1/lists/{id}/accounts", scope="read:lists", gives="Account[]", note="`limit=0`: all of them.")
async def members(call: Call) -> Reply:
    """Who is in a list."""
    everybody = call.params.number("limit") == 0
    window = None if everybody else call.window(40, 80)
    body, numbers = await call.read(_members, call.context, call.account, call.number(), window)
    return Reply(body) if everybody else call.page(body, numbers)


@API.post("/api/v1/lists/{id}/accounts", scope="write:lists", note="Only people whom the account follows: else 404.")
async def put(call: Call) -> None:
    """Put people into a list."""
    await call.write(reader_actions.put_in_list, call.account, call.number(), _people(call.params))


@API.delete("/api/v1/lists/{id}/accounts", scope="write:lists")
async def drop(call: Call) -> None:
    """Take people out of a list."""
    await call.write(reader_actions.drop_from_list, call.account, call.number(), _people(call.params))


def _create(tx: Tx, account: int, params: Params) -> List:
    title, replies, exclusive = _settings(params, List(id=0, title="", replies="list", exclusive=False))
    return own_list(tx, account, reader_actions.add_list(tx, account, title, replies, exclusive=exclusive))


def _update(tx: Tx, account: int, number: int, params: Params) -> List:
    title, replies, exclusive = _settings(params, own_list(tx, account, number))
    reader_actions.change_list(tx, account, number, title, replies, exclusive=exclusive)
    return own_list(tx, account, number)


def _settings(params: Params, before: List) -> tuple[str, str, bool]:
    return (
        params.text("title", before.title),
        params.choice("replies_policy", lists.REPLIES, before.replies),
        params.flag("exclusive", before.exclusive),
    )


def _members(
    tx: Tx, context: EntityContext, account: int, number: int, window: Window | None
) -> tuple[list[Json], list[int]]:
    own_list(tx, account, number)
    found = lists.members(tx, number, window)
    return account_entity.accounts(tx, context, found), [each.id for each in found]


def _people(params: Params) -> set[int]:
    return set(params.numbers("account_ids")[:MOST_AT_ONCE])
