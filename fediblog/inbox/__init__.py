"""What happens when others act: one handler for each kind of activity, in one table, each in one transaction."""

from __future__ import annotations

from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, Activity
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox import asking, following, groups, posting, profiles, quoting, reacting, reporting, undoing
from fediblog.inbox.cleaning import harmless
from fediblog.inbox.handling import CleanNote, Facts, Handler, Needs, Outcome, Reading, Sight, refuse_inactive
from fediblog.inbox.storing import store_post
from fediblog.store.people import accounts
from fediblog.store.queues import incoming_queue, stale_accounts
from fediblog.store.tx import Tx

__all__ = [
    "HANDLERS",
    "CleanNote",
    "Facts",
    "Handler",
    "Needs",
    "Outcome",
    "Reading",
    "Sight",
    "apply",
    "handler_of",
    "harmless",
    "is_once",
    "store_post",
]

Route = tuple[str, str | None]

# (verb, type of what it acts upon); None stands for an id alone, and for every type that is not named.
HANDLERS: dict[Route, Handler] = {
    ("Follow", None): following.asked,
    ("Accept", "Follow"): following.granted,
    ("Accept", "QuoteRequest"): quoting.granted,
    ("Accept", None): quoting.granted_by_id,
    ("Reject", "Follow"): following.turned_down,
    ("Reject", "QuoteRequest"): quoting.turned_down,
    ("Reject", None): quoting.turned_down_by_id,
    ("Block", None): following.blocked,
    ("Undo", "Follow"): following.withdrawn,
    ("Undo", "Accept"): following.acceptance_undone,
    ("Undo", "Block"): following.unblocked,
    ("Undo", "Like"): reacting.reaction_undone,
    ("Undo", "EmojiReact"): reacting.reaction_undone,
    ("Undo", "Dislike"): reacting.reaction_undone,
    ("Undo", "Announce"): reacting.boost_undone,
    ("Undo", None): undoing.undone,
    ("Create", None): posting.arrived,
    **{("Create", kind): posting.arrived for kind in sorted(POST_KINDS)},
    ("Update", None): posting.arrived,
    **{("Update", kind): posting.arrived for kind in sorted(POST_KINDS)},
    **{("Update", kind): profiles.changed for kind in sorted(ACTOR_KINDS)},
    **{("Delete", f"{kind}Authorization"): quoting.deleted for kind in ("Announce", "Like", "Quote", "Reply")},
    ("Delete", None): posting.deleted,
    ("Like", None): reacting.reacted,
    ("EmojiReact", None): reacting.reacted,
    ("Dislike", None): reacting.reacted,
    ("Announce", None): reacting.boosted,
    ("Announce", "Create"): groups.posted,
    ("Announce", "Update"): groups.posted,
    ("Announce", "Delete"): groups.deleted,
    ("Announce", "Like"): groups.reacted,
    ("Announce", "EmojiReact"): groups.reacted,
    ("Announce", "Dislike"): groups.reacted,
    ("Announce", "Undo"): groups.reacted,
    ("Add", None): profiles.shown,
    ("Remove", None): profiles.shown,
    ("Move", None): profiles.moved,
    ("Flag", None): reporting.reported,
    ("QuoteRequest", None): quoting.requested,
    ("ReplyRequest", None): asking.requested,
    ("LikeRequest", None): asking.like_requested,
    ("AnnounceRequest", None): asking.boost_requested,
}

# Applying these once more changes nothing or is wanted: an Update may come again under its old id with new numbers,
# and a Follow is answered each time.
_AGAIN = frozenset({"Update", "Follow", "Undo", "Delete", "Accept", "Reject", "Add", "Remove"})

# What `arrivals` says of their targets holds for active actors only, and a Follow asks with what it asks anyway; the
# others change nothing for one that is none.
_STATE_IS_ASKED = frozenset({"Create", "Like", "EmojiReact", "Dislike", "Announce", "Follow", "Undo", "Delete"})


def handler_of(activity: Activity) -> Handler | None:
    """Who deals with it, or None if nobody does."""
    verb, kind = activity.route
    if verb == "Update" and activity.object_uri == activity.actor:
        return profiles.changed
    if verb == "Announce" and activity.inner is not None:
        return HANDLERS.get((verb, kind))
    return HANDLERS.get((verb, kind)) or HANDLERS.get((verb, None))


def is_once(activity: Activity) -> bool:
    """Whether a second copy of the activity is to be dropped unseen."""
    return bool(activity.uri) and activity.kind not in _AGAIN


def _concerned(urls: Urls, activity: Activity, facts: Facts) -> set[int]:
    """The accounts that it is about: its actor, the authors of what was fetched, and one of ours that it names."""
    ours = urls.actor_number(activity.object_uri)
    fetched = {each.id for each in facts.accounts.values() if not each.local}
    return {facts.actor.id, *fetched, *(() if ours is None else (ours,))}


def apply(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """Do what a proven activity says, together with the mark that it was seen.

    What comes meanwhile of the same actor, or is done to it here, waits: an Undo or Delete would find nothing yet.
    """
    if tx.engine == "postgres":
        tx.hold(*_concerned(urls, activity, facts))
    if facts.actor.uri != activity.actor or facts.actor.local:
        raise Refused("signer-is-not-actor", "The signer is not the actor.", activity.actor)
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
