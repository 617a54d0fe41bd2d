"""Files of relations that our people have brought from elsewhere, and those of their lines that wait or cannot be used.

A line that was done is gone: what is left says how far a file has got, whatever happens to the process.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from fediblog.messages.stored import pack
from fediblog.prepare.relation_csv import Cells, RelationLine
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Row, Tx

KEPT = 7 * 86_400_000
"""ms for which a file is kept after its end, or after it was brought if nobody began it."""
MOST = 12
"""Files of one account; who brings more loses the oldest that have ended."""

_SELECT = (
    "select i.*, (select count(*) from relation_import_line l where l.import = i.id and l.problem = '') as waiting,"
    " (select count(*) from relation_import_line l where l.import = i.id and l.problem <> '') as failed"
    " from relation_import i"
)
_UNUSABLE = {
    **dict.fromkeys(("following", "muted", "blocked"), "import.no-address"),
    "lists": "import.no-list",
    "servers": "import.no-host",
    "bookmarks": "import.no-link",
}
_STANDING = {  # what stands now and would end by overwriting, oldest first: the number of the other, and of the list
    **{
        kind: f"select x.{other} as id, 0 as list from {table} x join account a on a.id = x.{other}"
        f" where x.{own} = :account and x.created <= :at and a.state <> 'deleted'{more} and not exists"
        " (select 1 from relation_import_line l where l.import = :id and l.name = a.handle_key || '@' || a.domain)"
        f" order by x.created, x.{other} limit :n"
        for kind, table, own, other, more in (
            ("following", "follow", "follower", "followed", " and x.state = 'accepted'"),
            ("muted", "mute", "account", "target", ""),
            ("blocked", "block", "account", "target", ""),
        )
    },
    "lists": "select m.account as id, x.id as list from user_list x join list_member m on m.list = x.id"
    " join account a on a.id = m.account where x.account = :account and a.state <> 'deleted' and not exists"
    " (select 1 from relation_import_line l where l.import = :id"
    " and l.name = a.handle_key || '@' || a.domain || ' ' || x.title) order by x.id, a.id limit :n",
    "servers": "select x.id as id, 0 as list from host_mute x where x.account = :account"
    " and not exists (select 1 from relation_import_line l where l.import = :id and l.name = x.host)"
    " order by x.id limit :n",
    "bookmarks": "select x.post as id, 0 as list from bookmark x join post p on p.id = x.post"
    " where x.account = :account and not exists"
    " (select 1 from relation_import_line l where l.import = :id and l.name = p.uri) order by x.id limit :n",
}


class RelationImport(Struct, frozen=True, kw_only=True):
    """One file; times are in ms. Of its `total` lines some wait, and some cannot be used (`failed`)."""

    id: int
    account: int
    kind: str
    file: str
    looks_like: str
    overwrite: bool
    total: int
    asked: int
    begun: int | None
    cleared: int | None
    ended: int | None
    waiting: int
    failed: int

    @property
    def used(self) -> int:
        """How many lines were done."""
        return self.total - self.waiting - self.failed


class WaitingLine(Struct, frozen=True, kw_only=True):
    """A line that waits; `tries` counts those before."""

    line: RelationLine
    tries: int


class FailedLine(Struct, frozen=True):
    """A line that cannot be used, and why, as a packed message."""

    number: int
    cells: Cells
    problem: str


def add(
    tx: Tx, account: int, kind: str, file: str, looks_like: str, found: Sequence[RelationLine], *, overwrite: bool
) -> int:
    """Keep a file with the lines that were found in it, not begun; its number. What names nothing cannot be used."""
    number, turns = tx.new_id(), Counter[str]()
    tx.run(
        "delete from relation_import where account = :account and (ended is not null or begun is null) and id not in"
        " (select id from relation_import where account = :account order by id desc limit :most)",
        account=account,
        most=MOST - 1,
    )
    tx.run(
        "insert into relation_import (id, account, kind, file, looks_like, overwrite, total, asked)"
        " values (:id, :account, :kind, :file, :looks_like, :overwrite, :total, :now)",
        id=number,
        account=account,
        kind=kind,
        file=file,
        looks_like=looks_like,
        overwrite=int(overwrite),
        total=len(found),
        now=tx.now,
    )
    rows: list[dict[str, str | int]] = []
    for line in found:
        host, name = line.host(kind), line.name(kind)
        rows.append(
            {
                "import": number,
                "number": line.number,
                "cells": json.dumps(line.cells, ensure_ascii=False),
                "name": name,
                "turn": turns[host],
                "problem": "" if name else pack(_UNUSABLE[kind]),
            }
        )
        turns[host] += 1
    tx.many(
        "insert into relation_import_line (import, number, cells, name, turn, problem)"
        " values (:import, :number, :cells, :name, :turn, :problem)",
        rows,
    )
    return number


def open_total(tx: Tx, account: int) -> int:
    """How many files of an account are being gone through."""
    row = tx.one(
        "select count(*) as n from relation_import where account = :account and begun is not null and ended is null",
        account=account,
    )
    return int(row.n) if row else 0


def of_account(tx: Tx, account: int) -> list[RelationImport]:
    """The files of an account, the latest first."""
    rows = tx.all(f"{_SELECT} where i.account = :account order by i.id desc limit :n", account=account, n=MOST)
    return [_import(row) for row in rows]


def own(tx: Tx, account: int, number: int) -> RelationImport | None:
    """The file of that number, if the account brought it."""
    row = tx.one(f"{_SELECT} where i.account = :account and i.id = :id", account=account, id=number)
    return _import(row) if row else None


def under_way(tx: Tx, account: int) -> RelationImport | None:
    """Of the files of an account that were begun and have not ended the oldest."""
    row = tx.one(
        f"{_SELECT} where i.account = :account and i.begun is not null and i.ended is null order by i.id limit 1",
        account=account,
    )
    return _import(row) if row else None


def _import(row: Row) -> RelationImport:
    fields = row._asdict()
    return RelationImport(**fields | {"overwrite": bool(fields["overwrite"])})


def begin(tx: Tx, account: int, number: int) -> None:
    """Have a job go through the file."""
    tx.run("update relation_import set begun = coalesce(begun, :now) where id = :id", now=tx.now, id=number)
    job_queue.add(tx, job_kinds.IMPORT, str(account))


def set_cleared(tx: Tx, number: int) -> None:
    """Everything has ended that is not in the file."""
    tx.run("update relation_import set cleared = :now where id = :id", now=tx.now, id=number)


def end(tx: Tx, number: int) -> None:
    """Nothing of the file waits any more."""
    tx.run("update relation_import set ended = :now where id = :id", now=tx.now, id=number)


def standing(tx: Tx, brought: RelationImport, limit: int) -> list[tuple[int, int]]:
    """What stands and is not in the file: (number of the account, server or post, number of the list)."""
    rows = tx.all(_STANDING[brought.kind], account=brought.account, id=brought.id, at=brought.begun or tx.now, n=limit)
    return [(row.id, row.list) for row in rows]


def lines(tx: Tx, number: int) -> list[RelationLine]:
    """All lines of a file that wait or cannot be used."""
    rows = tx.all("select number, cells from relation_import_line where import = :id order by number", id=number)
    return [RelationLine(row.number, tuple(json.loads(row.cells))) for row in rows]


def due(tx: Tx, number: int, limit: int) -> list[WaitingLine]:
    """Lines that wait and may be done now, of as many servers as there are, so that no server comes twice in a row."""
    rows = tx.all(
        "select * from relation_import_line where import = :id and problem = '' and due <= :now"
        " order by turn, number limit :n",
        id=number,
        now=tx.now,
        n=limit,
    )
    return [WaitingLine(line=RelationLine(row.number, tuple(json.loads(row.cells))), tries=row.tries) for row in rows]


def next_due(tx: Tx, number: int) -> int | None:
    """When a line may be done (ms); None if none waits."""
    row = tx.one("select min(due) as at from relation_import_line where import = :id and problem = ''", id=number)
    return row.at if row else None


def done(tx: Tx, number: int, line: int) -> bool:
    """A line is done; False if it waits no more, since the file was given up meanwhile."""
    sql = "delete from relation_import_line where import = :id and number = :line"
    return tx.run(sql, id=number, line=line) > 0


def fail(tx: Tx, number: int, line: int, problem: str) -> None:
    """A line cannot be used, for a reason (a packed message)."""
    tx.run(
        "update relation_import_line set problem = :problem where import = :id and number = :line",
        problem=problem,
        id=number,
        line=line,
    )


def put_off(tx: Tx, number: int, line: int, delay: int) -> None:
    """A line could not be done now: once more after so many ms."""
    tx.run(
        "update relation_import_line set tries = tries + 1, due = :due where import = :id and number = :line",
        due=tx.now + delay,
        id=number,
        line=line,
    )


def failed(tx: Tx, number: int, limit: int) -> list[FailedLine]:
    """Lines that cannot be used, in the order of the file."""
    rows = tx.all(
        "select number, cells, problem from relation_import_line where import = :id and problem <> ''"
        " order by number limit :n",
        id=number,
        n=limit,
    )
    return [FailedLine(row.number, tuple(json.loads(row.cells)), row.problem) for row in rows]


def remove(tx: Tx, account: int, number: int) -> None:
    """Forget a file, and go no further with it; what it has done stays."""
    tx.run("delete from relation_import where account = :account and id = :id", account=account, id=number)


def drop(tx: Tx, account: int) -> None:
    """Whose files they are is gone."""
    job_queue.drop(tx, job_kinds.IMPORT, str(account))
    tx.run("delete from relation_import where account = :account", account=account)


def sweep(tx: Tx) -> int:
    """Forget files that were kept long enough; returns how many."""
    return tx.run(
        "delete from relation_import where ended < :old or (begun is null and asked < :old)", old=tx.now - KEPT
    )
