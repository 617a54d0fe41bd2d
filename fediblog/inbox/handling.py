"""What every handler of an inbound activity is made of: what it needs, what it is given, and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Note
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.protocol.authority import owner_matches, same_origin
from fediblog.store import inbound
from fediblog.store.tx import Tx


class Outcome(StrEnum):
    """What became of an activity."""

    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Ids that must be known before an activity can be applied. What is ours is never fetched."""

    posts: tuple[str, ...] = ()  # unless they are stored
    fresh_posts: tuple[str, ...] = ()  # as they are now at their origin
    fresh_accounts: tuple[str, ...] = ()  # likewise
    activities: tuple[str, ...] = ()  # likewise
    gone: tuple[str, ...] = ()  # whose origin must be asked whether they are gone

    def __bool__(self) -> bool:
        return any((self.posts, self.fresh_posts, self.fresh_accounts, self.activities, self.gone))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known: the proven actor, and what was fetched from its own origin. All authors of notes are in here."""

    actor: Account
    accounts: Mapping[str, Account] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    inbox_owner: int | None = None  # whose own inbox it came to


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is known of who acts, before anything is fetched or done."""

    actor: Account | None
    inbox_owner: int | None = None


def _nothing(_activity: Activity) -> Needs:
    return Needs()


def _always(_tx: Tx, _urls: Urls, _activity: Activity, _sight: Sight) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Handler:
    """What is done for one kind of activity.

    `concerns` says whether it is anything to us, which is asked before anything is fetched. `needs` is pure.
    """

    apply: Callable[[Tx, Urls, Activity, Facts], Outcome]
    needs: Callable[[Activity], Needs] = _nothing
    concerns: Callable[[Tx, Urls, Activity, Sight], bool] = _always


def may_change(activity: Activity, owner: str) -> None:
    """Only who made a thing may change it or take it back: the very same actor, not a neighbour on its server."""
    if not owner_matches(owner, activity):
        raise Refused("not-the-owner", "Only its owner may do this.", f"{activity.actor}: {activity.kind} of {owner}'s")


def may_undo(activity: Activity) -> None:
    """An Undo takes back what its own actor did."""
    if activity.inner is not None:
        may_change(activity, activity.inner.actor)


def came_too_late(tx: Tx, activity: Activity) -> bool:
    """Whether its actor took the activity back before it came."""
    return inbound.undone_early(tx, activity.uri, activity.actor)


def remember(tx: Tx, activity: Activity) -> Outcome:
    """Remember an Undo or Delete of something that is not here, if it can be the actor's own.

    A second copy of one that was done is none of those.
    """
    if inbound.was_seen(tx, activity.uri):
        return Outcome.DUPLICATE
    if activity.object_uri and same_origin(activity.object_uri, activity.actor):
        inbound.remember_early(tx, activity.object_uri, activity.actor, activity.kind)
    return Outcome.IGNORED
