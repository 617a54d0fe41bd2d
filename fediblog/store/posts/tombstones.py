"""What remains of our own posts that everybody could see: of no others is it told that they ever were."""

from __future__ import annotations

from fediblog.store.posts.post_writing import Tombstone
from fediblog.store.tx import Tx


def of_public(tx: Tx, uri: str) -> Tombstone | None:
    """The tombstone of a post of ours with that id, if it was open to all. Who may see one of the others is forgotten
    with it, so that to everybody it looks as if it had never been there."""
    row = tx.one("select uri, owner, kind, at from tombstone where uri = :uri and page <> ''", uri=uri)
    return Tombstone(**row._asdict()) if row else None
