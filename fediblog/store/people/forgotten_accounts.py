"""Accounts elsewhere that are no more, and those with which nobody here has to do any more.

The latter are forgotten, and fetched again if they come back.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from fediblog.store.people import accounts
from fediblog.store.tx import Tx

_FAR = (1 << 63) - 1

# Each question has an index. An activity that waits still needs its sender's account, so those of its host stay.
_IDLE = (
    "a.local = 0 and a.state <> 'suspended' and a.fetched < :before"
    " and not exists (select 1 from follow where follower = a.id)"
    " and not exists (select 1 from follow where followed = a.id)"
    " and not exists (select 1 from post where account = a.id)"
    " and not exists (select 1 from mention where account = a.id)"
    " and not exists (select 1 from reaction where account = a.id)"
    " and not exists (select 1 from boost where account = a.id)"
    " and not exists (select 1 from poll_vote where account = a.id)"
    " and not exists (select 1 from notice where actor = a.id)"
    " and not exists (select 1 from block where account = a.id)"
    " and not exists (select 1 from block where target = a.id)"
    " and not exists (select 1 from mute where target = a.id)"
    " and not exists (select 1 from report where reporter = a.id)"
    " and not exists (select 1 from report where target = a.id)"
    " and not exists (select 1 from quote_authorization where account = a.id)"
    " and not exists (select 1 from list_member where account = a.id)"
    " and not exists (select 1 from account_note where target = a.id)"
    " and not exists (select 1 from endorsement where target = a.id)"
    " and not exists (select 1 from group_member where account = a.id)"
    " and not exists (select 1 from circle_member where account = a.id)"
    " and not exists (select 1 from notice_consent where actor = a.id)"
    " and not exists (select 1 from incoming where host = a.host and state = 'waiting')"
    " and not exists (select 1 from incoming where host = a.host and state = 'running')"
)
_FIND = f"select a.id from account a where a.id > :after and a.id <= :last and {_IDLE} order by a.id"
_FORGET = f"delete from account as a where a.id in (:ids) and {_IDLE}"


class Reached(NamedTuple):
    """The number and the id of an account."""

    id: int
    uri: str


def reached_at(tx: Tx, inbox: str, *, after: int = 0, limit: int = 20) -> list[Reached]:
    """The remote accounts that are reached through an inbox, in order of their numbers."""
    rows = tx.all(
        "select id, uri from account where local = 0 and state = 'active' and (inbox = :inbox or shared_inbox = :inbox)"
        " and id > :after order by id limit :n",
        inbox=inbox,
        after=after,
        n=limit,
    )
    return [Reached._make(row) for row in rows]


def set_deleted(tx: Tx, account: int) -> None:
    """An account elsewhere is gone at its origin: it follows nobody any more, and nobody follows it."""
    tx.run(
        "delete from follow where (follower = :id or followed = :id)"
        " and exists (select 1 from account where id = :id and local = 0)",
        id=account,
    )
    accounts.set_state(tx, account, "deleted")


def idle(tx: Tx, *, after: int, before: int, span: int) -> tuple[list[int], int]:
    """Of the next so many accounts those that can go, if they were not fetched since `before` (ms).

    With them the number of the last one that was looked at, to go on after it; 0 after the last of all.
    """
    row = tx.one("select id from account where id > :after order by id limit 1 offset :n", after=after, n=span - 1)
    last = int(row.id) if row else 0
    found = tx.all(_FIND, after=after, last=last or _FAR, before=before)
    return [each.id for each in found], last


def forget(tx: Tx, numbers: Collection[int], before: int) -> int:
    """Delete those of them that can still go, with their keys; returns how many."""
    tx.hold(*numbers)
    return tx.run(_FORGET, ids=sorted(numbers), before=before) if numbers else 0
