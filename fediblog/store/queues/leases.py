"""Which hosts have their turn, and what may go to them now: a host is leased to one worker at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fediblog.store.tx import Row, Tx

LEASE = 120_000  # ms

# When a message that its host answered with an error may be tried again, by the number of tries: the same waits as
# for hosts that do not answer, counted from when it was made. One that met no answer waits for its host alone.
_RIPE = (
    "d.created + case d.tries when 0 then 0 when 1 then 60000 when 2 then 360000 when 3 then 1260000"
    " when 4 then 4860000 when 5 then 15660000 else 44460000 + (d.tries - 6) * 86400000 end"
)

_COLUMNS = "select d.id, d.outgoing, d.account, d.inbox, d.host, d.subject, d.tries from"
_NOTHING_FAILED_BEFORE = (
    "not exists (select 1 from delivery e where e.host = d.host and e.inbox = d.inbox"
    " and e.subject = d.subject and e.state = 'waiting' and e.id < d.id and e.tries > 0)"
)
_WAITING = f"{_COLUMNS} delivery d where d.host = :host and d.state = 'waiting' and {_NOTHING_FAILED_BEFORE}"

# The number of the first one too many is looked for in the index before any row is read: a host that was away may
# have thousands waiting.
_UNTRIED = (
    f"{_COLUMNS} host h join delivery d on d.host = h.name and d.state = 'waiting' and d.tries = 0"
    " and d.id < coalesce((select f.id from delivery f where f.host = h.name and f.state = 'waiting' and f.tries = 0"
    f" and {_NOTHING_FAILED_BEFORE.replace('d.', 'f.')} order by f.id limit 1 offset :n), 9223372036854775807)"
    f" where h.name in (:hosts) and {_NOTHING_FAILED_BEFORE}"
)

_DUE = "select name, scheme, failures, suspect from host where pending = 1 and leased = 0 and"
_WORKING = f"{_DUE} failures = 0 and +next_try <= :now order by turn limit :n"  # + hinders the index that does not sort
_FAILED = f"{_DUE} failures > 0 and next_try <= :now order by next_try limit :n"

_BODIES = (
    "select o.id, o.body, coalesce((select 1 from post p where p.id = o.post and p.visibility = 'followers'), 0)"
    " as to_followers from outgoing o where o.id in (:ids)"
)


class Delivery(NamedTuple):  # as the row has it: one is made for each inbox, and a tuple is made in no time
    """One activity for one inbox. Those with the same inbox and subject keep their order."""

    id: int
    outgoing: int
    account: int
    inbox: str
    host: str
    subject: str
    tries: int
    body: str
    to_followers: int = 0  # 1: it is about a post for followers only


class Batch(NamedTuple):
    """The deliveries of one leased host that may go now."""

    host: str
    scheme: str
    failures: int
    deliveries: tuple[Delivery, ...]
    suspect: int | None = None  # activity that the host answered with an error, and nothing else since


def lease(tx: Tx, *, hosts: int = 32, probes: int = 8, each: int = 20) -> list[Batch]:
    """Take up to so many due hosts, with up to so many deliveries each.

    They have their turn as if each activity went to its inboxes one by one, slowly: so what is for a few goes out at
    once, though something for very many was there first, and no host waits for ever. Of hosts that failed the last
    time at most `probes` are taken, with one delivery each. All are asked for in a few statements.
    """
    tx.run("update host set leased = 0 where pending = 1 and leased > 0 and leased <= :now", now=tx.now)
    working, failed = _due(tx, _WORKING, hosts), _due(tx, _FAILED, probes)
    waiting = _untried(tx, working, each) | _untried(tx, failed, 1)
    taken: list[tuple[Row, Sequence[Row]]] = []
    for host in (*working, *failed):
        found = waiting.get(host.name) or _next(tx, host.name, each if host.failures == 0 else 1)
        if found:
            taken.append((host, found))
        else:
            _rest(tx, host.name)
    if not taken:
        return []
    names = [host.name for host, _ in taken]
    tx.run(
        "update host set leased = :until, worker = :worker where name in (:names)",
        until=tx.now + LEASE,
        worker=tx.worker,
        names=names,
    )
    return _batches(tx, taken)


def _due(tx: Tx, query: str, limit: int) -> list[Row]:
    return tx.all(f"{query}{tx.skip_locked}", now=tx.now, n=limit) if limit else []


def _untried(tx: Tx, hosts: Sequence[Row], limit: int) -> dict[str, list[Row]]:
    """The first messages for each host that were never tried."""
    found: dict[str, list[Row]] = {}
    for row in tx.all(_UNTRIED, hosts=[host.name for host in hosts], n=limit) if hosts else ():
        found.setdefault(row.host, []).append(row)
    return found


def _next(tx: Tx, host: str, limit: int) -> list[Row]:
    """What may go now: messages never tried come first, and alone, so that one that always fails hinders no other."""
    return tx.all(f"{_WAITING} and d.tries = 0 order by d.id limit :n", host=host, n=limit) or tx.all(
        f"{_WAITING} and d.tries > 0 and (d.status is null or {_RIPE} <= :now) order by d.tries, d.id limit :n",
        host=host,
        now=tx.now,
        n=limit,
    )


def _batches(tx: Tx, taken: Sequence[tuple[Row, Sequence[Row]]]) -> list[Batch]:
    """With the body of each activity once, for all the hosts that it goes to."""
    bodies = {row.id: row for row in tx.all(_BODIES, ids=sorted({row.outgoing for _, rows in taken for row in rows}))}

    def deliveries(rows: Iterable[Row]) -> Iterable[Delivery]:
        for row in sorted(rows, key=lambda row: row.id):
            whole = bodies[row.outgoing]
            yield Delivery._make((*row, whole.body, whole.to_followers))

    return [Batch(host.name, host.scheme, host.failures, tuple(deliveries(rows)), host.suspect) for host, rows in taken]


def _rest(tx: Tx, host: str) -> None:
    """Nothing may go to the host now: it is due again with the first message that becomes ripe, if there is one."""
    row = tx.one(
        f"select min({_RIPE}) as at from delivery d where d.host = :host and d.state = 'waiting'"
        " and d.status is not null",
        host=host,
    )
    ripe = row.at if row else None
    tx.run(
        "update host set leased = 0, pending = :pending, next_try = :at where name = :host",
        pending=int(ripe is not None),
        at=max(ripe or 0, tx.now),
        host=host,
    )


def release_all(tx: Tx) -> None:
    """Give back every lease: for a process that knows that it is the only worker."""
    tx.run("update host set leased = 0, pending = 1 where leased > 0")


def release(tx: Tx, workers: Sequence[int]) -> None:
    """Give back the leases of processes that are gone."""
    tx.run("update host set leased = 0, pending = 1 where leased > 0 and worker in (:workers)", workers=workers)


def next_due(tx: Tx) -> int | None:
    """When the next host becomes due (ms)."""
    row = tx.one(
        "select min(at) as at from (select min(next_try) as at from host where pending = 1 and leased = 0 union all"
        " select min(case when leased > next_try then leased else next_try end) from host"
        " where pending = 1 and leased > 0) as times"
    )
    return row.at if row else None
