"""Approval of interactions (GoToSocial): what authors elsewhere say to ours, and what ours say to answers of others."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox.handler import Facts, Outcome
from fediblog.outgoing import sent_authorizations, sent_reactions
from fediblog.protocol.authority import same_origin
from fediblog.store.people import accounts
from fediblog.store.posts import approvals, posts, reaction_lists, reactions
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx


def answered(tx: Tx, urls: Urls, activity: Activity, facts: Facts, *, accepted: bool) -> Outcome | None:
    """An Accept or a Reject of a like, a boost or an answer of ours, by the author of the post alone; None if of none.

    Nobody else learns of one that they may not see.

    What is accepted carries the authorization from then on; a like or boost that is rejected is gone.
    """
    uri = activity.object_uri
    if not urls.owns(uri):
        return None
    liked, boosted = reactions.by_uri(tx, uri), reactions.boost_by_uri(tx, uri)
    ours = posts.by_uri(tx, uri) if liked is None and boosted is None else None
    if ours is not None and ours.is_draft:
        return None
    about = liked[1] if liked else boosted[1] if boosted else ours.parent if ours is not None and ours.local else None
    post = posts.stored(tx, about) if about is not None else None
    if post is None:
        return None
    if post.author != activity.actor:
        if not _sees(tx, uri, post if ours is None else ours, facts.actor.id, is_boost=boosted is not None):
            return None
        raise Refused("not-asked", activity.actor, key="refusal.not-asked-of-post")
    proof = (activity.result or activity.uri) if accepted else ""
    if accepted and not same_origin(proof, activity.actor):
        raise Refused("authorization-foreign", proof)
    known = approvals.of(tx, uri)
    state: approvals.State = "accepted" if accepted else "rejected"
    if known is not None and (known.state, known.proof) == (state, proof):
        return Outcome.DUPLICATE
    approvals.settle(tx, uri, post.id, state, proof, by_accept=accepted and not activity.result)
    if liked and not accepted:
        reactions.withdraw_by_uri(tx, liked[0], uri)
    if boosted and not accepted:
        _end_boost(tx, urls, boosted[0], post, uri)
    if ours is not None:
        _send_again(tx, ours)
    return Outcome.DONE


def _sees(tx: Tx, uri: str, post: Post, account: int, *, is_boost: bool) -> bool:
    """Whether an account may see an answer, which is `post`, or a like or boost of `post` with that id."""
    if is_boost and not reaction_lists.is_boost_seen(tx, uri, account):
        return False
    return posts.get(tx, post.id, account) is not None


def taken_back(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome | None:
    """A Delete of an authorization is a Reject of what it let stand; None if it is none that we know."""
    done = approvals.proven(tx, activity.object_uri)
    return answered(tx, urls, replace(activity, object_uri=done), facts, accepted=False) if done else None


def _end_boost(tx: Tx, urls: Urls, account: int, post: Post, uri: str) -> None:
    booster, standing = accounts.get(tx, account), reaction_lists.own_boost(tx, account, post.id)
    if reactions.unboost(tx, account, post.id) is not None and booster is not None and standing is not None:
        sent_reactions.undo_boost(tx, urls, booster, post, standing)


def let_reply(
    tx: Tx,
    urls: Urls,
    ours: Account,
    post: int,
    author: Account,
    replying: str,
    request: Activity | None = None,
    kind: str = "Reply",
) -> None:
    """Say that an answer to a post of ours may stand: `post` by `ours`, answered by `replying` of `author`.

    The Accept is of the answer itself, or of the request to write it; `kind` as `approvals.authorize_reply` has it.
    What was taken back is rejected.
    """
    given = approvals.authorize_reply(tx, post, author.id, replying, kind)
    asked = request or replying
    if given is None:
        sent_authorizations.reject(tx, urls, ours, author, asked)
        return
    own = urls.of(ours)
    sent_authorizations.accept(tx, urls, ours, author, asked, own.reply_authorization(given), own.post(post))


def _send_again(tx: Tx, ours: Post) -> None:
    """Send an answer of ours again, with or without its authorization, to all who have it."""
    if ours.state == "published":
        job_queue.add(tx, job_kinds.SEND_COUNTS, str(ours.id))
