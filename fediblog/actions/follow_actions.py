"""Follow and unfollow; accept, refuse and remove those who follow us."""

from __future__ import annotations

from fediblog.actions.drafts import author_of
from fediblog.domain.accounts import Account, Relation
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.outgoing import sent_follows
from fediblog.store.people import accounts, relations
from fediblog.store.queues import background_fetches, incoming_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx

ASKED_PAUSE = 60_000  # ms in which a Follow that waits for its answer is not sent once more


def follow(tx: Tx, urls: Urls, account: int, target: int, *, first_posts: bool = True) -> Relation:
    """Ask to follow; one of ours that is not locked is followed at once. A Follow has a fresh id each time.

    Who was asked a moment ago is not asked again; after that once more, for the Follow or its answer may be lost.
    Without `first_posts` nothing that the other wrote before is fetched.
    """
    actor, other = author_of(tx, account, target), other_of(tx, target)
    if other.id == actor.id:
        raise Invalid("handle", "follow.oneself")
    if relations.blocks(tx, target, account):
        raise Forbidden("follow.impossible")
    if relations.blocks(tx, account, target):
        raise Invalid("handle", "follow.blocked")
    if relations.keeps_off(tx, account, target):
        raise Invalid("handle", "follow.host-blocked")
    standing = relations.follow(tx, account, target)
    asked = standing is not None and incoming_queue.sent_since(tx, account, "Follow", other.uri, tx.now - ASKED_PAUSE)
    if standing is not None and (asked or standing.state == "accepted"):
        return relations.between(tx, account, target)
    if first_posts:
        background_fetches.of_account(tx, other)
    number = tx.new_id()
    at_once = other.local and not other.locked
    relations.put_follow(
        tx, account, target, urls.transient_activity(actor.uri, number), "accepted" if at_once else "pending"
    )
    if other.local:
        notifications.add(tx, target, "follow" if at_once else "follow_request", account)
    sent_follows.follow(tx, urls, actor, other, number)
    return relations.between(tx, account, target)


def unfollow(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """End a follow, or take the request back."""
    actor, other = author_of(tx, account, target), other_of(tx, target)
    standing = relations.follow(tx, account, target)
    if standing is None:
        return
    relations.unfollow(tx, account, target)
    notifications.withdraw(tx, target, "follow_request", account)
    sent_follows.undo(tx, urls, actor, other, standing.uri)


def accept(tx: Tx, urls: Urls, account: int, follower: int) -> None:
    """Let somebody follow who asked."""
    actor, other = author_of(tx, account, follower), other_of(tx, follower)
    standing = relations.follow(tx, follower, account)
    if standing is None:
        raise NotFound("follow.no-request")
    if not relations.accept(tx, follower, account):
        return
    notifications.withdraw(tx, account, "follow_request", follower)
    notifications.add(tx, account, "follow", follower)
    sent_follows.accept(tx, urls, actor, other, standing.uri)


def refuse(tx: Tx, urls: Urls, account: int, follower: int) -> None:
    """Turn a request down, or remove a follower: the other side is told either way."""
    actor, other = author_of(tx, account, follower), other_of(tx, follower)
    standing = relations.follow(tx, follower, account)
    if standing is None:
        raise NotFound("follow.no-request")
    relations.unfollow(tx, follower, account)
    notifications.withdraw(tx, account, "follow_request", follower)
    sent_follows.reject(tx, urls, actor, other, standing.uri)


remove_follower = refuse


def other_of(tx: Tx, target: int) -> Account:
    """The account that the action is about."""
    other = accounts.get(tx, target)
    if other is None or other.state == "deleted":
        raise NotFound("account.none")
    return other
