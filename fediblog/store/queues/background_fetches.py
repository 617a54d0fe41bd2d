"""What is fetched in the background because our people look at it: earlier posts of an account, answers in a thread."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.accounts import Account
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

PAUSE = 900_000  # ms between two rounds for the same thread
MOST_WAITING = 200  # of each kind; beyond that nothing more is asked for


def of_account(tx: Tx, account: Account) -> None:
    """Have the pins and the first posts of an account of another server fetched, once for ever."""
    if account.local or job_queue.waiting(tx, job_kinds.FIRST_POSTS, MOST_WAITING) >= MOST_WAITING:
        return
    if tx.run("update account set begun = :now where id = :id and begun is null", now=tx.now, id=account.id):
        job_queue.add(tx, job_kinds.FIRST_POSTS, str(account.id))


def threads_due(tx: Tx, posts: Collection[int]) -> list[int]:
    """Those of these that are posts of other servers, and whose answers have not been asked for for a while."""
    rows = tx.all(
        "select id from post where id in (:ids) and local = 0 and coalesce(completed, 0) <= :before order by id",
        ids=sorted(posts),
        before=tx.now - PAUSE,
    )
    return [row.id for row in rows]


def of_thread(tx: Tx, posts: Collection[int]) -> None:
    """Have the answers below these posts of other servers fetched, where that is due."""
    due = threads_due(tx, posts)
    if due and job_queue.waiting(tx, job_kinds.THREAD, MOST_WAITING) < MOST_WAITING:
        for post in due:
            job_queue.add(tx, job_kinds.THREAD, str(post))
