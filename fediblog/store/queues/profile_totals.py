"""How many followers and posts an account elsewhere has, by what its own server says of it."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

STALE = 21_600_000  # ms after which the totals are asked for again, when somebody of ours looks at the account
MOST_WAITING = 200  # accounts whose totals wait to be fetched; beyond that the next time will do
MOST = 2**31 - 1  # what apps can read


def is_stale(tx: Tx, account: Account) -> bool:
    """Whether the totals of an account of another server are to be asked for."""
    if account.local or account.state != "active":
        return False
    row = tx.one("select checked from profile_totals where account = :id", id=account.id)
    return row is None or tx.now - row.checked > STALE


def refresh(tx: Tx, account: Account) -> None:
    """Have them fetched, if that is due. They count as asked for from then on, also where the server is away."""
    if is_stale(tx, account) and job_queue.waiting(tx, job_kinds.PROFILE_TOTALS, MOST_WAITING) < MOST_WAITING:
        put(tx, account.id, None, None, None)
        job_queue.add(tx, job_kinds.PROFILE_TOTALS, str(account.id))


def put(tx: Tx, account: int, followers: int | None, following: int | None, posts: int | None) -> None:
    """What was told just now; None: what was told before stays."""
    tx.run(
        "insert into profile_totals (account, followers, following, posts, checked)"
        " select id, :followers, :following, :posts, :now from account where id = :account and local = 0"
        " on conflict (account) do update set followers = coalesce(excluded.followers, profile_totals.followers),"
        " following = coalesce(excluded.following, profile_totals.following),"
        " posts = coalesce(excluded.posts, profile_totals.posts), checked = excluded.checked",
        account=account,
        followers=followers,
        following=following,
        posts=posts,
        now=tx.now,
    )
