"""What our people are writing, as it was typed last: kept beside the post until that is saved, or it is thrown away."""

from __future__ import annotations

import msgspec

from fediblog.store.tx import Row, Tx

MOST = 20  # of one account; of more the oldest go
KEPT = 30 * 86_400_000  # ms after the last change

Fields = list[tuple[str, str]]
"""(name, value) of a form, as it was sent."""


class Autosave(msgspec.Struct, frozen=True, kw_only=True):
    """What stood on one page on which somebody writes; `words` are its title, or what it begins with."""

    mark: str
    about: str  # "new", or what it does to which post: "edit 5", "reply 5", "quote 5"
    words: str
    fields: str  # JSON
    changed: int  # ms

    @property
    def form(self) -> Fields:
        """The fields of the form."""
        return msgspec.json.decode(self.fields, type=Fields)

    @property
    def path(self) -> str:
        """The page on which it goes on."""
        kind, _, number = self.about.partition(" ")
        return f"/write/{number if kind == 'edit' else ''}".rstrip("/") + f"?kept={self.mark}"


def put(tx: Tx, account: int, kept: Autosave) -> None:
    """Store it in place of what was there of the same page."""
    tx.run(
        "insert into autosave (account, mark, about, words, fields, changed)"
        " values (:account, :mark, :about, :words, :fields, :now) on conflict (account, mark) do update set"
        " about = excluded.about, words = excluded.words, fields = excluded.fields, changed = excluded.changed",
        account=account,
        mark=kept.mark,
        about=kept.about,
        words=kept.words,
        fields=kept.fields,
        now=tx.now,
    )
    tx.run(
        "delete from autosave where account = :account and mark not in"
        " (select mark from autosave where account = :account order by changed desc limit :most)",
        account=account,
        most=MOST,
    )


def get(tx: Tx, account: int, mark: str) -> Autosave | None:
    """What the account kept of that page."""
    row = tx.one(f"{_SELECT} where account = :account and mark = :mark", account=account, mark=mark)
    return _autosave(row) if row else None


def newest(tx: Tx, account: int, about: str, *, since: int = 0, but: str = "") -> Autosave | None:
    """The newest about the same thing that was kept after a time (ms), but for that of one page."""
    row = tx.one(
        f"{_SELECT} where account = :account and about = :about and changed > :since and mark <> :but"
        " order by changed desc limit 1",
        account=account,
        about=about,
        since=since,
        but=but,
    )
    return _autosave(row) if row else None


def listed(tx: Tx, account: int) -> list[Autosave]:
    """All of the account, without their fields, the newest first."""
    rows = tx.all(
        "select mark, about, words, '' as fields, changed from autosave where account = :account order by changed desc",
        account=account,
    )
    return [_autosave(row) for row in rows]


def drop(tx: Tx, account: int, mark: str) -> None:
    """It has been saved, or is not wanted."""
    tx.run("delete from autosave where account = :account and mark = :mark", account=account, mark=mark)


def drop_all(tx: Tx, account: int) -> None:
    """Whose they are is gone."""
    tx.run("delete from autosave where account = :account", account=account)


def sweep(tx: Tx) -> int:
    """Forget what nobody has gone on with; returns how many."""
    return tx.run("delete from autosave where changed < :old", old=tx.now - KEPT)


_SELECT = "select mark, about, words, fields, changed from autosave"


def _autosave(row: Row) -> Autosave:
    return Autosave(**row._asdict())
