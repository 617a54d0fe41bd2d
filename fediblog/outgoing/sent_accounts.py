"""What an account says of itself (Update, Move, Delete) and of others (Block, Flag)."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC
from fediblog.domain.urls import Urls
from fediblog.outgoing.own_documents import actor_document
from fediblog.outgoing.send import send, send_to
from fediblog.protocol.activities import write_activity
from fediblog.store.tx import Tx


def update(tx: Tx, urls: Urls, account: Account) -> None:
    """Tell the followers how the account looks now."""
    number = tx.new_id()
    document = write_activity(
        "Update",
        uri=urls.transient_activity(account.uri, number),
        actor=account.uri,
        object=actor_document(tx, urls, account),
        to=(PUBLIC,),
        cc=(account.followers,),
    )
    send(tx, urls, account, document, number=number, subject=account.uri, followers=True)


def move(tx: Tx, urls: Urls, account: Account, target: Account) -> None:
    """Tell the followers where the account went."""
    number = tx.new_id()
    document = write_activity(
        "Move",
        uri=urls.transient_activity(account.uri, number),
        actor=account.uri,
        object=account.uri,
        target=target.uri,
        to=(account.followers,),
    )
    send(tx, urls, account, document, number=number, subject=account.uri, followers=True)


def delete(tx: Tx, urls: Urls, account: Account) -> None:
    """Tell those who follow the account, and those whom it follows, that it is gone; the object is its bare id."""
    number = tx.new_id()
    document = write_activity(
        "Delete",
        uri=urls.transient_activity(account.uri, number),
        actor=account.uri,
        object=account.uri,
        to=(PUBLIC,),
        cc=(account.followers,),
    )
    send(tx, urls, account, document, number=number, subject=account.uri, followers=True, followed=True)


def block(tx: Tx, urls: Urls, account: Account, blocked: Account, number: int) -> None:
    """Tell somebody that they are blocked; the id of the Block is that of `number`."""
    send_to(tx, urls, account, blocked, "Block", blocked.uri, number=number)


def undo_block(tx: Tx, urls: Urls, account: Account, blocked: Account, block_uri: str) -> None:
    """Tell somebody that they are not blocked any more."""
    inner = write_activity("Block", uri=block_uri, actor=account.uri, object=blocked.uri, to=(blocked.uri,))
    send_to(tx, urls, account, blocked, "Undo", inner)


def flag(
    tx: Tx, urls: Urls, speaker: Account, reported: Account, named: Sequence[str], comment: str, number: int
) -> None:
    """Send a Flag about an account and posts of it (ids), in the name of `speaker`; its id is that of `number`."""
    send_to(tx, urls, speaker, reported, "Flag", [reported.uri, *named], number=number, content=comment)
