"""Accounts as those who look after the server see them: with who may sign in, and in every state."""

from __future__ import annotations

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.protocol.authority import compared_host
from fediblog.store.id_paging import NEWEST, OLDEST, Window
from fediblog.store.people import accounts
from fediblog.store.tx import Row, Tx

_COLUMNS = "a.*, l.role as login_role, l.disabled as login_disabled from account a left join login l on l.id = a.login"
_FIND = (
    f"select {_COLUMNS} where (:local = '' or (:local = 'local') = (a.local = 1)) and (:state = '' or a.state = :state)"
    " and a.state <> 'deleted' and (a.local = 0 or a.login is not null) and (:role = '' or l.role = :role)"
    " and (:disabled = 0 or l.disabled = 1) and (:limited = 0 or a.limited <> 0)"
    " and a.handle_key like :handle escape '!'"
    " and (:name = '%' or lower(a.name) like :name escape '!') and (:domain = '' or a.domain = :domain)"
    " and a.id < :before and a.id > :after order by a.id"
)
_FOUND = (f"{_FIND} {NEWEST} limit :n", f"{_FIND} {OLDEST} limit :n")


class Member(Struct, frozen=True, kw_only=True):
    """An account; if it is one of ours, with the role of its login, and whether that is kept out."""

    account: Account
    role: str = ""
    disabled: bool = False


class AccountFilter(Struct, frozen=True, kw_only=True):
    """Which accounts are asked for: `origin` is local or remote, the rest as it is stored; empty is any."""

    origin: str = ""
    state: str = ""
    role: str = ""
    disabled: bool = False
    limited: bool = False
    handle: str = ""
    name: str = ""
    domain: str = ""


def find(tx: Tx, wanted: AccountFilter, window: Window) -> list[Member]:
    """A page of accounts, those first that this server got to know last."""
    rows = tx.all(
        _FOUND[window.upwards],
        local=wanted.origin,
        state=wanted.state,
        role=wanted.role,
        disabled=wanted.disabled,
        limited=wanted.limited,
        handle=_escaped(wanted.handle.lower()) + "%",
        name="%" + _escaped(wanted.name.lower()) + "%" if wanted.name else "%",
        domain=compared_host(wanted.domain) if wanted.domain else "",
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return window.turned([_member(row) for row in rows])


def many(tx: Tx, numbers: set[int]) -> dict[int, Member]:
    """The accounts of these numbers."""
    rows = tx.all(f"select {_COLUMNS} where a.id in (:ids)", ids=sorted(numbers))
    return {row.id: _member(row) for row in rows}


def posts_named(tx: Tx, uris: set[str]) -> dict[str, int]:
    """Numbers of the posts with these ids that are still there."""
    rows = tx.all("select id, uri from post where uri in (:uris) and state = 'published'", uris=sorted(uris))
    return {row.uri: row.id for row in rows}


def set_limited(tx: Tx, account: int, *, limited: bool) -> None:
    """Limit an account, or do so no more; what stands about its server stays."""
    tx.run(
        "update account set limited = limited - limited % 2 + :limited, changed = :now where id = :id",
        limited=int(limited),
        now=tx.now,
        id=account,
    )


def _member(row: Row) -> Member:
    return Member(account=accounts.from_row(row), role=row.login_role or "", disabled=bool(row.login_disabled or 0))


def _escaped(words: str) -> str:
    return words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
