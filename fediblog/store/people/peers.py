"""Which software other servers run, by their own NodeInfo, and which of them are to be asked for it.

One job for all of them, which takes one of the worker's places whatever there is to ask: no delivery waits for it.
"""

from __future__ import annotations

from fediblog.store.ids import first_of
from fediblog.store.tx import Tx

DAY = 86_400_000  # ms; a server is asked at most once in a day
MOST_DAYS = 32  # to the next time, of one that did not tell anything again and again
LIVELY = 7 * DAY  # ms in which we heard from a server, or it took what we sent, so that it is worth asking
OVERLAP = 600_000  # ms by which two looks for new servers overlap: what others write just now is not seen yet
KEPT = 30 * DAY  # ms that is kept what a server runs with which nobody has to do any more


def meet(tx: Tx, since: int | None) -> int:
    """Note servers that were heard from or delivered to for the first time since the last look, if there was one.

    Returns the time of this look (ms), to go on from.
    """
    then = tx.now - LIVELY if since is None else min(since, tx.now)
    tx.run(
        "insert into peer (host) select host from account where id >= :since and local = 0 and host <> ''"
        " union select name from host where changed >= :then and name <> '' on conflict (host) do nothing",
        since=first_of(max(then - OVERLAP, 0)),
        then=then - OVERLAP,
    )
    return tx.now


def due(tx: Tx, limit: int) -> list[str]:
    """Servers whose NodeInfo is to be fetched, those that wait the longest first: lively ones that answer."""
    rows = tx.all(
        "select host from peer where due <= :now and not exists"
        " (select 1 from host h where h.name = peer.host and h.failures > 0)"
        " and (exists (select 1 from account a where a.host = peer.host and a.local = 0 and a.fetched >= :since)"
        " or exists (select 1 from host h where h.name = peer.host and h.changed >= :since))"
        " order by due, host limit :n",
        now=tx.now,
        since=tx.now - LIVELY,
        n=limit,
    )
    return [row.host for row in rows]


def put(tx: Tx, host: str, software: str, version: str) -> None:
    """What the server told just now."""
    tx.run(
        "update peer set software = :software, version = :version, answered = :now, failures = 0, due = :due"
        " where host = :host",
        host=host,
        software=software,
        version=version,
        now=tx.now,
        due=tx.now + DAY,
    )


def failed(tx: Tx, host: str) -> None:
    """The server told nothing that can be read: what it told before stays, and it is asked later each time."""
    row = tx.one("select failures from peer where host = :host", host=host)
    days = min(1 << min(row.failures, 10), MOST_DAYS) if row else 1
    tx.run("update peer set failures = failures + 1, due = :due where host = :host", host=host, due=tx.now + days * DAY)


def sweep(tx: Tx) -> int:
    """Forget servers of which no account and no delivery is left."""
    return tx.run(
        "delete from peer where due < :before and not exists (select 1 from account a where a.host = peer.host)"
        " and not exists (select 1 from host h where h.name = peer.host)",
        before=tx.now - KEPT,
    )
