"""What happens when others act: one handler for each kind of activity, in one table, each in one transaction."""

from __future__ import annotations

from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, Activity
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox import (
    account_handlers,
    follow_handlers,
    group_handlers,
    interaction_requests,
    post_handlers,
    quote_handlers,
    reaction_handlers,
    report_handlers,
    undo_handlers,
)
from fediblog.inbox.handler import Facts, Handler, Needs, Outcome, Reading, Sender, refuse_inactive
from fediblog.inbox.note_storage import store_post
from fediblog.store.people import accounts
from fediblog.store.queues import incoming_queue, stale_accounts
from fediblog.store.tx import Tx

__all__ = [
    "HANDLERS",
    "Facts",
    "Handler",
    "Needs",
    "Outcome",
    "Reading",
    "Sender",
    "apply",
    "handler_of",
    "is_once",
    "store_post",
]

Route = tuple[str, str | None]

# (verb, type of what it acts upon); None stands for an id alone, and for every type that is not named.
HANDLERS: dict[Route, Handler] = {
    ("Follow", None): follow_handlers.asked,
    ("Accept", "Follow"): follow_handlers.granted,
    ("Accept", "QuoteRequest"): quote_handlers.granted,
    ("Accept", None): quote_handlers.granted_by_id,
    ("Reject", "Follow"): follow_handlers.turned_down,
    ("Reject", "QuoteRequest"): quote_handlers.turned_down,
    ("Reject", None): quote_handlers.turned_down_by_id,
    ("Block", None): follow_handlers.blocked,
    ("Undo", "Follow"): follow_handlers.withdrawn,
    ("Undo", "Accept"): follow_handlers.acceptance_undone,
    ("Undo", "Block"): follow_handlers.unblocked,
    ("Undo", "Like"): reaction_handlers.reaction_undone,
    ("Undo", "EmojiReact"): reaction_handlers.reaction_undone,
    ("Undo", "Dislike"): reaction_handlers.reaction_undone,
    ("Undo", "Announce"): reaction_handlers.boost_undone,
    ("Undo", None): undo_handlers.undone,
    ("Create", None): post_handlers.arrived,
    **{("Create", kind): post_handlers.arrived for kind in sorted(POST_KINDS)},
    ("Update", None): post_handlers.arrived,
    **{("Update", kind): post_handlers.arrived for kind in sorted(POST_KINDS)},
    **{("Update", kind): account_handlers.changed for kind in sorted(ACTOR_KINDS)},
    **{("Delete", f"{kind}Authorization"): quote_handlers.deleted for kind in ("Announce", "Like", "Quote", "Reply")},
    ("Delete", None): post_handlers.deleted,
    ("Like", None): reaction_handlers.reacted,
    ("EmojiReact", None): reaction_handlers.reacted,
    ("Dislike", None): reaction_handlers.reacted,
    ("Announce", None): reaction_handlers.boosted,
    ("Announce", "Create"): group_handlers.posted,
    ("Announce", "Update"): group_handlers.posted,
    ("Announce", "Delete"): group_handlers.deleted,
    ("Announce", "Like"): group_handlers.reacted,
    ("Announce", "EmojiReact"): group_handlers.reacted,
    ("Announce", "Dislike"): group_handlers.reacted,
    ("Announce", "Undo"): group_handlers.reacted,
    ("Add", None): account_handlers.shown,
    ("Remove", None): account_handlers.shown,
    ("Move", None): account_handlers.moved,
    ("Flag", None): report_handlers.reported,
    ("QuoteRequest", None): quote_handlers.requested,
    ("ReplyRequest", None): interaction_requests.requested,
    ("LikeRequest", None): interaction_requests.like_requested,
    ("AnnounceRequest", None): interaction_requests.boost_requested,
}

# Applying these once more changes nothing or is wanted: an Update may come again under its old id with new numbers,
# and a Follow is answered each time.
_AGAIN = frozenset({"Update", "Follow", "Undo", "Delete", "Accept", "Reject", "Add", "Remove"})

# What `arrivals` says of their targets holds for active actors only, and a Follow asks with what it asks anyway; the
# others change nothing for one that is none.
_STATE_IS_ASKED = frozenset({"Create", "Like", "EmojiReact", "Dislike", "Announce", "Follow", "Undo", "Delete"})


def handler_of(activity: Activity) -> Handler | None:
    """The handler of an activity, None if there is none."""
    verb, kind = activity.route
    if verb == "Update" and activity.object_uri == activity.actor:
        return account_handlers.changed
    if verb == "Announce" and activity.inner is not None:
        return HANDLERS.get((verb, kind))
    return HANDLERS.get((verb, kind)) or HANDLERS.get((verb, None))


def is_once(activity: Activity) -> bool:
    """Whether a second copy of the activity is to be dropped unseen."""
    return bool(activity.uri) and activity.kind not in _AGAIN


def _concerned(urls: Urls, activity: Activity, facts: Facts) -> set[int]:
    """Numbers of the accounts that an activity is about: its actor, who was fetched, and one of ours that it names."""
    ours = urls.actor_number(activity.object_uri)
    fetched = {each.id for each in facts.accounts.values() if not each.local}
    return {facts.actor.id, *fetched, *(() if ours is None else (ours,))}


def apply(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """Apply a proven activity, and mark it as seen.

    Others about the same accounts wait until this one is committed: an Undo or Delete would find nothing yet.
    """
    if tx.engine == "postgres":
        tx.hold(*_concerned(urls, activity, facts))
    if facts.actor.uri != activity.actor or facts.actor.local:
        raise Refused("signer-is-not-actor", activity.actor)
    state = facts.actor.state if activity.kind in _STATE_IS_ASKED else accounts.state(tx, facts.actor.id)
    if activity.kind != "Delete":
        refuse_inactive(state, activity)
    handler = handler_of(activity)
    if handler is None:
        return Outcome.IGNORED
    if is_once(activity) and not incoming_queue.first_time(tx, activity.uri):
        return Outcome.DUPLICATE
    outcome = handler.apply(tx, urls, activity, facts)
    if outcome == Outcome.DONE and activity.object_uri != activity.actor:  # else it has just told us of itself
        stale_accounts.renew(tx, facts.actor)
    if outcome == Outcome.DONE and activity.kind in ("Undo", "Delete"):
        incoming_queue.first_time(tx, activity.uri)  # so that a second copy is not taken for one that came too early
    return outcome
