"""Who may quote us: an author takes an authorization back (FEP-044f)."""

from __future__ import annotations

from fediblog.actions import sending
from fediblog.actions.drafts import author_of
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.protocol.activities import quote_authorization, write_activity
from fediblog.store import posts, quotes
from fediblog.store.tx import Tx


def revoke(tx: Tx, urls: Urls, account: int, authorization: int) -> None:
    """Take back that a post may quote one of one's own; the servers that show it are told."""
    author = author_of(tx, account)
    found = quotes.get(tx, authorization)
    post = posts.stored(tx, found.post) if found is not None else None
    if found is None or post is None or post.account.id != author.id:
        raise NotFound
    if not quotes.revoke(tx, authorization):
        return
    uri = urls.authorization(authorization)
    proof = quote_authorization(uri, author.uri, found.quoting, post.uri)
    number = tx.new_id()
    document = write_activity(
        "Delete", uri=urls.activity(number), actor=author.uri, object=proof, to=(found.account.uri, author.followers)
    )
    # Whoever shows the quote has it from the one who quotes, and most of those who care follow one of the two.
    sending.send(tx, urls, author, document, number=number, subject=uri, to=[found.account], followers=True)
    tx.notify("posts")
