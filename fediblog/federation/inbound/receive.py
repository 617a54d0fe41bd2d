"""Receives what is delivered to an inbox: signature, blocks, authority, relevance, then applied at once or stored.

These checks have one order, and the first that fails ends the request. Of a long body the signature and the host of the
key are checked before its JSON is decoded as well, so that nobody waits for what is not signed.
"""

from __future__ import annotations

from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from fediblog import inbox, log
from fediblog.counters import INBOX
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Json
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, Unavailable
from fediblog.federation.inbound import forwarded, request_signers
from fediblog.federation.inbound.prefetch import gather, missing, prepare
from fediblog.federation.inbound.refusals import ACCEPTED, PAUSE, Receipt, later, note, receipt_for
from fediblog.federation.lookups import follower_sync, resolve
from fediblog.federation.lookups.decoding import decoded, document_in, is_long, plain_document
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.inbox import Facts, Handler, Needs, Outcome, Reading, Sender
from fediblog.messages import ENGLISH, text
from fediblog.protocol import authority, signatures
from fediblog.protocol.activities import read_activity
from fediblog.protocol.jsontext import LIMIT
from fediblog.protocol.negotiate import is_activity_type
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.people import accounts, hosts
from fediblog.store.people.accounts import StoredKey, host_of
from fediblog.store.queues import incoming_queue
from fediblog.store.tx import Tx

__all__ = ["Receipt", "process", "receive"]

AT_ONCE = 64  # activities of a site that are dealt with before their answer; more are stored first
RETRY = 60_000  # ms before an activity that could not be dealt with is tried again; four times as long each time


class _Delivered(Struct, frozen=True):
    """A delivered activity with its document and bytes, its handler, and the account whose inbox it came to."""

    activity: Activity
    handler: Handler | None
    reading: Reading | None
    document: dict[str, Json]
    body: bytes
    inbox_owner: int | None


class _Lookup(Struct, frozen=True):
    """What one read says of a delivered activity, its key and its signer; nothing is proven yet."""

    held: tuple[StoredKey, Account] | None
    signer: Account | None
    blocked: bool
    seen: bool
    failing: bool
    concerns: bool
    missing: Needs


class InFlight:
    """How many activities are being dealt with right now at one site: a context for each of them."""

    def __init__(self, _site: Site) -> None:
        self._count = 0

    def __enter__(self) -> Self:
        self._count += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self._count -= 1

    @property
    def crowded(self) -> bool:
        """Whether what comes now is stored first."""
        return self._count > AT_ONCE


async def receive(site: Site, incoming: IncomingRequest, *, inbox_owner: int | None = None) -> Receipt:
    """Take in what was posted to an inbox; the answer to it, of which 202 says that it was applied, stored or ignored.

    `inbox_owner` is the account whose own inbox it came to, None for the shared one. Nothing is raised.
    """
    activity: Activity | None = None
    try:
        _refuse_unreadable(incoming)
        if is_long(incoming.body):
            await _refuse_unsigned(site, incoming)
            document = await document_in(site, incoming.body)
        else:
            document = plain_document(incoming.body)
        activity = _activity_in(site, document)
        with site.keep(InFlight) as others:
            if await _is_delete_of_stranger(site, activity):
                _count(activity, "unconcerned")
                return ACCEPTED
            return await _take(site, incoming, _delivered(activity, document, incoming.body, inbox_owner), others)
    except Refused as refusal:
        _count(activity, "refused")
        await note(site, refusal, activity.actor if activity else "", activity.kind if activity else "")
        return receipt_for(refusal)
    except Unavailable as trouble:
        _count(activity, "later")
        log.event("inbox.later", actor=activity.actor if activity else "", reason=trouble.reason)
        return later(trouble)
    except Exception as error:
        _count(activity, "failed")
        log.trouble("inbox.failed", error, actor=activity.actor if activity else "")
        return Receipt(503, text(ENGLISH, "error.later"), "failed", PAUSE)


def _refuse_unreadable(incoming: IncomingRequest) -> None:
    if len(incoming.body) > LIMIT:
        raise Refused("too-large", key="refusal.activity-too-large", n=LIMIT)
    if (incoming.fields.get("content-encoding") or "identity").lower() != "identity":
        raise Refused("content-encoding")
    if not is_activity_type(incoming.fields.get("content-type", "")):
        raise Refused("content-type")


async def _refuse_unsigned(site: Site, incoming: IncomingRequest) -> None:
    """All that is known of a request without its key and its document, for one whose document is much work."""
    claim = signatures.read(incoming, site.urls.origin)
    signatures.check(claim, incoming, site.clock() // 1000)
    if await site.db.read(hosts.blocked_among, [host_of(claim.key_id)]):
        raise Refused("host-blocked", claim.key_id, key="refusal.host-not-taken")


def _activity_in(site: Site, document: dict[str, Json]) -> Activity:
    activity = read_activity(document)
    if activity is None:
        raise Refused("not-an-activity")
    if site.urls.owns(activity.actor):
        raise Refused("actor-is-ours", activity.actor)
    return activity


def _delivered(activity: Activity, document: dict[str, Json], body: bytes, inbox_owner: int | None) -> _Delivered:
    handler = inbox.handler_of(activity)
    return _Delivered(activity, handler, handler.read(activity) if handler else None, document, body, inbox_owner)


async def _take(site: Site, incoming: IncomingRequest, delivered: _Delivered, others: InFlight) -> Receipt:
    activity = delivered.activity
    claim = signatures.read(incoming, site.urls.origin)
    checked = signatures.check(claim, incoming, site.clock() // 1000)
    known = await site.db.read(_look, site.urls, claim.key_id, delivered, None)
    if known.blocked:
        raise Refused("host-blocked", claim.key_id, key="refusal.host-not-taken")
    signer = await request_signers.signer(site, checked, known.held, Budget())
    if known.signer is None or known.signer.id != signer.id:
        known = await site.db.read(_look, site.urls, claim.key_id, delivered, signer)
    if signer.state == "suspended" or known.blocked:
        raise Refused("account-suspended", signer.uri, key="refusal.account-not-taken")
    if known.failing:
        await site.db.write_here(hosts.host_heard, host_of(signer.uri))
    if activity.actor == signer.uri:
        authority.may_speak(signer.uri, activity)
    elif not forwarded.may_be_forwarded(activity, delivered.document):
        authority.may_speak(signer.uri, activity)  # refuses
    if activity.actor == signer.uri and (digest := follower_sync.digest_in(incoming, claim, signer)) is not None:
        await follower_sync.compare(site, signer, digest)
    if known.seen or not known.concerns:
        _count(activity, "seen" if known.seen else "unconcerned")
        return ACCEPTED
    return await _deal(site, delivered, signer, known, others)


async def _is_delete_of_stranger(site: Site, activity: Activity) -> bool:
    """Whether an account that is not known here deletes or updates itself: nothing of it is verified or fetched."""
    if activity.kind not in ("Delete", "Update") or activity.object_uri != activity.actor:
        return False
    return await site.db.read(accounts.by_uri, activity.actor) is None


def _look(tx: Tx, urls: Urls, key_id: str, delivered: _Delivered, signer: Account | None) -> _Lookup:
    activity = delivered.activity
    host = host_of(activity.actor)
    key_host = host if key_id.startswith(f"{activity.actor}#") else host_of(key_id)
    standing = incoming_queue.standing(tx, activity.uri, key_host, host, key_id, activity.object_uri)
    held = standing.held or resolve.key_of_actor(tx, key_id)
    signer = signer or (held[1] if held else None)
    itself = signer is not None and signer.uri == activity.actor
    actor = signer if itself else accounts.by_uri(tx, activity.actor)
    handler, reading = delivered.handler, delivered.reading
    sender = Sender(actor=actor, inbox_owner=delivered.inbox_owner, reading=reading, here=standing.here)
    concerns = handler is not None and handler.concerns(tx, urls, activity, sender)
    return _Lookup(
        held=held,
        signer=signer,
        blocked=standing.blocked,
        seen=standing.seen and inbox.is_once(activity) and itself,
        failing=standing.silent,
        concerns=concerns,
        missing=missing(tx, urls, handler.needs_of(reading))
        if handler and reading and concerns and itself
        else Needs(),
    )


async def _deal(site: Site, delivered: _Delivered, signer: Account, known: _Lookup, others: InFlight) -> Receipt:
    activity = delivered.activity
    at_once = activity.actor == signer.uri and not known.missing and not others.crowded
    facts = Facts(actor=signer, inbox_owner=delivered.inbox_owner, reading=delivered.reading)
    if at_once and await _done_at_once(site, activity, facts):
        return ACCEPTED
    kept = await site.db.write_here(_keep, delivered, signer)
    _count(activity, "stored" if kept else "full")
    if not kept:
        return Receipt(503, text(ENGLISH, "refusal.inbox-full"), "inbox-full", PAUSE)
    return ACCEPTED


async def _done_at_once(site: Site, activity: Activity, facts: Facts) -> bool:
    """Apply the activity now; False if that failed through a bug of ours, and it is to be stored and tried again."""
    try:
        outcome = await site.db.write_here(inbox.apply, site.urls, activity, await prepare(facts))
    except (Refused, Unavailable):
        raise
    except Exception as error:
        log.trouble("inbox.failed", error, actor=activity.actor, uri=activity.uri)
        return False
    _log(activity, outcome)
    return True


def _keep(tx: Tx, delivered: _Delivered, signer: Account) -> bool:
    host = host_of(signer.uri)
    if not incoming_queue.has_room(tx, host):
        return False
    incoming_queue.keep(
        tx, delivered.activity.uri, signer.uri, host, delivered.body.decode("utf-8-sig"), delivered.inbox_owner
    )
    return True


def _count(activity: Activity | None, outcome: str) -> None:
    """Count an outcome by kind of activity, those without a handler as `other`: strangers choose no labels."""
    known = activity is not None and inbox.handler_of(activity) is not None
    INBOX.add(activity.kind if activity and known else "other", outcome)


def _log(activity: Activity, outcome: Outcome) -> None:
    _count(activity, outcome.value)
    log.outcome("inbox.done", kind=activity.kind, actor=activity.actor, outcome=outcome.value)


async def process(site: Site, item: incoming_queue.Incoming) -> None:
    """Apply an activity that was stored when it came: done, or put off; only a database that fails is raised."""
    try:
        await _process(site, item)
    except Refused as refusal:
        await note(site, refusal, item.actor)
        await site.db.write(incoming_queue.done, item.id)
    except Unavailable as trouble:
        delay = RETRY * 4 ** (item.tries - 1) if trouble.delay is None else int(trouble.delay * 1000)
        await site.db.write(
            incoming_queue.put_off, item, trouble.reason, min(delay, 86_400_000), most=incoming_queue.MOST_CLAIMS
        )
    except Exception as error:
        log.trouble("inbox.failed", error, actor=item.actor, uri=item.uri)
        await site.db.write(
            incoming_queue.put_off, item, f"{type(error).__name__}: {error}", RETRY * 4 ** (item.tries - 1)
        )


async def _process(site: Site, item: incoming_queue.Incoming) -> None:
    budget = Budget()
    document = await decoded(site, item.body.encode())
    activity = _activity_in(site, document)
    if activity.actor == item.actor:
        authority.may_speak(item.actor, activity)
        facts = Facts(actor=await _signer(site, item.actor), inbox_owner=item.inbox_owner)
    else:
        activity, facts = await forwarded.speaker(site, activity, document, budget)
    handler = inbox.handler_of(activity)
    if handler is None:
        return await site.db.write(incoming_queue.done, item.id)
    reading = handler.read(activity)
    if await site.db.read(_still_concerns, site.urls, handler, reading, facts):
        needs = await site.db.read(missing, site.urls, handler.needs_of(reading))
        facts = await prepare(await gather(site, needs, replace(facts, reading=reading), budget))
        outcome = await site.db.write(_apply, site.urls, activity, facts, item.id)
        return _log(activity, outcome)
    await site.db.write(incoming_queue.done, item.id)


async def _signer(site: Site, uri: str) -> Account:
    found = await site.db.read(accounts.by_uri, uri)
    if found is None:  # forgotten while the activity waited
        found = await resolve.actor(site, uri)
    if found.state == "suspended":
        raise Refused("account-suspended", uri, key="refusal.account-not-taken")
    return found


def _still_concerns(tx: Tx, urls: Urls, handler: Handler, reading: Reading, facts: Facts) -> bool:
    sender = Sender(actor=facts.actor, inbox_owner=facts.inbox_owner, reading=reading)
    return handler.concerns(tx, urls, reading.activity, sender)


def _apply(tx: Tx, urls: Urls, activity: Activity, facts: Facts, item: int) -> Outcome:
    actor = accounts.get(tx, facts.actor.id) or facts.actor
    incoming_queue.done(tx, item)
    return inbox.apply(tx, urls, activity, replace(facts, actor=actor))
