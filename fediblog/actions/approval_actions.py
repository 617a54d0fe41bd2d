"""Answers that have the leave of the author of the post, who takes that back."""

from __future__ import annotations

from fediblog.actions.drafts import author_of
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.outgoing import sent_authorizations
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
    replier = accounts.get(tx, found.account)
    sent_authorizations.revoke_reply(tx, urls, post, authorization, found.replying, replier)
