"""Quotes between other servers (FEP-044f): whether what is quoted says so itself."""

from __future__ import annotations

from fediblog.domain.posts import Post
from fediblog.errors import Gone, NotFound, Refused
from fediblog.federation.lookups import document_fetch
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.protocol.activities import grantor
from fediblog.protocol.authority import same_origin
from fediblog.store.posts import posts, quote_proofs
from fediblog.store.posts.quote_proofs import Proof
from fediblog.store.tx import Tx

FETCHES = 3  # for one authorization, redirects aside


async def check(site: Site, number: int) -> None:
    """Ask the server of what a post quotes for the authorization that it names; Unavailable if it cannot say now."""
    post, named = await site.db.read(_named, number)
    if post is None or named is None or named.state != "waiting" or site.urls.owns(named.quoted):
        return
    try:
        document = await document_fetch.document(site, named.proof, Budget(FETCHES, post.uri), fresh=True)
        author = grantor(document, post.uri, named.quoted)
    except (Gone, NotFound, Refused):
        author = ""
    believed = bool(author) and same_origin(author, named.proof)
    await site.db.write(quote_proofs.settle, named, "accepted" if believed else "rejected", author)


def _named(tx: Tx, number: int) -> tuple[Post | None, Proof | None]:
    return posts.stored(tx, number), quote_proofs.of(tx, number)
