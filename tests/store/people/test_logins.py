"""Logins, and the sessions that end with a password, a time or a word."""

from __future__ import annotations

import pytest

from fediblog.errors import Refused
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts, apps, logins
from fediblog.store.people.logins import Session
from fediblog.store.tx import Conflict, Tx
from tests.conftest import Clock
from tests.store.makers import URLS, local


def session(login: int, token: str = "t", expires: int = 2_000_000_000_000, account: int | None = None) -> Session:
    return Session(
        token=token, login=login, account=account, csrf="c", created=1, seen=1, expires=expires, agent="Firefox"
    )


async def test_a_name_is_taken_in_any_case(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = logins.create(tx, "Alice", "hash", "owner")
        assert (alice.name, alice.role) == ("alice", "owner")
        with pytest.raises(Refused, match="login"):
            logins.create(tx, "ALICE", "other")
        assert logins.by_name(tx, "aLiCe") == logins.get(tx, alice.id) == alice
        assert logins.everyone(tx) == [alice]
        assert logins.password_hash(tx, "ALICE") == "hash"
        assert (logins.password_hash(tx, "bob"), logins.by_name(tx, "bob"), logins.get(tx, 0)) == (None, None, None)

    await db.write(check)


async def test_another_password_ends_all_sessions(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ben = logins.create(tx, "alice", "old"), logins.create(tx, "ben", "old")
        for token, login in (("a1", alice), ("a2", alice), ("b", ben)):
            logins.open_session(tx, session(login.id, token))
        logins.set_password(tx, alice.id, "new")
        assert (logins.password_hash(tx, "alice"), logins.password_hash(tx, "ben")) == ("new", "old")
        assert [bool(logins.session(tx, token)) for token in ("a1", "a2", "b")] == [False, False, True]

    await db.write(check)


@pytest.mark.parametrize("how", ["another password", "disabled"])
async def test_what_lets_in_ends_with_the_password_and_with_the_login(db: Database, how: str) -> None:
    def check(tx: Tx) -> None:
        alice, ben = local(tx, "alice"), local(tx, "ben")
        for each in (alice, ben):
            logins.open_session(tx, session(each.login or 0, each.handle))
            apps.add_token(tx, each.handle, ("read",), login=each.login, account=each.id)
        if how == "disabled":
            logins.set_disabled(tx, alice.login or 0, disabled=True)
            logins.set_disabled(tx, alice.login or 0, disabled=False)
        else:
            logins.set_password(tx, alice.login or 0, "new")
        assert (logins.session(tx, "alice"), apps.token(tx, "alice")) == (None, None)
        assert logins.session(tx, "ben")
        assert apps.token(tx, "ben")

    await db.write(check)


async def test_a_session_runs_out_unless_it_is_used(db: Database, clock: Clock) -> None:
    alice = await db.write(logins.create, "alice", "hash")
    opened = session(alice.id, expires=clock.now + 1000)
    await db.write(logins.open_session, opened)
    assert await db.read(logins.session, "t") == opened
    clock.forward(ms=999)
    await db.write(logins.touch_session, "t", clock.now + 1000)
    clock.forward(ms=999)
    touched = await db.read(logins.session, "t")
    assert touched is not None
    assert (touched.seen, touched.expires) == (clock.now - 999, clock.now + 1)
    clock.forward(ms=1)
    assert await db.read(logins.session, "t") is None
    assert await db.write(logins.sweep_sessions) == 1
    with pytest.raises(Conflict):
        await db.write(logins.open_session, session(5))


async def test_a_session_acts_as_accounts_of_its_login_only(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ben = local(tx, "alice"), local(tx, "ben")
        second = accounts.create_local(tx, URLS, "second", [], login=alice.login)
        logins.open_session(tx, session(alice.login or 0, account=alice.id))

        def acts_as() -> int | None:
            found = logins.session(tx, "t")
            assert found is not None
            return found.account

        logins.act_as(tx, "t", second.id)
        assert acts_as() == second.id
        for foreign in (ben.id, 0):
            logins.act_as(tx, "t", foreign)
            assert acts_as() == second.id
        accounts.set_state(tx, alice.id, "deleted")
        logins.act_as(tx, "t", alice.id)
        assert acts_as() == second.id, "an account that is gone acts no more"
        logins.close_session(tx, "t")
        assert logins.session(tx, "t") is None

    await db.write(check)


async def test_a_login_that_was_shut_out_is_not_there(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = logins.create(tx, "alice", "hash")
        logins.open_session(tx, session(alice.id))
        tx.run("update login set disabled = 1")
        assert logins.by_name(tx, "alice") is None
        assert logins.get(tx, alice.id) is None
        assert logins.everyone(tx) == []
        assert logins.session(tx, "t") is None
        assert logins.password_hash(tx, "alice") is None
        with pytest.raises(Refused):
            logins.create(tx, "alice", "other")

    await db.write(check)


async def test_sessions_are_listed_and_ended_for_their_login_alone(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ben = logins.create(tx, "alice", "x"), logins.create(tx, "ben", "x")
        for token, login in (("a1", alice), ("a2", alice), ("a3", alice), ("b", ben)):
            logins.open_session(tx, session(login.id, token))
        logins.open_session(tx, session(alice.id, "over", expires=tx.now))
        assert {each.token for each in logins.sessions_of(tx, alice.id)} == {"a1", "a2", "a3"}
        assert (logins.end_session(tx, ben.id, "a1"), logins.end_session(tx, alice.id, "a1")) == (False, True)
        logins.end_other_sessions(tx, alice.id, "a3")
        assert [each.token for each in logins.sessions_of(tx, alice.id)] == ["a3"]
        assert [each.token for each in logins.sessions_of(tx, ben.id)] == ["b"]

    await db.write(check)
