"""An Undo that names only an id: whatever that is, it must be the actor's own."""

from __future__ import annotations

from fediblog.domain.documents import Activity
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox.follow_handlers import end_follow
from fediblog.inbox.handler import Facts, Handler, Outcome, may_undo, remember
from fediblog.inbox.reaction_handlers import take_boost_back, take_reaction_back
from fediblog.protocol.authority import same_origin
from fediblog.store.people import relations
from fediblog.store.queues import incoming_queue
from fediblog.store.tx import Tx


def _undone(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    may_undo(activity)
    uri, account = activity.object_uri, facts.actor.id
    if not uri or not same_origin(uri, activity.actor):
        return Outcome.IGNORED
    if _relation_ended(tx, uri, account):
        incoming_queue.forget(tx, uri)
        return Outcome.DONE
    done = take_reaction_back(tx, uri, account) or take_boost_back(tx, uri, account)
    return Outcome.DONE if done else remember(tx, activity)


def _relation_ended(tx: Tx, uri: str, account: int) -> bool:
    follow = relations.follow_by_uri(tx, uri)
    block = relations.block_by_uri(tx, uri)
    if (follow and follow.follower != account) or (block and block[0] != account):
        raise Refused("not-the-owner", uri)
    if follow:
        end_follow(tx, account, follow.followed)
    if block:
        relations.unblock(tx, account, block[1])
    return follow is not None or block is not None


undone = Handler(_undone)
