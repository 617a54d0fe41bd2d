"""The followers of an account of ours on one server, as an answer to that server alone (FEP-8fcf)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fediblog.domain.documents import Json
from fediblog.errors import NotFound, Refused
from fediblog.federation.inbound.signed_get import asker
from fediblog.federation.lookups.follower_sync import MOST_LISTED, followers_url
from fediblog.protocol.collections import write_collection
from fediblog.store.people import accounts, followers_by_host
from fediblog.store.people.accounts import host_of
from fediblog.store.tx import Tx
from fediblog.web import path_convertors
from fediblog.web.negotiation import document, incoming_of, site_of


async def followers(request: Request) -> Response:
    """The followers of an account on the server that signed the request."""
    site = site_of(request)
    account = await asker(site, incoming_of(request.scope))
    if account is None:
        raise Refused("signature-missing", key="refusal.told-to-signed")
    found = await site.db.read(_followers, request.path_params["number"], host_of(account.uri))
    return document(request, found, public=False)


def _followers(tx: Tx, number: int, host: str) -> dict[str, Json]:
    account = accounts.get(tx, number)
    if account is None or not account.local or account.state != "active":
        raise NotFound
    items: list[Json] = list(followers_by_host.followers_at(tx, number, host, MOST_LISTED + 1))
    if len(items) > MOST_LISTED:  # half a list would do harm
        raise NotFound
    return write_collection(followers_url(account), total=len(items), items=items)


path_convertors.register()
ROUTES: list[BaseRoute] = [Route("/a/{number:number}/followers_sync", followers)]
