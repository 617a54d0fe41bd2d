"""Where accounts elsewhere went, and when."""

from __future__ import annotations

from fediblog.store.tx import Tx


def moved(tx: Tx, account: int, target: str) -> None:
    """Note where a remote account went, and when."""
    tx.run("update account set moved_to = :to, moved_at = :now where id = :id", to=target, now=tx.now, id=account)


def moved_at(tx: Tx, account: int) -> int | None:
    """When the account last moved, for the pause between two moves."""
    row = tx.one("select moved_at from account where id = :id", id=account)
    return row.moved_at if row else None
