"""Reports that came in, and what was refused and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fediblog.domain.accounts import Account
from fediblog.markup.text import tidy
from fediblog.store import accounts
from fediblog.store.tx import Tx

KEPT_REFUSALS = 10_000
KEPT_REPORTS = 10_000
OPEN_REPORTS = 20  # of one reporter about one account; until somebody has looked at them, more say nothing new


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Somebody reports one of our accounts, with ids of posts and a text."""

    id: int
    uri: str
    reporter: Account | None
    target: Account
    posts: tuple[str, ...]
    content: str
    created: int
    closed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One thing that was refused; `reason` is a stable code."""

    id: int
    host: str
    actor: str
    kind: str
    reason: str
    detail: str
    at: int
    times: int = 1


def report(tx: Tx, uri: str, reporter: int | None, target: int, posts: Sequence[str], content: str) -> None:
    """Keep a report, once, and not the hundredth of somebody who is never content."""
    standing = tx.one(
        "select count(*) as n from report where reporter = :reporter and target = :target and closed is null",
        reporter=reporter,
        target=target,
    )
    if standing is not None and standing.n >= OPEN_REPORTS:
        return
    tx.run(
        "insert into report (id, uri, reporter, target, posts, content, created)"
        " values (:id, :uri, :reporter, :target, :posts, :content, :now) on conflict do nothing",
        id=tx.new_id(),
        uri=uri,
        reporter=reporter,
        target=target,
        posts=json.dumps(list(posts)),
        content=content,
        now=tx.now,
    )


def reports(tx: Tx, limit: int = 100) -> list[Report]:
    """Reports, the open ones first, then the newest first."""
    rows = tx.all("select * from report order by case when closed is null then 0 else 1 end, id desc limit :n", n=limit)
    people = accounts.many(tx, {row.target for row in rows} | {row.reporter for row in rows if row.reporter})
    return [
        Report(
            id=row.id,
            uri=row.uri,
            reporter=people.get(row.reporter or 0),
            target=people[row.target],
            posts=tuple(json.loads(row.posts)),
            content=row.content,
            created=row.created,
            closed=row.closed,
        )
        for row in rows
    ]


def close_report(tx: Tx, number: int) -> None:
    """It has been dealt with."""
    tx.run("update report set closed = :now where id = :id and closed is null", now=tx.now, id=number)


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
