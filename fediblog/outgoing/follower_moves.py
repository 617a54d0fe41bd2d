"""After a Move, of an account of ours or elsewhere: our people who follow it follow the new one instead."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.outgoing import sent_follows
from fediblog.store.people import accounts, relations
from fediblog.store.queues import background_fetches
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx


def follow_on(tx: Tx, urls: Urls, old: Account, new: Account) -> None:
    """Have our active accounts that follow `old` follow `new` and unfollow `old`; each is notified of the move.

    Who blocks `new` or its server, or is blocked by it, only unfollows. The caller holds both accounts.
    """
    for follower in accounts.many(tx, relations.local_followers(tx, old.id)).values():
        if follower.state != "active":
            continue
        apart = relations.keeps_off(tx, follower.id, new.id) or relations.blocks(tx, new.id, follower.id)
        if follower.id != new.id and not apart and relations.follow(tx, follower.id, new.id) is None:
            _follow(tx, urls, follower, new)
        _unfollow(tx, urls, follower, old)
        notifications.add(tx, follower.id, "move", old.id, content=new.uri)


def _follow(tx: Tx, urls: Urls, follower: Account, new: Account) -> None:
    background_fetches.of_account(tx, new)
    number = tx.new_id()
    at_once = new.local and not new.locked
    uri = urls.transient_activity(follower.uri, number)
    relations.put_follow(tx, follower.id, new.id, uri, "accepted" if at_once else "pending")
    if new.local:
        notifications.add(tx, new.id, "follow" if at_once else "follow_request", follower.id)
    sent_follows.follow(tx, urls, follower, new, number)


def _unfollow(tx: Tx, urls: Urls, follower: Account, old: Account) -> None:
    standing = relations.follow(tx, follower.id, old.id)
    if standing is None:
        return
    relations.unfollow(tx, follower.id, old.id)
    notifications.withdraw(tx, old.id, "follow_request", follower.id)
    sent_follows.undo(tx, urls, follower, old, standing.uri)
