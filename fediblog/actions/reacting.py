"""Like, boost and vote, and take it back."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.actions import sending
from fediblog.actions.documents import announce_of
from fediblog.actions.drafts import author_of
from fediblog.domain.documents import Option, Poll, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.protocol.activities import write_activity
from fediblog.store import jobs, listings, notices, posts, reactions, writing
from fediblog.store.tx import Tx

TALLY_DELAY = 180_000  # ms between two Updates that only tell how a poll stands


def like(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Like a post that one may see."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    number = tx.new_id()
    uri = urls.activity(number)
    if not reactions.react(tx, account, post, uri):
        return
    if whole.account.local:
        notices.add(tx, whole.account.id, "like", account, post)
    document = write_activity("Like", uri=uri, actor=actor.uri, object=whole.uri, to=(whole.author,))
    sending.send(tx, urls, actor, document, number=number, subject=whole.uri, to=[whole.account])
    tx.notify("posts")


def unlike(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Take a like back."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    uri = reactions.withdraw(tx, account, post)
    if uri is None:
        return
    notices.withdraw(tx, whole.account.id, "like", account, post)
    inner = write_activity("Like", uri=uri, actor=actor.uri, object=whole.uri, to=(whole.author,))
    number = tx.new_id()
    document = write_activity("Undo", uri=urls.activity(number), actor=actor.uri, object=inner, to=(whole.author,))
    sending.send(tx, urls, actor, document, number=number, subject=whole.uri, to=[whole.account])
    tx.notify("posts")


def boost(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Pass a public post on to one's followers."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    if whole.visibility not in (Visibility.PUBLIC, Visibility.UNLISTED) or whole.state != "published":
        raise Invalid("post", "Only what everybody may see can be boosted.")
    number = tx.new_id()
    uri = urls.activity(number)
    if reactions.boost(tx, account, post, uri, number=number) is None:
        return
    listings.spread(tx, whole, number, account)
    if whole.account.local:
        notices.add(tx, whole.account.id, "boost", account, post)
    document = announce_of(uri, actor, whole, tx.now)
    sending.send(tx, urls, actor, document, number=number, subject=whole.uri, to=[whole.account], followers=True)
    tx.notify("posts")


def unboost(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Take a boost back."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    uri = reactions.unboost(tx, account, post)
    if uri is None:
        return
    notices.withdraw(tx, whole.account.id, "boost", account, post)
    inner = announce_of(uri, actor, whole, tx.now)
    number = tx.new_id()
    document = write_activity(
        "Undo", uri=urls.activity(number), actor=actor.uri, object=inner, to=(actor.followers, whole.author)
    )
    sending.send(tx, urls, actor, document, number=number, subject=whole.uri, to=[whole.account], followers=True)
    tx.notify("posts")


def vote(tx: Tx, urls: Urls, account: int, post: int, choices: Sequence[str]) -> None:
    """Vote in a poll, ours or somebody else's, once."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    poll = whole.poll
    wanted = list(dict.fromkeys(choices))
    if poll is None or whole.account.id == account:
        raise Invalid("choices", "There is no poll here that you could vote in.")
    if poll.closed is not None or (poll.ends is not None and poll.ends <= tx.now):
        raise Invalid("choices", "This poll is closed.")
    if not wanted or not {option.name for option in poll.options}.issuperset(wanted):
        raise Invalid("choices", "Choose one of the answers.")
    if (len(wanted) > 1 and not poll.multiple) or reactions.has_voted(tx, account, post):
        raise Invalid("choices", "You have one vote in this poll.")
    for name in wanted:
        _cast(tx, urls, actor.uri, account, whole, name)
    if whole.local:
        tally(tx, whole)


def _cast(tx: Tx, urls: Urls, actor: str, account: int, post: Post, name: str) -> None:
    number = tx.new_id()
    uri = f"{urls.activity(number)}#vote"
    reactions.vote(tx, account, post.id, name, uri)
    ballot = {
        "id": uri,
        "type": "Note",
        "name": name,
        "attributedTo": actor,
        "inReplyTo": post.uri,
        "to": [post.author],
    }
    document = write_activity("Create", uri=urls.activity(number), actor=actor, object=ballot, to=(post.author,))
    sender = author_of(tx, account)
    sending.send(tx, urls, sender, document, number=number, subject=post.uri, to=[post.account], private=True)


def tally(tx: Tx, post: Post) -> None:
    """Count the votes of a poll of ours, and have the result told, but not at every vote."""
    if post.poll is None:
        return
    counted, people = reactions.votes(tx, post.id)
    options = tuple(Option(name=each.name, votes=counted.get(each.name, 0)) for each in post.poll.options)
    standing = Poll(
        options=options, multiple=post.poll.multiple, ends=post.poll.ends, closed=post.poll.closed, voters=people
    )
    writing.set_poll(tx, post.id, standing)
    jobs.add(tx, "send-counts", str(post.id), run_at=tx.now + TALLY_DELAY)


def seen(tx: Tx, account: int, post: int) -> Post:
    """The post, if the account may see it; what it may not see is not there."""
    whole = posts.get(tx, post, account)
    if whole is None:
        raise NotFound()
    return whole
