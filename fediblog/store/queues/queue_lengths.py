"""How much waits, and whether anything can be written: what the one who watches the server asks."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.queues import incoming_queue, job_queue
from fediblog.store.tx import Tx

_PROBE = "urn:fediblog:probe"


class QueueLengths(Struct, frozen=True, kw_only=True):
    """What waits, by queue and state, and how many other servers do not answer."""

    queues: dict[tuple[str, str], int]
    hosts_failing: int
    hosts_unavailable: int


def measure(tx: Tx) -> QueueLengths:
    """All of it at this moment."""
    queues = {("incoming", state): n for state, n in incoming_queue.totals(tx).items()}
    queues |= {("jobs", state): n for state, n in job_queue.totals(tx).items()}
    rows = tx.all("select state, count(*) as n from delivery where state = 'waiting' group by state")
    queues |= {("deliveries", row.state): row.n for row in rows}
    for queue in ("incoming", "jobs", "deliveries"):
        queues.setdefault((queue, "waiting"), 0)
    row = tx.one("select count(*) as failing, count(unavailable) as unavailable from host where failures > 0")
    return QueueLengths(
        queues=queues,
        hosts_failing=row.failing if row else 0,
        hosts_unavailable=row.unavailable if row else 0,
    )


def probe(tx: Tx) -> bool:
    """Write something that nobody reads; whether the inbox still has room."""
    tx.run(
        "insert into seen (uri, at) values (:uri, :now) on conflict (uri) do update set at = excluded.at",
        uri=_PROBE,
        now=tx.now,
    )
    return incoming_queue.has_room(tx, "")
