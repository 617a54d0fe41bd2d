"""Work to be done later: at most one waiting job for the same thing, claimed by one worker at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from fediblog.store.queues import claims
from fediblog.store.tx import Row, Tx

CHANNEL = "jobs"
MOST_TRIES = 8


class Job(Struct, frozen=True, kw_only=True):
    """One piece of work; `subject` names the thing, `payload` says the rest, `tries` counts this one."""

    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    tries: int


def add(
    tx: Tx, kind: str, subject: str, payload: Mapping[str, object] | None = None, *, run_at: int | None = None
) -> None:
    """Ask for work, now or at a time (ms); the same thing that waits already stays as it is, but not later."""
    when = run_at if run_at is not None else tx.now
    tx.run(
        "insert into job (id, kind, subject, payload, run_at, created)"
        " values (:id, :kind, :subject, :payload, :at, :now)"
        " on conflict (kind, subject) where state = 'waiting'"
        " do update set run_at = case when excluded.run_at < job.run_at then excluded.run_at else job.run_at end",
        id=tx.new_id(),
        kind=kind,
        subject=subject,
        payload=json.dumps(payload or {}),
        at=when,
        now=tx.now,
    )
    tx.notify(CHANNEL)


def claim(tx: Tx, limit: int = 8) -> list[Job]:
    """Take jobs that are due, the longest due first; also one whose worker went away, if that was not often."""
    return claims.take(tx, claims.JOBS, _claimed, limit, MOST_TRIES)


def _claimed(row: Row) -> Job:
    return Job(id=row.id, kind=row.kind, subject=row.subject, payload=json.loads(row.payload), tries=row.tries + 1)


def done(tx: Tx, job: int) -> None:
    """Finished."""
    tx.run("delete from job where id = :id", id=job)


def carry_on(tx: Tx, job: int, payload: Mapping[str, object], *, pause: int = 0) -> None:
    """One part is done; the rest, from where `payload` says, is due after `pause` ms. If it was asked for anew, that
    will do.
    """
    twin = tx.one(
        "select 1 as yes from job a join job b on b.kind = a.kind and b.subject = a.subject and b.state = 'waiting'"
        " where a.id = :id and b.id <> a.id",
        id=job,
    )
    if twin is not None:
        done(tx, job)
        return
    tx.run(
        "update job set state = 'waiting', payload = :payload, tries = 0, run_at = :at, claimed = null where id = :id",
        payload=json.dumps(payload),
        at=tx.now + pause,
        id=job,
    )
    tx.notify(CHANNEL)


def put_off(tx: Tx, job: Job, error: str, delay: int) -> None:
    """It did not work; once more after `delay` ms, or never again after too many tries."""
    twin = tx.one(
        "select 1 as yes from job where kind = :kind and subject = :subject and state = 'waiting'",
        kind=job.kind,
        subject=job.subject,
    )
    if twin is not None:
        done(tx, job.id)
        return
    tx.run(
        "update job set state = :state, error = :error, run_at = :at, claimed = null where id = :id",
        state="dead" if job.tries >= MOST_TRIES else "waiting",
        error=error[:500],
        at=tx.now + delay,
        id=job.id,
    )


def drop(tx: Tx, kind: str, subject: str) -> None:
    """Take a waiting job back."""
    tx.run(
        "delete from job where kind = :kind and subject = :subject and state = 'waiting'", kind=kind, subject=subject
    )


def is_open(tx: Tx, kind: str, subject: str) -> bool:
    """Whether that job waits or is being done."""
    row = tx.one(  # two questions rather than `in`: each has an index
        "select 1 as yes where exists (select 1 from job where kind = :kind and subject = :subject"
        " and state = 'waiting') or exists (select 1 from job where kind = :kind and subject = :subject"
        " and state = 'running')",
        kind=kind,
        subject=subject,
    )
    return row is not None


def waiting(tx: Tx, kind: str, limit: int) -> int:
    """How many jobs of a kind wait, counted up to a limit."""
    row = tx.one(
        "select count(*) as n from (select 1 as yes from job where kind = :kind and state = 'waiting' limit :n) as t",
        kind=kind,
        n=limit,
    )
    return int(row.n) if row else 0


def release_all(tx: Tx) -> None:
    """Give back every claim: for a process that knows that it is the only worker."""
    _thin(tx, tx.all("select id, kind, subject from job where state = 'running' order by id"))
    claims.release_all(tx, claims.JOBS)


def release(tx: Tx, workers: Sequence[int]) -> None:
    """Give back the claims of processes that are gone."""
    rows = tx.all(
        "select id, kind, subject from job where state = 'running' and worker in (:workers) order by id",
        workers=workers,
    )
    _thin(tx, rows)
    claims.release(tx, claims.JOBS, workers)


def _thin(tx: Tx, rows: Sequence[Row]) -> None:
    """Of jobs that are given back and wait to be done again, one for each thing is enough."""
    latest = {(row.kind, row.subject): row.id for row in rows}
    for kind, subject in latest:
        drop(tx, kind, subject)
    tx.run("delete from job where id in (:ids)", ids=sorted({row.id for row in rows} - {*latest.values()}))


def next_due(tx: Tx) -> int | None:
    """When the next job becomes due (ms), or its claim runs out."""
    return claims.next_due(tx, claims.JOBS)


def totals(tx: Tx) -> dict[str, int]:
    """How many jobs there are in each state."""
    return claims.totals(tx, claims.JOBS)


def dead(tx: Tx, limit: int = 50) -> list[tuple[str, str, str]]:
    """(kind, subject, error) of jobs that were given up."""
    rows = tx.all("select kind, subject, error from job where state = 'dead' order by id desc limit :n", n=limit)
    return [(row.kind, row.subject, row.error) for row in rows]


def sweep(tx: Tx, before: int) -> int:
    """Forget jobs that were given up, made before a time (ms)."""
    return tx.run("delete from job where state = 'dead' and created < :before", before=before)
