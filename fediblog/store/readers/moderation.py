"""Reports that came in, and what was refused and why."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.markup.text import tidy
from fediblog.store.id_paging import NEWEST, OLDEST, Window
from fediblog.store.json_columns import strings
from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx

KEPT_REFUSALS = 10_000
KEPT_REPORTS = 10_000
_FIND = (
    "select * from report where (closed is not null) = (:closed = 1) and (:reporter = 0 or reporter = :reporter)"
    " and (:target = 0 or target = :target) and id < :before and id > :after order by id"
)
_FOUND = (f"{_FIND} {NEWEST} limit :n", f"{_FIND} {OLDEST} limit :n")
OPEN_REPORTS = 20  # of one reporter about one account; until somebody has looked at them, more say nothing new


class Report(Struct, frozen=True, kw_only=True):
    """Somebody reports an account, with ids of posts and a text; `rules` are those of the server that are meant.

    `assigned` and `closed_by` are accounts of ours.
    """

    id: int
    uri: str
    reporter: Account | None
    target: Account
    posts: tuple[str, ...]
    content: str
    created: int
    closed: int | None
    category: str = "other"
    forwarded: bool = False
    rules: tuple[str, ...] = ()
    assigned: int | None = None
    closed_by: int | None = None


class Refusal(Struct, frozen=True, kw_only=True):
    """One thing that was refused; `reason` is a stable code."""

    id: int
    host: str
    actor: str
    kind: str
    reason: str
    detail: str
    at: int
    times: int = 1


def report(
    tx: Tx,
    uri: str,
    reporter: int | None,
    target: int,
    posts: Sequence[str],
    content: str,
    *,
    category: str = "other",
    rules: Sequence[str] = (),
    forwarded: bool = False,
) -> int | None:
    """Keep a report, once, and not the hundredth of somebody who is never content; its number, if it was kept."""
    standing = tx.one(
        "select count(*) as n from report where coalesce(reporter, 0) = :reporter and target = :target"
        " and closed is null",
        reporter=reporter or 0,
        target=target,
    )
    if standing is not None and standing.n >= OPEN_REPORTS:
        return None
    number = tx.new_id()
    kept = tx.run(
        "insert into report (id, uri, reporter, target, posts, content, created, category, rules, forwarded)"
        " values (:id, :uri, :reporter, :target, :posts, :content, :now, :category, :rules, :forwarded)"
        " on conflict do nothing",
        id=number,
        uri=uri,
        reporter=reporter,
        target=target,
        posts=json.dumps(list(posts)),
        content=content,
        now=tx.now,
        category=category,
        rules=json.dumps(list(rules)),
        forwarded=forwarded,
    )
    return number if kept else None


def open_total(tx: Tx) -> int:
    """How many reports wait."""
    row = tx.one("select count(*) as n from report where closed is null")
    return int(row.n) if row else 0


def total_about(tx: Tx, target: int) -> int:
    """How often an account was reported."""
    row = tx.one("select count(*) as n from report where target = :target", target=target)
    return int(row.n) if row else 0


def total_about_host(tx: Tx, domain: str) -> int:
    """How often accounts of a server were reported."""
    row = tx.one(
        "select count(*) as n from report r join account a on a.id = r.target where a.local = 0 and a.domain = :domain",
        domain=domain,
    )
    return int(row.n) if row else 0


def reports(tx: Tx, limit: int = 100) -> list[Report]:
    """Reports, the open ones first, then the newest first."""
    return _reports(
        tx,
        tx.all("select * from report order by case when closed is null then 0 else 1 end, id desc limit :n", n=limit),
    )


def find_reports(
    tx: Tx, window: Window, *, closed: bool, reporter: int | None = None, target: int | None = None
) -> list[Report]:
    """Reports that are dealt with, or those that are not; by somebody or about somebody, if that is said."""
    rows = tx.all(
        _FOUND[window.upwards],
        closed=closed,
        reporter=reporter or 0,
        target=target or 0,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return _reports(tx, window.turned(rows))


def get_report(tx: Tx, number: int) -> Report | None:
    """The report of that number."""
    return next(iter(_reports(tx, tx.all("select * from report where id = :id", id=number))), None)


def _reports(tx: Tx, rows: Sequence[Row]) -> list[Report]:
    people = accounts.many(tx, {row.target for row in rows} | {row.reporter for row in rows if row.reporter})
    return [
        Report(
            id=row.id,
            uri=row.uri,
            reporter=people.get(row.reporter or 0),
            target=people[row.target],
            posts=strings(row.posts),
            content=row.content,
            created=row.created,
            closed=row.closed,
            category=row.category,
            forwarded=bool(row.forwarded),
            rules=strings(row.rules),
            assigned=row.assigned,
            closed_by=row.closed_by,
        )
        for row in rows
    ]


def close_report(tx: Tx, number: int, by: int) -> None:
    """It has been dealt with, by one of our accounts."""
    tx.run(
        "update report set closed = :now, closed_by = :by where id = :id and closed is null",
        now=tx.now,
        by=by,
        id=number,
    )


def reopen_report(tx: Tx, number: int) -> None:
    """It has to be looked at again."""
    tx.run("update report set closed = null, closed_by = null where id = :id", id=number)


def assign_report(tx: Tx, number: int, account: int | None) -> None:
    """One of our accounts looks into it, or nobody does any more."""
    tx.run("update report set assigned = :account where id = :id", account=account, id=number)


def sort_report(tx: Tx, number: int, category: str, rules: Sequence[str]) -> None:
    """Say what it is about."""
    tx.run(
        "update report set category = :category, rules = :rules where id = :id",
        category=category,
        rules=json.dumps(list(rules)),
        id=number,
    )


def refused(tx: Tx, host: str, actor: str, kind: str, reason: str, detail: str = "", times: int = 1) -> None:
    """Note what was refused, and how often since it was noted last."""
    tx.run(
        "insert into refusal (id, host, actor, kind, reason, detail, at, times)"
        " values (:id, :host, :actor, :kind, :reason, :detail, :now, :times)",
        id=tx.new_id(),
        host=tidy(host, 255),  # what is refused may be anything: a NUL, say, that no database takes
        actor=tidy(actor, 2048),
        kind=tidy(kind, 64),
        reason=reason[:64],
        detail=tidy(detail, 500),
        now=tx.now,
        times=times,
    )


def refusals(tx: Tx, limit: int = 100) -> list[Refusal]:
    """What was refused, newest first."""
    return [Refusal(**row._asdict()) for row in tx.all("select * from refusal order by id desc limit :n", n=limit)]


def refusal_totals(tx: Tx, since: int) -> list[tuple[str, int]]:
    """(reason, how often) since a time (ms), the most frequent first."""
    rows = tx.all(
        "select reason, sum(times) as n from refusal where at >= :since group by reason order by n desc", since=since
    )
    return [(row.reason, int(row.n)) for row in rows]


def sweep(tx: Tx) -> int:
    """Keep the newest refusals and reports only."""
    gone = tx.run(
        "delete from refusal where id < coalesce("
        "(select min(id) from (select id from refusal order by id desc limit :n) as newest), 0)",
        n=KEPT_REFUSALS,
    )
    return gone + tx.run(
        "delete from report where id < coalesce("
        "(select min(id) from (select id from report order by id desc limit :n) as newest), 0)",
        n=KEPT_REPORTS,
    )
