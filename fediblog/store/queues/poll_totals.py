"""Polls of other servers: their totals, and when these are asked for again because our people look or voted."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from fediblog.domain.documents import Poll
from fediblog.domain.posts import Post
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Row, Tx

PAUSE = 300_000  # ms between two looks at the same poll
MOST_WAITING = 200  # polls that wait to be looked at; beyond that the next time will do
_VOTES = (
    "select v.account, v.choice, exists (select 1 from outgoing o join delivery d on d.outgoing = o.id"
    " where o.uri = substr(v.uri, 1, length(v.uri) - 5) and d.state = 'waiting') as waits"
    " from poll_vote v where v.post = :post"
)


def with_ours(tx: Tx, post: int, poll: Poll) -> Poll:
    """A poll as its origin tells it, with those votes of our people that it cannot know: they are still on their way.

    All others are among its totals, and would be counted twice.
    """
    sent: dict[int, list[Row]] = {}
    for row in tx.all(_VOTES, post=post):
        sent.setdefault(row.account, []).append(row)
    waiting = [row.choice for rows in sent.values() for row in rows if row.waits]
    return poll.with_votes(waiting, sum(all(row.waits for row in rows) for rows in sent.values()))


def stale(tx: Tx, found: Iterable[Post]) -> list[int]:
    """Those of these that are polls of other servers whose totals may have changed since they were last told."""
    asked = {post.id: post for post in found if post.poll is not None and not post.local}
    if not asked:
        return []
    rows = tx.all("select post, checked from poll_check where post in (:ids)", ids=sorted(asked))
    checked = {row.post: row.checked for row in rows}
    return [number for number, post in asked.items() if _is_due(post, checked.get(number, 0), tx.now)]


def _is_due(post: Post, checked: int, now: int) -> bool:
    until = post.poll.until if post.poll is not None else None
    told = max(checked, post.received)
    return told <= now - PAUSE and (until is None or told < until)  # after its end it stands


def refresh(tx: Tx, posts: Collection[int]) -> None:
    """Have the totals of these polls fetched."""
    for post in sorted(posts):
        if job_queue.waiting(tx, job_kinds.REFRESH_POLL, MOST_WAITING) < MOST_WAITING:
            _note(tx, post)
            job_queue.add(tx, job_kinds.REFRESH_POLL, str(post))


def voted(tx: Tx, post: int) -> None:
    """One of our people voted: what the totals are then is asked for when the vote has surely been counted."""
    _note(tx, post)
    job_queue.add(tx, job_kinds.REFRESH_POLL, str(post), run_at=tx.now + PAUSE)


def _note(tx: Tx, post: int) -> None:
    tx.run(
        "insert into poll_check (post, checked) values (:post, :now)"
        " on conflict (post) do update set checked = excluded.checked",
        post=post,
        now=tx.now,
    )
