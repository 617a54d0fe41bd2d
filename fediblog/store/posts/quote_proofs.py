"""Authorizations to quote (FEP-044f) that posts of other servers name, of posts of others, and what became of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

from msgspec import Struct

from fediblog.store.queues import events
from fediblog.store.tx import Tx

State = Literal["waiting", "accepted", "rejected", "revoked"]


class Proof(Struct, frozen=True, kw_only=True):
    """The authorization `proof` by which `post` quotes `quoted` (ids); `author` is whose it is, once that is known."""

    post: int
    quoted: str
    proof: str
    author: str
    state: State


def name(tx: Tx, post: int, quoted: str, proof: str | None) -> bool:
    """A post names that authorization, '' for none, None if it knows none; False if nothing has changed by that."""
    known = of(tx, post)
    if (known and (known.quoted, known.proof)) == ((quoted, proof) if proof is not None else None):
        return False
    tx.run("delete from quote_proof where post = :post", post=post)
    if proof is not None:
        tx.run(
            "insert into quote_proof (post, quoted, proof, state) values (:post, :quoted, :proof, :state)",
            post=post,
            quoted=quoted,
            proof=proof,
            state="waiting" if proof else "rejected",
        )
    return True


def of(tx: Tx, post: int) -> Proof | None:
    """What that post names."""
    row = tx.one("select * from quote_proof where post = :post", post=post)
    return Proof(**row._asdict()) if row else None


def settle(tx: Tx, proof: Proof, state: State, author: str = "") -> None:
    """It was looked at; nothing happens if the post names another one by now, or that was taken back meanwhile."""
    changed = tx.run(
        "update quote_proof set state = :state, author = :author where post = :post and proof = :proof"
        " and quoted = :quoted and state = 'waiting'",
        post=proof.post,
        proof=proof.proof,
        quoted=proof.quoted,
        state=state,
        author=author,
    )
    if changed and state == "accepted":
        _publish_edits(tx, [proof.post])


def revoke(tx: Tx, proof: str, author: str) -> bool:
    """Whose authorization it is takes it back; False if no post names it."""
    rows = tx.all(
        "select q.post from quote_proof q left join post p on p.uri = q.quoted where q.proof = :proof"
        " and q.proof <> '' and q.state <> 'revoked' and (q.author = :author or p.account ="
        " (select id from account where uri = :author))",
        proof=proof,
        author=author,
    )
    found = [row.post for row in rows]
    if found:
        tx.run("update quote_proof set state = 'revoked' where post in (:posts)", posts=found)
        _publish_edits(tx, found)
    return bool(found)


def _publish_edits(tx: Tx, posts: Collection[int]) -> None:
    for row in tx.all("select id, account from post where id in (:posts)", posts=sorted(posts)):
        events.publish(tx, events.EDIT, account=row.account, post=row.id)


class NamedProof(NamedTuple):
    """The author of an authorization that a post names, and what became of it."""

    post: int
    author: str
    state: str


def named(tx: Tx, posts: Collection[int]) -> dict[int, NamedProof]:
    """By number of the post, of those that name authorizations."""
    if not posts:
        return {}
    rows = tx.all("select post, author, state from quote_proof where post in (:posts)", posts=sorted(posts))
    return {row.post: NamedProof(*row) for row in rows}
