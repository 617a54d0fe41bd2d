"""What those who look after this server decided about other servers, and how the accounts there stand by it.

A rule is about a host and all names below it, at any port. While the allow-list is in force, whoever is not on it
stands as if it were suspended. What comes in asks `hosts.blocked_among` and its like in SQL; the accounts that are
stored carry what follows for them in columns of their own, so that nobody who reads has to look for rules.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct

from fediblog.store.ids import number_of
from fediblog.store.people import server_state
from fediblog.store.people.hosts import ALLOW_LIST, BLOCKS, domains
from fediblog.store.tx import Row, Tx

_APPLY = (
    "update account set state = case when :suspended = 1 and state = 'active' then 'suspended'"
    " when :suspended = 0 and host_suspended = 1 and state = 'suspended' then 'active' else state end,"
    " host_suspended = case when :suspended = 0 then 0 when state = 'active' then 1 else host_suspended end,"
    " limited = limited % 2 + :limited, media_rejected = :media_rejected"
    " where local = 0 and host = :host and domain = :domain and inbox_host = :inbox_host"
)
_PLACES = (
    "select distinct host, domain, inbox_host, state = 'active' as active, host_suspended,"
    " limited - limited % 2 as limited, media_rejected from account where local = 0"
)


class Severity(StrEnum):
    """How much a server is kept off, in the words of Mastodon's API and lists."""

    SUSPEND = "suspend"  # nothing is taken from it, nothing sent there
    LIMIT = "silence"  # its accounts are limited
    NONE = "noop"  # neither


class HostRule(Struct, frozen=True, kw_only=True):
    """What is done about a server, why, and since when (ms). Whoever is suspended sends neither media nor reports."""

    host: str
    severity: Severity = Severity.SUSPEND
    reject_media: bool = False
    reject_reports: bool = False
    reason: str = ""
    created: int = 0

    @property
    def number(self) -> int:
        """What apps know it by."""
        return number_of(self.host)


class AllowedHost(Struct, frozen=True):
    """A server that is on the allow-list, and since when (ms)."""

    host: str
    created: int

    @property
    def number(self) -> int:
        """What apps know it by."""
        return number_of(self.host)


def everything(tx: Tx) -> list[HostRule]:
    """The rules, by the names of the servers."""
    return [_rule(row) for row in tx.all("select * from blocked_host order by host")]


def _rule(row: Row) -> HostRule:
    return HostRule(
        host=row.host,
        severity=Severity(row.severity),
        reject_media=bool(row.reject_media),
        reject_reports=bool(row.reject_reports),
        reason=row.reason,
        created=row.created,
    )


def get(tx: Tx, host: str) -> HostRule | None:
    """The rule about exactly that host."""
    row = tx.one("select * from blocked_host where host = :host", host=host)
    return _rule(row) if row else None


def put(tx: Tx, rules: Collection[HostRule]) -> None:
    """Have these rules stand, each in place of an earlier one about the same host; `created` is now, or stays."""
    tx.hold(BLOCKS)
    tx.many(
        "insert into blocked_host (host, severity, reject_media, reject_reports, reason, created)"
        " values (:host, :severity, :reject_media, :reject_reports, :reason, :now)"
        " on conflict (host) do update set severity = excluded.severity, reject_media = excluded.reject_media,"
        " reject_reports = excluded.reject_reports, reason = excluded.reason",
        [
            {
                "host": each.host,
                "severity": each.severity.value,
                "reject_media": int(each.reject_media),
                "reject_reports": int(each.reject_reports),
                "reason": each.reason,
                "now": tx.now,
            }
            for each in rules
        ],
    )
    _apply(tx)


def lift(tx: Tx, host: str) -> None:
    """Have no rule about a host; those about names above and below it stand."""
    tx.hold(BLOCKS)
    tx.run("delete from blocked_host where host = :host", host=host)
    _apply(tx)


def rejects_reports(tx: Tx, *names: str) -> bool:
    """Whether reports of whoever has these hosts are not taken."""
    row = tx.one(
        "select 1 as yes from blocked_host where host in (:names) and reject_reports = 1", names=domains(*names)
    )
    return row is not None


def is_allow_list(tx: Tx) -> bool:
    """Whether only servers on the allow-list are heard."""
    return server_state.get(tx, ALLOW_LIST) is not None


def set_allow_list(tx: Tx, *, in_force: bool) -> None:
    """Hear only servers on the allow-list from now on, or all that are not blocked."""
    tx.hold(BLOCKS)
    if in_force:
        server_state.put(tx, ALLOW_LIST, "1")
    else:
        server_state.drop(tx, ALLOW_LIST)
    _apply(tx)


def allowed(tx: Tx) -> list[AllowedHost]:
    """The allow-list, by name."""
    return [AllowedHost(*row) for row in tx.all("select host, created from allowed_host order by host")]


def allow(tx: Tx, names: Collection[str]) -> None:
    """Put servers on the allow-list."""
    tx.hold(BLOCKS)
    tx.many(
        "insert into allowed_host (host, created) values (:host, :now) on conflict do nothing",
        [{"host": name, "now": tx.now} for name in names],
    )
    _apply(tx)


def disallow(tx: Tx, host: str) -> bool:
    """Take a server off the allow-list; False if it was not on it."""
    tx.hold(BLOCKS)
    was_there = tx.run("delete from allowed_host where host = :host", host=host) > 0
    _apply(tx)
    return was_there


def _apply(tx: Tx) -> None:
    """Let the accounts elsewhere stand as the rules say: once for each place where they are."""
    rules = everything(tx)
    suspended = {each.host for each in rules if each.severity is Severity.SUSPEND}
    limited = {each.host for each in rules if each.severity is Severity.LIMIT}
    without_media = {each.host for each in rules if each.reject_media}
    listed = {each.host for each in allowed(tx)} if is_allow_list(tx) else None
    changes: dict[Sequence[str], dict[str, Any]] = {}
    for row in tx.all(_PLACES):
        place = (row.host, row.domain, row.inbox_host)
        names = set(domains(*filter(None, place)))
        is_listed = listed is None or not any(listed.isdisjoint(domains(name)) for name in place if name)
        is_suspended = not is_listed or not names.isdisjoint(suspended)
        is_limited, is_rejected = not names.isdisjoint(limited), not names.isdisjoint(without_media)
        wrongs = row.active if is_suspended else row.host_suspended
        if wrongs or bool(row.limited) != is_limited or bool(row.media_rejected) != is_rejected:
            changes[place] = {
                **dict(zip(("host", "domain", "inbox_host"), place, strict=True)),
                "suspended": int(is_suspended),
                "limited": 2 * is_limited,
                "media_rejected": int(is_rejected),
            }
    tx.many(_APPLY, list(changes.values()))
