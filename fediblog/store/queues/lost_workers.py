"""Processes that work on one database (PostgreSQL), and what becomes of the claims of those that are gone.

Each holds the advisory lock of its number for as long as its connection lasts; see `postgres.PostgresListener`.
"""

from __future__ import annotations

from collections.abc import Collection

from fediblog.store.queues import claims, job_queue, leases
from fediblog.store.tx import Tx

PROCESS = 0x66656470  # the first half of those locks; the second is the number of the process
_GONE = (
    "select c.worker from (select worker from host where pending = 1 and leased > 0"
    " union select worker from job where state = 'running'"
    " union select worker from incoming where state = 'running') as c"
    " where c.worker > 0 and c.worker <> :own and not exists (select 1 from pg_locks l"
    " where l.locktype = 'advisory' and l.granted and l.objsubid = 2"
    " and cast(l.classid as integer) = :process and cast(l.objid as integer) = c.worker"
    " and l.database = (select d.oid from pg_database d where d.datname = current_database()))"
)


def claimants(tx: Tx) -> set[int]:
    """The other processes that hold claims and are not there; on SQLite none, where one works at a time."""
    if tx.engine != "postgres":
        return set()
    return {row.worker for row in tx.all(_GONE, process=PROCESS, own=tx.worker)}


def take_back(tx: Tx, workers: Collection[int]) -> None:
    """What these processes had claimed is due again."""
    numbers = sorted(workers)
    leases.release(tx, numbers)
    job_queue.release(tx, numbers)
    claims.release(tx, claims.INCOMING, numbers)
