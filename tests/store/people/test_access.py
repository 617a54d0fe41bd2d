"""Who may act as an account: its owner, and those it was given to, until it is taken from them."""

from __future__ import annotations

import pytest

from fediblog.actions import oauth_grants
from fediblog.domain.accounts import AccountRole
from fediblog.errors import Forbidden
from fediblog.store.engine.database import Database
from fediblog.store.people import access, accounts, apps, logins
from fediblog.store.people.apps import App, Code
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from tests.store.makers import local

APP = App(id=1, client="c", secret="", name="App", website="", redirects=("a:b",), scopes=("read",), created=0)
ASKED = oauth_grants.AuthorizationRequest(app=APP, scopes=("read",), redirect="a:b", state="", challenge="")


def _lets_in(tx: Tx, login: int, account: int, name: str) -> int:
    """A session and a token of that login for that account; the number of the token."""
    logins.open_session(
        tx,
        Session(
            token=name, login=login, account=account, csrf="", created=1, seen=1, expires=tx.now + 1000, agent="Firefox"
        ),
    )
    return apps.add_token(tx, name, ("read",), login=login, account=account)


def _code(tx: Tx, login: int, account: int) -> None:
    app = apps.add_app(tx, client="c", secret="", name="App", website="", redirects=["a:b"], scopes=["read"])
    found = Code(app=app, login=login, account=account, scopes=("read",), redirect="a:b", challenge="", expires=1)
    apps.add_code(tx, f"code-{account}", found)


async def test_an_account_has_one_owner_who_is_its_login(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ben = local(tx, "alice"), local(tx, "ben")
        assert alice.login is not None
        assert ben.login is not None
        assert access.role_of(tx, alice.login, alice.id) is AccountRole.OWNER
        assert access.role_of(tx, ben.login, alice.id) is None
        assert not access.take(tx, alice.login, alice.id), "nobody would own it"
        access.give(tx, alice.login, alice.id, AccountRole.EDITOR)
        assert access.role_of(tx, alice.login, alice.id) is AccountRole.OWNER
        _lets_in(tx, alice.login, alice.id, "t")
        access.give(tx, ben.login, alice.id, AccountRole.EDITOR)
        access.give(tx, ben.login, alice.id, AccountRole.OWNER)
        now = accounts.get(tx, alice.id)
        assert now is not None
        assert now.login == ben.login
        assert logins.accounts_of(tx, alice.login) == []
        assert logins.accounts_of(tx, ben.login) == [now, ben]
        assert (logins.session(tx, "t"), apps.token(tx, "t")) == (None, None)

    await db.write(check)


@pytest.mark.parametrize("role", [AccountRole.EDITOR, AccountRole.CONTRIBUTOR])
async def test_what_is_taken_ends_sessions_tokens_and_codes_for_that_account_alone(
    db: Database, role: AccountRole
) -> None:
    def check(tx: Tx) -> None:
        team, ben = local(tx, "team"), local(tx, "ben")
        login, owner = ben.login or 0, team.login or 0
        with pytest.raises(Forbidden):
            oauth_grants.grant(tx, ASKED, login, team.id)
        access.give(tx, login, team.id, role)
        assert [each.handle for each in logins.accounts_of(tx, login)] == ["team", "ben"]
        _lets_in(tx, login, team.id, "team")
        _lets_in(tx, login, ben.id, "ben")
        _lets_in(tx, owner, team.id, "owner")
        _code(tx, login, team.id)
        token = apps.token(tx, "team")
        assert token is not None
        assert token.role is role
        assert access.take(tx, login, team.id)
        assert not access.take(tx, login, team.id)
        assert [bool(logins.session(tx, name)) for name in ("team", "ben", "owner")] == [False, True, True]
        assert [bool(apps.token(tx, name)) for name in ("team", "ben", "owner")] == [False, True, True]
        assert apps.code(tx, f"code-{team.id}") is None
        with pytest.raises(Forbidden):
            oauth_grants.grant(tx, ASKED, login, team.id)
        logins.act_as(tx, "ben", team.id)
        session = logins.session(tx, "ben")
        assert session is not None
        assert session.account == ben.id
        assert [each.handle for each in logins.accounts_of(tx, login)] == ["ben"]

    await db.write(check)


async def test_a_token_without_access_is_none(db: Database) -> None:
    """Whoever wrote it: what it stands for is asked each time."""

    def check(tx: Tx) -> None:
        alice, ben = local(tx, "alice"), local(tx, "ben")
        number = _lets_in(tx, ben.login or 0, alice.id, "t")
        assert apps.token(tx, "t") is None
        assert apps.token_by_id(tx, number) is None
        assert apps.tokens_of(tx, ben.login or 0) == []

    await db.write(check)
