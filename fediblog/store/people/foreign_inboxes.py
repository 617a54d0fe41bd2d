"""Inboxes on another host than their accounts: how many of them a host may get before it has said anything itself."""

from __future__ import annotations

from zlib import crc32

from fediblog.errors import Refused
from fediblog.store.people.hosts import BLOCKS, blocked_among
from fediblog.store.tx import Tx

MOST = 5  # accounts elsewhere with an inbox at a host that has signed nothing for us: else anybody could aim at it
_FAMILIAR = (
    "select 1 as yes from account a where a.host = :host and a.local = 0 and a.inbox_host = '' and ("
    "exists (select 1 from follow f where f.followed = a.id and f.state = 'accepted')"
    " or exists (select 1 from follow f where f.follower = a.id)"
    " or exists (select 1 from reaction r where r.account = a.id)"
    " or exists (select 1 from boost b where b.account = a.id)) limit 1"
)


def check(tx: Tx, uri: str, inbox_host: str) -> None:
    """Refuse an account elsewhere whose inbox is at a host that is blocked, or that does not seem to know of it."""
    tx.hold(BLOCKS, shared=True)
    tx.hold(crc32(inbox_host.encode()))  # who comes at the same time is counted as well
    if blocked_among(tx, [inbox_host]):
        raise Refused("host-blocked", inbox_host, key="refusal.inbox-blocked")
    others = tx.one(
        "select count(*) as n from account where inbox_host = :host and inbox_host <> '' and uri <> :uri",
        host=inbox_host,
        uri=uri,
    )
    if others is not None and others.n >= MOST and tx.one(_FAMILIAR, host=inbox_host) is None:
        raise Refused("inbox-elsewhere", inbox_host)
