"""How posts are stored, changed and deleted, and tied to their threads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Note, Poll, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import is_wider
from fediblog.store.json_columns import poll_text
from fediblog.store.posts import (
    adoption,
    approvals,
    conversations,
    post_columns,
    post_extras,
    quotes,
    search_index,
    thread_links,
    tombstones,
)
from fediblog.store.posts.post_columns import Placement
from fediblog.store.posts.thread_links import ThreadPost, TiedPost
from fediblog.store.queues import events, poll_totals
from fediblog.store.tx import Scalar, Tx
from fediblog.store.visible import OPEN_TO_ALL

KEPT_REVISIONS = 50  # of a post of somebody else's, who may edit it as often as they like
_FORGET_REVISIONS = (
    "delete from revision where post = :id and id not in"
    " (select id from revision where post = :id order by id desc limit :n)"
)


def insert(
    tx: Tx,
    note: Note,
    author: Account,
    placement: Placement,
    *,
    number: int | None = None,
    parent: TiedPost | ThreadPost | Literal["unasked"] | None = "unasked",
    awaited: bool = True,
) -> int:
    """Store a new post with its tags and files, and tie it to its thread; returns its number.

    `note` must be clean already; `parent` is the post that it answers, if that was asked, and `awaited` whether answers
    that came before it may be stored. Mentions are stored by `address`. A remote post's number sorts by the earlier of
    when it says it was published and now, so that nobody can put a post into the future.
    """
    published = min(note.published if note.published is not None else tx.now, tx.now)
    identity = number if number is not None else tx.new_id(None if author.local else max(published, 0))
    above = thread_links.tie(tx, note.in_reply_to, author.id) if parent == "unasked" else parent
    root = (above.root or above.id) if above else None
    tx.run(
        post_columns.INSERT,
        id=identity,
        account=author.id,
        local=int(author.local),
        published=published,
        received=tx.now,
        parent=above.id if above else None,
        root=root,
        **post_columns.inserted(note, placement),
    )
    post_extras.put(tx, identity, note)
    if placement.visibility == Visibility.PUBLIC:
        post_extras.put_links(tx, identity, note)
    if author.local:
        search_index.put(tx, (identity,))
    if awaited and placement.state == "published":
        adoption.adopt(tx, identity, root or identity, note)
    return identity


def update(tx: Tx, post: Post, note: Note, placement: Placement) -> None:
    """Replace what a post says; what it said is kept as a revision if the words changed."""
    if (post.title, post.summary, post.warning, post.content) != (note.title, note.summary, note.warning, note.content):
        tx.run(
            "insert into revision (id, post, title, summary, warning, content, source, at)"
            " values (:id, :post, :title, :summary, :warning, :content, :source, :at)",
            id=tx.new_id(),
            post=post.id,
            title=post.title,
            summary=post.summary,
            warning=post.warning,
            content=post.content,
            source=post.source.content if post.source else None,
            at=post.updated or post.published,
        )
        if not post.local:
            tx.run(_FORGET_REVISIONS, id=post.id, n=KEPT_REVISIONS)
    published = note.published if note.published is not None else post.published or 0
    if not post.local:
        published = min(published, tx.now)
    tx.run(
        post_columns.UPDATE,
        id=post.id,
        published=published,
        **post_columns.edited(with_known_totals(note, post), placement),
    )
    if post.poll is not None and not post.poll.asks_the_same(note.poll):
        _forget_votes(tx, post.id)
    elif not post.local and note.poll is not None:
        set_poll(tx, post.id, poll_totals.with_ours(tx, post.id, note.poll))
    post_extras.replace(tx, post.id, note, is_open=placement.visibility == Visibility.PUBLIC)
    if post.state == "published" and post.slug != placement.slug:
        _keep_former_slug(tx, post, placement)
    search_index.renew(tx, post.id)
    if post.state == "published":
        events.publish(tx, events.EDIT, account=post.account.id, post=post.id)


def _keep_former_slug(tx: Tx, post: Post, placement: Placement) -> None:
    """Have the earlier address of a post lead on to the present one."""
    at: dict[str, Scalar] = {"account": post.account.id, "month": placement.month}
    tx.run(
        "delete from former_post_slug where account = :account and month = :month and slug = :slug",
        slug=placement.slug,
        **at,
    )
    tx.run(
        "insert into former_post_slug (account, month, slug, post) values (:account, :month, :slug, :post)",
        slug=post.slug,
        post=post.id,
        **at,
    )


def hide_history(tx: Tx, before: Post, after: Post) -> None:
    """Forget what a post said earlier where an edit shows it to more people: those words were not for them."""
    if is_wider(after, before):
        tx.run("delete from revision where post = :id", id=after.id)


class Revision(Struct, frozen=True, kw_only=True):
    """What a post said before an edit; `at` when it had come to say so."""

    title: str
    summary: str
    warning: str
    content: str
    source: str | None
    at: int


def revisions(tx: Tx, post: int) -> list[Revision]:
    """Earlier versions, oldest first."""
    rows = tx.all(
        "select title, summary, warning, content, source, at from revision where post = :id order by at, id", id=post
    )
    return [Revision(**row._asdict()) for row in rows]


def address(tx: Tx, post: int, people: Sequence[tuple[int, str, bool]], *, new: bool = False) -> None:
    """Say whom a post mentions or addresses: (account, name as written, silent). Replaces what was said, if not new."""
    if not new:
        tx.run("delete from mention where post = :id", id=post)
    tx.many(
        "insert into mention (post, account, name, silent) values (:post, :account, :name, :silent)"
        " on conflict do nothing",
        [{"post": post, "account": account, "name": name, "silent": int(silent)} for account, name, silent in people],
    )


def claim_media(tx: Tx, post: int, uploads: Sequence[int | None]) -> None:
    """Say which uploads the post's files are, by position, so that they are kept as long as it is."""
    tx.many(
        "update attachment set media = :media where post = :post and position = :position",
        [{"media": upload, "post": post, "position": i} for i, upload in enumerate(uploads) if upload is not None],
    )


def set_state(tx: Tx, post: int, state: str, published: int | None = None) -> None:
    """draft, scheduled or published; with the time of publication where it begins."""
    tx.run(
        "update post set state = :state, published = coalesce(:at, published), scheduled = null where id = :id",
        state=state,
        at=published,
        id=post,
    )
    search_index.put(tx, (post,))


def make_draft(tx: Tx, post: int, slug: str) -> None:
    """A post for later becomes a draft; `slug` is what it keeps of its address."""
    tx.run("update post set slug = :slug where id = :id and state = 'scheduled'", slug=slug, id=post)
    set_state(tx, post, "draft")


def judge(tx: Tx, numbers: Collection[int], state: str, by: int) -> None:
    """Withhold posts (held, spam or hidden), or let them pass (published); `by` is the account that decided."""
    tx.run(
        "update post set state = :state, judged_by = :by, judged_at = :now where id in (:ids)",
        state=state,
        by=by,
        now=tx.now,
        ids=sorted(numbers),
    )
    search_index.put(tx, tuple(numbers))


def set_quotable(tx: Tx, post: int, policy: str) -> None:
    """Say who may quote the post: public, followers or nobody."""
    tx.run("update post set quotable = :policy where id = :id", policy=policy, id=post)


def drop_quote(tx: Tx, post: int) -> None:
    """The post of somebody else quotes nothing any more."""
    tx.run("update post set quote = '' where id = :id and local = 0", id=post)


def set_pinned(tx: Tx, post: int, at: int | None) -> None:
    """Pin to the profile, or take down."""
    tx.run("update post set pinned = :at where id = :id", at=at, id=post)


def set_poll(tx: Tx, post: int, poll: Poll) -> None:
    """The votes as they now stand."""
    tx.run("update post set poll = :poll where id = :id", poll=poll_text(poll), id=post)


def change_poll(tx: Tx, post: Post, poll: Poll) -> None:
    """A poll as its origin tells it now. Votes go with the answers that they were for, not for new totals or times."""
    is_other = post.poll is not None and not post.poll.asks_the_same(poll)
    if is_other:
        _forget_votes(tx, post.id)
    set_poll(tx, post.id, poll_totals.with_ours(tx, post.id, poll))
    if is_other:
        search_index.renew(tx, post.id)


def _forget_votes(tx: Tx, post: int) -> None:
    tx.run("delete from poll_vote where post = :id", id=post)


def with_known_totals(note: Note, post: Post) -> Note:
    """The note with the totals that its origin told earlier, where it tells none now."""
    return replace(
        note,
        reply_count=post.reply_count if note.reply_count is None else note.reply_count,
        like_count=post.like_count if note.like_count is None else note.like_count,
        share_count=post.share_count if note.share_count is None else note.share_count,
    )


def set_totals(tx: Tx, post: Post, note: Note) -> bool:
    """The totals of a post as its origin tells them now; False if they are as before."""
    known = (post.reply_count, post.like_count, post.share_count)
    now = with_known_totals(note, post)
    if (now.reply_count, now.like_count, now.share_count) == known:
        return False
    tx.run(
        "update post set replies_told = :replies, likes_told = :likes, boosts_told = :boosts"
        " where id = :id and local = 0",
        replies=now.reply_count,
        likes=now.like_count,
        boosts=now.share_count,
        id=post.id,
    )
    return True


def remove(tx: Tx, post: Post) -> None:
    """Delete a post and all that hangs on it; leaves a tombstone. Answers to it stay, without a parent."""
    page = post.url if post.local and post.visibility in OPEN else ""  # of others nobody learns that they were
    tombstones.leave(tx, post.uri, post.author, post.kind, local=post.local, page=page)
    quotes.forget(tx, post.uri)
    approvals.forget(tx, post.uri)
    audience = " ".join((post.visibility.value, *map(str, post.addressed)))
    events.publish(tx, events.DELETE, account=post.account.id, post=post.id, detail=audience)
    if post.visibility == Visibility.DIRECT:
        conversations.step_back(tx, post.id)
    tx.run("update post set parent = null where parent = :id", id=post.id)
    tx.run("delete from post where id = :id", id=post.id)


def discard(tx: Tx, post: int) -> None:
    """Forget a draft or a post for later: nobody has seen it, so nothing is left of it."""
    tx.run("delete from post where id = :id and state in ('draft', 'scheduled')", id=post)


def publish_now(tx: Tx, post: int, month: str, address: tuple[str, str]) -> None:
    """A scheduled post appears; `address` is its slug and its page."""
    slug, url = address
    tx.run(
        "update post set state = 'published', scheduled = null, published = :now, month = :month, slug = :slug,"
        " url = :url where id = :id",
        now=tx.now,
        month=month,
        slug=slug,
        url=url,
        id=post,
    )
    search_index.put(tx, (post,))


def remove_all_of(tx: Tx, account: Account) -> None:
    """Delete everything that an account wrote, liked or passed on, with tombstones for its posts."""
    tx.run(
        "insert into tombstone (uri, owner, kind, local, page, at) select uri, :owner, kind, local, case when local = 1"
        f" and visibility in {OPEN_TO_ALL} then url else '' end, :now from post"
        " where account = :id and state not in ('draft', 'scheduled', 'deleted') on conflict do nothing",
        owner=account.uri,
        now=tx.now,
        id=account.id,
    )
    tx.run("update post set parent = null where parent in (select id from post where account = :id)", id=account.id)
    tx.run("delete from post where account = :id", id=account.id)
    tx.run("delete from reply_authorization where account = :id", id=account.id)
    tx.run("delete from reaction where account = :id", id=account.id)
    tx.run("delete from boost where account = :id", id=account.id)
    tx.run("delete from notice where actor = :id and kind in ('like', 'boost')", id=account.id)


def set_completed(tx: Tx, post: int) -> None:
    """The thread around a post was completed just now."""
    tx.run("update post set completed = :now where id = :id", now=tx.now, id=post)
