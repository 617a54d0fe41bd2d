"""Notices: what happened to one of our accounts that its owner would want to know."""

from __future__ import annotations

from fediblog.domain.posts import Notice
from fediblog.store import accounts, posts, relations
from fediblog.store.tx import Tx

_FAR = (1 << 63) - 1


def add(tx: Tx, account: int, kind: str, actor: int, post: int | None = None, content: str = "") -> None:
    """Tell the account, once for the same thing; nothing of oneself, nor of those it blocks or mutes."""
    if account == actor or relations.blocks(tx, account, actor) or relations.mutes(tx, account, actor):
        return
    standing = tx.one(
        "select 1 as yes from notice where account = :account and kind = :kind and actor = :actor"
        " and coalesce(post, 0) = :post and content = :content",
        account=account,
        kind=kind,
        actor=actor,
        post=post or 0,
        content=content,
    )
    if standing is not None:
        return
    tx.run(
        "insert into notice (id, account, kind, actor, post, content, created)"
        " values (:id, :account, :kind, :actor, :post, :content, :now)",
        id=tx.new_id(),
        account=account,
        kind=kind,
        actor=actor,
        post=post,
        content=content,
        now=tx.now,
    )
    tx.notify("notices")


def withdraw(tx: Tx, account: int, kind: str, actor: int, post: int | None = None) -> None:
    """Take a notice back, when what it told was undone."""
    tx.run(
        "delete from notice where account = :account and kind = :kind and actor = :actor and coalesce(post, 0) = :post",
        account=account,
        kind=kind,
        actor=actor,
        post=post or 0,
    )


def latest(tx: Tx, account: int, *, before: int | None = None, limit: int = 40) -> list[Notice]:
    """Notices of the account, newest first; those about posts it may no longer see are left out."""
    rows = tx.all(
        "select * from notice where account = :account and id < :before order by id desc limit :n",
        account=account,
        before=before or _FAR,
        n=limit,
    )
    people = accounts.many(tx, {row.actor for row in rows})
    whole = posts.many(tx, {row.post for row in rows if row.post is not None}, account)
    return [
        Notice(
            id=row.id,
            kind=row.kind,
            actor=people[row.actor],
            post=whole.get(row.post or 0),
            content=row.content,
            created=row.created,
            read=bool(row.read),
        )
        for row in rows
        if people[row.actor].state == "active" and (row.post is None or row.post in whole)
    ]


def unread(tx: Tx, account: int) -> int:
    """How many notices have not been looked at (counted up to 100)."""
    rows = tx.all("select 1 as yes from notice where account = :account and read = 0 limit 100", account=account)
    return len(rows)


def mark_read(tx: Tx, account: int, up_to: int | None = None) -> None:
    """They have been looked at."""
    tx.run(
        "update notice set read = 1 where account = :account and read = 0 and id <= :up_to",
        account=account,
        up_to=up_to or _FAR,
    )
