"""Accounts that change, move, leave, or choose what to show on their profile."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.hashtags import LIMIT, SIGNS
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, Sender, may_change
from fediblog.inbox.note_storage import store_post
from fediblog.outgoing.follower_moves import follow_on
from fediblog.protocol import json_values
from fediblog.protocol.authority import same_origin
from fediblog.store.people import account_moves, accounts, forgotten_accounts, relations
from fediblog.store.posts import account_posts, post_writing, posts, tags
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

MOVE_PAUSE = 7 * 86_400_000  # ms between two moves of one account
MOST_PINNED = 20
MOST_TAGS = 20


def _changed(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """An Update of the actor by itself: stored, or fetched by a job where a new handle has to be confirmed first."""
    may_change(activity, activity.object_uri)
    actor, before = facts.clean_profile(activity), facts.actor
    if (
        actor is None
        or (actor.handle, actor.webfinger) != (before.handle, before.webfinger)
        or same_origin(actor.inbox, urls.origin)
    ):
        job_queue.add(tx, job_kinds.FETCH_ACTOR, before.uri)
        return Outcome.DONE
    accounts.save_remote(tx, actor, before.domain)
    return Outcome.DONE


def _update_concerns(_tx: Tx, _urls: Urls, activity: Activity, sender: Sender) -> bool:
    return sender.actor is not None and activity.object_uri == activity.actor


def gone_for_good(tx: Tx, account: Account) -> Outcome:
    """An actor deleted itself: everything it made goes, and it stays deleted."""
    if account.state == "deleted":
        return Outcome.DUPLICATE
    post_writing.remove_all_of(tx, account)
    forgotten_accounts.set_deleted(tx, account.id)
    return Outcome.DONE


def _move_needs(activity: Activity) -> Needs:
    return Needs(fresh_accounts=(activity.target,)) if activity.target else Needs()


def _move_concerns(tx: Tx, _urls: Urls, activity: Activity, sender: Sender) -> bool:
    return sender.actor is not None and relations.followed_here(tx, sender.actor.id)


def _moved(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """A Move: our followers go on to the target if that names the old account as an alias; once in `MOVE_PAUSE`."""
    may_change(activity, activity.object_uri)
    old, new = facts.actor, facts.accounts.get(activity.target)
    if new is None and urls.owns(activity.target):
        new = accounts.by_uri(tx, activity.target)
    last = account_moves.moved_at(tx, old.id)
    if new is None or new.id == old.id or old.uri not in new.also_known_as or new.state != "active":
        return Outcome.IGNORED
    if last is not None and tx.now - last < MOVE_PAUSE:
        return Outcome.IGNORED
    account_moves.moved(tx, old.id, new.uri)
    follow_on(tx, urls, old, new)
    return Outcome.DONE


def _shown_concerns(tx: Tx, _urls: Urls, activity: Activity, sender: Sender) -> bool:
    if activity.object_kind == "Hashtag" or sender.is_here(tx, activity):
        return True
    return activity.kind == "Add" and sender.actor is not None and relations.followed_here(tx, sender.actor.id)


def _shown_needs(activity: Activity) -> Needs:
    if activity.kind != "Add" or activity.object_kind == "Hashtag":
        return Needs()
    return Needs(posts=(activity.object_uri,)) if same_origin(activity.object_uri, activity.actor) else Needs()


def _fetched(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Post | None:
    """A pinned post that was never delivered here."""
    note = facts.notes.get(activity.object_uri)
    if note is None or note.author != facts.actor.uri or note.uri != activity.object_uri:
        return None
    return store_post(tx, urls, note, facts.actor, boosted=True, clean=facts.clean(note))


def _shown(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """Add or Remove: pinned posts and hashtags on a profile. The collection must be the actor's own."""
    account, on = facts.actor, activity.kind == "Add"
    if activity.target not in {account.featured, account.featured_tags} - {""}:
        may_change(activity, "")
    if activity.object_kind == "Hashtag":
        return _show_tag(tx, activity, account, on=on)
    if on and len(account_posts.pinned(tx, account.id, account.id)) >= MOST_PINNED:
        return Outcome.IGNORED
    post = posts.by_uri_seen(tx, activity.object_uri, account.id)
    if post is None and on:
        post = _fetched(tx, urls, activity, facts)
    if post is None:
        return Outcome.IGNORED
    may_change(activity, post.author)
    post_writing.set_pinned(tx, post.id, tx.now if on else None)
    return Outcome.DONE


def _show_tag(tx: Tx, activity: Activity, account: Account, *, on: bool) -> Outcome:
    name = json_values.name(json_values.fields(activity.object).get("name"), LIMIT).lstrip(SIGNS)
    if not name or (on and len(tags.featured_names(tx, account.id)) >= MOST_TAGS):
        return Outcome.IGNORED
    tags.set_featured(tx, account.id, name, on=on)
    return Outcome.DONE


changed = Handler(_changed, concerns=_update_concerns)
moved = Handler(_moved, needs=_move_needs, concerns=_move_concerns)
shown = Handler(_shown, needs=_shown_needs, concerns=_shown_concerns)
