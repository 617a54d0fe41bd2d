"""What every handler of an inbound activity is made of: what it needs, what it is given, and who may do what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Note
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.prepare.cleaned import CleanActor, CleanNote
from fediblog.protocol.authority import object_is_theirs, owner_matches, same_origin
from fediblog.store.posts import posts
from fediblog.store.queues import incoming_queue
from fediblog.store.tx import Tx


class Outcome(StrEnum):
    """What became of an activity."""

    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class Needs(Struct, frozen=True, kw_only=True):
    """Ids that must be known before an activity can be applied. What is ours is never fetched."""

    posts: tuple[str, ...] = ()  # unless they are stored
    fresh_posts: tuple[str, ...] = ()  # as they are now at their origin
    accounts: tuple[str, ...] = ()  # unless they are stored
    fresh_accounts: tuple[str, ...] = ()  # as they are now
    activities: tuple[str, ...] = ()  # likewise
    gone: tuple[str, ...] = ()  # whose origin must be asked whether they are gone

    def __bool__(self) -> bool:
        return any((self.posts, self.fresh_posts, self.accounts, self.fresh_accounts, self.activities, self.gone))


class Reading(Struct, frozen=True, eq=False):
    """The post that an activity brings along, read once, since several steps ask for it.

    It may be believed as it stands only if it is `theirs`, the actor's own; else it is fetched from its own origin.
    """

    activity: Activity
    note: Note | None = None
    theirs: bool = False

    @property
    def own(self) -> Note | None:
        """The embedded post, if it may be believed once it is proven that the actor sent it."""
        return self.note if self.theirs else None


class Facts(Struct, frozen=True, kw_only=True):
    """What an activity is applied with: its proven actor, and what was fetched. Authors of `notes` are in `accounts`.

    `reading` and `cleaned` (pairs of a post and what is shown of it) were worked out before the transaction, for which
    others wait. They are asked for by the very activity or post, so that they stand for no other one.
    """

    actor: Account
    accounts: Mapping[str, Account] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    inbox_owner: int | None = None  # whose own inbox it came to
    reading: Reading | None = None
    cleaned: tuple[tuple[Note, CleanNote], ...] = ()
    profile: tuple[Activity, CleanActor | None] | None = None  # the account that an activity brings along

    def clean_profile(self, activity: Activity) -> CleanActor | None:
        """The cleaned account that this very activity brings along, if `prepare` found one."""
        return self.profile[1] if self.profile is not None and self.profile[0] is activity else None

    def clean(self, note: Note) -> CleanNote:
        """The post cleaned. RuntimeError if that was not done before the transaction."""
        found = next((clean for sent, clean in self.cleaned if sent is note), None)
        if found is None:
            raise RuntimeError("a post is to be stored that was not cleaned before the transaction")
        return found


class Sender(Struct, frozen=True, kw_only=True):
    """What a handler may look at to say whether an activity concerns us, before anything is fetched.

    `here` says whether the activity's object is a post that is stored, if that was asked.
    """

    actor: Account | None
    inbox_owner: int | None = None
    reading: Reading | None = None
    here: bool | None = None

    def is_here(self, tx: Tx, activity: Activity) -> bool:
        """Whether the activity is about a post that is stored."""
        return posts.is_here(tx, activity.object_uri) if self.here is None else self.here


_NOTHING = Needs()


def _nothing(_activity: Activity) -> Needs:
    return _NOTHING


def _no_post(_activity: Activity) -> Note | None:
    return None


def _always(_tx: Tx, _urls: Urls, _activity: Activity, _sight: Sender) -> bool:
    return True


class Handler(Struct, frozen=True):
    """How one kind of activity is dealt with.

    `concerns` says whether it is anything to us, which is asked before anything is fetched. `brings` is the post that
    comes along, `needs` what must be fetched if none does that may be believed; both are pure.
    """

    apply: Callable[[Tx, Urls, Activity, Facts], Outcome]
    needs: Callable[[Activity], Needs] = _nothing
    concerns: Callable[[Tx, Urls, Activity, Sender], bool] = _always
    brings: Callable[[Activity], Note | None] = _no_post

    def read(self, activity: Activity, known: Reading | None = None) -> Reading:
        """The activity with the post that it brings along, which may be known already."""
        if known is not None and known.activity is activity:
            return known
        note = self.brings(activity)
        return Reading(activity, note, note is not None and object_is_theirs(activity, note))

    def needs_of(self, reading: Reading) -> Needs:
        """What must be known before the activity can be applied."""
        return _NOTHING if reading.own is not None else self.needs(reading.activity)


def may_change(activity: Activity, owner: str) -> None:
    """Only who made a thing may change it or take it back: the very same actor, not a neighbour on its server."""
    if not owner_matches(owner, activity):
        raise Refused("not-the-owner", f"{activity.actor}: {activity.kind} -> {owner}")


def may_undo(activity: Activity) -> None:
    """An Undo takes back what its own actor did."""
    if activity.inner is not None:
        may_change(activity, activity.inner.actor)


def refuse_inactive(state: str | None, activity: Activity) -> None:
    """Refuse what an account does that is suspended or deleted now; None: it is not stored any more."""
    if state not in ("active", None):
        raise Refused(f"account-{state}", activity.actor, key="refusal.account-not-taken")


def came_too_late(tx: Tx, activity: Activity) -> bool:
    """Whether the Undo or Delete of an activity came before the activity itself."""
    return incoming_queue.undone_early(tx, activity.uri, activity.actor)


def remember(tx: Tx, activity: Activity) -> Outcome:
    """Remember an Undo or Delete of something that is not here, if it can be the actor's own.

    A second copy of one that was done is none of those.
    """
    if incoming_queue.was_seen(tx, activity.uri):
        return Outcome.DUPLICATE
    if activity.object_uri and same_origin(activity.object_uri, activity.actor):
        incoming_queue.remember_early(tx, activity.object_uri, activity.actor, activity.kind)
    return Outcome.IGNORED
