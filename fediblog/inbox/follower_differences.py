"""Sets right who of our people follows an account elsewhere, as its server lists them (FEP-8fcf), a few at a time."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.inbox.follow_handlers import ours
from fediblog.outgoing import sent_follows
from fediblog.store.people import followers_by_host, relations
from fediblog.store.tx import Tx

MOST = 100  # relations that are changed at a time; the next message brings the rest


def settle(tx: Tx, urls: Urls, account: Account, listed: Collection[str]) -> int:
    """Make the follows of `account` by our people those of `listed`, their ids; returns how many were changed.

    Who is not listed does not follow any more. Who is listed and asked has been accepted. For who is listed and
    never asked, or has unfollowed since, an Undo is sent once more.
    """
    tx.hold(account.id)
    known, names = followers_by_host.followers_here(tx, account.id), dict.fromkeys(listed)
    stale = [number for uri, number in known.items() if uri not in names][:MOST]
    for number in stale:
        relations.unfollow(tx, number, account.id)
    unknown = [uri for uri in names if uri not in known and urls.owns(uri)][: MOST - len(stale)]
    for uri in unknown:
        _agree(tx, urls, account, uri)
    return len(stale) + len(unknown)


def _agree(tx: Tx, urls: Urls, account: Account, uri: str) -> None:
    follower = ours(tx, urls, uri)
    if follower is not None and not relations.accept(tx, follower.id, account.id):
        sent_follows.undo(tx, urls, follower, account, "")
