"""Likes, emoji, dislikes and boosts, and taking them back."""

from __future__ import annotations

from fediblog.domain.documents import OPEN, Activity
from fediblog.domain.rules import visibility_of
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, Sender, came_too_late, may_undo, remember
from fediblog.inbox.note_storage import put_post
from fediblog.markup.text import one_line
from fediblog.protocol.emoji_reaction import is_emoji
from fediblog.store.people import relations
from fediblog.store.posts import arrivals, posts, reactions, timelines
from fediblog.store.posts.arrivals import ReactedPost
from fediblog.store.queues import incoming_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx

MOST_REACTIONS = 20  # of one account beside one post
EMOJI_LENGTH = 100  # characters


def _known(tx: Tx, _urls: Urls, activity: Activity, sender: Sender) -> bool:
    return sender.is_here(tx, activity)


def _kind_of(activity: Activity) -> tuple[str, str, str]:
    """Kind, text and picture of a reaction; a Like with an emoji is one too (FEP-c0e0 and Misskey)."""
    content = one_line(activity.content, EMOJI_LENGTH)
    if activity.kind == "Dislike":
        return "dislike", "", ""
    name = content.strip(":")
    picture = next((each.url for each in activity.emoji if each.name == name or not content), "")
    if not content and activity.emoji:
        content = f":{activity.emoji[0].name}:"
    return ("emoji" if content else "like", content, picture)


def _reacted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    post = arrivals.target(tx, activity.object_uri, facts.actor, activity.uri)
    if post is None or (post.undone and came_too_late(tx, activity)):
        return Outcome.IGNORED
    if post.reactions >= MOST_REACTIONS:
        return Outcome.IGNORED
    kind, content, picture = _kind_of(activity)
    if kind == "emoji" and not is_emoji(content):
        raise Refused("not-an-emoji", content)
    uri = activity.uri or f"{facts.actor.uri}#{kind}/{post.id}"
    if not reactions.react(tx, facts.actor.id, post.id, uri, kind=kind, content=content, emoji_url=picture):
        return Outcome.DUPLICATE
    if post.local and kind != "dislike":
        if post.reactions and reactions.still_likes(tx, facts.actor.id, post.id, but=uri):
            _correct_notice(tx, post.account, facts.actor.id, post.id)  # who likes it already has been told of
        else:
            notifications.add(
                tx, post.account, "like", facts.actor.id, post.id, content, new=True, pushed=bool(post.pushed)
            )
    return Outcome.DONE


def _reaction_undone(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    may_undo(activity)
    if take_reaction_back(tx, activity.object_uri, facts.actor.id):
        return Outcome.DONE
    inner = activity.inner
    post = posts.place(tx, inner.object_uri) if inner else None
    if inner is None or post is None:
        return remember(tx, activity)
    kind, content, _ = _kind_of(inner)
    if reactions.withdraw(tx, facts.actor.id, post.id, kind=kind, content=content) is None:
        return remember(tx, activity)
    _withdraw_notice(tx, post.account, facts.actor.id, post.id)
    incoming_queue.forget(tx, activity.object_uri)
    return Outcome.DONE


def take_reaction_back(tx: Tx, uri: str, account: int) -> bool:
    """Take back the reaction of that id, if the account has one: that of somebody else may be private."""
    found = reactions.by_uri(tx, uri) if uri else None
    if found is None or found[0] != account:
        return False
    reactions.withdraw_by_uri(tx, account, uri)
    post = posts.stored(tx, found[1])
    if post is not None:
        _withdraw_notice(tx, post.account.id, account, post.id)
    incoming_queue.forget(tx, uri)
    return True


def _withdraw_notice(tx: Tx, author: int, account: int, post: int) -> None:
    """Withdraw the notification of a reaction that is gone, unless another of the account stands beside the post."""
    if reactions.still_likes(tx, account, post):
        _correct_notice(tx, author, account, post)
    else:
        notifications.withdraw(tx, author, "like", account, post)


def _correct_notice(tx: Tx, author: int, account: int, post: int) -> None:
    """Have the notification name the emoji that stands beside the face now."""
    notifications.correct(tx, author, "like", account, post, reactions.shown_emoji(tx, account, post))


def _boost_needs(activity: Activity) -> Needs:
    return Needs(posts=(activity.object_uri,)) if activity.object_uri else Needs()


def _boost_concerns(tx: Tx, _urls: Urls, activity: Activity, sender: Sender) -> bool:
    if sender.is_here(tx, activity):
        return True
    return sender.actor is not None and relations.followed_here(tx, sender.actor.id)


def _boosted(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """An Announce of a post, which is stored already or was fetched from its origin; an embedded one is not read."""
    known = arrivals.target(tx, activity.object_uri, facts.actor, activity.uri)
    if (known is None or known.undone) and came_too_late(tx, activity):
        return Outcome.IGNORED
    if known is None and not posts.is_here(tx, activity.object_uri):
        note = facts.notes.get(activity.object_uri)
        author = facts.accounts.get(note.author) if note else None
        if note is None or author is None:
            return Outcome.IGNORED
        if put_post(tx, urls, note, author, boosted=True, clean=facts.clean(note)) is None:
            return Outcome.IGNORED
    return pass_on(tx, activity, facts, known)


def pass_on(tx: Tx, activity: Activity, facts: Facts, known: ReactedPost | None = None) -> Outcome:
    """Store somebody's boost of a post that is stored, if everybody may see it or it is the booster's own.

    `known` is what `arrivals.target` says of the post, if that was asked.
    """
    booster = facts.actor
    post = known or arrivals.target(tx, activity.object_uri, booster, activity.uri)
    if post is None or (post.visibility not in OPEN and post.account != booster.id):
        return Outcome.IGNORED
    at = tx.now if activity.published is None else max(0, min(activity.published, tx.now))
    number = tx.new_id(at)
    uri = activity.uri or f"{booster.uri}#announces/{post.id}"
    visibility = visibility_of(activity.to, activity.cc, booster.followers).value
    if reactions.boost(tx, booster.id, post.id, uri, visibility=visibility, number=number) is None:
        return Outcome.DUPLICATE
    if post.followed and (whole := posts.stored(tx, post.id)) is not None:
        timelines.spread(tx, whole, number, booster.id)
    if post.local:
        notifications.add(tx, post.account, "boost", booster.id, post.id, new=True, pushed=bool(post.pushed))
    return Outcome.DONE


def _boost_undone(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    may_undo(activity)
    if take_boost_back(tx, activity.object_uri, facts.actor.id):
        return Outcome.DONE
    post = posts.place(tx, activity.inner.object_uri) if activity.inner else None
    if post is None or reactions.unboost(tx, facts.actor.id, post.id) is None:
        return remember(tx, activity)
    notifications.withdraw(tx, post.account, "boost", facts.actor.id, post.id)
    incoming_queue.forget(tx, activity.object_uri)
    return Outcome.DONE


def take_boost_back(tx: Tx, uri: str, account: int) -> bool:
    """Take back the boost of that id, if the account has one: that of somebody else may be private."""
    found = reactions.boost_by_uri(tx, uri) if uri else None
    if found is None or found[0] != account:
        return False
    reactions.unboost(tx, account, found[1])
    post = posts.stored(tx, found[1])
    if post is not None:
        notifications.withdraw(tx, post.account.id, "boost", account, post.id)
    incoming_queue.forget(tx, uri)
    return True


reacted = Handler(_reacted, concerns=_known)
reaction_undone = Handler(_reaction_undone)
boosted = Handler(_boosted, needs=_boost_needs, concerns=_boost_concerns)
boost_undone = Handler(_boost_undone)
