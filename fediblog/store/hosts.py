"""What is remembered of other servers: which signatures they understand, and which of them do not answer."""

from __future__ import annotations

from fediblog.store.tx import Row, Tx

AGAIN = 200  # ms from one turn of a host to the next: as long as twenty inboxes of one activity take theirs


def remember_scheme(tx: Tx, host: str, scheme: str) -> None:
    """Which signature scheme the host understood: cavage or rfc9421."""
    tx.run(
        "insert into host (name, scheme, changed) values (:host, :scheme, :now)"
        " on conflict (name) do update set scheme = excluded.scheme",
        host=host,
        scheme=scheme,
        now=tx.now,
    )


def schemes(tx: Tx, limit: int = 10_000) -> dict[str, str]:
    """Hosts that want another scheme than the first we send."""
    rows = tx.all("select name, scheme from host where scheme <> 'cavage' order by changed desc limit :n", n=limit)
    return {row.name: row.scheme for row in rows}


def host_answered(tx: Tx, host: str, scheme: str | None = None) -> None:
    """The host works: its failures are forgotten and it is given back."""
    tx.run(
        "update host set failures = 0, failing_since = null, unavailable = null, leased = 0, last_error = '',"
        " next_try = :now, turn = :turn, scheme = coalesce(:scheme, scheme), changed = :now where name = :host",
        now=tx.now,
        turn=tx.now + AGAIN,
        scheme=scheme,
        host=host,
    )
    # A second statement, which sees whatever was committed before the first one had locked the row.
    tx.run(
        "update host set pending = 0 where name = :host and not exists"
        " (select 1 from delivery d where d.host = :host and d.state = 'waiting')",
        host=host,
    )


def host_heard(tx: Tx, host: str) -> None:
    """Something came in from the host: it lives, so what waits for it is due at once."""
    tx.run(
        "update host set failures = 0, failing_since = null, unavailable = null, next_try = :now, heard = :now"
        " where name = :host and failures > 0",
        now=tx.now,
        host=host,
    )


def give_back(tx: Tx, host: str) -> None:
    """Nothing was learned of the host: it is due as before."""
    tx.run("update host set leased = 0 where name = :host", host=host)


def troubled_hosts(tx: Tx, limit: int = 100) -> list[Row]:
    """Hosts that do not answer: name, failures, failing_since, next_try, unavailable, last_error, waiting."""
    return tx.all(
        "select name, failures, failing_since, next_try, unavailable, last_error, (select count(*) from delivery d"
        " where d.host = host.name and d.state = 'waiting') as waiting from host where failures > 0"
        " order by failing_since limit :n",
        n=limit,
    )
