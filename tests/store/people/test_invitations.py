"""Links that count so often and so long, and who was here last, on both engines."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.store.engine.database import Database
from fediblog.store.people import hosts, invitations, logins
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from tests.store.makers import DAY, local


async def test_a_link_counts_so_often(db: Database) -> None:
    def check(tx: Tx) -> None:
        invitations.add(tx, "hash", 2, tx.now + DAY)
        over = invitations.add(tx, "over", 2, tx.now)
        login = local(tx).login
        renews = invitations.add(tx, "renews", 1, tx.now + DAY, login)
        assert [each.uses for each in invitations.standing(tx)] == [2]
        used = [invitations.use(tx, "hash") for _ in range(3)]
        assert [each.uses if each else None for each in used] == [2, 1, None]
        assert invitations.use(tx, "over") is None
        assert invitations.find(tx, "hash") is None
        found = invitations.find(tx, "renews")
        assert found is not None
        assert found.login == login
        assert invitations.sweep(tx) == 2
        assert (invitations.revoke(tx, renews), invitations.revoke(tx, over)) == (True, False)

    await db.write(check)


async def test_a_login_was_last_here_when_a_session_was_used(db: Database) -> None:
    def check(tx: Tx) -> None:
        login = local(tx).login or 0
        assert (logins.last_seen(tx, []), logins.last_seen(tx, [login])) == ({}, {})
        begun = Session(
            token="t1", login=login, account=None, csrf="", created=1, seen=1, expires=tx.now + DAY, agent=""
        )
        logins.open_session(tx, begun)
        logins.open_session(tx, replace(begun, token="t2", seen=2))
        assert logins.last_seen(tx, [login, 5]) == {login: 2}

    await db.write(check)


async def test_a_host_is_due_at_once_when_somebody_asks(db: Database) -> None:
    def check(tx: Tx) -> None:
        hosts.remember_scheme(tx, "far.example", "cavage")
        tx.run("update host set next_try = :later, unavailable = :now, failures = 3", later=tx.now + DAY, now=tx.now)
        hosts.retry(tx, "far.example")
        [found] = hosts.troubled_hosts(tx)
        assert (found.next_try, found.unavailable) == (tx.now, None)

    await db.write(check)
