"""What has just happened, for those who listen: written in the transaction in which it happens, kept for minutes."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from fediblog.store.ids import first_of
from fediblog.store.tx import Tx

CHANNEL = "events"
"""The channel that is notified with every event."""

POST, BOOST, EDIT, DELETE = "post", "boost", "edit", "delete"
NOTICE, CONVERSATION, FILTERS, ANNOUNCEMENT = "notice", "conversation", "filters", "announcement"

KEPT = 300_000  # ms
OVERLAP = 10_000 << 20  # of ids: another process may commit later what it began earlier
MOST = 500  # that are taken at a time


class Event(Struct, frozen=True, kw_only=True):
    """One event. `account` is whom it happens to, or who did it; `item` the boost, notice or conversation."""

    id: int
    kind: str
    account: int
    post: int
    item: int
    detail: str


def publish(tx: Tx, kind: str, *, account: int = 0, post: int = 0, item: int = 0, detail: str = "") -> None:
    """Write an event down, and wake those who listen."""
    tx.run(
        "insert into event (id, kind, account, post, item, detail, at)"
        " values (:id, :kind, :account, :post, :item, :detail, :now)",
        id=tx.new_id(),
        kind=kind,
        account=account,
        post=post,
        item=item,
        detail=detail,
        now=tx.now,
    )
    tx.notify(CHANNEL)


def publish_notification(tx: Tx, account: int, post: int) -> None:
    """The same of the latest notice of an account, whose number need not be asked for."""
    tx.run(
        "insert into event (id, kind, account, post, item, detail, at)"
        " values (:id, 'notice', :account, :post, (select notices from numbering where account = :account), '', :now)",
        id=tx.new_id(),
        account=account,
        post=post,
        now=tx.now,
    )
    tx.notify(CHANNEL)


def before(tx: Tx) -> list[int]:
    """The numbers of the last event and of those shortly before it."""
    rows = tx.all(
        "select id from event where id > (select coalesce(max(id), 0) from event) - :overlap order by id",
        overlap=OVERLAP,
    )
    return [row.id for row in rows]


def since(tx: Tx, number: int, seen: Collection[int]) -> list[Event]:
    """Events after that one, and such as were written before it and came later; without those already seen."""
    after, found = number - OVERLAP, list[Event]()
    while True:  # where much happens, many of those shortly before it were seen
        rows = tx.all("select * from event where id > :after order by id limit :n", after=after, n=MOST)
        found += [
            Event(id=row.id, kind=row.kind, account=row.account, post=row.post, item=row.item, detail=row.detail)
            for row in rows
            if row.id not in seen
        ]
        if len(rows) < MOST or len(found) >= MOST:
            return found
        after = rows[-1].id


def receivers(tx: Tx, item: int, accounts: Collection[int]) -> set[int]:
    """Those of the accounts into whose home stream the item was put."""
    rows = tx.all(
        "select account from stream where item = :item and account in (:accounts)", item=item, accounts=sorted(accounts)
    )
    return {row.account for row in rows}


def sweep(tx: Tx) -> int:
    """Forget what was told."""
    return tx.run("delete from event where id < :old", old=first_of(tx.now - KEPT))
