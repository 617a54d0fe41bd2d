"""Create, Update and Delete of posts, and votes in our polls."""

from __future__ import annotations

from fediblog.domain.documents import Activity, Json, Note
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox import quote_handlers
from fediblog.inbox.account_handlers import gone_for_good
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, Sender, may_change, remember
from fediblog.inbox.note_storage import change_post, name_proof, put_post, refuse_author
from fediblog.protocol import questions
from fediblog.protocol.authority import object_is_theirs
from fediblog.protocol.json_values import listed
from fediblog.protocol.notes import is_bare, read_note
from fediblog.protocol.questions import is_vote
from fediblog.store import json_columns
from fediblog.store.people import relations
from fediblog.store.posts import arrivals, post_writing, posts, reactions, thread_links
from fediblog.store.tx import Tx


def _brings(activity: Activity) -> Note | None:
    return _read(activity, next(iter(listed(activity.object)), None))


def _read(activity: Activity, document: Json) -> Note | None:
    """An embedded post. Where it names no author that is the actor, who signs for it (ActivityPub §6.2)."""
    if not isinstance(document, dict):
        return None
    if "attributedTo" not in document and "actor" not in document:
        document = {**document, "attributedTo": activity.actor}
    return read_note(document)


def _more(activity: Activity) -> list[Note]:
    """The other votes of one activity, which some servers send together."""
    found = (_read(activity, each) for each in listed(activity.object)[1 : questions.LIMIT])
    return [note for note in found if note is not None and object_is_theirs(activity, note)]


def _needs(activity: Activity) -> Needs:
    if not activity.object_uri:
        return Needs()
    if activity.kind == "Update":
        return Needs(fresh_posts=(activity.object_uri,))
    return Needs(posts=(activity.object_uri,))


def _concerns(tx: Tx, urls: Urls, activity: Activity, sender: Sender) -> bool:
    """Whether somebody here follows the author, or it is about our people, our posts or our threads."""
    actor = sender.actor
    note = arrived.read(activity, sender.reading).note
    addressed = {*activity.to, *activity.cc}
    if note is not None:
        addressed |= {*note.to, *note.cc, *(mention.href for mention in note.mentions)}
    if any(_is_person(urls, uri) for uri in addressed):
        return True
    if sender.inbox_owner is not None and (
        note is None or (note.author == activity.actor and not (note.to or note.cc))
    ):
        return True
    if actor is not None and relations.followed_here(tx, actor.id):
        return True
    if activity.kind == "Update" and sender.is_here(tx, activity):
        return True
    return note is not None and _touches_ours(tx, urls, note, actor.id if actor else 0)


def _is_person(urls: Urls, uri: str) -> bool:
    return urls.owns(uri) and (urls.actor_number(uri) is not None or uri[len(urls.origin) :].startswith("/@"))


def _touches_ours(tx: Tx, urls: Urls, note: Note, viewer: int) -> bool:
    if note.quote and urls.owns(note.quote) and posts.seen_by(tx, note.quote, viewer):
        return True
    above = thread_links.tie(tx, note.in_reply_to, viewer)
    if above is None or posts.seen_by(tx, above.uri, viewer) is None:
        return False
    parent = posts.place(tx, above.uri)
    return parent is not None and bool(parent.local or parent.ours)


def _believed(activity: Activity, facts: Facts) -> Note | None:
    note = arrived.read(activity, facts.reading).own or facts.notes.get(activity.object_uri)
    if note is not None and note.author != activity.actor:
        raise Refused("object-not-theirs", f"{activity.actor}: {note.uri}")
    return note


def _arrived(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    note = _believed(activity, facts)
    if note is None:
        return Outcome.IGNORED
    outcome = take_in(tx, urls, note, facts)
    if isinstance(activity.object, list):
        for each in _more(activity):
            if is_vote(each, json_columns.poll_from(arrivals.post(tx, each, facts.actor).poll)):
                outcome = take_in(tx, urls, each, facts)
    return outcome


def take_in(
    tx: Tx,
    urls: Urls,
    note: Note,
    facts: Facts,
    *,
    boosted: bool = False,
    notify: bool = False,
    requested: bool = False,
) -> Outcome:
    """A post as its author (`facts.actor`) sent it, or as it was fetched: new, changed, or known as it is.

    `boosted`, `notify` and `requested` as `put_post` has them.
    """
    known = arrivals.post(tx, note, facts.actor)
    vote = is_vote(note, json_columns.poll_from(known.poll))
    if vote or known.stored:
        refuse_author(urls, facts.actor, note.uri, known)
    if vote:
        return _voted(tx, note, facts)
    if is_bare(note) and (
        known.answered is None or known.poll
    ):  # a vote in a poll that is gone, or for none of its options
        return Outcome.IGNORED
    if known.stored and (stored := posts.by_uri(tx, note.uri)) is not None:
        return _changed(tx, urls, note, stored, facts)
    done = put_post(
        tx,
        urls,
        note,
        facts.actor,
        facts.clean(note),
        boosted=boosted,
        notify=notify,
        requested=requested,
        inbox_owner=facts.inbox_owner,
        known=known,
    )
    return Outcome.IGNORED if done is None else Outcome.DONE


def _changed(tx: Tx, urls: Urls, note: Note, stored: Post, facts: Facts) -> Outcome:
    """An Update: with a later `updated` all is replaced; with the same, or none, only totals, poll and quote."""
    if stored.author != note.author or stored.local:
        raise Refused("not-the-owner", note.uri)
    before = stored.updated if stored.updated is not None else stored.published or 0
    updated = None if note.updated is None else min(note.updated, tx.now)
    if updated is not None and updated > before:
        change_post(tx, urls, note, stored, facts.clean(note))
        return Outcome.DONE
    if updated is not None and updated != before:
        return Outcome.DUPLICATE
    changed = post_writing.set_totals(tx, stored, note)
    if note.poll is not None and note.poll != stored.poll:
        post_writing.change_poll(tx, stored, note.poll)
        changed = True
    if note.quote and note.quote == stored.quote:  # whom it quotes has let it meanwhile
        changed = name_proof(tx, stored.id, note) or changed
    if stored.quote and not note.quote:  # whom it quoted did not want that
        post_writing.drop_quote(tx, stored.id)
        changed = True
    return Outcome.DONE if changed else Outcome.DUPLICATE


def _voted(tx: Tx, note: Note, facts: Facts) -> Outcome:
    """A vote counts once for each choice, in a poll of ours that is open and that the voter may see."""
    place = posts.seen_by(tx, note.in_reply_to, facts.actor.id)
    if place is not None:
        tx.hold(place.id)  # else two who vote at once count without each other
    post = posts.stored(tx, place.id) if place is not None and place.local else None
    poll = post.poll if post is not None else None
    if post is None or poll is None or not is_vote(note, poll) or poll.is_over(tx.now):
        return Outcome.IGNORED
    if not poll.multiple and reactions.has_voted(tx, facts.actor.id, post.id):
        return Outcome.DUPLICATE
    if not reactions.vote(tx, facts.actor.id, post.id, note.title, note.uri):
        return Outcome.DUPLICATE
    reactions.tally(tx, post)
    return Outcome.DONE


def _deleted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    if activity.object_uri == activity.actor:
        return gone_for_good(tx, facts.actor)
    post = posts.by_uri_seen(tx, activity.object_uri, facts.actor.id)
    if post is None:
        return quote_handlers.disallowed(tx, urls, activity, facts) or remember(tx, activity)
    may_change(activity, post.author)
    take_away(tx, post)
    return Outcome.DONE


def take_away(tx: Tx, post: Post) -> None:
    """Delete a post of somebody else's that is gone at its origin."""
    if post.local:
        raise Refused("post-is-ours", post.uri, key="refusal.delete-is-ours")
    post_writing.remove(tx, post)


arrived = Handler(_arrived, needs=_needs, concerns=_concerns, brings=_brings)
deleted = Handler(_deleted)
