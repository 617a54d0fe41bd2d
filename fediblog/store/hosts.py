"""What is remembered of other servers: which signatures they understand, and which of them do not answer."""

from __future__ import annotations

from fediblog.store.tx import Row, Tx


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


def troubled_hosts(tx: Tx, limit: int = 100) -> list[Row]:
    """Hosts that do not answer: name, failures, failing_since, next_try, unavailable, last_error, waiting."""
    return tx.all(
        "select name, failures, failing_since, next_try, unavailable, last_error, (select count(*) from delivery d"
        " where d.host = host.name and d.state = 'waiting') as waiting from host where failures > 0"
        " order by failing_since limit :n",
        n=limit,
    )
