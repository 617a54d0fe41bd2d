"""What our authors granted to posts of others, as documents that prove it: to quote, to answer, like and boost."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fediblog.domain.documents import Json
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Gone, NotFound
from fediblog.outgoing.own_documents import quote_authorization_of, reply_authorization_of
from fediblog.store.posts import approvals, posts, quotes
from fediblog.store.tx import Tx
from fediblog.web import path_convertors
from fediblog.web.negotiation import ask, document, site_of


async def authorization(request: Request) -> Response:
    """The proof that a post may quote one of ours; gone once that was taken back (FEP-044f).

    It is not found while the account that quotes is shut out.
    """
    return document(request, await ask(request, _authorization, site_of(request).urls, request.path_params["number"]))


def _authorization(tx: Tx, viewer: int, urls: Urls, number: int) -> dict[str, Json]:
    found = quotes.get(tx, number)
    if found is None:
        raise NotFound
    whole = _ours(tx, viewer, found.post)
    if found.revoked is not None:
        raise Gone
    if (found.quoting, found.post) not in quotes.granted(tx, [found.quoting]):
        raise NotFound
    return quote_authorization_of(urls, whole, number, found.quoting)


async def reply_authorization(request: Request) -> Response:
    """The proof that an answer, like or boost of a post of ours may stand; not found once that was taken back."""
    return document(
        request, await ask(request, _reply_authorization, site_of(request).urls, request.path_params["number"])
    )


def _reply_authorization(tx: Tx, viewer: int, urls: Urls, number: int) -> dict[str, Json]:
    found = approvals.reply_authorization(tx, number)
    if found is None:
        raise NotFound
    whole = _ours(tx, viewer, found.post)
    return reply_authorization_of(urls, whole, number, found.replying, found.kind)


def _ours(tx: Tx, viewer: int, number: int) -> Post:
    whole = posts.get(tx, number, viewer)
    if whole is None or not whole.local or whole.is_withheld:
        raise NotFound
    return whole


path_convertors.register()
ROUTES: list[BaseRoute] = [
    Route("/q/{number:number}", authorization),
    Route("/r/{number:number}", reply_authorization),
]
