"""Quotes (FEP-044f): requests to quote posts of ours, granted as their authors want it, and the answers to our own."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Activity, Note
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox import approval_handlers, follow_handlers
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, Sender, came_too_late, remember
from fediblog.outgoing import sent_authorizations
from fediblog.protocol.authority import same_origin
from fediblog.protocol.notes import read_note
from fediblog.store.posts import posts, quote_proofs, quotes, reply_policy
from fediblog.store.posts.quotes import QuoteRequest
from fediblog.store.queues import incoming_queue, job_kinds, job_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx


def concerns(_tx: Tx, urls: Urls, activity: Activity, _sight: Sender) -> bool:
    """Whether a request is about a post of ours."""
    return urls.post_number(activity.object_uri) is not None


def brings(activity: Activity) -> Note | None:
    """The post for which a request asks, if it came along."""
    instrument = activity.raw.get("instrument")
    return read_note(instrument) if isinstance(instrument, dict) else None


def needs(activity: Activity) -> Needs:
    """The post for which a request asks, if it was named by its id alone."""
    return Needs(posts=(activity.instrument,)) if activity.instrument else Needs()


def _requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    post = _asked_for(tx, activity, facts.actor)
    if post is None or came_too_late(tx, activity):
        return Outcome.IGNORED
    granted = _grant(tx, activity, facts, post)
    if granted is None:
        sent_authorizations.reject(tx, urls, post.account, facts.actor, activity)
        return Outcome.DONE
    _notify_late(tx, activity, facts, post)
    proof = urls.of(post.account).authorization(granted)
    sent_authorizations.accept(tx, urls, post.account, facts.actor, activity, proof)
    return Outcome.DONE


def _asked_for(tx: Tx, activity: Activity, actor: Account) -> Post | None:
    """The post of ours, unless it is one of which the sender must not learn that it is there."""
    place = posts.place(tx, activity.object_uri)
    post = posts.stored(tx, place.id) if place is not None and place.local else None
    if post is None or (post.visibility not in OPEN and posts.seen_by(tx, post.uri, actor.id) is None):
        return None
    return post


def _grant(tx: Tx, activity: Activity, facts: Facts, post: Post) -> int | None:
    """The number of the authorization. The post that quotes is the sender's own, and quotes what it asks for."""
    sent = requested.read(activity, facts.reading).own
    note = sent or facts.notes.get(activity.instrument) or posts.by_uri(tx, activity.instrument)
    if note is None or note.uri != activity.instrument or note.author != activity.actor:
        return None
    if note.quote not in ("", post.uri):
        return None
    return reply_policy.authorize_quote(tx, post, facts.actor.id, note.uri)


def _notify_late(tx: Tx, activity: Activity, facts: Facts, post: Post) -> None:
    """Notify of a post that came before its request to quote, and was a link until now."""
    place = posts.place(tx, activity.instrument)
    quoting = posts.stored(tx, place.id) if place is not None else None
    if quoting is None or quoting.quote != post.uri:
        return
    if quoting.visibility in OPEN or post.account.id in quoting.addressed:
        notifications.add(tx, post.account.id, "quote", facts.actor.id, quoting.id)


def _asked_by_us(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> QuoteRequest | None:
    """The request of ours that is answered, by its id or by the post that quotes; only whom it asked may answer.

    There is none for others who may not see the post that quotes.
    """
    uri, inner = activity.object_uri, activity.inner
    found = quotes.request_by_uri(tx, uri) if urls.owns(uri) else None
    if found is None and inner is not None and inner.kind == "QuoteRequest" and urls.owns(inner.instrument):
        place = posts.place(tx, inner.instrument)
        found = quotes.request(tx, place.id) if place is not None and place.local else None
    if found is not None and found.author != activity.actor:
        if posts.get(tx, found.post, facts.actor.id) is None:
            return None
        raise Refused("not-asked", activity.actor, key="refusal.not-asked-to-quote")
    return found


def _granted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """An Accept of our request to quote. One that was rejected or revoked stays so: an old Accept may come again."""
    found = _asked_by_us(tx, urls, activity, facts)
    if found is None:
        return Outcome.IGNORED
    approval = activity.result
    if not same_origin(approval, activity.actor):
        raise Refused("authorization-foreign", approval)
    known = quotes.request_by_approval(tx, approval)
    if known is not None and known.post != found.post:
        raise Refused("authorization-foreign", approval, key="refusal.authorization-of-another")
    state = "revoked" if incoming_queue.undone_early(tx, approval, activity.actor) else "accepted"
    return _settled(tx, found, "pending", state, approval)


def _turned_down(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A Reject of our request to quote; after an Accept it takes that back."""
    found = _asked_by_us(tx, urls, activity, facts)
    if found is None:
        return Outcome.IGNORED
    after = {"pending": "rejected", "accepted": "revoked"}.get(found.state, found.state)
    return _settled(tx, found, found.state, after)


def _settled(tx: Tx, found: QuoteRequest, before: str, state: str, approval: str = "") -> Outcome:
    """Store the new state of our request, and send the post again to all who have it."""
    if found.state == state or not quotes.settle(tx, found.post, before, state, approval):
        return Outcome.DUPLICATE
    job_queue.add(tx, job_kinds.SEND_COUNTS, str(found.post))
    return Outcome.DONE


def disallowed(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome | None:
    """An authorization was deleted by whom we, or others, quoted, liked, boosted or answered; None if none we know."""
    found = quotes.request_by_approval(tx, activity.object_uri)
    if found is None or (found.author != activity.actor and posts.get(tx, found.post, facts.actor.id) is None):
        if quote_proofs.revoke(tx, activity.object_uri, activity.actor):
            return Outcome.DONE
        return approval_handlers.taken_back(tx, urls, activity, facts)
    if found.author != activity.actor:
        raise Refused("not-the-owner", activity.object_uri)
    return _settled(tx, found, "accepted", "revoked", found.approval)


def _deleted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    return disallowed(tx, urls, activity, facts) or remember(tx, activity)


def _granted_by_id(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """The id of a QuoteRequest of ours, of a like, boost or answer, or else of a Follow."""
    known = urls.owns(activity.object_uri) and quotes.request_by_uri(tx, activity.object_uri) is not None
    if known:
        return _granted(tx, urls, activity, facts)
    return approval_handlers.answered(tx, urls, activity, facts, accepted=True) or follow_handlers.granted.apply(
        tx, urls, activity, facts
    )


def _turned_down_by_id(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    known = urls.owns(activity.object_uri) and quotes.request_by_uri(tx, activity.object_uri) is not None
    if known:
        return _turned_down(tx, urls, activity, facts)
    answer = approval_handlers.answered(tx, urls, activity, facts, accepted=False)
    return answer or follow_handlers.turned_down.apply(tx, urls, activity, facts)


requested = Handler(_requested, needs=needs, concerns=concerns, brings=brings)
granted = Handler(_granted)
granted_by_id = Handler(_granted_by_id)
turned_down = Handler(_turned_down)
turned_down_by_id = Handler(_turned_down_by_id)
deleted = Handler(_deleted)
