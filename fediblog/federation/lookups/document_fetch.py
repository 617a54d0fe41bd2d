"""Fetches documents of other servers, each believed only if its own origin serves it under its id."""

from __future__ import annotations

from fediblog.domain.documents import Json
from fediblog.errors import Gone, NotFound, Refused, Unavailable
from fediblog.federation.lookups.decoding import document_in
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.net import Response
from fediblog.net.client import MAX_DOCUMENT
from fediblog.protocol import json_values
from fediblog.protocol.authority import fetched_ok, redirected_ok, same_origin
from fediblog.protocol.negotiate import is_activity_type
from fediblog.store.people import hosts
from fediblog.store.people.accounts import host_of

Document = dict[str, Json]

ACCEPT = (
    'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1'
)
_LATER = frozenset({408, 425, 429})


async def fetch(
    site: Site,
    url: str,
    budget: Budget,
    *,
    accept: str = ACCEPT,
    fresh: bool = False,
    elsewhere: bool = False,
    signed: bool = True,
    limit: int = MAX_DOCUMENT,
    deadline: float | None = None,
) -> Response:
    """GET something of another server, signed by ours. `elsewhere`: a redirect may lead to another origin.

    `limit` in bytes, `deadline` in seconds for all steps.

    Gone and NotFound say that it is not there, Refused that it cannot be had, Unavailable that it cannot be had now.
    """
    if same_origin(url, site.urls.origin):  # however it is written
        raise Refused("address-ours", url)
    if await site.db.read(hosts.is_blocked, host_of(url)):
        raise Refused("host-blocked", url)

    async def visit(address: str) -> None:
        budget.visit(address)
        if await site.db.read(hosts.is_blocked, host_of(address)):
            raise Refused("host-blocked", address)

    budget.spend(url)
    signer = await site.keys.instance() if signed else None
    answer = await site.client.fetch(
        url,
        accept=accept,
        sign=signer,
        limit=limit,
        deadline=deadline,
        cross_origin=elsewhere,
        fresh=fresh,
        before_redirect=visit,
    )
    _check_status(answer, url)
    if answer.url != url and same_origin(answer.url, site.urls.origin):
        raise Refused("address-ours", url)
    return answer


def plain_if_loopback(site: Site, host: str, url: str) -> str:
    """The https address of something at a host, by http where the demo names that host as one of this machine's."""
    plain = host in site.settings.loopback_authorities
    return f"http:{url.removeprefix('https:')}" if plain else url


def _check_status(answer: Response, url: str) -> None:
    status = answer.status
    if status == 410:
        raise Gone(detail=url)
    if status == 404:
        raise NotFound(detail=url)
    if status >= 500 or status in _LATER:
        raise Unavailable("fetch-failed", detail=f"{url}: {status}")
    if not 200 <= status < 300:
        raise Refused("fetch-refused", f"{url}: {status}")


async def read(site: Site, answer: Response) -> Document:
    """The ActivityPub document in a response, by its content type; Gone for a Tombstone, Refused for anything else."""
    if not is_activity_type(answer.header("content-type") or ""):
        raise Refused("fetched-type", answer.url)
    document = await document_in(site, answer.body)
    if "Tombstone" in json_values.kinds(document):
        raise Gone(detail=answer.url)
    return document


async def document(site: Site, uri: str, budget: Budget, *, fresh: bool = False) -> Document:
    """The document whose id is exactly `uri`, served by its origin; Refused for any other."""
    answer = await fetch(site, uri, budget, fresh=fresh)
    found = await read(site, answer)
    if json_values.url(found.get("id")) != uri:
        raise Refused("id-mismatch", uri)
    if not _is_told_by(uri, answer):
        raise Refused("id-elsewhere", answer.url)
    return found


def _is_told_by(uri: str, answer: Response) -> bool:
    """Whether `uri` or a redirect within its origin gave the response, and no file that somebody uploaded did."""
    return fetched_ok(uri, answer.url) or (
        redirected_ok(uri, answer.url) and answer.header("content-disposition") is None
    )


async def at(site: Site, url: str, budget: Budget, *, fresh: bool = False, elsewhere: bool = False) -> Document:
    """The document found at an address, which may be a link for people. Its id is the one it was at last fetched by."""
    return await identified(site, await fetch(site, url, budget, fresh=fresh, elsewhere=elsewhere), budget)


async def identified(site: Site, answer: Response, budget: Budget) -> Document:
    """The document in a response, if its id is the address it came from; else the one fetched from that id."""
    found = await read(site, answer)
    uri = json_values.url(found.get("id"))
    if not uri:
        raise Refused("id-missing", answer.url)
    if fetched_ok(uri, answer.url):
        return found
    return await document(site, uri, budget)


async def hint(site: Site, url: str, budget: Budget, *, fresh: bool = False) -> tuple[Document, bool]:
    """A document that proves nothing, only says where to look further; and whether its id is where it came from."""
    answer = await fetch(site, url, budget, fresh=fresh)
    found = await read(site, answer)
    return found, fetched_ok(json_values.url(found.get("id")), answer.url)
