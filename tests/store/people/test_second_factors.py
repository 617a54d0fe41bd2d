"""What is asked for beside a password, on both engines: each code counts once, and a log-in half done has an end."""

from __future__ import annotations

from fediblog.store.engine.database import Database
from fediblog.store.people import logins, second_factors
from fediblog.store.people.second_factors import Authenticator
from fediblog.store.tx import Tx
from tests.conftest import Clock


async def test_a_code_counts_once_and_none_before_it(db: Database) -> None:
    def check(tx: Tx) -> None:
        ann, ben = logins.create(tx, "ann", "x"), logins.create(tx, "ben", "x")
        assert not second_factors.use_step(tx, ann.id, 7)
        second_factors.put_authenticator(tx, ann.id, "n", 7)
        assert (second_factors.is_on(tx, ann.id), second_factors.is_on(tx, ben.id)) == (True, False)
        assert [second_factors.use_step(tx, ann.id, step) for step in (7, 6, 8, 8, 9)] == [
            False,
            False,
            True,
            False,
            True,
        ]
        assert second_factors.authenticator(tx, ann.id) == Authenticator(nonce="n", step=9)

    await db.write(check)


async def test_recovery_codes_are_of_one_login_and_used_once(db: Database) -> None:
    def check(tx: Tx) -> None:
        ann, ben = logins.create(tx, "ann", "x"), logins.create(tx, "ben", "x")
        second_factors.put_recovery_codes(tx, ann.id, ["a", "b"])
        assert not second_factors.use_recovery_code(tx, ben.id, "a")
        assert [second_factors.use_recovery_code(tx, ann.id, code) for code in ("a", "a", "c")] == [True, False, False]
        assert second_factors.recovery_codes_left(tx, ann.id) == 1
        second_factors.put_recovery_codes(tx, ann.id, ["c"])
        assert not second_factors.use_recovery_code(tx, ann.id, "b")
        assert second_factors.recovery_codes_left(tx, ann.id) == 1

    await db.write(check)


async def test_switched_off_nothing_is_left(db: Database) -> None:
    def check(tx: Tx) -> None:
        ann = logins.create(tx, "ann", "x")
        second_factors.put_authenticator(tx, ann.id, "n", 7)
        second_factors.put_recovery_codes(tx, ann.id, ["a"])
        second_factors.begin_half(tx, "t", ann, ann.mark, tx.now + 1000)
        second_factors.switch_off(tx, ann.id)
        assert not second_factors.is_on(tx, ann.id)
        assert second_factors.half(tx, "t") is None
        for table in ("authenticator", "recovery_code", "half_login"):
            assert tx.all(f"select * from {table}") == []

    await db.write(check)


async def test_a_log_in_half_done_ends_with_time_password_and_login(db: Database, clock: Clock) -> None:
    def begin(tx: Tx) -> int:
        ann, ben, eve = (logins.create(tx, name, "x") for name in ("ann", "ben", "eve"))
        for each in (ann, ben, eve):
            second_factors.begin_half(tx, each.name, each, each.mark, tx.now + 1000)
        found = second_factors.half(tx, "ann")
        assert found is not None
        assert (found.login, found.mark) == (ann, ann.mark)
        logins.set_password(tx, ben.id, "other")
        logins.set_disabled(tx, eve.id, disabled=True)
        assert [bool(second_factors.half(tx, name)) for name in ("ann", "ben", "eve", "")] == [
            True,
            False,
            False,
            False,
        ]
        return second_factors.sweep(tx)

    assert await db.write(begin) == 0
    clock.forward(seconds=1)
    assert await db.read(second_factors.half, "ann") is None
    assert await db.write(second_factors.sweep) == 3
