"""How a worker takes rows of a queue, and what becomes of those whose worker went away: for `job` and `incoming`.

A try counts from when it begins, so that also that one counts which the process did not survive. What was given back in
that way may be what ended it: it is taken by itself, so that what ran beside it is not given up with it, and later each
time, so that the rest is done meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from fediblog.messages.stored import pack
from fediblog.store.tx import Row, Tx

T = TypeVar("T")
CLAIM = 300_000  # ms after which a claimed row is taken for abandoned
PAUSE = 40_000  # ms more each time before a row is taken again with which the process ended
ABANDONED = pack("job.abandoned")


class Queue(Struct, frozen=True):
    """The statements for one table."""

    due: str
    lost: str
    take: str
    give_up: str
    release: str
    release_of: str
    next: str
    totals: str


_QUEUES = {  # each a table with the columns run_at, tries, claimed, state and error, and an index over (state, run_at)
    table: Queue(
        due=f"select * from {table} where state = 'waiting' and run_at <= :now order by run_at, id limit :n",
        lost=f"select * from {table} where state = 'running' and claimed < :lost order by run_at, id limit :n",
        take=f"update {table} set state = 'running', claimed = :now, worker = :worker, tries = tries + 1"
        " where id in (:ids)",
        give_up=f"update {table} set state = 'dead', claimed = null, error = :error where id = :id",
        release=f"update {table} set claimed = :lost + (tries - 1) * :pause where state = 'running'",
        release_of=f"update {table} set claimed = :lost + (tries - 1) * :pause, worker = null"
        " where state = 'running' and worker in (:workers)",
        next=f"select min(at) as at from (select min(run_at) as at from {table} where state = 'waiting'"
        f" union all select min(claimed) + :claim as at from {table} where state = 'running') as times",
        totals=f"select state, count(*) as n from {table} group by state",
    )
    for table in ("job", "incoming")
}
JOBS, INCOMING = _QUEUES["job"], _QUEUES["incoming"]


def take(tx: Tx, queue: Queue, made: Callable[[Row], T], limit: int, most: int) -> list[T]:
    """Claim what is due, the longest due first, and one whose worker went away; `made` of the rows as they were before.

    One that was claimed `most` times is not taken again: state dead.
    """
    rows = _lost(tx, queue, most)
    rows += tx.all(queue.due + tx.skip_locked, now=tx.now, n=limit - len(rows)) if limit > len(rows) else []
    if rows:
        tx.run(queue.take, now=tx.now, worker=tx.worker, ids=[row.id for row in rows])
    return [made(row) for row in rows]


def _lost(tx: Tx, queue: Queue, most: int) -> list[Row]:
    while rows := tx.all(queue.lost + tx.skip_locked, lost=tx.now - CLAIM, n=1):
        if rows[0].tries < most:
            return rows
        tx.run(queue.give_up, id=rows[0].id, error=ABANDONED)
    return []


def release_all(tx: Tx, queue: Queue) -> None:
    """Take every claim for abandoned: for a process that knows that it is the only worker."""
    tx.run(queue.release, lost=tx.now - CLAIM - 1, pause=PAUSE)


def release(tx: Tx, queue: Queue, workers: Sequence[int]) -> None:
    """Take the claims of processes that are gone for abandoned."""
    tx.run(queue.release_of, lost=tx.now - CLAIM - 1, pause=PAUSE, workers=workers)


def next_due(tx: Tx, queue: Queue) -> int | None:
    """When the next one becomes due (ms), or its claim runs out."""
    row = tx.one(queue.next, claim=CLAIM + 1)
    return row.at if row else None


def totals(tx: Tx, queue: Queue) -> dict[str, int]:
    """How many there are in each state."""
    return {row.state: row.n for row in tx.all(queue.totals)}
