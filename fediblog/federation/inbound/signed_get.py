"""Who asks for a document: the remote account behind a signed GET."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.errors import Refused
from fediblog.federation.inbound import request_signers
from fediblog.federation.lookups import resolve
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.protocol import signatures
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.people import hosts
from fediblog.store.people.accounts import host_of
from fediblog.store.tx import Tx

_SIGNED = frozenset({"signature", "signature-input"})


def _is_blocked(tx: Tx, account: Account) -> bool:
    return any(hosts.is_blocked(tx, host) for host in (account.domain, host_of(account.uri)))


async def asker(site: Site, incoming: IncomingRequest) -> Account | None:
    """The account that signed the request, None if it carries no signature.

    Refused if a signature is there and not good, or if its signer is suspended or of a blocked server (`blocked`).
    """
    if not any(name in _SIGNED for name, _ in incoming.headers):
        return None
    now = site.clock() // 1000
    claim = signatures.read(incoming, site.urls.origin)
    checked = signatures.check(claim, incoming, now)
    held = await site.db.read(resolve.held_key, claim.key_id)
    account = await request_signers.signer(site, checked, held, Budget())
    if account.state != "active" or await site.db.read(_is_blocked, account):
        raise Refused("blocked")
    return account
