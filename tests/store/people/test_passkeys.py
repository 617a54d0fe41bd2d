"""Passkeys and what they are asked to sign, on both engines."""

from __future__ import annotations

from fediblog.store.engine.database import Database
from fediblog.store.people import logins, passkeys, second_factors
from fediblog.store.tx import Tx
from tests.conftest import Clock


async def test_a_passkey_is_of_one_login(db: Database) -> None:
    def check(tx: Tx) -> None:
        ann, ben = logins.create(tx, "ann", "x"), logins.create(tx, "ben", "x")
        assert passkeys.add(tx, ann.id, "c", "d", 0, "Desk")
        assert not passkeys.add(tx, ben.id, "c", "d", 0, "The same")
        [one] = passkeys.of_login(tx, ann.id)
        assert (one, passkeys.by_credential(tx, "other")) == (passkeys.by_credential(tx, "c"), None)
        assert (one.name, one.signs, one.created, one.used) == ("Desk", 0, tx.now, None)
        assert not passkeys.rename(tx, ben.id, one.id, "Mine")
        assert not passkeys.remove(tx, ben.id, one.id)
        assert (second_factors.is_on(tx, ann.id), second_factors.is_on(tx, ben.id)) == (True, False)
        for number in range(passkeys.MOST):
            passkeys.add(tx, ann.id, f"c{number}", "d", 0, "Another")
        assert len(passkeys.of_login(tx, ann.id)) == passkeys.MOST

    await db.write(check)


async def test_signatures_are_counted_one_after_another(db: Database) -> None:
    def check(tx: Tx) -> None:
        ann = logins.create(tx, "ann", "x")
        passkeys.add(tx, ann.id, "c", "d", 3, "Desk")
        [one] = passkeys.of_login(tx, ann.id)
        assert [passkeys.use(tx, one.id, *each) for each in ((3, 4), (3, 5), (4, 9))] == [True, False, True]
        assert [(each.signs, each.used) for each in passkeys.of_login(tx, ann.id)] == [(9, tx.now)]

    await db.write(check)


async def test_a_challenge_is_taken_once_and_in_time(db: Database, clock: Clock) -> None:
    def put(tx: Tx) -> None:
        for token in ("a", "late", "b"):
            passkeys.put_challenge(tx, token, f"for {token}", tx.now + 1000)
        passkeys.put_challenge(tx, "b", "another", tx.now + 1000)
        assert [passkeys.take_challenge(tx, token) for token in ("b", "b", "a", "c")] == ["another", "", "for a", ""]

    await db.write(put)
    clock.forward(seconds=1)
    assert await db.write(second_factors.sweep) == 1
    assert await db.write(passkeys.take_challenge, "late") == ""


async def test_recovery_codes_end_with_the_last_second_step(db: Database) -> None:
    def check(tx: Tx) -> None:
        ann = logins.create(tx, "ann", "x")
        passkeys.add(tx, ann.id, "c", "d", 0, "Desk")
        second_factors.put_authenticator(tx, ann.id, "n", 1)
        second_factors.put_recovery_codes(tx, ann.id, ["a"])
        [one] = passkeys.of_login(tx, ann.id)
        assert second_factors.drop_passkey(tx, ann.id, one.id)
        assert (second_factors.is_on(tx, ann.id), second_factors.recovery_codes_left(tx, ann.id)) == (True, 1)
        assert not second_factors.drop_passkey(tx, ann.id, one.id)
        assert second_factors.drop_authenticator(tx, ann.id)
        assert (second_factors.is_on(tx, ann.id), second_factors.recovery_codes_left(tx, ann.id)) == (False, 0)
        passkeys.add(tx, ann.id, "c", "d", 0, "Desk")
        second_factors.switch_off(tx, ann.id)
        assert (second_factors.is_on(tx, ann.id), passkeys.of_login(tx, ann.id)) == (False, [])

    await db.write(check)
