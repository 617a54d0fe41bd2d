"""GoToSocial's interaction controls: somebody asks to answer, like or boost a post of ours (ReplyRequest and so on)."""

from __future__ import annotations

from fediblog.domain.documents import OPEN, Activity
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.inbox import approval_handlers, post_handlers, quote_handlers, reaction_handlers
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, came_too_late
from fediblog.outgoing import sent_authorizations
from fediblog.protocol import json_values
from fediblog.protocol.activities import read_activity
from fediblog.protocol.authority import same_origin
from fediblog.store.people import relations
from fediblog.store.posts import posts, reactions, reply_policy
from fediblog.store.tx import Tx


def _requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A ReplyRequest: the answer, sent along, fetched or stored before, is stored and accepted, or rejected."""
    post = _asked_about(tx, activity, facts)
    if post is None:
        return Outcome.IGNORED
    sent = requested.read(activity, facts.reading).own or facts.notes.get(activity.instrument)
    note = sent or posts.by_uri(tx, activity.instrument)
    if note is None or note.author != activity.actor or note.in_reply_to != post.uri or not _may(tx, post, facts):
        return _turn_down(tx, urls, post, facts, activity)
    if sent is not None:
        post_handlers.take_in(tx, urls, sent, facts, requested=True)
    if not posts.is_here(tx, note.uri):
        return Outcome.IGNORED
    approval_handlers.let_reply(tx, urls, post.account, post.id, facts.actor, note.uri, activity)
    return Outcome.DONE


def _asked_about(tx: Tx, activity: Activity, facts: Facts) -> Post | None:
    """The post of ours that the request is about, if its sender may see it and has not taken the request back."""
    place = posts.seen_by(tx, activity.object_uri, facts.actor.id)
    if place is None or not place.local or came_too_late(tx, activity):
        return None
    return posts.stored(tx, place.id)


def _turn_down(tx: Tx, urls: Urls, post: Post, facts: Facts, asked: Activity) -> Outcome:
    sent_authorizations.reject(tx, urls, post.account, facts.actor, asked)
    return Outcome.DONE


def _like_requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    return _asked_to(tx, urls, activity, facts, "Like")


def _boost_requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    return _asked_to(tx, urls, activity, facts, "Announce")


def _asked_to(tx: Tx, urls: Urls, activity: Activity, facts: Facts, kind: str) -> Outcome:
    """A LikeRequest or AnnounceRequest: the reaction, sent along or fetched, is stored and accepted, or rejected.

    It must be of that very post, by the sender. Whoever sees a post may like it; what is open to all may be boosted.
    """
    post = _asked_about(tx, activity, facts)
    if post is None:
        return Outcome.IGNORED
    asked = _embedded(activity) or facts.activities.get(activity.instrument)
    if (
        asked is None
        or (asked.kind, asked.actor, asked.object_uri) != (kind, activity.actor, post.uri)
        or not same_origin(asked.uri, activity.actor)
        or (kind == "Announce" and post.visibility not in OPEN)
    ):
        return _turn_down(tx, urls, post, facts, activity)
    uri, to, cc = asked.uri, asked.to, asked.cc
    done = Activity(kind=kind, actor=asked.actor, uri=uri, object=post.uri, object_uri=post.uri, to=to, cc=cc)
    (reaction_handlers.reacted if kind == "Like" else reaction_handlers.boosted).apply(tx, urls, done, facts)
    if (reactions.by_uri if kind == "Like" else reactions.boost_by_uri)(tx, uri) is None:
        return _turn_down(tx, urls, post, facts, activity)
    approval_handlers.let_reply(tx, urls, post.account, post.id, facts.actor, uri, activity, kind)
    return Outcome.DONE


def _embedded(activity: Activity) -> Activity | None:
    """The like or boost that came along, of which GoToSocial says in `attributedTo` whose it is."""
    inner = json_values.fields(activity.raw.get("instrument"))
    return read_activity({"actor": inner.get("attributedTo"), **inner}) if inner else None


def _needs_of_reaction(activity: Activity) -> Needs:
    """The like or boost of a request that names only its id."""
    if not activity.instrument or _embedded(activity) is not None:
        return Needs()
    return Needs(activities=(activity.instrument,))


def _may(tx: Tx, post: Post, facts: Facts) -> bool:
    blocked = relations.blocks(tx, post.account.id, facts.actor.id)
    return not blocked and reply_policy.may_comment(tx, facts.actor.id, post)


requested = Handler(
    _requested, needs=quote_handlers.needs, concerns=quote_handlers.concerns, brings=quote_handlers.brings
)
like_requested = Handler(_like_requested, needs=_needs_of_reaction, concerns=quote_handlers.concerns)
boost_requested = Handler(_boost_requested, needs=_needs_of_reaction, concerns=quote_handlers.concerns)
