"""Quotes (FEP-044f): what we promised to posts that quote ours, and what we asked of those whom ours quote."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import OPEN_TO_ALL, shown_below

MOST = 50  # posts of one account that may quote one post of ours


# An authorization holds while its account is there and is not shut out by the author of what it quotes.
HOLDS = (
    "q.revoked is null and exists (select 1 from account qa where qa.id = q.account and qa.state = 'active')"
    f" and exists (select 1 from post qp where qp.id = q.post and {shown_below('q.account', 'qp')})"
)
_STANDING = f"select q.* from quote_authorization q where q.post = :post and {HOLDS} order by q.id limit :n"
_GRANTED = f"select q.quoting, q.post from quote_authorization q where q.quoting in (:quoting) and {HOLDS}"
_TOTALS = (  # what was granted to a post that has not come, or is not for everybody, does not count
    "select q.post, count(*) as n from quote_authorization q join post w on w.uri = q.quoting"
    f" where q.post in (:ids) and {HOLDS} and w.state = 'published' and w.visibility in {OPEN_TO_ALL}"
)


class Authorization(Struct, frozen=True, kw_only=True):
    """A promise that the post `quoting`, by `account`, may quote one of ours; `revoked` when it was taken back (ms)."""

    id: int
    post: int
    account: Account
    quoting: str
    revoked: int | None


def grant(tx: Tx, post: int, account: int, quoting: str) -> int | None:
    """The number of the authorization, new or standing. None if it was taken back, or that are too many."""
    standing = tx.one(
        "select id, revoked from quote_authorization where quoting = :quoting and post = :post",
        quoting=quoting,
        post=post,
    )
    if standing is not None:
        return None if standing.revoked is not None else int(standing.id)
    given = tx.one(
        "select count(*) as n from quote_authorization where post = :post and account = :account",
        post=post,
        account=account,
    )
    if given is not None and given.n >= MOST:
        return None
    number = tx.new_id()
    tx.run(
        "insert into quote_authorization (id, post, account, quoting, created)"
        " values (:id, :post, :account, :quoting, :now)",
        id=number,
        post=post,
        account=account,
        quoting=quoting,
        now=tx.now,
    )
    return number


def get(tx: Tx, number: int) -> Authorization | None:
    """The authorization of that number, also if it was taken back."""
    row = tx.one("select * from quote_authorization where id = :id", id=number)
    return next(iter(_whole(tx, [row])), None) if row else None


def standing(tx: Tx, post: int, limit: int = 100) -> list[Authorization]:
    """Those for a post that stand, oldest first."""
    rows = tx.all(_STANDING, post=post, n=limit)
    return _whole(tx, rows)


def totals(tx: Tx, posts: Collection[int]) -> dict[int, int]:
    """How many posts quote each of these with an authorization that stands; those without any are left out."""
    rows = tx.all(f"{_TOTALS} group by q.post", ids=sorted(set(posts)))
    return {row.post: row.n for row in rows}


def of_post(tx: Tx, post: int, quoting: str) -> Authorization | None:
    """The standing authorization for `quoting` to quote that post."""
    row = tx.one(
        "select * from quote_authorization where post = :post and quoting = :quoting and revoked is null",
        post=post,
        quoting=quoting,
    )
    return next(iter(_whole(tx, [row])), None) if row else None


def revoke(tx: Tx, number: int) -> bool:
    """Take it back; False if it was. The row stays, so that it is not given again."""
    return (
        tx.run(
            "update quote_authorization set revoked = :now where id = :id and revoked is null", id=number, now=tx.now
        )
        > 0
    )


def forget(tx: Tx, quoting: str) -> None:
    """The post that quotes is gone."""
    tx.run("delete from quote_authorization where quoting = :quoting", quoting=quoting)


def granted(tx: Tx, quoting: Collection[str]) -> set[tuple[str, int]]:
    """(id of the post that quotes, number of ours) where an authorization stands, and its account is not shut out."""
    if not quoting:
        return set()
    rows = tx.all(_GRANTED, quoting=sorted(set(quoting)))
    return {(row.quoting, row.post) for row in rows}


class QuoteRequest(Struct, frozen=True, kw_only=True):
    """What became of the question whether a post of ours may quote: pending, accepted, rejected, revoked or, if its
    author cannot be asked, unauthorized.

    `author` is the id of whom was asked, `uri` that of the QuoteRequest, `approval` that of the authorization.
    """

    post: int
    uri: str
    author: str
    state: str
    approval: str


def ask(tx: Tx, post: int, uri: str, author: str, state: str, approval: str = "") -> None:
    """Remember that a post of ours quotes one by `author`, and how that stands."""
    tx.run(
        "insert into quote_request (post, uri, author, state, approval)"
        " values (:post, :uri, :author, :state, :approval) on conflict (post) do nothing",
        post=post,
        uri=uri,
        author=author,
        state=state,
        approval=approval,
    )


def settle(tx: Tx, post: int, before: str, state: str, approval: str = "") -> bool:
    """It was answered; False if it does not stand as `before` any more."""
    sql = "update quote_request set state = :state, approval = :approval where post = :post and state = :before"
    return tx.run(sql, post=post, before=before, state=state, approval=approval) > 0


def request(tx: Tx, post: int) -> QuoteRequest | None:
    """What was asked for that post of ours."""
    return _request(tx.one("select * from quote_request where post = :post", post=post))


def request_by_uri(tx: Tx, uri: str) -> QuoteRequest | None:
    """What that QuoteRequest asked."""
    return _request(tx.one("select * from quote_request where uri = :uri", uri=uri))


def request_by_approval(tx: Tx, uri: str) -> QuoteRequest | None:
    """What that authorization granted."""
    return _request(tx.one("select * from quote_request where approval = :uri and approval <> ''", uri=uri))


def _request(row: Row | None) -> QuoteRequest | None:
    return QuoteRequest(**row._asdict()) if row else None


class AskedQuote(NamedTuple):
    """What became of the request to quote that a post of ours made; `gone`: what it quotes is known to be deleted."""

    post: int
    state: str
    approval: str
    gone: int


def requests(tx: Tx, posts: Collection[int]) -> dict[int, AskedQuote]:
    """By number of the post, of those that asked."""
    if not posts:
        return {}
    rows = tx.all(
        "select q.post, q.state, q.approval, (select count(*) from tombstone t join post p on t.uri = p.quote"
        " where p.id = q.post) as gone from quote_request q where q.post in (:posts)",
        posts=sorted(set(posts)),
    )
    return {row.post: AskedQuote(*row) for row in rows}


def page_of(tx: Tx, uri: str) -> str:
    """The page of what is quoted, for people; its id, where there is none."""
    row = tx.one("select url from post where uri = :uri", uri=uri)
    return row.url if row and row.url else uri


def _whole(tx: Tx, rows: list[Row]) -> list[Authorization]:
    people = accounts.many(tx, {row.account for row in rows})
    return [
        Authorization(id=row.id, post=row.post, account=people[row.account], quoting=row.quoting, revoked=row.revoked)
        for row in rows
    ]
