"""Requests to quote, answer, like or boost: ours, the answers to those of others, and what is taken back again."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Activity, Json
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.outgoing.own_documents import Document, quote_authorization_of, reply_authorization_of
from fediblog.outgoing.send import send, send_to
from fediblog.protocol.activities import write_activity
from fediblog.protocol.contexts import without_context
from fediblog.store.tx import Tx


def request_quote(tx: Tx, urls: Urls, post: Post, document: Document, quoted: Post, number: int) -> None:
    """Ask the author of `quoted` whether a post, which is `document`, may quote it (FEP-044f)."""
    request = write_activity(
        "QuoteRequest",
        uri=urls.transient_activity(post.author, number),
        actor=post.author,
        object=quoted.uri,
        to=(quoted.author,),
        instrument=without_context(document),
    )
    send(tx, urls, post.account, request, number=number, subject=post.uri, to=[quoted.account], private=True)


def accept(
    tx: Tx, urls: Urls, author: Account, other: Account, asked: Activity | str, result: str, target: str = ""
) -> None:
    """Let stand what `other` asked for, or an answer (its id); `result` is the id of the authorization.

    `target` is the post that is answered, liked or boosted.
    """
    send_to(tx, urls, author, other, "Accept", _embedded(asked), result=result, target=target)


def reject(tx: Tx, urls: Urls, author: Account, other: Account, asked: Activity | str) -> None:
    """Turn down what `other` asked for, or an answer (its id)."""
    send_to(tx, urls, author, other, "Reject", _embedded(asked))


def revoke_quote(tx: Tx, urls: Urls, post: Post, number: int, quoting: str, quoter: Account) -> None:
    """Take back that a post of `quoter` may quote one of ours.

    It goes to the quoter and to the followers of ours, among whom are most of those who show the quote.
    """
    _revoke(tx, urls, post.account, quote_authorization_of(urls, post, number, quoting), quoter)


def revoke_reply(tx: Tx, urls: Urls, post: Post, number: int, replying: str, replier: Account | None) -> None:
    """Take back that an answer may stand below a post of ours."""
    _revoke(tx, urls, post.account, reply_authorization_of(urls, post, number, replying), replier)


def _revoke(tx: Tx, urls: Urls, author: Account, proof: Document, holder: Account | None) -> None:
    """Send a Delete of an authorization to its holder and the followers of its author."""
    number, holders = tx.new_id(), [holder] if holder is not None else []
    document = write_activity(
        "Delete",
        uri=urls.transient_activity(author.uri, number),
        actor=author.uri,
        object=proof,
        to=(*(each.uri for each in holders), author.followers),
    )
    send(tx, urls, author, document, number=number, subject=str(proof["id"]), to=holders, followers=True)


def _embedded(asked: Activity | str) -> Json:
    """The request as it is sent back: all of it but the words of the post, which may be long."""
    if isinstance(asked, str):
        return asked
    document = write_activity(
        asked.kind,
        uri=asked.uri,
        actor=asked.actor,
        object=asked.object_uri,
        to=asked.to,
        instrument=asked.instrument,
    )
    return document if asked.uri else {key: value for key, value in document.items() if key != "id"}
