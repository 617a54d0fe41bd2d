"""A clock that was set back: what it noted while it was fast lies in the future, and would wait until that comes."""

from __future__ import annotations

from fediblog.store.queues import job_kinds
from fediblog.store.tx import Tx

TOLERANCE = 60_000  # ms

_NEWEST = (
    "select max(at) as at from (select max(created) as at from outgoing union all select max(created) as at"
    " from incoming union all select max(created) as at from job union all select max(changed) as at from host)"
    " as times"
)


def mend(tx: Tx) -> int:
    """If something was noted later than now, bring the waits of all queues forward; returns by how many ms.

    What is brought forward too far is tried once too early, which does no harm.
    """
    row = tx.one(_NEWEST)
    back = max(((row and row.at) or 0) - tx.now, 0)
    if back <= TOLERANCE:
        return 0
    _mend_hosts(tx, back)
    _mend_jobs(tx, back)
    tx.run(
        "update incoming set run_at = greatest(run_at - :back, least(run_at, :now)), created = least(created, :now),"
        " claimed = case when claimed > :now then :now else claimed end",
        back=back,
        now=tx.now,
    )
    return back


def _mend_hosts(tx: Tx, back: int) -> None:
    tx.run(
        "update host set next_try = greatest(next_try - :back, least(next_try, :now)), turn = turn - :back, leased ="
        " case when leased > :now then greatest(leased - :back, :now) else leased end, failing_since ="
        " case when failing_since > :now then :now else failing_since end, changed = least(changed, :now)",
        back=back,
        now=tx.now,
    )
    tx.run("update peer set due = greatest(due - :back, least(due, :now)) where due > :now", back=back, now=tx.now)
    tx.run("update delivery set created = :now where created > :now and state = 'waiting'", now=tx.now)
    tx.run("update outgoing set created = :now where created > :now", now=tx.now)


def _mend_jobs(tx: Tx, back: int) -> None:
    tx.run(
        "update job set run_at = greatest(run_at - :back, least(run_at, :now)) where kind not in (:kinds)",
        back=back,
        now=tx.now,
        kinds=job_kinds.AT_A_MOMENT,
    )
    tx.run(
        "update job set created = least(created, :now), claimed = case when claimed > :now then :now else claimed end",
        now=tx.now,
    )
