"""The passkeys of logins, and what they are asked to sign. Tokens come hashed."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Tx

MOST = 20  # of one login


class Passkey(Struct, frozen=True, kw_only=True):
    """A passkey: `credential` and `data` in base64url, times in UTC milliseconds."""

    id: int
    login: int
    credential: str
    data: str
    signs: int
    name: str
    created: int
    used: int | None


def of_login(tx: Tx, login: int) -> list[Passkey]:
    """The passkeys of a login, oldest first."""
    rows = tx.all("select * from passkey where login = :id order by id", id=login)
    return [Passkey(**row._asdict()) for row in rows]


def by_credential(tx: Tx, credential: str) -> Passkey | None:
    """The passkey that a browser names so."""
    row = tx.one("select * from passkey where credential = :credential", credential=credential)
    return Passkey(**row._asdict()) if row else None


def add(tx: Tx, login: int, credential: str, data: str, signs: int, name: str) -> bool:
    """Store a new passkey of a held login; False if it is there already, or the login has as many as it may."""
    if by_credential(tx, credential) is not None or len(of_login(tx, login)) >= MOST:
        return False
    tx.run(
        "insert into passkey (id, login, credential, data, signs, name, created)"
        " values (:id, :login, :credential, :data, :signs, :name, :now)",
        id=tx.new_id(),
        login=login,
        credential=credential,
        data=data,
        signs=signs,
        name=name,
        now=tx.now,
    )
    return True


def rename(tx: Tx, login: int, number: int, name: str) -> bool:
    """Call a passkey of the login otherwise; False if it has none such."""
    sql = "update passkey set name = :name where id = :number and login = :login"
    return tx.run(sql, name=name, number=number, login=login) > 0


def remove(tx: Tx, login: int, number: int) -> bool:
    """Forget a passkey of the login; False if it has none such."""
    return tx.run("delete from passkey where id = :number and login = :login", number=number, login=login) > 0


def remove_all(tx: Tx, login: int) -> None:
    """Forget all passkeys of the login."""
    tx.run("delete from passkey where login = :login", login=login)


def use(tx: Tx, number: int, before: int, signs: int) -> bool:
    """It has signed, and counts so many signatures now; False if another of its signatures came in between."""
    sql = "update passkey set signs = :signs, used = :now where id = :number and signs = :before"
    return tx.run(sql, signs=signs, now=tx.now, number=number, before=before) > 0


def put_challenge(tx: Tx, token: str, challenge: str, expires: int) -> None:
    """Remember what is to be signed, in place of what was before."""
    take_challenge(tx, token)
    tx.run(
        "insert into passkey_challenge (token, challenge, expires) values (:token, :challenge, :expires)",
        token=token,
        challenge=challenge,
        expires=expires,
    )


def is_asked(tx: Tx, token: str) -> bool:
    """Whether there is anything to be signed."""
    return tx.one("select 1 as yes from passkey_challenge where token = :token", token=token) is not None


def take_challenge(tx: Tx, token: str) -> str:
    """What was to be signed: once, and '' where there is nothing, or its time is over."""
    row = tx.one("select challenge, expires from passkey_challenge where token = :token", token=token)
    tx.run("delete from passkey_challenge where token = :token", token=token)
    return str(row.challenge) if row and row.expires > tx.now else ""


def sweep(tx: Tx) -> int:
    """Forget what nobody has signed."""
    return tx.run("delete from passkey_challenge where expires <= :now", now=tx.now)
