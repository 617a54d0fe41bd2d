"""How others find us: WebFinger, host-meta, NodeInfo, and whether we are well."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from fediblog import __version__
from fediblog.actions.account_actions import INSTANCE_HANDLE
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.errors import Gone, NotFound, Refused
from fediblog.federation.site_totals import total
from fediblog.protocol import hostmeta, nodeinfo
from fediblog.protocol.webfinger import JRD_TYPE, Resource, parse_resource, write_jrd
from fediblog.store.people import accounts, server_state
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.web.negotiation import document, site_of

_CORS = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=600"}


async def webfinger(request: Request) -> Response:
    """RFC 7033: from any form of a handle or address to the account."""
    site = site_of(request)
    asked = request.query_params.get("resource")
    if not asked:
        raise Refused("resource-missing")
    account = await site.db.read(_account, site.urls, parse_resource(asked))
    server = account.login is None
    answer = write_jrd(
        subject=f"{account.handle}@{site.urls.handle_domain}",
        uri=account.uri,
        profile=account.url,
        aliases=(account.url, account.uri),
        subscribe="" if server else f"{site.urls.origin}/authorize_interaction?uri={{uri}}",
        avatar=account.icon.url if account.icon else "",
    )
    response = document(request, answer, media_type=JRD_TYPE)
    response.headers.update(_CORS)
    return response


def _account(tx: Tx, urls: Urls, resource: Resource) -> Account:
    if resource.url:
        return _named_by(tx, urls, resource.url)
    if resource.host not in (urls.handle_domain, urls.host):
        raise NotFound("account.not-here")
    handle = resource.user.lower()
    # Some ask for host@host to learn the actor of the server itself.
    found = accounts.local_by_handle(tx, INSTANCE_HANDLE if handle == resource.host else handle)
    return _living(found)


def _named_by(tx: Tx, urls: Urls, url: str) -> Account:
    bare = url.rstrip("/")
    if bare == urls.origin:
        return _living(accounts.instance(tx, urls))
    if not urls.owns(url):
        raise NotFound("account.not-here")
    handle = bare.removeprefix(f"{urls.origin}/@")
    return _living(accounts.local_by_handle(tx, handle) if handle != bare else accounts.by_uri(tx, bare))


def _living(account: Account | None) -> Account:
    if account is None or not account.local or account.state == "suspended":
        raise NotFound("account.not-here")
    if account.state == "deleted":
        raise Gone("account.deleted")
    return account


async def host_meta(request: Request) -> Response:
    """host-meta as XML: where WebFinger is asked (RFC 6415)."""
    return Response(hostmeta.write_xml(site_of(request).urls.origin), media_type=hostmeta.XML_TYPE, headers=_CORS)


async def host_meta_json(request: Request) -> Response:
    """host-meta as JSON: where WebFinger is asked (RFC 6415)."""
    return JSONResponse(hostmeta.write_json(site_of(request).urls.origin), headers=_CORS)


async def nodeinfo_links(request: Request) -> Response:
    """Where the NodeInfo documents are."""
    return JSONResponse(nodeinfo.write_discovery(site_of(request).urls.origin), headers=_CORS)


async def nodeinfo_document(request: Request) -> Response:
    """NodeInfo 2.0 or 2.1: which software this is, and how much it is used."""
    site = site_of(request)
    version = request.path_params["version"]
    if version not in nodeinfo.VERSIONS:
        raise NotFound("nodeinfo.versions")
    usage = await total(site, server_state.usage)
    written = nodeinfo.ServerUsage(
        version=__version__,
        repository=site.settings.source,
        users=usage["people"],
        active_month=usage["month"],
        active_half_year=usage["half"],
        posts=usage["posts"],
        comments=usage["comments"],
        metadata={"nodeName": site.title, "upstream": {"name": "mastodon"}},
    )
    response = document(request, nodeinfo.write_nodeinfo(version, written), media_type=nodeinfo.content_type(version))
    response.headers.update(_CORS)
    return response


async def health(request: Request) -> Response:
    """Whether the database answers."""
    await site_of(request).db.read(posts.known, ())
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


async def health_of_old(request: Request) -> Response:
    """Whether the database answers, at the address and with the word that programs for Mastodon look for."""
    await site_of(request).db.read(posts.known, ())
    return PlainTextResponse("OK", headers={"Cache-Control": "no-store"})


ROUTES: list[BaseRoute] = [
    Route("/.well-known/webfinger", webfinger),
    Route("/.well-known/host-meta", host_meta),
    Route("/.well-known/host-meta.json", host_meta_json),
    Route("/.well-known/nodeinfo", nodeinfo_links),
    Route("/nodeinfo/{version}", nodeinfo_document),
    Route("/healthz", health),
    Route("/health", health_of_old),
]
