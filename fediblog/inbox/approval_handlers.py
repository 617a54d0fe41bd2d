"""Reply control (GoToSocial's interaction controls): what authors say to likes, boosts and answers of ours."""

from __future__ import annotations

from dataclasses import replace

from fediblog.domain.documents import Activity
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox import automatic_answers
from fediblog.inbox.handler import Outcome
from fediblog.protocol.authority import same_origin
from fediblog.store.people import accounts
from fediblog.store.posts import approvals, posts, reactions
from fediblog.store.queues import job_queue
from fediblog.store.tx import Tx


def answered(tx: Tx, urls: Urls, activity: Activity, *, accepted: bool) -> Outcome | None:
    """An Accept or a Reject of a like, a boost or an answer of ours, by the author of the post alone; None if of none.

    What is accepted carries the authorization from then on; a like or boost that is rejected is gone.
    """
    uri = activity.object_uri
    if not urls.owns(uri):
        return None
    liked, boosted = reactions.by_uri(tx, uri), reactions.boost_by_uri(tx, uri)
    ours = posts.by_uri(tx, uri) if liked is None and boosted is None else None
    about = liked[1] if liked else boosted[1] if boosted else ours.parent if ours is not None and ours.local else None
    post = posts.stored(tx, about) if about is not None else None
    if post is None:
        return None
    if post.author != activity.actor:
        raise Refused("not-asked", "That was not done to a post of this actor.", activity.actor)
    proof = (activity.result or activity.uri) if accepted else ""
    if accepted and not same_origin(proof, activity.actor):
        raise Refused("authorization-foreign", "The authorization is not of the author's server.", proof)
    known = approvals.of(tx, uri)
    state: approvals.State = "accepted" if accepted else "rejected"
    if known is not None and (known.state, known.proof) == (state, proof):
        return Outcome.DUPLICATE
    approvals.settle(tx, uri, post.id, state, proof, by_accept=accepted and not activity.result)
    if liked and not accepted:
        reactions.withdraw_by_uri(tx, liked[0], uri)
    if boosted and not accepted and reactions.unboost(tx, boosted[0], boosted[1]) is not None:
        booster = accounts.get(tx, boosted[0])
        if booster is not None:
            automatic_answers.undo_boost(tx, urls, booster, post.account, uri, post.uri)
    if ours is not None:
        _tell(tx, ours)
    return Outcome.DONE


def taken_back(tx: Tx, urls: Urls, activity: Activity) -> Outcome | None:
    """A Delete of an authorization is a Reject of what it let stand; None if it is none that we know."""
    done = approvals.proven(tx, activity.object_uri)
    return answered(tx, urls, replace(activity, object_uri=done), accepted=False) if done else None


def _tell(tx: Tx, ours: Post) -> None:
    """Everybody who has our answer learns how it stands."""
    if ours.state == "published":
        job_queue.add(tx, "send-counts", str(ours.id))
