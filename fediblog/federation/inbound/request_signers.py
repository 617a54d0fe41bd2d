"""Who signed a request, by the key that is stored or as its origin tells it now: for inboxes and for signed GETs.

A stored key that does not verify may have been changed, so it is asked for again (key rotation). If that brings nothing
new, the key is left alone for five minutes. Requests that need one key at the same time share one fetch.
"""

from __future__ import annotations

import asyncio

from fediblog.domain.accounts import Account
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import resolve
from fediblog.federation.lookups.fetch_budget import Budget, through_door
from fediblog.federation.site import Site
from fediblog.protocol import signatures
from fediblog.protocol.keys import PublicKey
from fediblog.protocol.signatures import Checked
from fediblog.store.people.accounts import StoredKey


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
    """The key of that id and its owner, if it is not `known` any more; None if asking brought nothing new."""
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
    through_door(site).bar(key_id, Refused("key-unchanged"), site.clock())
    return None


async def _fetched(site: Site, key_id: str, budget: Budget, *, fresh: bool = False) -> tuple[PublicKey, Account]:
    """From its origin, together with whoever else waits for that. A key that is no good is not looked for at once."""
    door = through_door(site)
    task = door.asking.get(key_id)
    if task is None:
        door.check_key(key_id, site.clock())
        task = door.asking[key_id] = asyncio.create_task(resolve.fetch_key(site, key_id, budget, fresh=fresh))
        task.add_done_callback(lambda _: door.asking.pop(key_id, None))
    try:
        return await asyncio.shield(task)  # one request that is broken off does not end it for the others
    except Refused as refusal:
        door.bar(key_id, refusal, site.clock())
        raise
