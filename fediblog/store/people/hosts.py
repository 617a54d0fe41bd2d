"""What is remembered of other servers: which signatures they understand, and which of them do not answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from fediblog.protocol.authority import compared_host
from fediblog.store.tx import Tx

LONGEST = 100  # characters of a host whose domains are remembered
AGAIN = 200  # ms from one turn of a host to the next: as long as twenty inboxes of one activity take theirs


_BLOCKED = (
    "select host, 0 as listed from blocked_host where host in (:names) and severity = 'suspend'"
    " union all select '', 1 from setting where name = 'allow_list'"
)
_MEDIA_REJECTED = "select host from blocked_host where host in (:names) and (severity = 'suspend' or reject_media = 1)"
_RULED = "case when exists (select 1 from (values (:hosts)) v cross join blocked_host h where h.host = v.column1"
LIMITED_BY_HOST = f"{_RULED} and h.severity = 'silence') then 2 else 0 end"
MEDIA_REJECTED = f"{_RULED} and h.reject_media = 1) then 1 else 0 end"
"""SQL for what follows for an account from the rules about its servers, :hosts: `limited` and `media_rejected`."""
ALLOW_LIST = "allow_list"
"""The name of the setting that stands while only servers on the allow-list are heard."""
SHUT_OUT = (
    "(exists (select 1 from (values (:hosts)) v cross join blocked_host h"
    " where h.host = v.column1 and h.severity = 'suspend')"
    f" or (exists (select 1 from setting where name = '{ALLOW_LIST}')"
    " and not exists (select 1 from (values (:hosts)) v cross join allowed_host h where h.host = v.column1)))"
)
"""SQL for whether somebody is shut out whose hosts are :hosts, as `domains` gives them."""
BLOCKS = 2  # a number that no account has: who stores an account shares it, who blocks a server has it alone


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


def hosts_answered(tx: Tx, hosts: Sequence[str]) -> None:
    """These hosts work: their failures are forgotten and they are given back."""
    tx.run(
        "update host set failures = 0, failing_since = null, unavailable = null, leased = 0, last_error = '',"
        " suspect = null, pending = 0, next_try = :now, turn = :turn, changed = :now where name in (:hosts)",
        now=tx.now,
        turn=tx.now + AGAIN,
        hosts=hosts,
    )
    # A second statement, which sees whatever was committed before the first one had locked the rows.
    tx.run(
        "update host set pending = 1 where name in (:hosts) and exists"
        " (select 1 from delivery d where d.host = host.name and d.state = 'waiting')",
        hosts=hosts,
    )


def suspect(tx: Tx, host: str, outgoing: int) -> None:
    """The host answered this activity with an error. The next activity tells whether the fault is the host's."""
    tx.run("update host set suspect = :outgoing where name = :host", outgoing=outgoing, host=host)


def lock_hosts(tx: Tx, hosts: Sequence[str]) -> None:
    """Where several write at a time: who writes to many hosts takes them in this order first, so that no two clash."""
    if tx.engine == "postgres":
        tx.all('select name from host where name in (:hosts) order by name collate "C" for update', hosts=hosts)


def blocked_among(tx: Tx, hosts: Sequence[str]) -> set[str]:
    """Which of these hosts are suspended, themselves or by a domain above them, or not on the allow-list in force."""
    above = {host: domains(host) for host in hosts}
    every = sorted({name for names in above.values() for name in names})
    rows = tx.all(_BLOCKED, names=every) if every else ()
    blocked = {row.host for row in rows if not row.listed}
    shut = {host for host, names in above.items() if blocked and not blocked.isdisjoint(names)}
    if any(row.listed for row in rows):
        allowed = {row.host for row in tx.all("select host from allowed_host where host in (:names)", names=every)}
        shut |= {host for host, names in above.items() if allowed.isdisjoint(names)}
    return shut


def is_blocked(tx: Tx, host: str) -> bool:
    """Whether the host, with or without its port, or a domain above it is shut out."""
    return bool(blocked_among(tx, [host]))


def media_rejected_among(tx: Tx, hosts: Sequence[str]) -> set[str]:
    """Of which of these hosts no picture is fetched or shown: whoever is suspended, and whose media are rejected.

    The allow-list is about who is heard: a server that is on it may have its pictures anywhere.
    """
    above = {host: domains(host) for host in hosts}
    every = sorted({name for names in above.values() for name in names})
    rejected = {row.host for row in tx.all(_MEDIA_REJECTED, names=every)} if every else set()
    return {host for host, names in above.items() if rejected and not rejected.isdisjoint(names)}


def domains(*hosts: str) -> tuple[str, ...]:
    """The hosts as they are compared, without their ports too, and each domain above them: what blocks may name."""
    return (_remembered if max(map(len, hosts)) <= LONGEST else _domains)(hosts)


def _domains(hosts: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for host in map(compared_host, hosts):
        found[host] = None
        name = host.rsplit(":", 1)[0]
        while name:
            found[name] = None
            name = name.partition(".")[2]
    return tuple(found)


_remembered = lru_cache(maxsize=512)(_domains)


def host_heard(tx: Tx, host: str) -> None:
    """Something came in from the host: it lives, so what waits for it is due at once."""
    tx.run(
        "update host set failures = 0, failing_since = null, unavailable = null, next_try = :now, heard = :now"
        " where name = :host and failures > 0",
        now=tx.now,
        host=host,
    )


def retry(tx: Tx, host: str) -> None:
    """Somebody wants to know whether the host answers now: what waits for it is due at once."""
    tx.run("update host set next_try = :now, unavailable = null where name = :host", now=tx.now, host=host)


def give_back(tx: Tx, host: str) -> None:
    """Nothing was learned of the host: it is due as before."""
    tx.run("update host set leased = 0 where name = :host", host=host)


class TroubledHost(NamedTuple):
    """A host that does not answer: since when, when it is tried again, since when it is given up for now (all ms).

    `failures` are those in a row, `waiting` the deliveries that wait for it.
    """

    name: str
    failures: int
    failing_since: int | None
    next_try: int
    unavailable: int | None
    last_error: str
    waiting: int


def troubled_hosts(tx: Tx, limit: int = 100) -> list[TroubledHost]:
    """Hosts that do not answer, those first that have not for longest."""
    rows = tx.all(
        "select name, failures, failing_since, next_try, unavailable, last_error, (select count(*) from delivery d"
        " where d.host = host.name and d.state = 'waiting') as waiting from host where failures > 0"
        " order by failing_since limit :n",
        n=limit,
    )
    return [TroubledHost._make(row) for row in rows]
