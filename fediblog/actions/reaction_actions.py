"""Like, react with an emoji, boost and vote, and take it back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fediblog.actions.drafts import author_of
from fediblog.actions.post_actions import send_counts
from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.outgoing import sent_reactions
from fediblog.protocol.emoji_reaction import is_emoji
from fediblog.store.posts import (
    approvals,
    custom_emoji,
    post_writing,
    posts,
    reaction_lists,
    reactions,
    reply_policy,
    timelines,
)
from fediblog.store.queues import job_kinds, job_queue, poll_totals
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx


def like(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Like a post that one may see."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    leave = reply_policy.leave_of(tx, whole.policy.like if whole.policy else None, actor, whole)
    if leave == "denied":
        raise Invalid("post", "like.not-wanted")
    number = tx.new_id()
    uri = urls.of(actor).activity(number)
    if not reactions.react(tx, account, post, uri):
        return
    if leave == "manual":
        approvals.wait(tx, uri, post)
    if whole.account.local:
        notifications.add(tx, whole.account.id, "like", account, post)
    sent_reactions.like(tx, urls, actor, whole, number)


def unlike(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Take a like back."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    uri = reactions.withdraw(tx, account, post)
    if uri is None:
        return
    _withdraw_notice(tx, whole, account)
    sent_reactions.undo_like(tx, urls, actor, whole, uri)


def react(tx: Tx, urls: Urls, account: int, post: int, emoji: str) -> None:
    """Set an emoji beside a post that one may see, in place of another of one's own: a sign, or `:name:` of ours."""
    actor, whole, content = author_of(tx, account), seen(tx, account, post), emoji.strip()
    custom = custom_emoji.by_names(tx, [content.strip(":")]) if content.startswith(":") else ()
    if not is_emoji(content) or (content.startswith(":") and not custom):
        raise Invalid("emoji", "react.no-emoji")
    leave = reply_policy.leave_of(tx, whole.policy.like if whole.policy else None, actor, whole)
    if leave == "denied":
        raise Invalid("post", "like.not-wanted")
    unreact(tx, urls, account, post)
    number = tx.new_id()
    uri = urls.of(actor).activity(number)
    picture = urls.media(custom[0].file) if custom else ""
    reactions.react(tx, account, post, uri, kind="emoji", content=content, emoji_url=picture)
    if leave == "manual":
        approvals.wait(tx, uri, post)
    if whole.account.local:
        if reactions.still_likes(tx, account, post, but=uri):
            notifications.correct(tx, whole.account.id, "like", account, post, content)
        else:
            notifications.add(tx, whole.account.id, "like", account, post, content)
    sent_reactions.like(tx, urls, actor, whole, number, content)


def unreact(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Take one's emoji back; a like stays."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    while emoji := reactions.shown_emoji(tx, account, post):
        uri = reactions.withdraw(tx, account, post, kind="emoji", content=emoji)
        if uri is not None:
            sent_reactions.undo_like(tx, urls, actor, whole, uri, emoji)
    _withdraw_notice(tx, whole, account)


def _withdraw_notice(tx: Tx, post: Post, account: int) -> None:
    """Withdraw the notification of what was taken back, or have it tell of what still stands beside the post."""
    if reactions.still_likes(tx, account, post.id):
        shown = reactions.shown_emoji(tx, account, post.id)
        notifications.correct(tx, post.account.id, "like", account, post.id, shown)
    else:
        notifications.withdraw(tx, post.account.id, "like", account, post.id)


def boost(tx: Tx, urls: Urls, account: int, post: int, visibility: Visibility = Visibility.PUBLIC) -> None:
    """Pass a public post on to one's followers; `visibility` says whether others see that as well."""
    if visibility == Visibility.DIRECT:
        raise Invalid("visibility", "boost.too-few")
    actor, whole = author_of(tx, account), seen(tx, account, post)
    if whole.visibility not in OPEN or whole.state != "published":
        raise Invalid("post", "boost.not-open")
    leave = reply_policy.leave_of(tx, whole.policy.announce if whole.policy else None, actor, whole)
    if leave == "denied":
        raise Invalid("post", "boost.not-wanted")
    number = tx.new_id()
    uri = urls.of(actor).activity(number)
    if reactions.boost(tx, account, post, uri, visibility=visibility, number=number) is None:
        return
    if leave == "manual":
        approvals.wait(tx, uri, post)
    timelines.spread(tx, whole, number, account)
    if whole.account.local:
        notifications.add(tx, whole.account.id, "boost", account, post)
    sent_reactions.boost(tx, urls, actor, whole, number, visibility)


def unboost(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Take a boost back."""
    actor, whole = author_of(tx, account), seen(tx, account, post)
    standing = reaction_lists.own_boost(tx, account, post)
    uri = reactions.unboost(tx, account, post)
    if standing is None or uri is None:
        return
    notifications.withdraw(tx, whole.account.id, "boost", account, post)
    sent_reactions.undo_boost(tx, urls, actor, whole, standing)


def vote(tx: Tx, urls: Urls, account: int, post: int, choices: Sequence[str]) -> None:
    """Vote in a poll, ours or somebody else's, once."""
    tx.hold(-account, post)
    actor, whole = author_of(tx, account), seen(tx, account, post)
    poll = whole.poll
    wanted = list(dict.fromkeys(choices))
    if poll is None or whole.account.id == account:
        raise Invalid("choices", "poll.none")
    if poll.is_over(tx.now):
        raise Invalid("choices", "poll.is-closed")
    if not wanted or not {option.name for option in poll.options}.issuperset(wanted):
        raise Invalid("choices", "poll.choose")
    if (len(wanted) > 1 and not poll.multiple) or reactions.has_voted(tx, account, post):
        raise Invalid("choices", "poll.one-vote")
    for name in wanted:
        _cast(tx, urls, actor, whole, name)
    if whole.local:
        reactions.tally(tx, whole)
    else:
        post_writing.set_poll(tx, post, poll.with_votes(wanted, 1))
        poll_totals.voted(tx, post)
        if poll.until is not None:
            job_queue.add(tx, job_kinds.CLOSE_POLL, str(post), run_at=poll.until)


def _cast(tx: Tx, urls: Urls, voter: Account, post: Post, name: str) -> None:
    number = tx.new_id()
    reactions.vote(tx, voter.id, post.id, name, urls.vote(voter.uri, number))
    sent_reactions.vote(tx, urls, voter, post, name, number)


def close_poll(tx: Tx, urls: Urls, post: int) -> None:
    """The time of a poll is over: our people who voted are told; of ours the result stands, and followers are told."""
    tx.hold(post)
    whole = posts.stored(tx, post)
    if whole is None or whole.state != "published" or whole.poll is None:
        return
    if not whole.local and whole.poll.until is not None and not whole.poll.is_over(tx.now):
        job_queue.add(tx, job_kinds.CLOSE_POLL, str(post), run_at=whole.poll.until)  # its author gave it more time
        return
    if whole.local and whole.poll.closed is None:
        job_queue.drop(tx, job_kinds.SEND_COUNTS, str(post))
        post_writing.set_poll(tx, post, replace(reactions.counted(tx, post, whole.poll), closed=tx.now))
        send_counts(tx, urls, post)
    for voter in reactions.local_voters(tx, post):
        notifications.add(tx, voter, "poll", whole.account.id, post)


def seen(tx: Tx, account: int, post: int) -> Post:
    """The post, if the account may see it; what it may not see is not there."""
    whole = posts.get(tx, post, account)
    if whole is None or whole.is_withheld:
        raise NotFound()
    return whole
