"""Which logins may act as which accounts of ours, and as what. Nobody else decides that, and nobody else writes it."""

from __future__ import annotations

from fediblog.domain.accounts import AccountRole
from fediblog.store.people import apps
from fediblog.store.tx import Tx


def give(tx: Tx, login: int, account: int, role: AccountRole) -> None:
    """Let a login act as one of our accounts. A new owner takes the place of the last, whose access ends."""
    if role is AccountRole.OWNER:
        row = tx.one("select login from account where id = :account", account=account)
        if row is not None and row.login not in (None, login):
            _end(tx, row.login, account)
        tx.run("update account set login = :login where id = :account and local = 1", login=login, account=account)
    tx.run(
        "insert into account_access (login, account, role, created) values (:login, :account, :role, :now)"
        " on conflict (login, account) do update set role = excluded.role where account_access.role <> 'owner'",
        login=login,
        account=account,
        role=role,
        now=tx.now,
    )


def take(tx: Tx, login: int, account: int) -> bool:
    """Let a login act as the account no more: its sessions and tokens for that end. False for who owns it, or has none.

    An account has an owner always; `give` makes another one.
    """
    tx.hold(login)  # what is just being opened or swapped ends as well
    if role_of(tx, login, account) in (None, AccountRole.OWNER):
        return False
    _end(tx, login, account)
    return True


def _end(tx: Tx, login: int, account: int) -> None:
    tx.run("delete from account_access where login = :login and account = :account", login=login, account=account)
    tx.run("delete from session where login = :login and account = :account", login=login, account=account)
    apps.revoke_all(tx, login, account)


def role_of(tx: Tx, login: int, account: int) -> AccountRole | None:
    """As what the login may act as the account; None: it may not."""
    row = tx.one(
        "select role from account_access where login = :login and account = :account", login=login, account=account
    )
    return AccountRole(row.role) if row else None
