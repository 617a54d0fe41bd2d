"""WebFinger: which actor a @user@domain is, and under which domain the handle of an actor may be shown."""

from __future__ import annotations

from contextlib import suppress

from fediblog.domain.documents import Actor
from fediblog.errors import NotFound, Refused, Unavailable
from fediblog.federation.lookups.decoding import decoded
from fediblog.federation.lookups.document_fetch import fetch, plain_if_loopback
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.net import Response
from fediblog.protocol import hostmeta
from fediblog.protocol.webfinger import ACCEPT, Jrd, parse_handle, read_jrd, template_url, webfinger_url
from fediblog.store.people.accounts import host_of

_META_LIMIT = 64_000  # bytes


async def look_up(site: Site, user: str, host: str, budget: Budget) -> tuple[str, str, str]:
    """(actor id, user, host) of a handle. The host may name another host as the handle's own, once.

    The other one must then name the same actor: no domain appears in a handle without its consent.
    """
    first = await webfinger(site, user, host, budget)
    home = first.handle or (user, host)
    if home == (user, host) or _same(home, (user, host)):
        return _actor_of(first), *home
    second = await webfinger(site, *home, budget)
    if second.handle is None or not _same(second.handle, home):
        raise Refused("handle-unconfirmed", f"{user}@{host}")
    return _actor_of(second), *second.handle


async def domain_of(site: Site, actor: Actor, budget: Budget) -> str:
    """The domain that an actor's handle is confirmed under; the host of its id where nothing else is."""
    host = host_of(actor.uri)
    claimed = parse_handle(actor.webfinger) or (actor.handle, host)
    if actor.webfinger and claimed[1] == host:
        return host
    with suppress(Refused, Unavailable):
        uri, user, domain = await look_up(site, *claimed, budget)
        if uri == actor.uri and user.lower() == actor.handle.lower():
            return domain
    return host


async def webfinger(site: Site, user: str, host: str, budget: Budget) -> Jrd:
    """The WebFinger document of a handle at a host (RFC 7033), by its host-meta where not at the usual place.

    The request is not signed, as most servers do not: WebFinger answers everybody.
    """
    resource = f"acct:{user}@{host}"
    url = plain_if_loopback(site, host, webfinger_url(host, resource))
    try:
        answer = await _asked(site, url, budget, ACCEPT)
    except NotFound:
        template = await _template(site, host, budget)
        answer = await _asked(site, template_url(template, resource), budget, ACCEPT)
    found = read_jrd(await decoded(site, answer.body))
    if found is None:
        raise Refused("handle-unreadable", url)
    return found


async def _asked(site: Site, url: str, budget: Budget, accept: str) -> Response:
    return await fetch(site, url, budget, accept=accept, elsewhere=True, signed=False)


async def _template(site: Site, host: str, budget: Budget) -> str:
    url = plain_if_loopback(site, host, f"https://{host}/.well-known/host-meta")
    answer = await _asked(site, url, budget, hostmeta.XML_TYPE)
    template = hostmeta.read_template(answer.body[:_META_LIMIT].decode("utf-8", "replace"))
    if not template:
        raise NotFound(detail=url)
    return template


def _actor_of(found: Jrd) -> str:
    if not found.uri:
        raise NotFound("account.handle-elsewhere", found.subject)
    return found.uri


def _same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return (one[0].lower(), one[1]) == (other[0].lower(), other[1])
