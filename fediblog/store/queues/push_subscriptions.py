"""Where the apps of our people want to be woken, and for what."""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec import Struct

from fediblog.store.people import relations
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Row, Tx

PUSHED = "exists (select 1 from push_subscription ps where ps.account = {}) as pushed"
"""Whether any app of an account wants to be woken, for a question about something else."""
ALERTS = (
    "mention",
    "status",
    "reblog",
    "follow",
    "follow_request",
    "favourite",
    "poll",
    "update",
    "quote",
    "quoted_update",
)
POLICIES = ("all", "followed", "follower", "none")
ALERT_OF: Mapping[str, str] = {
    "follow": "follow",
    "follow_request": "follow_request",
    "mention": "mention",
    "reply": "mention",
    "quote": "quote",
    "like": "favourite",
    "boost": "reblog",
    "poll": "poll",
    "status": "status",
}
"""What apps call the kinds of our notices; others wake nobody."""
_OF_NOTICE = (
    "select s.*, c.notices from push_subscription s join numbering c on c.account = s.account"
    " where s.account = :account"
)


class Subscription(Struct, frozen=True, kw_only=True):
    """One app of one account, whose subscriptions are counted from 1: `id` is the number.

    `key` and `secret` are the app's, in base64url; `sealed` is its token, encrypted.
    """

    id: int
    token: int
    account: int
    endpoint: str
    key: str
    secret: str
    standard: bool
    alerts: Mapping[str, bool]
    policy: str
    sealed: str = ""


def put(
    tx: Tx,
    token: int,
    account: int,
    *,
    endpoint: str,
    key: str,
    secret: str,
    standard: bool,
    alerts: Mapping[str, bool],
    policy: str,
    sealed: str,
) -> Subscription:
    """The one subscription of a token, in place of an earlier one."""
    tx.run("delete from push_subscription where token = :token", token=token)
    counted = tx.one(
        "update numbering set subscriptions = subscriptions + 1 where account = :account returning subscriptions",
        account=account,
    )
    tx.run(
        "insert into push_subscription (token, id, account, endpoint, key, secret, standard, alerts, policy, sealed,"
        " created)"
        " values (:token, :id, :account, :endpoint, :key, :secret, :standard, :alerts, :policy, :sealed, :now)",
        token=token,
        id=counted.subscriptions if counted else 0,
        account=account,
        endpoint=endpoint,
        key=key,
        secret=secret,
        standard=standard,
        alerts=json.dumps(dict(alerts)),
        policy=policy,
        sealed=sealed,
        now=tx.now,
    )
    return _required(of_token(tx, token))


def change(tx: Tx, token: int, alerts: Mapping[str, bool], policy: str) -> Subscription | None:
    """Other alerts for the same app."""
    tx.run(
        "update push_subscription set alerts = :alerts, policy = :policy where token = :token",
        alerts=json.dumps(dict(alerts)),
        policy=policy,
        token=token,
    )
    return of_token(tx, token)


def of_token(tx: Tx, token: int) -> Subscription | None:
    """The subscription of a token."""
    row = tx.one("select * from push_subscription where token = :token", token=token)
    return _subscription(row) if row else None


def remove(tx: Tx, token: int) -> None:
    """The app does not want to be woken any more."""
    tx.run("delete from push_subscription where token = :token", token=token)


def queue(tx: Tx, account: int, kind: str, actor: int) -> None:
    """Have the apps of the account woken that want to hear of its latest notice, which is of that kind."""
    alert = ALERT_OF.get(kind)
    rows = tx.all(_OF_NOTICE, account=account) if alert else []
    for row in rows:
        each = _subscription(row)
        if alert and each.alerts.get(alert) and _is_wanted(tx, each, actor):
            job_queue.add(tx, job_kinds.PUSH, f"{each.token}/{row.notices}")


def _is_wanted(tx: Tx, each: Subscription, actor: int) -> bool:
    match each.policy:
        case "none":
            return False
        case "followed":
            return relations.is_following(tx, each.account, actor)
        case "follower":
            return relations.is_following(tx, actor, each.account)
        case _:
            return True


def _subscription(row: Row) -> Subscription:
    return Subscription(
        id=row.id,
        token=row.token,
        account=row.account,
        endpoint=row.endpoint,
        key=row.key,
        secret=row.secret,
        standard=bool(row.standard),
        alerts=json.loads(row.alerts),
        policy=row.policy,
        sealed=row.sealed,
    )


def _required(found: Subscription | None) -> Subscription:
    if found is None:
        raise RuntimeError("the subscription vanished within its own transaction")
    return found
