"""Links by which somebody gets a login here, or another password for one. Tokens come hashed."""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Row, Tx


class Invitation(Struct, frozen=True, kw_only=True):
    """One link: for a new login, or for a new password of `login`. `uses` are those left, times UTC milliseconds."""

    id: int
    login: int | None
    uses: int
    created: int
    expires: int


def add(tx: Tx, token: str, uses: int, expires: int, login: int | None = None) -> int:
    """A new link, under the hash of its token; returns its number."""
    number = tx.new_id()
    tx.run(
        "insert into invitation (id, token, login, uses, created, expires)"
        " values (:id, :token, :login, :uses, :now, :expires)",
        id=number,
        token=token,
        login=login,
        uses=uses,
        now=tx.now,
        expires=expires,
    )
    return number


def find(tx: Tx, token: str) -> Invitation | None:
    """The link of that token, if it still counts."""
    row = tx.one(
        "select id, login, uses, created, expires from invitation where token = :token and uses > 0 and expires > :now",
        token=token,
        now=tx.now,
    )
    return _invitation(row) if row else None


def use(tx: Tx, token: str) -> Invitation | None:
    """Use the link once; None if it does not count any more. Of two who use the last at once, one gets it."""
    found = find(tx, token)
    sql = "update invitation set uses = uses - 1 where token = :token and uses > 0 and expires > :now"
    return found if found is not None and tx.run(sql, token=token, now=tx.now) else None


def standing(tx: Tx, limit: int = 100) -> list[Invitation]:
    """The links for new logins that still count, newest first."""
    rows = tx.all(
        "select id, login, uses, created, expires from invitation"
        " where login is null and uses > 0 and expires > :now order by id desc limit :n",
        now=tx.now,
        n=limit,
    )
    return [_invitation(row) for row in rows]


def revoke(tx: Tx, number: int) -> bool:
    """Let the link count no more; False if there is none."""
    return tx.run("delete from invitation where id = :id", id=number) > 0


def sweep(tx: Tx) -> int:
    """Forget links that do not count any more."""
    return tx.run("delete from invitation where uses <= 0 or expires <= :now", now=tx.now)


def _invitation(row: Row) -> Invitation:
    return Invitation(**row._asdict())
