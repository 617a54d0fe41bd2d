"""What has to be known before an activity can be applied: fetched within its budget, outside any transaction."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Note
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.federation.lookups import document_fetch, resolve
from fediblog.federation.lookups.cleaning import clean_apart
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.inbox import Facts, Needs
from fediblog.prepare import actor_cleaner
from fediblog.prepare.cleaned import CleanActor, CleanNote
from fediblog.prepare.note_cleaner import harmless, size
from fediblog.protocol.activities import read_activity
from fediblog.protocol.actors import read_actor
from fediblog.protocol.authority import same_origin
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.tx import Tx


def missing(tx: Tx, urls: Urls, needs: Needs) -> Needs:
    """What of the needs has to be fetched: not what is stored, and never what is ours."""
    if not needs:
        return needs
    wanted = _theirs(urls, needs.posts)
    known = posts.known(tx, wanted) if wanted else set()
    return Needs(
        posts=tuple(uri for uri in wanted if uri not in known),
        fresh_posts=_theirs(urls, needs.fresh_posts),
        accounts=_unknown(tx, _theirs(urls, needs.accounts)),
        fresh_accounts=_theirs(urls, needs.fresh_accounts),
        activities=_theirs(urls, needs.activities),
        gone=_theirs(urls, needs.gone),
    )


def _unknown(tx: Tx, uris: tuple[str, ...]) -> tuple[str, ...]:
    known = accounts.by_uris(tx, uris) if uris else {}
    return tuple(uri for uri in uris if uri not in known)


def _theirs(urls: Urls, uris: Iterable[str]) -> tuple[str, ...]:
    return tuple(uri for uri in uris if uri and not urls.owns(uri))


async def gather(site: Site, needs: Needs, facts: Facts, budget: Budget) -> Facts:
    """The facts with all that was needed and could be had. What is refused or not there is left out.

    Unavailable if something cannot be had now: then the activity waits.
    """
    people, notes, activities = dict(facts.accounts), dict(facts.notes), dict(facts.activities)
    gone = set(facts.gone)
    for uri in (*needs.posts, *needs.fresh_posts):
        if uri not in notes and (found := await _note(site, uri, uri in needs.fresh_posts, budget)) is not None:
            notes[uri], people[found[1].uri] = found
    for uri in (*needs.accounts, *needs.fresh_accounts):
        if (account := await _account(site, uri, budget)) is not None:
            people[uri] = account
    for uri in needs.activities:
        if (fetched := await _activity(site, uri, budget)) is not None:
            activities[uri], people[fetched[1].uri] = fetched
    for uri in needs.gone:
        if await resolve.confirm_gone(site, uri, budget=budget):
            gone.add(uri)
    return replace(facts, accounts=people, notes=notes, activities=activities, gone=frozenset(gone))


async def prepare(facts: Facts) -> Facts:
    """The facts with their posts and profiles cleaned, outside any transaction; what is long on a thread."""
    own = facts.reading.own if facts.reading is not None else None
    notes = [*facts.notes.values()] if own is None else [own, *facts.notes.values()]
    profile = await _profile(facts.reading.activity) if facts.reading is not None else None
    if not notes and profile is None:
        return facts
    cleaned = await clean_apart(_clean, notes, sum(map(size, notes))) if notes else ()
    return Facts(
        actor=facts.actor, accounts=facts.accounts, notes=facts.notes, activities=facts.activities, gone=facts.gone,
        inbox_owner=facts.inbox_owner, reading=facts.reading, cleaned=cleaned, profile=profile,
    )  # fmt: skip


async def _profile(activity: Activity) -> tuple[Activity, CleanActor | None] | None:
    """The activity with the cleaned profile in it, if an actor updates itself; None of any other activity."""
    if activity.kind != "Update" or activity.object_uri != activity.actor:
        return None
    actor = read_actor(activity.object)
    clean = await clean_apart(actor_cleaner.harmless, actor, actor_cleaner.size(actor)) if actor is not None else None
    return activity, clean


def _clean(notes: Iterable[Note]) -> tuple[tuple[Note, CleanNote], ...]:
    return tuple((note, harmless(note)) for note in notes)


async def _note(site: Site, uri: str, fresh: bool, budget: Budget) -> tuple[Note, Account] | None:
    try:
        return await resolve.note(site, uri, budget, fresh=fresh)
    except Refused:
        return None


async def _account(site: Site, uri: str, budget: Budget) -> Account | None:
    try:
        return await resolve.actor(site, uri, fresh=True, budget=budget)
    except Refused:
        return None


async def _activity(site: Site, uri: str, budget: Budget) -> tuple[Activity, Account] | None:
    """An activity as the origin of its actor serves it, and that actor; None if it cannot be had or believed."""
    try:
        found = read_activity(await document_fetch.document(site, uri, budget))
        if found is None or found.uri != uri or not same_origin(uri, found.actor):
            return None
        return found, await resolve.actor(site, found.actor, budget=budget)
    except Refused:
        return None
