"""Which software another server runs, asked of that server alone: where its NodeInfo lies, and then the document."""

from __future__ import annotations

from fediblog.domain.documents import Json
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups.decoding import decoded
from fediblog.federation.lookups.document_fetch import fetch, plain_if_loopback
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.protocol.nodeinfo import read_discovery, read_software
from fediblog.store.people import peers
from fediblog.store.people.accounts import host_of

FETCHES = 2
LIMIT = 64_000  # bytes of each document
DEADLINE = 8.0  # seconds for each


async def ask(site: Site, host: str) -> None:
    """Fetch and store which software a server runs, or that it does not say."""
    try:
        software, version = await _software(site, host)
    except (Refused, Unavailable):  # also where a deadline has passed
        await site.db.write(peers.failed, host)
    else:
        await site.db.write(peers.put, host, software, version)


async def _software(site: Site, host: str) -> tuple[str, str]:
    first = plain_if_loopback(site, host, f"https://{host}/.well-known/nodeinfo")
    budget = Budget(FETCHES, first)
    address = read_discovery(await _document(site, first, budget))
    if host_of(address) != host:
        raise Refused("nodeinfo-elsewhere", address)
    software, version = read_software(await _document(site, address, budget))
    if not software:
        raise Refused("nodeinfo-unreadable", address)
    return software, version


async def _document(site: Site, url: str, budget: Budget) -> dict[str, Json]:
    answer = await fetch(
        site, url, budget, accept="application/json", fresh=True, signed=False, limit=LIMIT, deadline=DEADLINE
    )
    return await decoded(site, answer.body, LIMIT)
