"""Follow, Accept, Reject and Block, and taking them back."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox.handler import Facts, Handler, Outcome, Sender, came_too_late, may_undo, refuse_inactive, remember
from fediblog.outgoing import sent_follows
from fediblog.store.people import accounts, relations
from fediblog.store.people.relations import Follow
from fediblog.store.queues import incoming_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx

ANSWER_PAUSE = 60_000  # ms in which a copy of a Follow that stands is not answered once more


def ours(tx: Tx, urls: Urls, uri: str) -> Account | None:
    """The account of one of our own people with that id."""
    found = accounts.by_uri(tx, uri) if urls.owns(uri) else None
    usable = found is not None and found.local and found.login is not None and found.state == "active"
    return found if usable else None


def _about_ours(_tx: Tx, urls: Urls, activity: Activity, _sight: Sender) -> bool:
    return urls.owns(activity.object_uri)


def _asked(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    target = ours(tx, urls, activity.object_uri)
    if target is None or came_too_late(tx, activity):
        return Outcome.IGNORED
    follower = facts.actor
    found = relations.before_follow(tx, follower.id, target.id)
    refuse_inactive(found.state, activity)
    if found.blocked or target.moved_to:
        sent_follows.reject(tx, urls, target, follower, activity.uri)
        return Outcome.IGNORED
    standing = relations.follow(tx, follower.id, target.id)
    granted = not target.locked or (standing is not None and standing.state == "accepted")
    state = "accepted" if granted else "pending"
    if _is_copy(tx, activity, target, standing, state):
        return Outcome.DUPLICATE
    relations.put_follow(tx, follower.id, target.id, activity.uri, state)
    if standing is None or standing.state != state:
        notifications.add(tx, target.id, "follow" if granted else "follow_request", follower.id)
    if granted:
        sent_follows.accept(tx, urls, target, follower, activity.uri)
    return Outcome.DONE


def _is_copy(tx: Tx, activity: Activity, target: Account, standing: Follow | None, state: str) -> bool:
    """Whether it is the same Follow within a minute. A later one is answered again: our Accept may have been lost."""
    if standing is None or standing.uri != activity.uri or standing.state != state:
        return False
    since = tx.now - ANSWER_PAUSE
    return state == "pending" or incoming_queue.sent_since(tx, target.id, "Accept", activity.actor, since)


def _follow_of_ours(tx: Tx, urls: Urls, activity: Activity, asked: Activity | None, uri: str) -> Follow | None:
    """The Follow of ours that is answered, found by its id or by who is in it; the answer must be by the followed."""
    found = relations.follow_by_uri(tx, uri) if uri and urls.owns(uri) else None
    if found is None and asked is not None and asked.kind == "Follow":
        if asked.object_uri and asked.object_uri != activity.actor:
            raise Refused("not-asked", activity.actor)
        follower = ours(tx, urls, asked.actor)
        followed = accounts.by_uri(tx, activity.actor)
        found = relations.follow(tx, follower.id, followed.id) if follower and followed else None
    return found


def _answered(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Follow | None:
    found = _follow_of_ours(tx, urls, activity, activity.inner, activity.object_uri)
    if found is not None and found.followed != facts.actor.id:
        raise Refused("not-asked", activity.actor)
    return found


def _granted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    found = _answered(tx, urls, activity, facts)
    if found is None:
        return Outcome.IGNORED
    return Outcome.DONE if relations.accept(tx, found.follower, found.followed) else Outcome.DUPLICATE


def _turned_down(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A Reject of our Follow; after an Accept it says that our account was removed as a follower."""
    found = _answered(tx, urls, activity, facts)
    if found is None:
        return Outcome.IGNORED
    relations.unfollow(tx, found.follower, found.followed)
    follower = accounts.get(tx, found.follower)
    if follower is not None and urls.owns(activity.object_uri) and activity.object_uri != found.uri:
        # An earlier Follow was turned down, and they may have taken the later one: both sides shall know that it ended.
        sent_follows.undo(tx, urls, follower, facts.actor, found.uri)
    return Outcome.DONE


def _acceptance_undone(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    may_undo(activity)
    accepted = activity.inner
    if accepted is None:
        return Outcome.IGNORED
    found = _follow_of_ours(tx, urls, activity, accepted.inner, accepted.object_uri)
    if found is None:
        return Outcome.IGNORED
    if found.followed != facts.actor.id:
        raise Refused("not-asked", activity.actor)
    relations.unfollow(tx, found.follower, found.followed)
    return Outcome.DONE


def _withdrawn(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    may_undo(activity)
    target = ours(tx, urls, activity.inner.object_uri) if activity.inner else None
    if target is not None and end_follow(tx, facts.actor.id, target.id):
        incoming_queue.forget(tx, activity.object_uri)
        return Outcome.DONE
    return remember(tx, activity)


def end_follow(tx: Tx, follower: int, followed: int) -> bool:
    """A follow of one of ours has ended, or the request was taken back."""
    notifications.withdraw(tx, followed, "follow_request", follower)
    notifications.withdraw(tx, followed, "follow", follower)
    return relations.unfollow(tx, follower, followed)


def _blocked(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    target = ours(tx, urls, activity.object_uri)
    if target is None or came_too_late(tx, activity):
        return Outcome.IGNORED
    end_follow(tx, facts.actor.id, target.id)
    standing = relations.follow(tx, target.id, facts.actor.id)
    if standing is not None:  # it may have crossed the Block on its way, and been taken since
        sent_follows.undo(tx, urls, target, facts.actor, standing.uri)
    uri = activity.uri or f"{facts.actor.uri}#blocks/{target.id}"
    relations.block(tx, facts.actor.id, target.id, uri)
    return Outcome.DONE


def _unblocked(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    may_undo(activity)
    target = ours(tx, urls, activity.inner.object_uri) if activity.inner else None
    if target is not None and relations.unblock(tx, facts.actor.id, target.id) is not None:
        incoming_queue.forget(tx, activity.object_uri)
        return Outcome.DONE
    return remember(tx, activity)


asked = Handler(_asked, concerns=_about_ours)
granted = Handler(_granted)
turned_down = Handler(_turned_down)
acceptance_undone = Handler(_acceptance_undone)
withdrawn = Handler(_withdrawn)
blocked = Handler(_blocked, concerns=_about_ours)
unblocked = Handler(_unblocked)
