"""How an activity of ours leaves: it is stored once, with the inboxes that it must reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Json, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.outgoing.own_documents import Document
from fediblog.protocol.activities import write_activity
from fediblog.protocol.jsontext import encode
from fediblog.store.people import accounts
from fediblog.store.posts import reactions
from fediblog.store.queues import delivery_queue
from fediblog.store.tx import Tx


def send(
    tx: Tx,
    urls: Urls,
    account: Account,
    document: Document,
    *,
    number: int,
    subject: str,
    to: Iterable[Account] = (),
    inboxes: Iterable[str] = (),
    followers: bool = False,
    followed: bool = False,
    post: int | None = None,
    private: bool = False,
) -> None:
    """Store an activity of `account` and have it delivered to these people, to these inboxes, and to all followers.

    `followed`: then also to all whom it follows, however many.
    `private` goes to people's own inboxes, never to a shared one. Our own people need no delivery.
    """
    wanted = {inbox_of(each, private=private) for each in to if not each.local} | set(inboxes)
    wanted = {inbox for inbox in wanted if inbox and not urls.owns(inbox)}
    if not wanted and not followers:
        return
    delivery_queue.emit(
        tx,
        account.id,
        str(document["id"]),
        str(document["type"]),
        subject,
        encode(document).decode(),
        number=number,
        post=post,
        inboxes=wanted,
        followers=followers,
        followed=followed,
    )


def send_to(
    tx: Tx,
    urls: Urls,
    sender: Account,
    other: Account,
    kind: str,
    object: Json,
    *,
    number: int | None = None,
    result: str = "",
    target: str = "",
    content: str = "",
) -> None:
    """Write an activity that is for one account alone, and send it to its own inbox; its id is that of `number`."""
    number = tx.new_id() if number is None else number
    document = write_activity(
        kind,
        uri=urls.transient_activity(sender.uri, number),
        actor=sender.uri,
        object=object,
        to=(other.uri,),
        result=result,
        target=target,
        content=content,
    )
    send(tx, urls, sender, document, number=number, subject=other.uri, to=[other], private=True)


def inbox_of(account: Account, *, private: bool = False) -> str:
    """Where to deliver for that account: the shared inbox of its server if that will do."""
    return account.inbox if private or not account.shared_inbox else account.shared_inbox


def send_about(
    tx: Tx,
    urls: Urls,
    post: Post,
    document: Document,
    *,
    number: int,
    also: Sequence[int] = (),
    everywhere: bool = False,
) -> None:
    """Send what concerns a post to those it is for; `everywhere` also to all servers that had to do with it.

    One that was published with a date of the past was sent to nobody: only to the latter.
    """
    people = {} if post.is_dated_back else accounts.many(tx, {*post.addressed, *also})
    involved = reactions.involved_inboxes(tx, post.id) if everywhere else []
    send(
        tx,
        urls,
        post.account,
        document,
        number=number,
        subject=post.uri,
        to=people.values(),
        inboxes=involved,
        followers=post.visibility != Visibility.DIRECT and not post.is_dated_back,
        post=post.id,
        private=post.visibility == Visibility.DIRECT,
    )
