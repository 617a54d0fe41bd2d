"""What a login asks for beside its password, and log-ins that are half done. Tokens and recovery codes come hashed.

There is a second step as soon as there is an authenticator app or a passkey; recovery codes stand for either.
"""

from __future__ import annotations

from msgspec import Struct

from fediblog.domain.accounts import Login
from fediblog.store.people import logins, passkeys
from fediblog.store.tx import Tx


class Authenticator(Struct, frozen=True, kw_only=True):
    """The authenticator app of a login; `step` is the number of the last code that was used."""

    nonce: str
    step: int


class HalfLogin(Struct, frozen=True, kw_only=True):
    """A log-in with the right password, and what that was told from others by (`logins.mark_of`)."""

    login: Login
    mark: str


def is_on(tx: Tx, login: int) -> bool:
    """Whether the password alone does not let anybody in."""
    sql = (
        "select 1 as yes from login where id = :id and (exists (select 1 from authenticator where login = :id)"
        " or exists (select 1 from passkey where login = :id))"
    )
    return tx.one(sql, id=login) is not None


def authenticator(tx: Tx, login: int) -> Authenticator | None:
    """The authenticator app of a login."""
    row = tx.one("select nonce, step from authenticator where login = :id", id=login)
    return Authenticator(**row._asdict()) if row else None


def put_authenticator(tx: Tx, login: int, nonce: str, step: int) -> None:
    """Ask for codes of this app from now on; `step` is the number of the code that proved it."""
    tx.run("delete from authenticator where login = :id", id=login)
    tx.run(
        "insert into authenticator (login, nonce, step) values (:id, :nonce, :step)", id=login, nonce=nonce, step=step
    )


def drop_authenticator(tx: Tx, login: int) -> bool:
    """Ask for no codes any more; False if none were asked for. Recovery codes end with the last second step."""
    dropped = tx.run("delete from authenticator where login = :id", id=login) > 0
    _void_codes(tx, login)
    return dropped


def drop_passkey(tx: Tx, login: int, number: int) -> bool:
    """Forget a passkey of the login; False if it has none such. Recovery codes end with the last second step."""
    dropped = passkeys.remove(tx, login, number)
    _void_codes(tx, login)
    return dropped


def _void_codes(tx: Tx, login: int) -> None:
    if not is_on(tx, login):
        put_recovery_codes(tx, login, [])


def use_step(tx: Tx, login: int, step: int) -> bool:
    """Use the code of that number; False if it, or a later one, has been used."""
    return tx.run("update authenticator set step = :step where login = :id and step < :step", step=step, id=login) > 0


def put_recovery_codes(tx: Tx, login: int, hashes: list[str]) -> None:
    """The recovery codes of a login; those of before are void."""
    tx.run("delete from recovery_code where login = :id", id=login)
    tx.many(
        "insert into recovery_code (login, code) values (:login, :code)",
        [{"login": login, "code": each} for each in hashes],
    )


def use_recovery_code(tx: Tx, login: int, code: str) -> bool:
    """Use up the recovery code of that hash; False if there is none such."""
    return tx.run("delete from recovery_code where login = :id and code = :code", id=login, code=code) > 0


def recovery_codes_left(tx: Tx, login: int) -> int:
    """How many recovery codes have not been used."""
    row = tx.one("select count(*) as total from recovery_code where login = :id", id=login)
    return int(row.total) if row else 0


def switch_off(tx: Tx, login: int) -> None:
    """Let the password alone be enough again."""
    passkeys.remove_all(tx, login)
    drop_authenticator(tx, login)
    tx.run("delete from half_login where login = :id", id=login)


def begin_half(tx: Tx, token: str, login: Login, mark: str, expires: int) -> None:
    """Remember that the password was right, under the hash of a token."""
    tx.run(
        "insert into half_login (token, login, mark, expires) values (:token, :login, :mark, :expires)",
        token=token,
        login=login.id,
        mark=mark,
        expires=expires,
    )


def half(tx: Tx, token: str) -> HalfLogin | None:
    """The log-in under that hash, unless its time is over or the login has another password or is disabled."""
    row = tx.one("select login, mark from half_login where token = :token and expires > :now", token=token, now=tx.now)
    login = logins.get(tx, row.login) if row else None
    return HalfLogin(login=login, mark=login.mark) if row and login and login.mark == row.mark else None


def end_half(tx: Tx, token: str) -> None:
    """The log-in is done, or given up."""
    tx.run("delete from half_login where token = :token", token=token)


def sweep(tx: Tx) -> int:
    """Forget log-ins that nobody finished, and what no passkey has signed."""
    return tx.run("delete from half_login where expires <= :now", now=tx.now) + passkeys.sweep(tx)
