"""People to discover: the directory of those who want to be found, and suggestions whom to follow."""

from __future__ import annotations

from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.people import account_search
from fediblog.store.tx import Tx

API = Table()
FARTHEST = 10_000  # that a directory is leafed through


@API.get("/api/v1/directory", who="anybody", scope="read:accounts", gives="Account[]", tier=3)
async def directory(call: Call) -> list[Json]:
    """Accounts that want to be found: the last to write, or with `order=new` the last to be known here."""
    order = call.params.choice("order", ("active", "new"), "active")
    offset = min(call.params.number("offset") or 0, FARTHEST)
    return await call.read(
        _directory, call.context, call.viewer, order, call.params.flag("local"), call.limit(40, 80), offset
    )


def _directory(
    tx: Tx, context: EntityContext, viewer: int, order: str, local: bool, limit: int, offset: int
) -> list[Json]:
    find = account_search.newest if order == "new" else account_search.active
    return account_entity.accounts(tx, context, find(tx, viewer, local=local, limit=limit, offset=offset))


@API.get("/api/v1/suggestions", scope="read:accounts", gives="Account[]", tier=3)
async def suggestions(call: Call) -> list[Json]:
    """Accounts that one may want to follow."""
    return [each["account"] for each in await call.read(_suggested, call.context, call.account, call.limit(40, 80))]


@API.get("/api/v2/suggestions", scope="read:accounts", gives="Suggestion[]", tier=1)
async def suggestions_with_sources(call: Call) -> list[Json]:
    """Accounts that one may want to follow, and why."""
    return await call.read(_suggested, call.context, call.account, call.limit(40, 80))


def _suggested(tx: Tx, context: EntityContext, viewer: int, limit: int) -> list[Json]:
    found = account_search.suggested(tx, viewer, limit)
    shown = account_entity.accounts(tx, context, [account for account, _ in found])
    return [
        {
            "source": "past_interactions" if friends else "staff",
            "sources": ["friends_of_friends" if friends else "featured"],
            "account": entity,
        }
        for (_, friends), entity in zip(found, shown, strict=True)
    ]


@API.delete("/api/v1/suggestions/{id}", scope="write:accounts", tier=3)
async def dismiss(call: Call) -> None:
    """Be suggested an account no more."""
    await call.write(account_search.dismiss, call.account, call.number())
