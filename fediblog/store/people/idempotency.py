"""Requests of apps that carry a key of their own (Idempotency-Key), so that none is done twice if sent again."""

from __future__ import annotations

from fediblog.store.tx import Tx

KEPT_KEYS = 86_400_000  # ms in which a request that is sent again is known by its key


def begin(tx: Tx, token: int, key: str) -> int | None:
    """What came of the request with that key: None if this is the first one, which `finish` must end then."""
    tx.run("delete from idempotency where at < :old", old=tx.now - KEPT_KEYS)
    first = tx.run(
        "insert into idempotency (token, key, result, at) values (:token, :key, 0, :now) on conflict do nothing",
        token=token,
        key=key,
        now=tx.now,
    )
    if first:
        return None
    row = tx.one("select result from idempotency where token = :token and key = :key", token=token, key=key)
    return int(row.result) if row else 0


def finish(tx: Tx, token: int, key: str, result: int) -> None:
    """Remember what came of the request with that key."""
    tx.run(
        "update idempotency set result = :result where token = :token and key = :key",
        result=result,
        token=token,
        key=key,
    )
