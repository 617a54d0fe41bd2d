"""Requests to quote posts of ours (FEP-044f): granted for what everybody may see, as its author wants it."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Json, Note, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.inbox import answering
from fediblog.inbox.handling import Facts, Handler, Needs, Outcome, Sight, came_too_late
from fediblog.protocol import activities
from fediblog.protocol.notes import read_note
from fediblog.store import posts, quotes, relations
from fediblog.store.tx import Tx

_OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


def _concerns(_tx: Tx, urls: Urls, activity: Activity, _sight: Sight) -> bool:
    return urls.post_number(activity.object_uri) is not None


def _brings(activity: Activity) -> Note | None:
    """The post that quotes, if it came along."""
    told = activity.raw.get("instrument")
    return read_note(told) if isinstance(told, dict) else None


def _needs(activity: Activity) -> Needs:
    return Needs(posts=(activity.instrument,)) if activity.instrument else Needs()


def _requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    post = _asked_for(tx, activity, facts.actor)
    if post is None or came_too_late(tx, activity):
        return Outcome.IGNORED
    granted = _grant(tx, activity, facts, post)
    number = tx.new_id()
    uri, asked = urls.activity(number), _request(activity)
    if granted is None:
        document = activities.reject(uri, post.author, asked)
    else:
        document = activities.accept(uri, post.author, asked, result=urls.authorization(granted))
    answering.send(tx, urls, post.account, facts.actor, document, number=number)
    return Outcome.DONE


def _asked_for(tx: Tx, activity: Activity, actor: Account) -> Post | None:
    """The post of ours, unless it is one of which the sender must not learn that it is there."""
    place = posts.place(tx, activity.object_uri)
    post = posts.stored(tx, place.id) if place is not None and place.local else None
    if post is None or (post.visibility not in _OPEN and posts.seen_by(tx, post.uri, actor.id) is None):
        return None
    return post


def _grant(tx: Tx, activity: Activity, facts: Facts, post: Post) -> int | None:
    """The number of the authorization. The post that quotes is the sender's own, and quotes what it asks for."""
    told = requested.read(activity, facts.reading).own
    note = told or facts.notes.get(activity.instrument) or posts.by_uri(tx, activity.instrument)
    if note is None or note.uri != activity.instrument or note.author != activity.actor:
        return None
    if note.quote not in ("", post.uri) or post.visibility not in _OPEN:
        return None
    if relations.blocks(tx, post.account.id, facts.actor.id) or not _may(tx, post, facts.actor):
        return None
    return quotes.grant(tx, post.id, facts.actor.id, note.uri)


def _may(tx: Tx, post: Post, actor: Account) -> bool:
    """Whether the author lets that account quote the post."""
    if post.quotable == "followers":
        return relations.is_following(tx, actor.id, post.account.id)
    return post.quotable == "public"


def _request(activity: Activity) -> dict[str, Json]:
    """The request as it is sent back: all of it but the words of the post, which may be long."""
    document = activities.quote_request(
        activity.uri, activity.actor, activity.object_uri, activity.instrument, activity.to
    )
    return document if activity.uri else {key: value for key, value in document.items() if key != "id"}


requested = Handler(_requested, needs=_needs, concerns=_concerns, brings=_brings)
