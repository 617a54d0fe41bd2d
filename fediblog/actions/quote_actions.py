"""Quotes (FEP-044f): an author asks to quote somebody, and takes back that somebody may quote a post of one's own."""

from __future__ import annotations

from fediblog.actions.drafts import author_of
from fediblog.domain.documents import OPEN
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.outgoing import sent_authorizations
from fediblog.outgoing.own_documents import Document
from fediblog.store.posts import posts, quotes, reply_policy
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx

Answer = tuple[str, str]
"""How a quote stands, and the authorization."""


def begin(tx: Tx, urls: Urls, post: Post) -> None:
    """A post of ours that quotes appears: note how that stands. Posts of our own people answer at once."""
    quoted = posts.by_uri(tx, post.quote)
    number = tx.new_id()
    author = quoted.author if quoted is not None else ""
    state, approval = _answer_of(tx, urls, post, quoted)
    quotes.ask(tx, post.id, urls.transient_activity(post.author, number), author, state, approval)
    told = quoted is not None and (post.visibility in OPEN or quoted.account.id in post.addressed)
    if quoted is not None and quoted.local and told and state == "accepted":
        notifications.add(tx, quoted.account.id, "quote", post.account.id, post.id)


def _answer_of(tx: Tx, urls: Urls, post: Post, quoted: Post | None) -> Answer:
    if quoted is None or posts.seen_by(tx, quoted.uri, post.account.id) is None:
        return "rejected", ""
    own = quoted.account.id == post.account.id
    if not own and quoted.visibility not in OPEN:
        return "rejected", ""
    if not quoted.local:  # one that says nothing of quotes knows no question about them: there it is a link
        return ("pending" if quoted.policy is not None and quoted.policy.quote is not None else "unauthorized"), ""
    number = (
        quotes.grant(tx, quoted.id, post.account.id, post.uri)
        if reply_policy.may_quote(tx, post.account.id, quoted)
        else None
    )
    if number is not None:
        return "accepted", urls.of(quoted.account).authorization(number)
    return ("accepted" if own else "rejected"), ""


def request(tx: Tx, urls: Urls, post: Post, document: Document) -> None:
    """Ask the author of what a post of ours quotes, if that is somebody elsewhere who has not answered."""
    asked = quotes.request(tx, post.id)
    quoted = posts.by_uri(tx, post.quote) if asked is not None and asked.state == "pending" else None
    if asked is None or quoted is None:
        return
    number = int(asked.uri.rsplit("/", 1)[1])
    sent_authorizations.request_quote(tx, urls, post, document, quoted, number)


def revoke(tx: Tx, urls: Urls, account: int, authorization: int) -> None:
    """Take back that a post may quote one of one's own; the servers that show it are told."""
    author = author_of(tx, account)
    found = quotes.get(tx, authorization)
    post = posts.stored(tx, found.post) if found is not None else None
    if found is None or post is None or post.account.id != author.id:
        raise NotFound
    if not quotes.revoke(tx, authorization):
        return
    standing = quotes.request_by_approval(tx, urls.of(author).authorization(authorization))
    if standing is not None and quotes.settle(tx, standing.post, "accepted", "revoked"):
        job_queue.add(tx, job_kinds.SEND_COUNTS, str(standing.post))
    sent_authorizations.revoke_quote(tx, urls, post, authorization, found.quoting, found.account)
