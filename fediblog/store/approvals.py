"""What authors elsewhere answer to likes, boosts and answers of ours, and which answers to ours have our leave."""

from __future__ import annotations

from typing import Literal

from fediblog.domain.records import record
from fediblog.store.tx import Tx
from fediblog.store.visible import shown_below

State = Literal["pending", "accepted", "rejected"]
_REPLY_AUTHORIZATION = (
    "select r.id, r.post, r.account, r.replying from reply_authorization r join post p on p.id = r.post"
    " join post w on w.uri = r.replying and w.state = 'published'"
    " join account a on a.id = r.account and a.state = 'active'"
    f" where r.id = :id and p.state = 'published' and {shown_below('r.account', 'p')}"
)


@record(frozen=True, slots=True, kw_only=True)
class Approval:
    """What the author of `post` said to what we did to it; `proof` is the id of the authorization."""

    post: int
    state: State
    proof: str


def wait(tx: Tx, uri: str, post: int) -> None:
    """The like, boost or answer of that id waits for the author of the post."""
    settle(tx, uri, post, "pending")


def settle(tx: Tx, uri: str, post: int, state: State, proof: str = "") -> None:
    """The author has said so."""
    tx.run(
        "insert into approval (uri, post, state, proof, at) values (:uri, :post, :state, :proof, :now)"
        " on conflict (uri) do update set state = excluded.state, proof = excluded.proof, at = excluded.at",
        uri=uri,
        post=post,
        state=state,
        proof=proof,
        now=tx.now,
    )


def of(tx: Tx, uri: str) -> Approval | None:
    """What was said to the like, boost or answer of that id."""
    row = tx.one("select post, state, proof from approval where uri = :uri", uri=uri)
    return Approval(post=row.post, state=row.state, proof=row.proof) if row else None


@record(frozen=True, slots=True, kw_only=True)
class ReplyAuthorization:
    """Our author's word that the post `replying` may stand below one of ours."""

    id: int
    post: int
    account: int
    replying: str


def authorize_reply(tx: Tx, post: int, account: int, replying: str) -> int:
    """The number of the authorization, new or standing."""
    tx.run(
        "insert into reply_authorization (id, post, account, replying, created)"
        " values (:id, :post, :account, :replying, :now) on conflict (replying) do nothing",
        id=tx.new_id(),
        post=post,
        account=account,
        replying=replying,
        now=tx.now,
    )
    row = tx.one("select id from reply_authorization where replying = :replying", replying=replying)
    assert row is not None  # it has just been put there
    return int(row.id)


def forget(tx: Tx, uri: str) -> None:
    """The post of that id is gone: what was said to it, and that it may stand below another."""
    tx.run("delete from approval where uri = :uri", uri=uri)
    tx.run("delete from reply_authorization where replying = :uri", uri=uri)


def reply_authorization(tx: Tx, number: int) -> ReplyAuthorization | None:
    """The authorization of that number, while both posts are there and who answered is not shut out."""
    row = tx.one(_REPLY_AUTHORIZATION, id=number)
    return ReplyAuthorization(**row._asdict()) if row else None
