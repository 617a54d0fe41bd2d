"""What was decided, and waves of spam, on both engines."""

from __future__ import annotations

import pytest

from fediblog.store.engine.database import Database
from fediblog.store.posts import post_writing, posts
from fediblog.store.readers import moderation, moderation_log, spam_waves
from fediblog.store.tx import Tx
from tests.store.makers import DAY, local, post, remote


async def test_what_was_decided_is_written_down_and_swept(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        first = moderation_log.note(tx, alice.id, "suspend", "@bob", 7, target=bob.id, reason="Rude", undo=["post 1"])
        moderation_log.note(tx, 12, "suspend", "@bob", target=bob.id)
        [newest, oldest] = moderation_log.latest(tx)
        assert (newest.by, newest.report, newest.reason, newest.undo) == (None, None, "", ())
        assert oldest.by is not None
        assert (oldest.by.id, oldest.undo, oldest.undone) == (alice.id, ("post 1",), None)
        assert [each.id for each in moderation_log.of_report(tx, 7)] == [first]
        assert moderation_log.reason_for(tx, bob.id, "suspend") == ""  # what was said last counts
        assert moderation_log.reason_for(tx, bob.id, "disable") == ""
        assert (moderation_log.set_undone(tx, first), moderation_log.set_undone(tx, first)) == (True, False)
        found = moderation_log.get(tx, first)
        assert found is not None
        assert found.undone == tx.now
        monkeypatch.setattr(moderation_log, "KEPT", 1)
        assert moderation_log.sweep(tx) == 1
        assert moderation_log.get(tx, first) is None

    await db.write(check)


async def test_reports_are_counted_by_whom_they_are_about(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, ben = remote(tx), remote(tx, "ben")
        for n, target in enumerate((bob, bob, ben)):
            moderation.report(tx, f"u:{n}", None, target.id, [], "")
        assert (moderation.open_total(tx), moderation.total_about(tx, bob.id)) == (3, 2)
        assert moderation.total_about_host(tx, bob.domain) == 3

    await db.write(check)


async def test_a_wave_is_what_new_accounts_say_to_ours(db: Database) -> None:
    """Mentions of ours and answers to ours; not what is for others alone, nor what nobody here is addressed by."""

    def check(tx: Tx) -> None:
        alice, bob = local(tx), remote(tx)
        said, other = post(tx, bob, mentioned=[alice.id]), post(tx, bob)
        found = spam_waves.recent(tx, alice.id, tx.now - DAY, 10)
        assert [each.id for each in found] == [said]
        assert spam_waves.recent(tx, alice.id, tx.now + DAY, 10) == []
        assert {each.id for each in spam_waves.named(tx, alice.id, [said, other, 5])} == {said, other}
        post_writing.judge(tx, [said], "spam", alice.id)
        assert spam_waves.states(tx, [said, other, 5]) == {said: "spam", other: "published"}
        kept = posts.stored(tx, said)
        assert kept is not None
        assert (kept.judged_by, kept.judged_at) == (alice.id, tx.now)
        assert spam_waves.recent(tx, alice.id, tx.now - DAY, 10) == []
        post_writing.judge(tx, [], "published", alice.id)
        assert spam_waves.states(tx, []) == {}

    await db.write(check)
