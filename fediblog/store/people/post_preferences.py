"""What new posts of an account are like, where its person has said so."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Tx


class Defaults(Struct, frozen=True, kw_only=True):
    """What new posts of an account are like where its app says nothing."""

    visibility: str = "public"
    sensitive: bool = False
    quotes: str = "public"


def defaults(tx: Tx, account: int) -> Defaults:
    """Those of the account."""
    row = tx.one("select visibility, sensitive, quotes from preference where account = :id", id=account)
    return Defaults(visibility=row.visibility, sensitive=bool(row.sensitive), quotes=row.quotes) if row else Defaults()


def put(tx: Tx, account: int, what: Defaults) -> None:
    """Say what the account's new posts are like."""
    tx.run(
        "insert into preference (account, visibility, sensitive, quotes) values (:id, :visibility, :sensitive, :quotes)"
        " on conflict (account) do update set visibility = excluded.visibility, sensitive = excluded.sensitive,"
        " quotes = excluded.quotes",
        id=account,
        visibility=what.visibility,
        sensitive=what.sensitive,
        quotes=what.quotes,
    )
