"""Accounts to look at: one, several, by their handle, by what one types, and what they show of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Boost, Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound, Refused, Unavailable
from fediblog.federation import quotas
from fediblog.federation.lookups import resolve
from fediblog.mastodon.accounts import lists_api
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity, tag_entity
from fediblog.mastodon.entities.status_entity import Shown, statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.protocol.webfinger import parse_handle
from fediblog.store.id_paging import Window
from fediblog.store.people import account_search, accounts, relation_lists
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.posts import account_posts, tags
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.queues import profile_totals, stale_accounts
from fediblog.store.readers.lists import holding
from fediblog.store.tx import Tx

API = Table()
MOST_AT_ONCE = 100


def find(tx: Tx, number: int) -> Account:
    """The account of that number, suspended or not. Raises NotFound."""
    found = accounts.get(tx, number)
    if found is None or found.state == "deleted":
        raise NotFound
    return found


def people(tx: Tx, context: EntityContext, places: Sequence[ListedAccount]) -> list[Json]:
    """Account entities of a page."""
    return account_entity.accounts(tx, context, [each.account for each in places])


@API.get("/api/v1/accounts/{id}", scope="read:accounts", who="anybody", gives="Account", tier=1)
async def show(call: Call) -> Json:
    """An account."""
    return await _looked_at(call, *await call.read(_show, call.context, call.number(), call.viewer))


async def _looked_at(call: Call, account: Account, entity: Json, due: bool) -> Json:
    """The entity; an account that is old, and totals that are `due`, are fetched again since one of ours looks."""
    if call.viewer and stale_accounts.is_stale(account, call.site.clock()):
        await call.write(stale_accounts.renew, account)
    if due:
        await call.write(profile_totals.refresh, account)
    return entity


def _show(tx: Tx, context: EntityContext, number: int, viewer: int) -> tuple[Account, Json, bool]:
    return _one(tx, context, find(tx, number), viewer)


def _one(tx: Tx, context: EntityContext, found: Account, viewer: int) -> tuple[Account, Json, bool]:
    """The account, its entity, and whether its totals are to be asked for."""
    return found, account_entity.one(tx, context, found), bool(viewer) and profile_totals.is_stale(tx, found)


@API.get("/api/v1/accounts", scope="read:accounts", who="anybody", gives="Account[]", tier=1)
async def several(call: Call) -> list[Json]:
    """Accounts by their ids; those that are not there are left out."""
    return await call.read(_several, call.context, _asked(call))


def _asked(call: Call) -> list[int]:
    return list(dict.fromkeys(call.params.numbers("id")))[:MOST_AT_ONCE]


def _several(tx: Tx, context: EntityContext, numbers: list[int]) -> list[Json]:
    found = accounts.many(tx, numbers)
    kept = [found[number] for number in numbers if number in found and found[number].state != "deleted"]
    return account_entity.accounts(tx, context, kept)


@API.get(
    "/api/v1/accounts/lookup",
    scope="read:accounts",
    who="anybody",
    gives="Account",
    tier=1,
    note="Nothing is asked of other servers: who is not known here is not found.",
)
async def lookup(call: Call) -> Json:
    """The account that a handle means."""
    found = await call.read(_lookup, call.context, call.site.urls, call.params.text("acct"), call.viewer)
    return await _looked_at(call, *found)


def _lookup(tx: Tx, context: EntityContext, urls: Urls, handle: str, viewer: int) -> tuple[Account, Json, bool]:
    found = by_handle(tx, urls, handle)
    if found is None or found.state != "active":
        raise NotFound
    return _one(tx, context, found, viewer)


def by_handle(tx: Tx, urls: Urls, handle: str) -> Account | None:
    """The account of `name`, `name@domain` or either with an @ before it, if it is known."""
    name, _, domain = handle.strip().removeprefix("@").partition("@")
    if domain.lower() in ("", urls.handle_domain, urls.host):
        return accounts.local_by_handle(tx, name)
    parsed = parse_handle(f"{name}@{domain}")
    return accounts.by_acct(tx, *parsed) if parsed else None


@API.get("/api/v1/accounts/search", scope="read:accounts", gives="Account[]", tier=1)
async def search(call: Call) -> list[Json]:
    """Accounts by the beginning of a handle or a part of a name; with `resolve` a whole handle is looked up."""
    words = call.params.text("q").strip()
    if not words:
        raise Invalid("q", "api.missing", name="q")
    limit, offset = call.limit(), min(call.params.number("offset") or 0, 10_000)
    exact = await _resolved(call, words) if call.params.flag("resolve") and not offset else None
    return await call.read(
        _search, call.context, words, call.account, limit, offset, call.params.flag("following"), exact
    )


async def _resolved(call: Call, words: str) -> int | None:
    """The account that a whole handle or an address means. What cannot be had is no reason to show nothing."""
    if parse_handle(words) is None and not words.startswith(("https://", "http://")):
        return None
    quotas.use(call.site, call.account, "action")
    with suppress(Refused, Unavailable):
        found = await resolve.anything(call.site, words)
        return found.id if isinstance(found, Account) else None
    return None


def _search(
    tx: Tx, context: EntityContext, words: str, viewer: int, limit: int, offset: int, following: bool, exact: int | None
) -> list[Json]:
    found = account_search.people(tx, words, viewer, limit=limit, offset=offset, following=following)
    first = accounts.get(tx, exact) if exact is not None and not following else None
    if first is not None:
        found = [first, *(each for each in found if each.id != first.id)][:limit]
    return account_entity.accounts(tx, context, found)


@API.get("/api/v1/accounts/{id}/statuses", scope="read:statuses", who="anybody", gives="Status[]", tier=1)
async def posts(call: Call) -> Reply:
    """What an account posted and passed on; what it pinned with `pinned`."""
    flag = call.params.flag
    wanted = ProfileFilter(
        replies="own" if flag("exclude_replies") else "all",
        boosts=not flag("exclude_reblogs"),
        media=flag("only_media"),
        tag=call.params.text("tagged"),
    )
    found = await call.read(_posts, call.context, call.number(), call.viewer, call.window(), wanted, flag("pinned"))
    return call.page(*found)


def _posts(
    tx: Tx, context: EntityContext, number: int, viewer: int, window: Window, wanted: ProfileFilter, pinned: bool
) -> tuple[list[Json], list[int]]:
    find(tx, number)
    if pinned:
        return statuses(tx, context, account_posts.pinned(tx, number, viewer), viewer), []
    found: list[Post | Boost] = account_posts.timeline(tx, number, viewer, window, wanted)
    return statuses(tx, context, [Shown.of(each) for each in found], viewer), [each.id for each in found]


@API.get("/api/v1/accounts/{id}/followers", scope="read:accounts", who="anybody", gives="Account[]", tier=1)
async def followers(call: Call) -> Reply:
    """Who follows an account, as far as it is known here."""
    return call.page(*await call.read(_followers, call.context, call.number(), call.window(40, 80)))


def _followers(tx: Tx, context: EntityContext, number: int, window: Window) -> tuple[list[Json], list[int]]:
    found = relation_lists.followers(tx, number, window) if find(tx, number).state == "active" else []
    return people(tx, context, found), [each.mark for each in found]


@API.get("/api/v1/accounts/{id}/following", scope="read:accounts", who="anybody", gives="Account[]", tier=1)
async def following(call: Call) -> Reply:
    """Whom an account follows, as far as it is known here."""
    return call.page(*await call.read(_following, call.context, call.number(), call.window(40, 80)))


def _following(tx: Tx, context: EntityContext, number: int, window: Window) -> tuple[list[Json], list[int]]:
    found = relation_lists.following(tx, number, window) if find(tx, number).state == "active" else []
    return people(tx, context, found), [each.mark for each in found]


@API.get("/api/v1/accounts/{id}/featured_tags", scope="read:accounts", who="anybody", gives="FeaturedTag[]", tier=1)
async def featured_tags(call: Call) -> list[Json]:
    """Hashtags that an account shows on its profile."""
    return await call.read(_featured_tags, call.context, call.number())


def _featured_tags(tx: Tx, context: EntityContext, number: int) -> list[Json]:
    account = find(tx, number)
    return tag_entity.featured(context, account, tags.featured(tx, number))


@API.get("/api/v1/accounts/{id}/endorsements", scope="read:accounts", who="anybody", gives="Account[]", tier=1)
async def endorsements(call: Call) -> Reply:
    """Whom an account of this server shows on its profile."""
    return call.page(*await call.read(_endorsements, call.context, call.number(), call.window(40, 80)))


def _endorsements(tx: Tx, context: EntityContext, number: int, window: Window) -> tuple[list[Json], list[int]]:
    find(tx, number)
    found = relation_lists.endorsed(tx, number, window)
    return people(tx, context, found), [each.mark for each in found]


@API.get("/api/v1/accounts/{id}/lists", scope="read:lists", gives="List[]", tier=1)
async def lists(call: Call) -> list[Json]:
    """Those of one's lists that an account is on."""
    return await call.read(_lists, call.account, call.number())


def _lists(tx: Tx, account: int, number: int) -> list[Json]:
    find(tx, number)
    return [lists_api.shape(each) for each in holding(tx, account, number)]


@API.get(
    "/api/v1/accounts/{id}/identity_proofs",
    scope="read:accounts",
    who="anybody",
    gives="Nothing[]",
    tier=3,
    note="Always empty: there are none of these here.",
)
async def identity_proofs(call: Call) -> list[Json]:
    """Proofs of identity."""
    await call.read(find, call.number())
    return []


@API.get(
    "/api/v1/accounts/{id}/collections",
    "/api/v1/accounts/{id}/in_collections",
    scope="read:accounts",
    who="anybody",
    gives="Collections",
    tier=3,
    note="Always empty: there are none of these here.",
)
async def collections(call: Call) -> Json:
    """Collections of accounts that it made, or that it is in."""
    await call.read(find, call.number())
    return {"collections": []}
