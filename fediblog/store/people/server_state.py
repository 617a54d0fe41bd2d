"""A few facts about the server itself that must outlive a restart: its origin, the set-up link's hash."""

from __future__ import annotations

from fediblog.store.tx import Tx


def get(tx: Tx, name: str) -> str | None:
    """The value noted under that name."""
    row = tx.one("select value from setting where name = :name", name=name)
    return str(row.value) if row else None


def put(tx: Tx, name: str, value: str) -> None:
    """Note a value, in place of an earlier one."""
    tx.run(
        "insert into setting (name, value) values (:name, :value)"
        " on conflict (name) do update set value = excluded.value",
        name=name,
        value=value,
    )


def drop(tx: Tx, name: str) -> bool:
    """Forget a value; False if there was none. Of two who try at once, one is told True."""
    return tx.run("delete from setting where name = :name", name=name) > 0


def usage(tx: Tx) -> dict[str, int]:
    """Numbers for nodeinfo: people, those active in a month and half a year, local posts and comments."""
    month, half = tx.now - 30 * 86_400_000, tx.now - 180 * 86_400_000
    row = tx.one(
        "select (select count(*) from account where local = 1 and login is not null and state = 'active') as people,"
        " (select count(distinct account) from post where local = 1 and state = 'published' and published > :month)"
        " as month,"
        " (select count(distinct account) from post where local = 1 and state = 'published' and published > :half)"
        " as half,"
        " (select count(*) from post where local = 1 and state = 'published' and in_reply_to = '') as posts,"
        " (select count(*) from post where local = 1 and state = 'published' and in_reply_to <> '') as comments",
        month=month,
        half=half,
    )
    return dict(row._asdict()) if row else {}
