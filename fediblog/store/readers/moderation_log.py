"""What those who look after the server decided, about whom or what, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.store.json_columns import strings
from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx

KEPT = 10_000


class LogEntry(Struct, frozen=True, kw_only=True):
    """One decision. `by` is the account that acted, if it is still there; `subject` says in words what it was about.

    `reason` was said to whom it is about. `undo` has what `action` changed and can change back, `undone` when that was
    done (ms).
    """

    id: int
    by: Account | None
    action: str
    subject: str
    reason: str
    report: int | None
    undo: tuple[str, ...]
    undone: int | None
    created: int


def note(
    tx: Tx,
    account: int,
    action: str,
    subject: str,
    report: int | None = None,
    *,
    target: int | None = None,
    reason: str = "",
    undo: Sequence[str] = (),
) -> int:
    """Write down what one of our accounts decided, about which account, and why; returns the number of the entry."""
    number = tx.new_id()
    tx.run(
        "insert into moderation_log (id, account, action, subject, target, reason, report, undo, created)"
        " values (:id, :account, :action, :subject, :target, :reason, :report, :undo, :now)",
        id=number,
        account=account,
        action=action,
        subject=subject[:500],
        target=target,
        reason=reason[:500],
        report=report,
        undo=json.dumps(list(undo)),
        now=tx.now,
    )
    return number


def latest(tx: Tx, limit: int = 50) -> list[LogEntry]:
    """The decisions, newest first."""
    return _entries(tx, tx.all("select * from moderation_log order by id desc limit :n", n=limit))


def of_report(tx: Tx, report: int) -> list[LogEntry]:
    """What was decided about one report, in order."""
    return _entries(tx, tx.all("select * from moderation_log where report = :report order by id", report=report))


def get(tx: Tx, number: int) -> LogEntry | None:
    """The entry of that number."""
    return next(iter(_entries(tx, tx.all("select * from moderation_log where id = :id", id=number))), None)


def reason_for(tx: Tx, target: int, action: str) -> str:
    """Why something was decided about an account last, in the words for that one; empty if none were said."""
    row = tx.one(
        "select reason from moderation_log where target = :target and action = :action order by id desc limit 1",
        target=target,
        action=action,
    )
    return str(row.reason) if row else ""


def set_undone(tx: Tx, number: int) -> bool:
    """It is taken back; False if it was before, or there is no such entry."""
    return (
        tx.run("update moderation_log set undone = :now where id = :id and undone is null", now=tx.now, id=number) > 0
    )


def sweep(tx: Tx) -> int:
    """Keep the newest entries only."""
    return tx.run(
        "delete from moderation_log where id < coalesce("
        "(select min(id) from (select id from moderation_log order by id desc limit :n) as newest), 0)",
        n=KEPT,
    )


def _entries(tx: Tx, rows: Sequence[Row]) -> list[LogEntry]:
    people = accounts.many(tx, {row.account for row in rows})
    return [
        LogEntry(
            id=row.id,
            by=people.get(row.account),
            action=row.action,
            subject=row.subject,
            reason=row.reason,
            report=row.report,
            undo=strings(row.undo),
            undone=row.undone,
            created=row.created,
        )
        for row in rows
    ]
