"""Host names that were stored before all of them were kept in the form in which they are compared."""

from __future__ import annotations

from fediblog.protocol.authority import compared_host
from fediblog.store.people.accounts import host_of
from fediblog.store.people.hosts import domains
from fediblog.store.tx import Tx


def renew(tx: Tx) -> None:
    """Store hosts of accounts and blocks anew, as `compared_host` writes them, and let the blocks hold for them.

    It asks only for tables and columns that there were then.
    """
    for row in tx.all("select * from blocked_host"):
        if (now := compared_host(row.host)) != row.host:
            tx.run("delete from blocked_host where host = :host", host=row.host)
            tx.run(
                "insert into blocked_host (host, reason, created) values (:host, :reason, :created)"
                " on conflict do nothing",
                host=now,
                reason=row.reason,
                created=row.created,
            )
    for row in tx.all("select host, min(uri) as uri from account where local = 0 group by host"):
        if (now := host_of(row.uri)) != row.host:
            tx.run("update account set host = :now where local = 0 and host = :host", now=now, host=row.host)
    for row in tx.all("select distinct domain from account where local = 0"):
        if (now := compared_host(row.domain)) != row.domain:
            tx.run("update account set domain = :now where local = 0 and domain = :old", now=now, old=row.domain)
    for row in tx.all("select * from host_mute"):
        if (now := compared_host(row.host)) != row.host:
            tx.run("delete from host_mute where account = :a and host = :host", a=row.account, host=row.host)
            tx.run(
                "insert into host_mute (account, host, id) values (:a, :host, :id) on conflict do nothing",
                a=row.account,
                host=now,
                id=row.id,
            )
    blocked = {row.host for row in tx.all("select host from blocked_host")}
    for row in tx.all("select distinct host, domain from account where local = 0 and state = 'active'"):
        if not blocked.isdisjoint(domains(row.host, row.domain)):
            tx.run(
                "update account set state = 'suspended' where local = 0 and state = 'active' and host = :host"
                " and domain = :domain",
                host=row.host,
                domain=row.domain,
            )
