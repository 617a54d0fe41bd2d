"""Answers that have the leave of the author of the post, who takes that back."""

from __future__ import annotations

from fediblog.actions.drafts import author_of
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.outgoing import send
from fediblog.protocol.activities import reply_authorization, write_activity
from fediblog.store.people import accounts
from fediblog.store.posts import approvals, posts, thread_links
from fediblog.store.tx import Tx


def revoke(tx: Tx, urls: Urls, account: int, authorization: int) -> None:
    """Take back that an answer may stand below a post of one's own; those who have either are told."""
    author = author_of(tx, account)
    found = approvals.reply_authorization(tx, authorization)
    post = posts.stored(tx, found.post) if found is not None else None
    if found is None or post is None or post.account.id != author.id or found.kind != "Reply":
        raise NotFound
    if not approvals.revoke_reply(tx, authorization):
        return
    thread_links.loosen(tx, found.replying)
    uri, number = urls.reply_authorization(authorization), tx.new_id()
    proof = reply_authorization(uri, author.uri, found.replying, post.uri)
    replier = accounts.get(tx, found.account)
    people = [replier] if replier is not None else []
    document = write_activity(
        "Delete",
        uri=urls.deed(author.uri, number),
        actor=author.uri,
        object=proof,
        to=(*(each.uri for each in people), author.followers),
    )
    send.send(tx, urls, author, document, number=number, subject=uri, to=people, followers=True)
