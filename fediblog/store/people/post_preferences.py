"""What new posts of an account are like, where its person has said so."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Tx


class Defaults(Struct, frozen=True, kw_only=True):
    """What new posts of an account are like where its app says nothing."""

    visibility: str = "public"
    sensitive: bool = False
    quotes: str = "public"
    comments: str = "public"
    wait: bool = True  # whether what is written on the pages can be taken back before it leaves
    trash: bool = True  # whether what is deleted is kept for its author for a while


def defaults(tx: Tx, account: int) -> Defaults:
    """Those of the account."""
    row = tx.one(
        "select visibility, sensitive, quotes, comments, wait, trash from preference where account = :id",
        id=account,
    )
    if row is None:
        return Defaults()
    flags = {"sensitive": bool(row.sensitive), "wait": bool(row.wait), "trash": bool(row.trash)}
    return Defaults(**row._asdict() | flags)


def put(tx: Tx, account: int, what: Defaults) -> None:
    """Say what the account's new posts are like."""
    tx.run(
        "insert into preference (account, visibility, sensitive, quotes, comments, wait, trash)"
        " values (:id, :visibility, :sensitive, :quotes, :comments, :wait, :trash)"
        " on conflict (account) do update set visibility = excluded.visibility, sensitive = excluded.sensitive,"
        " quotes = excluded.quotes, comments = excluded.comments, wait = excluded.wait,"
        " trash = excluded.trash",
        id=account,
        visibility=what.visibility,
        sensitive=int(what.sensitive),
        quotes=what.quotes,
        comments=what.comments,
        wait=int(what.wait),
        trash=int(what.trash),
    )
