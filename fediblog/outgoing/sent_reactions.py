"""Like, boost and vote, and the Undo of the first two."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.outgoing.own_documents import announce_of, reaction_of
from fediblog.outgoing.send import send
from fediblog.protocol.activities import write_activity
from fediblog.protocol.notes import write_vote
from fediblog.store.posts.reaction_lists import OwnBoost
from fediblog.store.tx import Tx


def like(tx: Tx, urls: Urls, actor: Account, post: Post, number: int, emoji: str = "") -> None:
    """Send a Like to the author of the post, with an emoji if there is one; its id is that of `number`."""
    document = reaction_of(tx, urls, urls.of(actor).activity(number), actor, post, emoji)
    send(tx, urls, actor, document, number=number, subject=post.uri, to=[post.account])


def undo_like(tx: Tx, urls: Urls, actor: Account, post: Post, like_uri: str, emoji: str = "") -> None:
    """Take a like or an emoji back."""
    number, inner = tx.new_id(), reaction_of(tx, urls, like_uri, actor, post, emoji)
    document = write_activity(
        "Undo", uri=urls.transient_activity(actor.uri, number), actor=actor.uri, object=inner, to=(post.author,)
    )
    send(tx, urls, actor, document, number=number, subject=post.uri, to=[post.account])


def boost(tx: Tx, urls: Urls, actor: Account, post: Post, number: int, visibility: Visibility) -> None:
    """Send an Announce to the author of the post and the booster's followers; its id is that of `number`."""
    document = announce_of(urls.of(actor).activity(number), actor, post, tx.now, visibility)
    send(tx, urls, actor, document, number=number, subject=post.uri, to=[post.account], followers=True)


def undo_boost(tx: Tx, urls: Urls, actor: Account, post: Post, standing: OwnBoost) -> None:
    """Tell all who got a boost that it is none any more."""
    number = tx.new_id()
    inner = announce_of(standing.uri, actor, post, standing.created, Visibility(standing.visibility))
    document = write_activity(
        "Undo",
        uri=urls.transient_activity(actor.uri, number),
        actor=actor.uri,
        object=inner,
        to=(actor.followers, post.author),
    )
    send(tx, urls, actor, document, number=number, subject=post.uri, to=[post.account], followers=True)


def vote(tx: Tx, urls: Urls, voter: Account, post: Post, name: str, number: int) -> None:
    """Vote for one answer of a poll: a note with a name and no content, to the author of the poll alone."""
    ballot = write_vote(
        uri=urls.vote(voter.uri, number), author=voter.uri, to=post.author, question=post.uri, option=name
    )
    document = write_activity(
        "Create", uri=urls.transient_activity(voter.uri, number), actor=voter.uri, object=ballot, to=(post.author,)
    )
    send(tx, urls, voter, document, number=number, subject=post.uri, to=[post.account], private=True)
