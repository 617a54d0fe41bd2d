"""Accounts met for the first time: what they pinned, and the first page of what they wrote or, a group, passed on.

These posts come into nobody's home timeline, and nobody is notified of them.
"""

from __future__ import annotations

from contextlib import suppress

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Activity, Json
from fediblog.domain.posts import Post
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import document_fetch, resolve, thread_completion
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.inbox.account_handlers import MOST_PINNED
from fediblog.protocol import json_values
from fediblog.protocol.activities import read_activity
from fediblog.protocol.authority import same_origin
from fediblog.protocol.collections import read_collection
from fediblog.store.people import accounts
from fediblog.store.posts import post_writing, posts, reactions
from fediblog.store.tx import Tx

FETCHES = 50  # for one account, authors and pages included
MOST_POSTS = 20


async def begin(site: Site, number: int) -> None:
    """Fetch pins and posts of the account of that number, within a budget; each post from its own origin."""
    account = await site.db.read(accounts.get, number)
    if account is None or account.local or account.state != "active":
        return
    budget = Budget(FETCHES, account.uri)
    pinned = await _items(site, account, account.featured, budget)
    for at, uri in enumerate(reversed([json_values.ref(item) for item in pinned[:MOST_PINNED]])):
        post = await _own(site, account, uri, budget)
        if post is not None:
            await site.db.write(post_writing.set_pinned, post.id, site.clock() + at)
    for item in (await _items(site, account, account.outbox, budget))[:MOST_POSTS]:
        await _take_in(site, account, item, budget)


async def _items(site: Site, account: Account, uri: str, budget: Budget) -> list[Json]:
    """What stands on the first page of a collection of the account's own origin."""
    page = await thread_completion.page_at(site, uri, budget) if uri and same_origin(uri, account.uri) else None
    if page is None or page.items or not page.first:
        return list(page.items) if page else []
    inside = read_collection(page.first) if isinstance(page.first, dict) else None
    address = json_values.ref(page.first)
    if inside is None and same_origin(address, uri):
        inside = await thread_completion.page_at(site, address, budget)
    return list(inside.items) if inside else []


async def _take_in(site: Site, account: Account, item: Json, budget: Budget) -> None:
    """One item of an outbox: an activity or a post, or the id of either, which is fetched then."""
    if isinstance(item, str):
        found = await _fetched(site, account, item, budget)
        if found is None:
            return
        if read_activity(found) is None:
            await _kept(site, found, budget)
            return
        item = found
    activity = read_activity(item)
    if activity is None or activity.kind == "Create":
        await _own(site, account, activity.object_uri if activity else json_values.ref(item), budget)
    elif activity.kind == "Announce" and account.kind == "Group" and activity.actor == account.uri:
        inner = activity.inner.object_uri if activity.inner is not None else activity.object_uri
        post = await _post(site, inner, budget)
        if post is not None and not post.in_reply_to and same_origin(activity.uri, account.uri):
            await site.db.write(_pass_on, account, activity, post)


async def _fetched(site: Site, account: Account, uri: str, budget: Budget) -> dict[str, Json] | None:
    """What lies at an id of the account's own origin, unless it is a post that is here."""
    if not same_origin(uri, account.uri) or await site.db.read(posts.is_here, uri):
        return None
    with suppress(Refused, Unavailable):
        return await document_fetch.document(site, uri, budget)
    return None


async def _kept(site: Site, document: dict[str, Json], budget: Budget) -> None:
    with suppress(Refused, Unavailable):
        await resolve.keep(site, document, 0, budget)


def _pass_on(tx: Tx, group: Account, announce: Activity, post: Post) -> None:
    if post.visibility in OPEN:
        at = tx.now if announce.published is None else max(0, min(announce.published, tx.now))
        reactions.boost(tx, group.id, post.id, announce.uri, number=tx.new_id(at))


async def _own(site: Site, account: Account, uri: str, budget: Budget) -> Post | None:
    post = await _post(site, uri, budget) if same_origin(uri, account.uri) else None
    return post if post is not None and post.account.id == account.id else None


async def _post(site: Site, uri: str, budget: Budget) -> Post | None:
    with suppress(Refused, Unavailable):
        return await resolve.post(site, uri, depth=0, budget=budget) if uri else None
    return None
