"""Logins and their sessions. Passwords and tokens come hashed; this floor never sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from zlib import crc32

from msgspec import Struct

from fediblog.domain.accounts import Account, Login
from fediblog.errors import Refused
from fediblog.store.people import accounts, apps
from fediblog.store.tx import Row, Tx


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in browser; `account` is the one it acts as. Times in UTC milliseconds.

    `news` is the User-Agent of another that has logged in for the first time, until this one has looked.
    """

    token: str
    login: int
    account: int | None
    csrf: str
    created: int
    seen: int
    expires: int
    agent: str
    news: str = ""


def create(tx: Tx, name: str, password: str, role: str = "member") -> Login:
    """A new login; `password` is the hash. Refused if the name is taken."""
    if tx.one("select 1 as yes from login where name = :name", name=name.lower()):
        raise Refused("login-taken", name=name)
    number = tx.new_id()
    tx.run(
        "insert into login (id, name, password, role, created) values (:id, :name, :password, :role, :now)",
        id=number,
        name=name.lower(),
        password=password,
        role=role,
        now=tx.now,
    )
    return Login(id=number, name=name.lower(), role=role, created=tx.now, mark=mark_of(password))


def by_name(tx: Tx, name: str) -> Login | None:
    """The login of that name."""
    row = tx.one("select * from login where name = :name and disabled = 0", name=name.lower())
    return _login(row) if row else None


def get(tx: Tx, number: int) -> Login | None:
    """The login of that number."""
    row = tx.one("select * from login where id = :id and disabled = 0", id=number)
    return _login(row) if row else None


def everyone(tx: Tx) -> list[Login]:
    """All logins, oldest first."""
    return [_login(row) for row in tx.all("select * from login where disabled = 0 order by id")]


def accounts_of(tx: Tx, login: int) -> list[Account]:
    """The accounts that one login may act as, oldest first."""
    rows = tx.all(
        "select a.* from account_access w join account a on a.id = w.account where w.login = :login"
        " and a.state <> 'deleted' order by a.id",
        login=login,
    )
    return [accounts.from_row(row) for row in rows]


def password_hash(tx: Tx, name: str) -> str | None:
    """The stored hash, or None if there is no such login."""
    row = tx.one("select password from login where name = :name and disabled = 0", name=name.lower())
    return str(row.password) if row else None


def disabled(tx: Tx, name: str) -> tuple[int, str] | None:
    """The number and the stored hash of a login of that name that is kept out, or None if there is no such."""
    row = tx.one("select id, password from login where name = :name and disabled = 1", name=name.lower())
    return (int(row.id), str(row.password)) if row else None


def mark_of(password: str) -> str:
    """What a hash is told from others by, by those who may not have it."""
    return hashlib.sha256(password.encode()).hexdigest()


def some_hash(tx: Tx, name: str) -> str | None:
    """The stored hash of one login or another, always the same for a name: what is compared where nobody has it."""
    rows = tx.all("select password from login where disabled = 0 order by id")
    return str(rows[crc32(name.encode()) % len(rows)].password) if rows else None


def renew_hash(tx: Tx, login: int, old: str, new: str) -> bool:
    """Another hash of the same password; False if that has been changed meanwhile."""
    return tx.run("update login set password = :new where id = :id and password = :old", new=new, id=login, old=old) > 0


def set_password(tx: Tx, login: int, password: str) -> None:
    """The hash of another password. Somebody may have stolen more: sessions, tokens and links for another end."""
    tx.hold(login)  # what is just being opened or swapped ends as well
    tx.run("update login set password = :password where id = :id", password=password, id=login)
    _end_all(tx, login)


def set_language(tx: Tx, login: int, language: str) -> None:
    """In which language the pages are shown to it; '' for what the browser asks for."""
    tx.run("update login set language = :language where id = :id", language=language, id=login)


def language_of(tx: Tx, account: int) -> str:
    """The language of the login that owns an account, as `Login` has it."""
    row = tx.one(
        "select l.language from login l join account a on a.login = l.id where a.id = :account", account=account
    )
    return str(row.language) if row else ""


def set_disabled(tx: Tx, login: int, *, disabled: bool) -> None:
    """Let nobody in under a login any more, or let them in again; its sessions, tokens and links end."""
    tx.hold(login)
    tx.run("update login set disabled = :disabled where id = :id", disabled=disabled, id=login)
    if disabled:
        _end_all(tx, login)


def _end_all(tx: Tx, login: int) -> None:
    tx.run("delete from session where login = :id", id=login)
    tx.run("delete from invitation where login = :id", id=login)  # links for another password
    apps.revoke_all(tx, login)


def open_session(tx: Tx, session: Session) -> None:
    """Remember a session under the hash of its token."""
    tx.run(
        "insert into session (token, login, account, csrf, created, seen, expires, agent)"
        " values (:token, :login, :account, :csrf, :created, :seen, :expires, :agent)",
        token=session.token,
        login=session.login,
        account=session.account,
        csrf=session.csrf,
        created=session.created,
        seen=session.seen,
        expires=session.expires,
        agent=session.agent,
    )


def tell_of(tx: Tx, login: int, agent: str) -> None:
    """Let all sessions of the login know that this browser is about to log in for the first time."""
    tx.run("update session set news = :agent where login = :id", agent=agent, id=login)


def heard(tx: Tx, token: str) -> None:
    """The session has looked at who has logged in."""
    tx.run("update session set news = '' where token = :token", token=token)


def session(tx: Tx, token: str) -> Session | None:
    """The session under that hash, if it still runs."""
    row = tx.one(
        "select s.* from session s join login l on l.id = s.login where s.token = :token and s.expires > :now"
        " and l.disabled = 0",
        token=token,
        now=tx.now,
    )
    return Session(**row._asdict()) if row else None


def touch_session(tx: Tx, token: str, expires: int) -> None:
    """It was used just now."""
    tx.run("update session set seen = :now, expires = :expires where token = :t", now=tx.now, expires=expires, t=token)


def act_as(tx: Tx, token: str, account: int) -> None:
    """Let the session act as another account that its login may act as."""
    tx.run(
        "update session set account = :account where token = :token and login in (select w.login from account_access w"
        " join account a on a.id = w.account where w.account = :account and a.state <> 'deleted')",
        account=account,
        token=token,
    )


def close_session(tx: Tx, token: str) -> None:
    """Sign out."""
    tx.run("delete from session where token = :token", token=token)


def sessions_of(tx: Tx, login: int) -> list[Session]:
    """All sessions of a login that still run, the one used last first."""
    rows = tx.all("select * from session where login = :id and expires > :now order by seen desc", id=login, now=tx.now)
    return [Session(**row._asdict()) for row in rows]


def last_seen(tx: Tx, numbers: Collection[int]) -> dict[int, int]:
    """When each of these logins was last here in a browser (ms); those are left out of which no session runs."""
    rows = (
        tx.all("select login, max(seen) as seen from session where login in (:ids) group by login", ids=sorted(numbers))
        if numbers
        else ()
    )
    return {row.login: row.seen for row in rows}


def end_session(tx: Tx, login: int, token: str) -> bool:
    """End one session of a login, by the hash of its token; False if the login has none such."""
    return tx.run("delete from session where token = :token and login = :id", token=token, id=login) > 0


def end_other_sessions(tx: Tx, login: int, token: str) -> None:
    """End all sessions of a login but the one under that hash."""
    tx.run("delete from session where login = :id and token <> :token", id=login, token=token)


def sweep_sessions(tx: Tx) -> int:
    """Forget sessions that ran out."""
    return tx.run("delete from session where expires <= :now", now=tx.now)


def _login(row: Row) -> Login:
    return Login(
        id=row.id,
        name=row.name,
        role=row.role,
        created=row.created,
        mark=mark_of(row.password),
        language=row.language,
    )
