"""Follower synchronisation (FEP-8fcf): a digest goes with posts for followers, and a list is fetched if it differs."""

from __future__ import annotations

from fediblog import log
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Collection
from fediblog.errors import Refused
from fediblog.federation.lookups import document_fetch, resolve
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.inbox import follower_differences
from fediblog.protocol import json_values
from fediblog.protocol.authority import same_origin
from fediblog.protocol.collections import ITEMS_LIMIT, read_collection
from fediblog.protocol.follower_digest import HEADER, FollowerDigest, digest, read_header, write_header
from fediblog.protocol.signatures import Claim, IncomingRequest
from fediblog.store.people import accounts, followers_by_host
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

PAUSE = 600_000  # ms before it is looked into: a Follow or its Accept may be on its way, and not at every message
MOST_WAITING = 100
MOST_LISTED = ITEMS_LIMIT - 1  # followers on one server; with more nothing is announced


def followers_url(account: Account) -> str:
    """The collection that lists, to a server that asks, who of its people follows one of ours."""
    return f"{account.followers}_sync"


def header(tx: Tx, account: int, host: str) -> str:
    """The header `Collection-Synchronization` about the followers that one of ours has at a host; '' if too many."""
    author = accounts.get(tx, account)
    uris = followers_by_host.followers_at(tx, account, host, MOST_LISTED + 1)
    if author is None or len(uris) > MOST_LISTED:
        return ""
    return write_header(FollowerDigest(author.followers, followers_url(author), digest(uris)))


def digest_in(incoming: IncomingRequest, claim: Claim, signer: Account) -> FollowerDigest | None:
    """What a request announces of its signer's followers; None if the header is missing, not signed or of another."""
    value = incoming.fields.get(HEADER)
    announced = read_header(value) if value is not None and HEADER in claim.covered else None
    if announced is None or announced.collection != signer.followers or not same_origin(announced.url, signer.uri):
        return None
    return announced


async def compare(site: Site, signer: Account, announced: FollowerDigest) -> None:
    """Add a job that asks for the list, if the digest differs from that of the followers stored here."""
    if await site.db.read(_differs, signer.id, announced.digest):
        await site.db.write(_look_later, signer.uri, announced.url)


def _differs(tx: Tx, account: int, said: str) -> bool:
    return digest(followers_by_host.followers_here(tx, account)) != said


def _look_later(tx: Tx, uri: str, url: str) -> None:
    if job_queue.waiting(tx, job_kinds.SYNC_FOLLOWERS, MOST_WAITING) < MOST_WAITING:
        job_queue.add(tx, job_kinds.SYNC_FOLLOWERS, uri, {"url": url}, run_at=tx.now + PAUSE)


async def synchronize(site: Site, uri: str, url: str) -> None:
    """Fetch who of our people follows an account, and set right what differs; Refused if the list is not whole."""
    account = await resolve.actor(site, uri)
    if account.local or not same_origin(url, account.uri):
        raise Refused("not-the-owner", url, key="refusal.followers-elsewhere")
    answer = await document_fetch.fetch(site, url, Budget(1), fresh=True)
    found = read_collection(await document_fetch.read(site, answer))
    if found is None or not _is_whole(found):
        raise Refused("collection-incomplete", url)
    announced = [json_values.ref(item) for item in found.items]
    changed = await site.db.write(follower_differences.settle, site.urls, account, announced)
    log.event("followers-synchronized", account=uri, changed=changed)


def _is_whole(found: Collection) -> bool:
    """Whether the collection has all its items: one with as many as are read at all may have had more."""
    count = len(found.items)
    return not found.first and not found.next and count < ITEMS_LIMIT and found.total in (None, count)
