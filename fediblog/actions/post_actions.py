"""Publish, edit, delete, pin: what an author does with posts."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fediblog.actions import category_actions, quote_actions
from fediblog.actions.draft_of_post import chosen_slug, inherited, says_the_same
from fediblog.actions.drafts import Draft, File, PollDraft, author_of, kind_of, text_of
from fediblog.actions.post_of_draft import RenderedDraft, compose, month_of
from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Visibility
from fediblog.domain.posts import Category, Post
from fediblog.domain.rules import narrowest
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.markup.html import CLEANER_VERSION
from fediblog.outgoing import sent_posts
from fediblog.outgoing.own_documents import post_document
from fediblog.prepare.wording import Text, Wording
from fediblog.store.people import accounts, post_preferences
from fediblog.store.posts import (
    account_posts,
    adoption,
    approvals,
    conversations,
    post_writing,
    posts,
    reply_policy,
    timelines,
)
from fediblog.store.posts.post_columns import Placement
from fediblog.store.queues import background_fetches, job_kinds, job_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx

__all__ = [
    "Draft",
    "File",
    "PollDraft",
    "delete",
    "edit",
    "let_quote",
    "pin",
    "publish",
    "release",
    "send_counts",
    "take_back",
    "unpin",
]

MOST_PINNED = 5


def publish(tx: Tx, urls: Urls, account: int, draft: Draft, wording: Wording) -> Post:
    """Make a post, or keep it as a draft or for later.

    `wording` is its text, rendered. Raises Invalid, NotFound, and Outdated if it has to be rendered again.
    """
    author = author_of(tx, account)
    # Lists go by the number: a post of another time takes its place among those of that moment.
    number = tx.new_id({"scheduled": draft.scheduled, "published": draft.dated}.get(draft.state))
    composed = compose(tx, urls, author, draft, wording, number=number)
    if not (draft.quotable and draft.comments):
        wanted = post_preferences.defaults(tx, account)
        draft = replace(draft, quotable=draft.quotable or wanted.quotes, comments=draft.comments or wanted.comments)
    post_writing.insert(tx, composed.note, author, _placement(composed, draft), number=number, awaited=False)
    _put_beside(tx, number, composed, draft)
    post = _stored(tx, number)
    if draft.state == "published" and draft.dated is None:
        _announce(tx, urls, post)
        if post.parent is not None:
            background_fetches.of_thread(tx, (post.parent,))
    elif draft.state == "scheduled":
        job_queue.add(tx, job_kinds.RELEASE, str(number), run_at=draft.scheduled)
    return post


def edited_text(tx: Tx, account: int, post: int, draft: Draft) -> Text:
    """What has to be rendered for the edit of a post of one's own. Raises NotFound."""
    before = _owned(tx, account, post)
    return text_of(inherited(tx, draft, before), kind_of(draft) if before.is_draft else before.kind)


def edit(tx: Tx, urls: Urls, account: int, post: int, draft: Draft, wording: Wording) -> Post:
    """Change a post of one's own. A published one keeps its kind and audience, and its history is kept.

    Who sees a post only by this edit does not see what it said before: that is forgotten for all.
    What nobody has seen yet gets a new number when it is published or put down for another time. Nobody is told of an
    edit that leaves everything as it was. Raises Invalid, of the field `post`, if the draft is to be kept, put off or
    for fewer people and has been published meanwhile: its words were not for those who see it now.
    """
    author = author_of(tx, account)
    before = _own(tx, author, post)
    draft = inherited(tx, draft, before)
    standing = not before.is_draft
    if standing and (draft.state != "published" or narrowest(draft.visibility, before.visibility) != before.visibility):
        raise Invalid("post", "post.published-meanwhile")
    if standing and says_the_same(tx, draft, before):
        category_actions.file_under(tx, post, draft.categories or (), draft.new_category, before.categories)
        return _stored(tx, post)
    job_queue.drop(tx, job_kinds.RELEASE, str(post))
    if not standing and draft.state != "draft":
        post_writing.discard(tx, post)
        return publish(tx, urls, account, draft, wording)
    composed = compose(tx, urls, author, draft, wording, number=post, before=before)
    post_writing.update(
        tx, before, composed.note, _placement(composed, draft, before.state if standing else draft.state)
    )
    _put_beside(tx, post, composed, draft, before.categories)
    after = _stored(tx, post)
    post_writing.hide_history(tx, before, after)
    if after.state == "published":
        _send_update(tx, urls, after, before)
    return after


def take_back(tx: Tx, account: int, post: int) -> None:
    """Make a draft of a post that waits for its time; the address that was made of its title is free again.

    Raises Invalid, of the field `post`, if it has been published meanwhile.
    """
    waiting = _own(tx, author_of(tx, account), post)
    if not waiting.is_draft:
        raise Invalid("post", "take-back.late")
    job_queue.drop(tx, job_kinds.RELEASE, str(post))
    post_writing.make_draft(tx, post, chosen_slug(waiting))


def release(tx: Tx, urls: Urls, post: int) -> None:
    """The time of a scheduled post has come."""
    tx.hold(post)
    scheduled = posts.stored(tx, post)
    if scheduled is None or scheduled.state != "scheduled":
        return
    parent = posts.stored(tx, scheduled.parent) if scheduled.parent is not None else None
    may_answer = parent is None or reply_policy.may_comment(tx, scheduled.account.id, parent)
    if scheduled.account.state != "active" or not may_answer:
        # Suspended, or the comments were closed meanwhile: its author shall see that it waits.
        post_writing.set_state(tx, post, "draft")
        return
    post_writing.publish_now(tx, post, month_of(tx.now), _address(tx, urls, scheduled))
    _announce(tx, urls, _stored(tx, post))


def delete(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Delete a post of one's own, here and everywhere it went; its id answers with a tombstone from then on.

    Of a draft nothing is left.
    """
    author = author_of(tx, account)
    whole = _own(tx, author, post)
    if not whole.is_draft:
        sent_posts.delete(tx, urls, whole)
        post_writing.remove(tx, whole)
    job_queue.drop(tx, job_kinds.RELEASE, str(post))
    post_writing.discard(tx, post)


def pin(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Show a post at the top of the profile."""
    author = author_of(tx, account)
    whole = _own(tx, author, post)
    if whole.visibility not in OPEN or whole.state != "published":
        raise Invalid("post", "pin.not-open")
    if whole.pinned is None and len(account_posts.pinned(tx, author.id, author.id)) >= MOST_PINNED:
        raise Invalid("post", "pin.too-many", n=MOST_PINNED)
    if whole.pinned is None:
        post_writing.set_pinned(tx, post, tx.now)
        sent_posts.pin(tx, urls, author, whole)


def unpin(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Take a post down from the top of the profile."""
    author = author_of(tx, account)
    whole = _own(tx, author, post)
    if whole.pinned is not None:
        post_writing.set_pinned(tx, post, None)
        sent_posts.unpin(tx, urls, author, whole)


def let_quote(tx: Tx, urls: Urls, account: int, post: int, policy: str) -> None:
    """Say who may quote a post of one's own: public, followers or nobody. What was granted stands."""
    whole = _own(tx, author_of(tx, account), post)
    if whole.quotable != policy:
        post_writing.set_quotable(tx, post, policy)
        send_counts(tx, urls, post)


def send_counts(tx: Tx, urls: Urls, post: int) -> None:
    """Tell those who follow how a post stands: an Update without `updated`, for polls and totals.

    Not of a post that is withheld, or whose author is suspended.
    """
    tx.hold(post)
    whole = posts.stored(tx, post)
    if whole is not None and whole.local and whole.state == "published" and whole.account.state == "active":
        _send_update(tx, urls, whole, whole)


def _placement(composed: RenderedDraft, draft: Draft, state: str | None = None) -> Placement:
    return Placement(
        visibility=composed.visibility,
        state=state or draft.state,
        slug=composed.slug,
        month=composed.month,
        scheduled=draft.scheduled if draft.state == "scheduled" else None,
        cleaner=CLEANER_VERSION,
        quotable=draft.quotable,
        repliable=draft.comments or "public",
        app_name=draft.app[0],
        app_website=draft.app[1],
    )


def _put_beside(tx: Tx, number: int, composed: RenderedDraft, draft: Draft, filed: Sequence[Category] = ()) -> None:
    post_writing.claim_media(tx, number, composed.uploads)
    post_writing.address(tx, number, composed.mentioned)
    category_actions.file_under(tx, number, draft.categories or (), draft.new_category, filed)


def _address(tx: Tx, urls: Urls, post: Post) -> tuple[str, str]:
    """Slug and page of a post that appears only now."""
    month = month_of(tx.now)
    slug = posts.free_slug(tx, post.account.id, month, post.slug, post.id) if post.slug else ""
    return slug, urls.of(post.account).page(post.account.handle, post.id, month, slug)


def _announce(tx: Tx, urls: Urls, post: Post) -> None:
    """A post appears: in our own people's streams and notices, and on the servers of those it is for."""
    adoption.adopt(tx, post.id, post.root or post.id, post)
    notifications.lock(tx, post.account.id, post.addressed)
    if post.visibility == Visibility.DIRECT:
        conversations.add(tx, post)
    else:
        timelines.spread(tx, post)
        notifications.add_for_listeners(tx, post)
    _notify(tx, post, frozenset())
    if post.poll is not None and post.poll.ends is not None:
        job_queue.add(tx, job_kinds.CLOSE_POLL, str(post.id), run_at=post.poll.ends)
    above = posts.stored(tx, post.parent) if post.parent is not None else None
    if above is not None and reply_policy.leave_to_answer(tx, post.account, above) == "manual":
        approvals.wait(tx, post.uri, above.id)
    if post.quote:
        quote_actions.begin(tx, urls, post)
        post = _stored(tx, post.id)
    document = post_document(tx, urls, post)
    sent_posts.create(tx, urls, post, document)
    if post.quote:
        quote_actions.request(tx, urls, post, document)


def _notify(tx: Tx, post: Post, known: frozenset[int]) -> None:
    parent = posts.stored(tx, post.parent) if post.parent is not None else None
    for _, account in sorted(accounts.many(tx, post.addressed - known).items()):
        if account.local:
            answered = parent is not None and parent.account.id == account.id
            notifications.add(tx, account.id, "reply" if answered else "mention", post.account.id, post.id)


def _send_update(tx: Tx, urls: Urls, post: Post, before: Post) -> None:
    if not post.is_dated_back:
        _notify(tx, post, before.addressed)
    if post.visibility == Visibility.DIRECT:
        conversations.add(tx, post)
    sent_posts.update(tx, urls, post, also=sorted(before.addressed))


def _own(tx: Tx, author: Account, post: int) -> Post:
    tx.hold(post)
    return _owned(tx, author.id, post)


def _owned(tx: Tx, account: int, post: int) -> Post:
    whole = posts.stored(tx, post)
    if whole is None or whole.account.id != account:
        raise NotFound()
    return whole


def _stored(tx: Tx, number: int) -> Post:
    post = posts.stored(tx, number)
    if post is None:
        raise RuntimeError("the post vanished within its own transaction")
    return post
