"""ReplyRequest (GoToSocial's interaction controls): somebody asks whether an answer may stand below a post of ours."""

from __future__ import annotations

from fediblog.domain.documents import Activity
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.inbox import answering, posting, quoting
from fediblog.inbox.handling import Facts, Handler, Outcome, came_too_late
from fediblog.protocol import activities
from fediblog.store import permits, posts, relations
from fediblog.store.tx import Tx


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
        number = tx.new_id()
        document = activities.reject(urls.activity(number), post.author, asked)
        answering.send(tx, urls, post.account, facts.actor, document, number=number)
        return Outcome.DONE
    posting.take_in(tx, urls, note, facts)
    if not posts.is_here(tx, note.uri):
        return Outcome.IGNORED
    answering.let_reply(tx, urls, owner, facts.actor, note.uri, asked)
    return Outcome.DONE


def _may(tx: Tx, post: Post, facts: Facts) -> bool:
    blocked = relations.blocks(tx, post.account.id, facts.actor.id)
    return not blocked and permits.may_comment(tx, facts.actor.id, post)


requested = Handler(_requested, needs=quoting.needs, concerns=quoting.concerns, brings=quoting.brings)
