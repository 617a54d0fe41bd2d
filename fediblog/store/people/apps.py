"""Programs that act for our people: who they are, the codes they swap for tokens, and the tokens, all as hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from fediblog.domain.accounts import AccountRole
from fediblog.store.tx import Row, Tx

TOKENS = "tokens"
"""The channel that is notified when a token was revoked or narrowed, so that open streams look again."""

UNUSED_APP = 30 * 86_400_000  # ms after which an app without a token is forgotten; apps register anew
_USED_AFTER = 3_600_000  # ms: the last use is written down once an hour


def digest(secret: str) -> str:
    """What the database knows a secret by. They are long and random, so that a plain hash will do."""
    return hashlib.sha256(secret.encode()).hexdigest()


class App(Struct, frozen=True, kw_only=True):
    """A program that registered here. `redirects` are the addresses that it may send people back to."""

    id: int
    client: str
    secret: str  # hash
    name: str
    website: str
    redirects: tuple[str, ...]
    scopes: tuple[str, ...]
    created: int


class Code(Struct, frozen=True, kw_only=True):
    """An authorisation that waits to be swapped for a token (RFC 6749 §4.1.2)."""

    app: int
    login: int
    account: int
    scopes: tuple[str, ...]
    redirect: str
    challenge: str  # S256 (RFC 7636), or nothing
    expires: int
    used: int | None = None


class AccessToken(Struct, frozen=True, kw_only=True):
    """What a bearer token stands for. Without an account it is an app's own (client credentials)."""

    id: int
    app: int | None
    login: int | None
    account: int | None
    scopes: tuple[str, ...]
    created: int
    used: int | None = None
    name: str = ""  # of one made by hand
    app_name: str = ""
    app_website: str = ""
    role: AccountRole | None = None  # as what its login may act as the account


def add_app(
    tx: Tx, *, client: str, secret: str, name: str, website: str, redirects: Sequence[str], scopes: Sequence[str]
) -> int:
    """Store a registration; `secret` is the hash. Returns its number."""
    number = tx.new_id()
    tx.run(
        "insert into app (id, client, secret, name, website, redirects, scopes, created)"
        " values (:id, :client, :secret, :name, :website, :redirects, :scopes, :now)",
        id=number,
        client=client,
        secret=secret,
        name=name,
        website=website,
        redirects="\n".join(redirects),
        scopes=" ".join(scopes),
        now=tx.now,
    )
    return number


def app(tx: Tx, number: int) -> App | None:
    """The app of that number."""
    row = tx.one("select * from app where id = :id", id=number)
    return _app(row) if row else None


def app_by_client(tx: Tx, client: str) -> App | None:
    """The app that calls itself by that client_id."""
    row = tx.one("select * from app where client = :client", client=client)
    return _app(row) if row else None


def add_code(tx: Tx, code: str, what: Code) -> None:
    """Store a code by its hash."""
    tx.run(
        "insert into app_code (code, app, login, account, scopes, redirect, challenge, expires)"
        " values (:code, :app, :login, :account, :scopes, :redirect, :challenge, :expires)",
        code=code,
        app=what.app,
        login=what.login,
        account=what.account,
        scopes=" ".join(what.scopes),
        redirect=what.redirect,
        challenge=what.challenge,
        expires=what.expires,
    )


def code(tx: Tx, code: str) -> Code | None:
    """What the code of that hash stands for, used or not."""
    row = tx.one("select * from app_code where code = :code", code=code)
    if row is None:
        return None
    return Code(
        app=row.app,
        login=row.login,
        account=row.account,
        scopes=tuple(row.scopes.split()),
        redirect=row.redirect,
        challenge=row.challenge,
        expires=row.expires,
        used=row.used,
    )


def use_code(tx: Tx, code: str) -> bool:
    """Mark a code as used; False if somebody was faster."""
    return tx.run("update app_code set used = :now where code = :code and used is null", code=code, now=tx.now) > 0


def revoke_code(tx: Tx, code: str) -> None:
    """Take back what a code was swapped for: it was used twice, so somebody has stolen it (RFC 6749 §10.5)."""
    tx.run("delete from token where code = :code", code=code)
    tx.notify(TOKENS)


def add_token(
    tx: Tx,
    token: str,
    scopes: Sequence[str],
    *,
    app: int | None = None,
    login: int | None = None,
    account: int | None = None,
    code: str | None = None,
    name: str = "",
) -> int:
    """Store a token by its hash; returns its number."""
    number = tx.new_id()
    tx.run(
        "insert into token (id, token, app, login, account, code, name, scopes, created)"
        " values (:id, :token, :app, :login, :account, :code, :name, :scopes, :now)",
        id=number,
        token=token,
        app=app,
        login=login,
        account=account,
        code=code,
        name=name,
        scopes=" ".join(scopes),
        now=tx.now,
    )
    return number


_GOOD = (
    "select t.*, coalesce(p.name, '') as app_name, coalesce(p.website, '') as app_website, w.role from token t"
    " left join app p on p.id = t.app left join account a on a.id = t.account left join login l on l.id = t.login"
    " left join account_access w on w.login = t.login and w.account = t.account"
    " where (t.account is null or (a.state = 'active' and w.role is not null and l.disabled = 0))"
)


def token(tx: Tx, token: str) -> AccessToken | None:
    """What the token of that hash stands for. One whose account is gone, or not its login's to use, is none."""
    row = tx.one(f"{_GOOD} and t.token = :token", token=token)
    return _token(row) if row else None


def token_by_id(tx: Tx, number: int) -> AccessToken | None:
    """The token of that number, as long as it is good."""
    row = tx.one(f"{_GOOD} and t.id = :id", id=number)
    return _token(row) if row else None


def tokens_of(tx: Tx, login: int) -> list[AccessToken]:
    """Every token of a login, the latest first."""
    return [_token(row) for row in tx.all(f"{_GOOD} and t.login = :login order by t.id desc", login=login)]


def touch(tx: Tx, token: AccessToken) -> None:
    """Note the last use."""
    tx.run("update token set used = :now where id = :id", id=token.id, now=tx.now)


def needs_touch(token: AccessToken, now: int) -> bool:
    """Whether the last use that is written down is old enough to be written anew."""
    return token.used is None or now - token.used > _USED_AFTER


def revoke(tx: Tx, number: int, login: int | None = None) -> bool:
    """Take a token back; of that login alone, if one is given. False if there was none."""
    gone = tx.run(
        "delete from token where id = :id and (:any = 1 or login = :login)",
        id=number,
        any=login is None,
        login=login or 0,
    )
    tx.notify(TOKENS)
    return gone > 0


def thin(tx: Tx, app: int, most: int) -> None:
    """Keep the latest tokens of an app's own, so many of them."""
    tx.run(
        "delete from token where app = :app and account is null and id not in"
        " (select id from token where app = :app and account is null order by id desc limit :most)",
        app=app,
        most=most,
    )


def revoke_all(tx: Tx, login: int, account: int | None = None) -> None:
    """Take back every token of a login, or those for one account, also such as wait to be fetched."""
    which = {"login": login, "every": account is None, "account": account or 0}
    tx.run("delete from token where login = :login and (:every = 1 or account = :account)", **which)
    tx.run("delete from app_code where login = :login and (:every = 1 or account = :account)", **which)
    tx.notify(TOKENS)


def sweep(tx: Tx) -> int:
    """Forget codes that have run out, tokens that stand for nobody, and apps that nobody has used for long."""
    gone = tx.run("delete from app_code where expires < :old", old=tx.now - 86_400_000)
    gone += tx.run(
        "delete from token where app is not null and account is null and created < :old and coalesce(used, 0) < :old",
        old=tx.now - UNUSED_APP,
    )
    return gone + tx.run(
        "delete from app where created < :old and not exists (select 1 from token t where t.app = app.id)",
        old=tx.now - UNUSED_APP,
    )


def _app(row: Row) -> App:
    return App(
        id=row.id,
        client=row.client,
        secret=row.secret,
        name=row.name,
        website=row.website,
        redirects=tuple(row.redirects.split("\n")),
        scopes=tuple(row.scopes.split()),
        created=row.created,
    )


def _token(row: Row) -> AccessToken:
    return AccessToken(
        id=row.id,
        app=row.app,
        login=row.login,
        account=row.account,
        scopes=tuple(row.scopes.split()),
        created=row.created,
        used=row.used,
        name=row.name,
        app_name=row.app_name,
        app_website=row.app_website,
        role=AccountRole(row.role) if row.role else None,
    )
