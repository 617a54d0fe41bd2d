"""What groups pass on: an Announce of an activity of somebody else's, which is fetched from its own origin.

Forums such as NodeBB and PieFed serve no likes and no deletes. These a group is believed for its own server's people
(`_vouched`), and nothing else ever.
"""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Note
from fediblog.domain.urls import Urls
from fediblog.inbox import post_handlers, reaction_handlers
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, Sender
from fediblog.protocol.authority import same_origin
from fediblog.store.people import accounts, relations
from fediblog.store.posts import posts
from fediblog.store.tx import Tx

_REFETCHED = {
    "Like": reaction_handlers.reacted,
    "EmojiReact": reaction_handlers.reacted,
    "Dislike": reaction_handlers.reacted,
    "Undo": reaction_handlers.reaction_undone,
}


_VOUCHED = frozenset({"Like", "Dislike", "Undo", "Delete"})  # never what brings or changes words: Create and Update


def _vouched(activity: Activity, group: Account) -> bool:
    """Whether the inner activity may be believed as it stands: signed by a group for somebody of its own server."""
    inner = activity.inner
    return (
        inner is not None
        and group.kind == "Group"
        and inner.kind in _VOUCHED
        and same_origin(inner.uri, group.uri)
        and same_origin(inner.actor, group.uri)
    )


def _innermost(activity: Activity) -> Activity:
    return _innermost(activity.inner) if activity.inner else activity


def _concerns(tx: Tx, _urls: Urls, activity: Activity, sender: Sender) -> bool:
    thing = _innermost(activity)
    if posts.is_here(tx, thing.object_uri):
        return True
    inner = activity.inner
    new = inner is not None and inner.kind in ("Create", "Update")
    return new and sender.actor is not None and relations.followed_here(tx, sender.actor.id)


def _post_needs(activity: Activity) -> Needs:
    inner = activity.inner
    if inner is None or not inner.object_uri:
        return Needs()
    if inner.kind == "Update":
        return Needs(fresh_posts=(inner.object_uri,))
    return Needs(posts=(inner.object_uri,))


def _author_facts(note: Note, facts: Facts) -> Facts | None:
    author = facts.accounts.get(note.author)
    return replace(facts, actor=author, inbox_owner=None) if author is not None else None


def _posted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A new or changed post in a group. A new one that begins a thread shows up as passed on by the group."""
    inner = activity.inner
    note = facts.notes.get(inner.object_uri) if inner else None
    theirs = _author_facts(note, facts) if note is not None else None
    if inner is None or (note is not None and theirs is None):
        return Outcome.IGNORED
    outcome = Outcome.DUPLICATE
    if note is not None and theirs is not None:
        outcome = post_handlers.take_in(tx, urls, note, theirs, boosted=True, notify=inner.kind == "Create")
    post = posts.by_uri(tx, inner.object_uri)
    if inner.kind == "Create" and post is not None and not post.in_reply_to:
        reaction_handlers.pass_on(tx, replace(activity, object_uri=inner.object_uri), facts)
    return outcome


def _gone_needs(activity: Activity) -> Needs:
    inner = activity.inner
    return Needs(gone=(inner.object_uri,)) if inner and inner.object_uri else Needs()


def _deleted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A post goes if its own origin says that it is gone, or the group says so of its author."""
    inner = activity.inner
    post = posts.by_uri(tx, inner.object_uri) if inner and inner.object_uri else None
    if inner is None or post is None:
        return Outcome.IGNORED
    if post.uri not in facts.gone and not (_vouched(activity, facts.actor) and post.author == inner.actor):
        return Outcome.IGNORED
    post_handlers.take_away(tx, post)
    return Outcome.DONE


def _activity_needs(activity: Activity) -> Needs:
    inner = activity.inner
    if inner is None or not inner.uri:
        return Needs()
    at_home = same_origin(inner.uri, activity.actor) and same_origin(inner.actor, activity.actor)
    return Needs(activities=(inner.uri,), accounts=(inner.actor,) if at_home else ())


def _reacted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A reaction as its own origin serves it, or as the group passed it on where it may be believed (`_vouched`)."""
    reaction = facts.activities.get(activity.inner.uri) if activity.inner else None
    if reaction is None and _vouched(activity, facts.actor):
        reaction = activity.inner
    actor = (facts.accounts.get(reaction.actor) or accounts.by_uri(tx, reaction.actor)) if reaction else None
    handler = _REFETCHED.get(reaction.kind) if reaction else None
    if reaction is None or actor is None or handler is None or not same_origin(reaction.uri, actor.uri):
        return Outcome.IGNORED
    tx.hold(actor.id)  # whose own Undo may come at this very moment
    standing = accounts.get(tx, actor.id)
    if actor.local or standing is None or standing.state != "active":
        return Outcome.IGNORED
    return handler.apply(tx, urls, reaction, replace(facts, actor=actor, inbox_owner=None))


posted = Handler(_posted, needs=_post_needs, concerns=_concerns)
deleted = Handler(_deleted, needs=_gone_needs, concerns=_concerns)
reacted = Handler(_reacted, needs=_activity_needs, concerns=_concerns)
