"""The totals of an account elsewhere: `totalItems` of its followers, of whom it follows, and of its outbox."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.federation.lookups import thread_completion
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.protocol.authority import same_origin
from fediblog.store.people import accounts
from fediblog.store.queues import profile_totals

FETCHES = 3


async def fetch(site: Site, number: int) -> None:
    """Fetch the three totals of the account of that number; where one cannot be had, the stored one stays."""
    account = await site.db.read(accounts.get, number)
    if account is None or account.local or account.state != "active":
        return
    budget = Budget(FETCHES, account.uri)
    collections = (account.followers, account.following, account.outbox)
    found = [await _total(site, account, uri, budget) for uri in collections]
    await site.db.write(profile_totals.put, number, *found)


async def _total(site: Site, account: Account, uri: str, budget: Budget) -> int | None:
    collection = await thread_completion.page_at(site, uri, budget) if uri and same_origin(uri, account.uri) else None
    total = collection.total if collection is not None else None
    return None if total is None else min(total, profile_totals.MOST)
