"""Accounts of other servers as they are now: those not looked at for long are fetched again, in the background."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.store.people import accounts
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

STALE = 7 * 86_400_000  # ms
MOST_WAITING = 200  # accounts that wait to be fetched; beyond that the next time will do


def is_stale(account: Account, now: int) -> bool:
    """Whether a remote account has to be looked at again; `now` in ms."""
    return not account.local and account.state == "active" and now - account.fetched > STALE


def renew(tx: Tx, account: Account) -> bool:
    """Have a stale account fetched; whether that was asked for.

    It counts as looked at from then on, so that one whose server is away is not asked for at each of its activities.
    """
    if not is_stale(account, tx.now) or job_queue.waiting(tx, job_kinds.FETCH_ACTOR, MOST_WAITING) >= MOST_WAITING:
        return False
    accounts.touch(tx, account.id)
    job_queue.add(tx, job_kinds.FETCH_ACTOR, account.uri)
    return True
