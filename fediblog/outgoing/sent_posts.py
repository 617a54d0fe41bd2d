"""Create, Update and Delete of a post, and its place at the top of a profile."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.outgoing.own_documents import Document, create_of, post_document
from fediblog.outgoing.send import send, send_about
from fediblog.protocol.activities import tombstone, write_activity
from fediblog.store.tx import Tx


def create(tx: Tx, urls: Urls, post: Post, document: Document) -> None:
    """Publish a post, which is `document`; also to the server of whom it quotes."""
    send_about(tx, urls, post, create_of(urls, post, document), number=post.id, everywhere=bool(post.quote))


def update(tx: Tx, urls: Urls, post: Post, also: Sequence[int] = ()) -> None:
    """Tell how a post stands to all servers that had to do with it; `also` to accounts that it no longer names."""
    number = tx.new_id()
    document = write_activity(
        "Update",
        uri=urls.transient_activity(post.author, number),
        actor=post.author,
        object=post_document(tx, urls, post),
        to=post.to,
        cc=post.cc,
    )
    send_about(tx, urls, post, document, number=number, also=also, everywhere=True)


def delete(tx: Tx, urls: Urls, post: Post) -> None:
    """Take a post from all servers that had to do with it; a Tombstone says what it was."""
    number = tx.new_id()
    document = write_activity(
        "Delete",
        uri=urls.transient_activity(post.author, number),
        actor=post.author,
        object=tombstone(post.uri, post.kind),
        to=post.to,
        cc=post.cc,
    )
    send_about(tx, urls, post, document, number=number, everywhere=True)


def pin(tx: Tx, urls: Urls, author: Account, post: Post) -> None:
    """Put a post at the top of the profile."""
    _feature(tx, urls, author, post, "Add")


def unpin(tx: Tx, urls: Urls, author: Account, post: Post) -> None:
    """Take a post down from the top of the profile."""
    _feature(tx, urls, author, post, "Remove")


def _feature(tx: Tx, urls: Urls, author: Account, post: Post, kind: str) -> None:
    if post.is_dated_back:  # which was sent to nobody
        return
    number = tx.new_id()
    document = write_activity(
        kind,
        uri=urls.transient_activity(author.uri, number),
        actor=author.uri,
        object=post.uri,
        target=author.featured,
        to=(PUBLIC,),
        cc=(author.followers,),
    )
    send(tx, urls, author, document, number=number, subject=author.featured, followers=True)
