"""What our accounts send by themselves when others act: an answer to a Follow, a new Follow after a Move."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Json
from fediblog.domain.urls import Urls
from fediblog.protocol import activities
from fediblog.protocol.jsontext import encode
from fediblog.store.people import accounts
from fediblog.store.posts import approvals
from fediblog.store.queues import delivery_queue
from fediblog.store.tx import Row, Tx


def answer(tx: Tx, urls: Urls, ours: Account, follower: Account, follow_uri: str, *, accept: bool) -> None:
    """Send Accept or Reject with the whole Follow in it, since peers match by its id or by its actor."""
    number = tx.new_id()
    build = activities.accept if accept else activities.reject
    document = build(urls.deed(ours.uri, number), ours.uri, follow_of(follow_uri, follower.uri, ours.uri))
    send(tx, urls, ours, follower, document, number=number)


def ask(tx: Tx, urls: Urls, ours: Account, target: Account, number: int) -> None:
    """Send a Follow whose id is that of `number`."""
    send(tx, urls, ours, target, activities.follow(urls.deed(ours.uri, number), ours.uri, target.uri), number=number)


def take_back(tx: Tx, urls: Urls, ours: Account, target: Account, follow_uri: str) -> None:
    """Send the Undo of a Follow."""
    number = tx.new_id()
    document = activities.undo(urls.deed(ours.uri, number), follow_of(follow_uri, ours.uri, target.uri))
    send(tx, urls, ours, target, document, number=number)


def follow_of(uri: str, follower: str, followed: str) -> dict[str, Json]:
    """A Follow as it is quoted; without an id, if it came without one."""
    document = activities.follow(uri, follower, followed)
    return document if uri else {key: value for key, value in document.items() if key != "id"}


def let_reply(
    tx: Tx,
    urls: Urls,
    post: Row,
    author: Account,
    replying: str,
    request: dict[str, Json] | None = None,
    kind: str = "Reply",
) -> None:
    """Say that an answer to a post of ours may stand: `post` as `posts.owner` has it, `replying` by `author`.

    The Accept is of the answer itself, or of the request to write it; `kind` as `approvals.authorize_reply` has it.
    What was taken back is rejected.
    """
    ours = accounts.get(tx, post.account)
    if ours is None:
        return
    given = approvals.authorize_reply(tx, post.id, author.id, replying, kind)
    number = tx.new_id()
    if given is None:
        refused: Json = request or replying
        document = activities.write_activity(
            "Reject", uri=urls.deed(ours.uri, number), actor=ours.uri, object=refused, to=(author.uri,)
        )
        send(tx, urls, ours, author, document, number=number)
        return
    document = activities.write_activity(
        "Accept",
        uri=urls.deed(ours.uri, number),
        actor=ours.uri,
        object=request or replying,
        to=(author.uri,),
        result=urls.reply_authorization(given),
        target=urls.post(post.id),
    )
    send(tx, urls, ours, author, document, number=number)


def undo_boost(tx: Tx, urls: Urls, ours: Account, author: Account, uri: str, post: str) -> None:
    """Tell all who got a boost of ours, the post's author and our followers, that it is none any more."""
    number = tx.new_id()
    audience = (ours.followers, author.uri)
    done = activities.write_activity("Announce", uri=uri, actor=ours.uri, object=post, to=audience)
    document = activities.undo(urls.deed(ours.uri, number), done)
    delivery_queue.emit(
        tx,
        ours.id,
        str(document["id"]),
        "Undo",
        post,
        encode(document).decode(),
        number=number,
        inboxes=[author.shared_inbox or author.inbox],
        followers=True,
    )


def send(tx: Tx, urls: Urls, ours: Account, to: Account, document: dict[str, Json], *, number: int) -> None:
    """Store an activity with its delivery to one remote account's own inbox."""
    if to.local or not to.inbox or urls.owns(to.inbox):
        return
    delivery_queue.emit(
        tx,
        ours.id,
        str(document["id"]),
        str(document["type"]),
        to.uri,
        encode(document).decode(),
        number=number,
        inboxes=[to.inbox],
    )
