"""Who signed a request, by the key that is stored or as its origin tells it now: for inboxes and for signed GETs.

A stored key that does not verify may have been changed, so it is asked for again (key rotation). If that brings nothing
new, the key is left alone for five minutes. Requests that need one key at the same time share one fetch.
"""

from __future__ import annotations

import asyncio

from fediblog.domain.accounts import Account
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import resolve
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.memory import Memory
from fediblog.protocol import signatures
from fediblog.protocol.keys import PublicKey
from fediblog.protocol.signatures import Checked
from fediblog.store.people.accounts import StoredKey

PAUSE = 300_000  # ms in which a key that could not be used is not fetched again
_MOST_FAILED = 4096


class KeyFetches:
    """Keys that are being fetched for a site, and those that could not be used lately."""

    def __init__(self, _site: Site) -> None:
        self.under_way: dict[str, asyncio.Task[tuple[PublicKey, Account]]] = {}
        self._failed: Memory[str, tuple[int, Refused]] = Memory(_MOST_FAILED)

    def fail(self, key_id: str, refusal: Refused, now: int) -> None:
        """Remember that a key could not be used, and why; `now` in ms."""
        # A fresh one: an error that was raised holds all that was at hand where that happened, such as the whole body.
        self._failed.put(key_id, (now + PAUSE, refusal.again()))

    def check(self, key_id: str, now: int) -> None:
        """Raise what a key was refused for less than `PAUSE` ago; `now` in ms."""
        until, refusal = self._failed.get(key_id) or (0, None)
        if refusal is not None and now < until:
            raise refusal.again()


async def signer(site: Site, checked: Checked, held: tuple[StoredKey, Account] | None, budget: Budget) -> Account:
    """The account that signed this request; `held` is the key of that id as it is stored, and its owner.

    Refused if the signature is not good, also with the key as it is now; Unavailable if that cannot be had now.
    """
    origin, key_id = site.urls.origin, checked.claim.key_id
    stored = resolve.parse_key(held[0].public) if held is not None else None
    if held is None or stored is None:
        key, account = await _fetched(site, key_id, budget)
        signatures.prove(checked, key, origin)
        return account
    try:
        signatures.prove(checked, stored, origin)
    except Refused as refusal:
        newer = await newer_key(site, key_id, stored, budget) if refusal.reason == "signature-bad" else None
        if newer is None:
            raise
        signatures.prove(checked, newer[0], origin)
        return newer[1]
    return held[1]


async def newer_key(
    site: Site, key_id: str, known: PublicKey | None, budget: Budget
) -> tuple[PublicKey, Account] | None:
    """The key of that id and its owner, fetched again; None if it is `known` still, or cannot be had."""
    held = await site.db.read(resolve.held_key, key_id)
    stored = resolve.parse_key(held[0].public) if held is not None else None
    if held is not None and stored is not None and stored != known:  # another request has renewed it meanwhile
        return stored, held[1]
    try:
        key, account = await _fetched(site, key_id, budget, fresh=True)
        if key != known:
            return key, account
    except Refused:  # and it is left alone already
        return None
    except Unavailable:
        pass
    site.keep(KeyFetches).fail(key_id, Refused("key-unchanged"), site.clock())
    return None


async def _fetched(site: Site, key_id: str, budget: Budget, *, fresh: bool = False) -> tuple[PublicKey, Account]:
    """Fetch a key and its owner, one fetch for all who wait for it; Refused if it failed less than `PAUSE` ago."""
    fetches = site.keep(KeyFetches)
    task = fetches.under_way.get(key_id)
    if task is None:
        fetches.check(key_id, site.clock())
        task = fetches.under_way[key_id] = asyncio.create_task(resolve.fetch_key(site, key_id, budget, fresh=fresh))
        task.add_done_callback(lambda _: fetches.under_way.pop(key_id, None))
    try:
        return await asyncio.shield(task)  # one request that is broken off does not end it for the others
    except Refused as refusal:
        fetches.fail(key_id, refusal, site.clock())
        raise
