"""GoToSocial's interaction controls: somebody asks to answer, like or boost a post of ours (ReplyRequest and so on)."""

from __future__ import annotations

from fediblog.domain.documents import Activity, Json, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.inbox import answering, posting, quoting, reacting
from fediblog.inbox.handling import Facts, Handler, Outcome, came_too_late
from fediblog.protocol import activities, readers
from fediblog.protocol.authority import same_origin
from fediblog.store import permits, posts, reactions, relations
from fediblog.store.tx import Tx

_OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


def _requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """The answer comes along: it is taken in and let stand, or turned down."""
    place = posts.seen_by(tx, activity.object_uri, facts.actor.id)
    post = posts.stored(tx, place.id) if place is not None and place.local else None
    owner = posts.owner(tx, post.id) if post is not None else None
    if post is None or owner is None or came_too_late(tx, activity):
        return Outcome.IGNORED
    note = requested.read(activity, facts.reading).own or facts.notes.get(activity.instrument)
    asked = quoting.as_asked(activity)
    asked["type"] = activity.kind
    if note is None or note.author != activity.actor or note.in_reply_to != post.uri or not _may(tx, post, facts):
        return _turn_down(tx, urls, post, facts, asked)
    posting.take_in(tx, urls, note, facts)
    if not posts.is_here(tx, note.uri):
        return Outcome.IGNORED
    answering.let_reply(tx, urls, owner, facts.actor, note.uri, asked)
    return Outcome.DONE


def _turn_down(tx: Tx, urls: Urls, post: Post, facts: Facts, asked: dict[str, Json]) -> Outcome:
    number = tx.new_id()
    document = activities.reject(urls.activity(number), post.author, asked)
    answering.send(tx, urls, post.account, facts.actor, document, number=number)
    return Outcome.DONE


def _like_requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    return _asked_to(tx, urls, activity, facts, "Like")


def _boost_requested(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    return _asked_to(tx, urls, activity, facts, "Announce")


def _asked_to(tx: Tx, urls: Urls, activity: Activity, facts: Facts, kind: str) -> Outcome:
    """The like or boost comes along: whoever sees the post may like it, and boost it if everybody sees it."""
    place = posts.seen_by(tx, activity.object_uri, facts.actor.id)
    post = posts.stored(tx, place.id) if place is not None and place.local else None
    owner = posts.owner(tx, post.id) if post is not None else None
    if post is None or owner is None or came_too_late(tx, activity):
        return Outcome.IGNORED
    asked = quoting.as_asked(activity)
    asked["type"] = activity.kind
    told = readers.fields(activity.raw.get("instrument"))
    uri, about = activity.instrument, readers.ref(told.get("object")) or post.uri
    if (
        not same_origin(uri, activity.actor)
        or about != post.uri
        or (kind == "Announce" and post.visibility not in _OPEN)
    ):
        return _turn_down(tx, urls, post, facts, asked)
    done = Activity(
        kind=kind,
        actor=activity.actor,
        uri=uri,
        object=post.uri,
        object_uri=post.uri,
        to=readers.addresses(told.get("to")),
        cc=readers.addresses(told.get("cc")),
    )
    (reacting.reacted if kind == "Like" else reacting.boosted).apply(tx, urls, done, facts)
    if (reactions.by_uri if kind == "Like" else reactions.boost_by_uri)(tx, uri) is None:
        return _turn_down(tx, urls, post, facts, asked)
    answering.let_reply(tx, urls, owner, facts.actor, uri, asked, kind)
    return Outcome.DONE


def _may(tx: Tx, post: Post, facts: Facts) -> bool:
    blocked = relations.blocks(tx, post.account.id, facts.actor.id)
    return not blocked and permits.may_comment(tx, facts.actor.id, post)


requested = Handler(_requested, needs=quoting.needs, concerns=quoting.concerns, brings=quoting.brings)
like_requested = Handler(_like_requested, concerns=quoting.concerns)
boost_requested = Handler(_boost_requested, concerns=quoting.concerns)
