"""Search: people, posts and hashtags; and what a pasted handle or address means."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import FediblogError, Invalid
from fediblog.federation import quotas
from fediblog.federation.lookups import resolve
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.status_entity import statuses
from fediblog.mastodon.entities.tag_entity import tags
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.id_paging import Window
from fediblog.store.people import account_search
from fediblog.store.posts import posts, search
from fediblog.store.posts.search import SearchFilter
from fediblog.store.tx import Tx

API = Table()
TYPES = ("accounts", "statuses", "hashtags")
LONGEST = 1000  # characters of what is looked for


class _Wanted(Struct, frozen=True, kw_only=True):
    """What is looked for, where, and by whom."""

    words: str
    kinds: tuple[str, ...]
    window: Window
    viewer: int
    following: bool
    account: int


@API.get(
    "/api/v2/search",
    scope="read:search",
    who="anybody",
    gives="Search",
    tier=1,
    note='`q` may have "words in this order", `#hashtags` and `-words` that must not be there. Without the token of an'
    " account people are found who have an account here and want to be found, and their public posts; `resolve` asks no"
    " other servers.",
)
async def find(call: Call) -> Json:
    """People, posts and hashtags for `q`; `type` names one of them."""
    wanted = _wanted(call)
    found = await _resolved(call, wanted)
    if found is not None:
        return await call.read(_single, call.context, found, wanted)
    return await call.scan(_search, call.context, wanted)


def _wanted(call: Call) -> _Wanted:
    params = call.params
    words = params.text("q").strip()
    if not words:
        raise Invalid("q", "api.search-empty")
    kind = params.text("type")
    if kind and kind not in TYPES:
        raise Invalid("type", "api.search-type")
    asked = call.window()
    window = Window(
        before=asked.before,
        after=asked.after,
        limit=asked.limit,
        offset=min(params.number("offset") or 0, 1000) if kind else 0,  # as in Mastodon: a place only in one list
    )
    return _Wanted(
        words=words[:LONGEST],
        kinds=(kind,) if kind else TYPES,
        window=window,
        viewer=call.viewer,
        following=params.flag("following"),
        account=params.number("account_id") or 0,
    )


async def _resolved(call: Call, wanted: _Wanted) -> Account | Post | None:
    """What a handle or an address means, where that is asked for; nothing if it cannot be found out."""
    if not call.viewer or not call.params.flag("resolve") or wanted.window.offset:
        return None
    if not wanted.words.startswith("https://") and "@" not in wanted.words:
        return None
    quotas.use(call.site, call.viewer, "action")
    try:
        return await resolve.anything(call.site, wanted.words)
    except FediblogError:
        return None


def _single(tx: Tx, context: EntityContext, found: Account | Post, wanted: _Wanted) -> Json:
    results = _nothing()
    if isinstance(found, Account) and "accounts" in wanted.kinds and found.state == "active":
        results["accounts"] = [account_entity.one(tx, context, found)]
    if isinstance(found, Post) and "statuses" in wanted.kinds:
        seen = posts.get(tx, found.id, wanted.viewer)  # what can be found need not be for everybody
        results["statuses"] = statuses(tx, context, [seen], wanted.viewer) if seen and not seen.is_withheld else []
    return results


def _search(tx: Tx, context: EntityContext, wanted: _Wanted) -> Json:
    results, window = _nothing(), wanted.window
    is_handle = wanted.words.startswith("@")
    if "accounts" in wanted.kinds and not wanted.words.startswith("#"):
        found = account_search.people(
            tx,
            wanted.words,
            wanted.viewer,
            limit=window.limit,
            offset=window.offset,
            following=wanted.following,
            by_name=True,
        )
        results["accounts"] = account_entity.accounts(tx, context, found)
    if "statuses" in wanted.kinds and not is_handle:
        whole = search.newest(
            tx, wanted.words, wanted.viewer, window, narrowed=SearchFilter(account=wanted.account)
        ).posts
        results["statuses"] = statuses(tx, context, whole, wanted.viewer)
    if "hashtags" in wanted.kinds and not is_handle:
        results["hashtags"] = tags(tx, context, search.tags(tx, wanted.words, window), wanted.viewer)
    return results


def _nothing() -> dict[str, Any]:
    return {"accounts": [], "statuses": [], "hashtags": []}
