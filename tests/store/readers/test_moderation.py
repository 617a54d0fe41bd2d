"""Reports, and what was refused."""

from __future__ import annotations

import pytest

from fediblog.store.engine.database import Database
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.store.makers import local, remote


async def test_reports_come_open_ones_first_and_once(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        for n in (1, 2, 2, 3):
            moderation.report(tx, f"u:{n}", bob.id if n < 3 else None, alice.id, [f"p:{n}"], f"text {n}")
        newest, *_ = moderation.reports(tx)
        assert (newest.uri, newest.reporter, newest.target.id) == ("u:3", None, alice.id)
        assert (newest.posts, newest.content, newest.closed) == (("p:3",), "text 3", None)
        moderation.close_report(tx, newest.id, alice.id)
        moderation.close_report(tx, newest.id, bob.id)
        found = moderation.reports(tx)
        assert found[2].closed_by == alice.id
        assert [(each.uri, each.closed) for each in found] == [("u:2", None), ("u:1", None), ("u:3", tx.now)]
        assert found[0].reporter is not None
        assert found[0].reporter.id == bob.id
        assert len(moderation.reports(tx, limit=1)) == 1

    await db.write(check)


async def test_refusals_are_noted_counted_and_swept(
    db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moderation, "KEPT_REFUSALS", 3)
    assert await db.write(moderation.sweep) == 0
    for reason in ("old", "signature", "signature", "blocked", "signature"):
        await db.write(moderation.refused, "far.example", "https://far.example/bob", "Create", reason)
        clock.forward(seconds=1)
    since = clock.now - 4000
    assert await db.read(moderation.refusal_totals, since) == [("signature", 3), ("blocked", 1)]
    newest, *_ = await db.read(moderation.refusals, 2)
    assert (newest.host, newest.kind, newest.reason, newest.at) == (
        "far.example",
        "Create",
        "signature",
        clock.now - 1000,
    )
    assert await db.write(moderation.sweep) == 2
    assert [each.reason for each in await db.read(moderation.refusals)] == ["signature", "blocked", "signature"]
    assert await db.write(moderation.sweep) == 0


async def test_a_refusal_may_be_of_anything(db: Database) -> None:
    """What is refused was not read yet: it may hold what no database takes, and any amount of it."""
    vile = "a\x00b\ud800" + "x" * 100_000
    await db.write(moderation.refused, vile, vile, vile, "unreadable", vile)
    (noted,) = await db.read(moderation.refusals)
    assert noted.host.startswith("abx")
    assert [len(part) <= limit for part, limit in ((noted.host, 255), (noted.actor, 2048), (noted.detail, 500))] == [
        True
    ] * 3
