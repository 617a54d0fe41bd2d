"""Activities that somebody else than their actor delivers: proven in themselves, or fetched from their origin."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Json
from fediblog.errors import Refused
from fediblog.federation.inbound import request_signers
from fediblog.federation.lookups import document_fetch, resolve
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.inbox import Facts
from fediblog.protocol import authority, integrity_proofs
from fediblog.protocol.keys import PublicKey
from fediblog.store.people import accounts
from fediblog.store.people.accounts import StoredKey
from fediblog.store.posts import posts
from fediblog.store.tx import Tx

_REFETCHED = frozenset({"Create", "Update", "Delete"})


def may_be_forwarded(activity: Activity, document: dict[str, Json]) -> bool:
    """Whether a forwarded activity may be proven: it carries a proof, or its object can be fetched from its origin."""
    return activity.kind in _REFETCHED or bool(integrity_proofs.read(document))


async def speaker(site: Site, activity: Activity, document: dict[str, Json], budget: Budget) -> tuple[Activity, Facts]:
    """What of a forwarded activity may be believed, and its proven actor; Refused if nothing.

    The HTTP signature of who forwarded it counts for nothing; RsaSignature2017 is not looked at.
    """
    actor = await _by_proof(site, activity, document, budget)
    if actor is not None:
        authority.may_speak(actor.uri, activity)
        return activity, Facts(actor=actor)
    if activity.kind == "Delete" and activity.object_uri != activity.actor:
        return await _deleted(site, activity, budget)
    if activity.kind in ("Create", "Update") and activity.object_uri and activity.object_uri != activity.actor:
        return await _as_it_is(site, activity, budget)
    raise Refused("signer-is-not-actor", activity.actor)


async def _by_proof(site: Site, activity: Activity, document: dict[str, Json], budget: Budget) -> Account | None:
    """The actor, if a proof in the activity (eddsa-jcs-2022, FEP-8b32) was made with a key of the actor's own."""
    own = [proof for proof in integrity_proofs.read(document) if authority.same_origin(proof.method, activity.actor)]
    if not own:
        return None
    actor = await resolve.actor(site, activity.actor, budget=budget)
    keys: dict[str, PublicKey | None] = {}
    for proof in own:
        stored = await site.db.read(_key_of, actor.id, proof.method)
        key = keys[proof.method] = resolve.parse_key(stored.public) if stored is not None else None
        if key is not None and integrity_proofs.verify(document, proof, key, site.clock() // 1000) is True:
            return actor
    # The key may have been changed since. One is asked for: a document with eight proofs causes no eight fetches.
    newer = await request_signers.newer_key(site, own[0].method, keys.get(own[0].method), budget)
    if newer is None or newer[1].id != actor.id:
        return None
    return newer[1] if integrity_proofs.verify(document, own[0], newer[0], site.clock() // 1000) is True else None


def _key_of(tx: Tx, account: int, uri: str) -> StoredKey | None:
    held = accounts.key_with_owner(tx, uri)
    return held[0] if held is not None and held[1].id == account and held[0].kind == "ed25519" else None


async def _as_it_is(site: Site, activity: Activity, budget: Budget) -> tuple[Activity, Facts]:
    """A Create or Update of the post as its own origin serves it, by the author that stands in it."""
    document = await document_fetch.document(site, activity.object_uri, budget, fresh=True)
    note, author = await resolve.with_author(site, document, budget)
    found = Activity(
        kind=activity.kind,
        actor=author.uri,
        object=document,
        object_uri=note.uri,
        object_kind=note.kind,
        to=note.to,
        cc=note.cc,
    )
    return found, Facts(actor=author)


async def _deleted(site: Site, activity: Activity, budget: Budget) -> tuple[Activity, Facts]:
    """A forwarded Delete of a stored post, if its origin says that it is gone; Refused otherwise."""
    uri = activity.object_uri
    post = await site.db.read(posts.by_uri, uri)
    if post is None or post.local or not await resolve.confirm_gone(site, uri, budget=budget):
        raise Refused("signer-is-not-actor", uri, key="refusal.signer-is-not-actor-of-delete")
    return Activity(kind="Delete", actor=post.author, object=uri, object_uri=uri), Facts(actor=post.account)
