"""What remains of deleted things, so that no id is used again and none comes back.

Of our own posts it is told only of those that everybody could see that they ever were.
"""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Tx


class Tombstone(Struct, frozen=True, kw_only=True):
    """What remains of a deleted thing."""

    uri: str
    owner: str
    kind: str
    at: int


def leave(tx: Tx, uri: str, owner: str, kind: str = "", *, local: bool = False, page: str = "") -> None:
    """Leave a tombstone: that id is never used again. `page` is the address at which people could see it."""
    tx.run(
        "insert into tombstone (uri, owner, kind, local, page, at) values (:uri, :owner, :kind, :local, :page, :now)"
        " on conflict do nothing",
        uri=uri,
        owner=owner,
        kind=kind,
        local=int(local),
        page=page,
        now=tx.now,
    )


def of_public(tx: Tx, uri: str) -> Tombstone | None:
    """The tombstone of a post of ours with that id, if it was open to all. Who may see one of the others is forgotten
    with it, so that to everybody it looks as if it had never been there."""
    row = tx.one("select uri, owner, kind, at from tombstone where uri = :uri and page <> ''", uri=uri)
    return Tombstone(**row._asdict()) if row else None


def of_page(tx: Tx, page: str) -> Tombstone | None:
    """The tombstone of what was last seen at that address; whether something new is there is for others to ask."""
    rows = "select uri, owner, kind, at from tombstone where page = :page and page <> '' order by at desc, uri limit 1"
    row = tx.one(rows, page=page)
    return Tombstone(**row._asdict()) if row else None
