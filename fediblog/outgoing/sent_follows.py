"""Follow, its Undo, and the answers to it, whether a person or a rule decides them."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.outgoing.own_documents import Document
from fediblog.outgoing.send import send_to
from fediblog.protocol.activities import write_activity
from fediblog.store.tx import Tx


def follow(tx: Tx, urls: Urls, follower: Account, followed: Account, number: int) -> None:
    """Ask to follow; the id of the Follow is that of `number`."""
    send_to(tx, urls, follower, followed, "Follow", followed.uri, number=number)


def undo(tx: Tx, urls: Urls, follower: Account, followed: Account, follow_uri: str) -> None:
    """End a follow, or take the request back."""
    send_to(tx, urls, follower, followed, "Undo", _embedded(follow_uri, follower, followed))


def accept(tx: Tx, urls: Urls, followed: Account, follower: Account, follow_uri: str) -> None:
    """Let somebody follow."""
    send_to(tx, urls, followed, follower, "Accept", _embedded(follow_uri, follower, followed))


def reject(tx: Tx, urls: Urls, followed: Account, follower: Account, follow_uri: str) -> None:
    """Turn a request down, or remove a follower."""
    send_to(tx, urls, followed, follower, "Reject", _embedded(follow_uri, follower, followed))


def _embedded(uri: str, follower: Account, followed: Account) -> Document:
    """The whole Follow, since peers match by its id or by its actor; without an id if it came without one."""
    document = write_activity("Follow", uri=uri, actor=follower.uri, object=followed.uri, to=(followed.uri,))
    return document if uri else {key: value for key, value in document.items() if key != "id"}
