"""What authors elsewhere answer to likes, boosts and answers of ours, and what people elsewhere may do to ours."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.store.people import accounts
from fediblog.store.tx import Tx
from fediblog.store.visible import shown_below

State = Literal["pending", "accepted", "rejected"]


class Approval(Struct, frozen=True, kw_only=True):
    """What the author of `post` said to what we did to it; `proof` is the id of the authorization.

    `by_accept`: there is none, and `proof` is the id of the Accept itself (GoToSocial unless it was asked first).
    """

    post: int
    state: State
    proof: str
    by_accept: bool


def wait(tx: Tx, uri: str, post: int) -> None:
    """The like, boost or answer of that id waits for the author of the post."""
    settle(tx, uri, post, "pending")


def settle(tx: Tx, uri: str, post: int, state: State, proof: str = "", *, by_accept: bool = False) -> None:
    """The author has said so; `proof` and `by_accept` as in `Approval`."""
    tx.run(
        "insert into approval (uri, post, state, proof, by_accept, at)"
        " values (:uri, :post, :state, :proof, :by_accept, :now)"
        " on conflict (uri) do update set state = excluded.state, proof = excluded.proof,"
        " by_accept = excluded.by_accept, at = excluded.at",
        uri=uri,
        post=post,
        state=state,
        proof=proof,
        by_accept=int(by_accept),
        now=tx.now,
    )


def of(tx: Tx, uri: str) -> Approval | None:
    """What was said to the like, boost or answer of that id."""
    row = tx.one("select post, state, proof, by_accept from approval where uri = :uri", uri=uri)
    if row is None:
        return None
    return Approval(post=row.post, state=row.state, proof=row.proof, by_accept=bool(row.by_accept))


def states(tx: Tx, uris: Collection[str]) -> dict[str, State]:
    """How those of these likes, boosts and answers stand of which that is known, by their ids."""
    rows = tx.all("select uri, state from approval where uri in (:uris)", uris=sorted(uris)) if uris else ()
    return {row.uri: row.state for row in rows}


def waiting(tx: Tx, account: int, post: int) -> list[str]:
    """Which of `like` and `boost` the account has given to a post that its author has not approved yet."""
    rows = tx.all(
        "select 'like' as kind from reaction r join approval a on a.uri = r.uri and a.state = 'pending'"
        " where r.account = :account and r.post = :post and r.kind = 'like'"
        " union all select 'boost' as kind from boost b join approval a on a.uri = b.uri and a.state = 'pending'"
        " where b.account = :account and b.post = :post",
        account=account,
        post=post,
    )
    return [row.kind for row in rows]


def proven(tx: Tx, proof: str) -> str:
    """The id of the like, boost or answer of ours that this authorization let stand; empty if it is none."""
    row = tx.one("select uri from approval where proof = :proof and state = 'accepted'", proof=proof) if proof else None
    return str(row.uri) if row else ""


class ReplyAuthorization(Struct, frozen=True, kw_only=True):
    """Our author's word that the answer, like or boost `replying` (an id) of a post of ours may stand.

    `kind` is Reply, Like or Announce.
    """

    id: int
    post: int
    account: int
    replying: str
    kind: str


_STANDING = (
    "select r.id, r.post, r.account, r.replying, r.kind from reply_authorization r join post p on p.id = r.post"
    " join account a on a.id = r.account and a.state = 'active'"
    f" where r.revoked is null and p.state = 'published' and {shown_below('r.account', 'p')}"
    " and (exists (select 1 from post w where w.uri = r.replying and w.state = 'published')"
    " or exists (select 1 from reaction l where l.uri = r.replying and l.account = r.account)"
    " or exists (select 1 from boost s where s.uri = r.replying and s.account = r.account)) and"
)


def authorize_reply(tx: Tx, post: int, account: int, replying: str, kind: str = "Reply") -> int | None:
    """The number of the authorization, new or standing; None if it was taken back."""
    tx.run(
        "insert into reply_authorization (id, post, account, replying, kind, created)"
        " values (:id, :post, :account, :replying, :kind, :now) on conflict (replying) do nothing",
        id=tx.new_id(),
        post=post,
        account=account,
        replying=replying,
        kind=kind,
        now=tx.now,
    )
    row = tx.one(
        "select id from reply_authorization where replying = :replying and post = :post and revoked is null",
        replying=replying,
        post=post,
    )
    return int(row.id) if row else None


def forget(tx: Tx, uri: str) -> None:
    """The post of that id is gone: what was said to it, and that it may stand below another."""
    tx.run("delete from approval where uri = :uri", uri=uri)
    tx.run("delete from reply_authorization where replying = :uri", uri=uri)


def reply_authorization(tx: Tx, number: int) -> ReplyAuthorization | None:
    """The authorization of that number, while it stands, both are there, and whose it is is not shut out."""
    row = tx.one(f"{_STANDING} r.id = :id", id=number)
    return ReplyAuthorization(**row._asdict()) if row else None


def replies_let(tx: Tx, post: int, limit: int = 100) -> list[tuple[int, Account, str]]:
    """Number, who answered and the answer's id of the answers to a post that have an authorization, oldest first."""
    rows = tx.all(f"{_STANDING} r.post = :post and r.kind = 'Reply' order by r.id limit :n", post=post, n=limit)
    people = accounts.many(tx, {row.account for row in rows})
    return [(row.id, people[row.account], row.replying) for row in rows if row.account in people]


def revoke_reply(tx: Tx, number: int) -> bool:
    """Take it back, so that it is not given again; False if it was taken back before."""
    sql = "update reply_authorization set revoked = :now where id = :id and revoked is null"
    return tx.run(sql, id=number, now=tx.now) > 0
