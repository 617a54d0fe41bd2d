"""Filters: words and posts that one of our accounts would rather not see, by its own rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from fediblog.store.tx import Row, Tx

MOST = 200  # filters of one account
MOST_KEYWORDS = 500  # of one filter
CONTEXTS = ("home", "notifications", "public", "thread", "account")


class Keyword(Struct, frozen=True, kw_only=True):
    """A word or words; `whole_word` says that no letter may stand beside them."""

    id: int
    keyword: str
    whole_word: bool


class Filter(Struct, frozen=True, kw_only=True):
    """One filter; `action` is warn, hide or blur, `expires` UTC ms. `posts` are (number of the entry, of the post)."""

    id: int
    title: str
    contexts: tuple[str, ...]
    action: str
    expires: int | None
    keywords: tuple[Keyword, ...] = ()
    posts: tuple[tuple[int, int], ...] = ()


def of_account(tx: Tx, account: int, *, active: bool = False) -> list[Filter]:
    """The filters of an account, oldest first; with `active` without those that have run out."""
    rows = tx.all(
        "select * from word_filter where account = :account and (:active = 0 or expires is null or expires > :now)"
        " order by id limit :n",
        account=account,
        active=active,
        now=tx.now,
        n=MOST,
    )
    return _whole(tx, rows) if rows else []


def get(tx: Tx, account: int, number: int) -> Filter | None:
    """One filter of the account."""
    row = tx.one("select * from word_filter where account = :account and id = :id", account=account, id=number)
    return _whole(tx, [row])[0] if row else None


def _whole(tx: Tx, rows: Sequence[Row]) -> list[Filter]:
    ids = [row.id for row in rows]
    keywords: dict[int, list[Keyword]] = {}
    for row in tx.all("select * from filter_keyword where filter in (:ids) order by filter, id", ids=ids):
        keyword = Keyword(id=row.id, keyword=row.keyword, whole_word=bool(row.whole_word))
        keywords.setdefault(row.filter, []).append(keyword)
    posts: dict[int, list[tuple[int, int]]] = {}
    for row in tx.all("select * from filter_post where filter in (:ids) order by filter, id", ids=ids):
        posts.setdefault(row.filter, []).append((row.id, row.post))
    return [
        Filter(
            id=row.id,
            title=row.title,
            contexts=tuple(row.contexts.split()),
            action=row.action,
            expires=row.expires,
            keywords=tuple(keywords.get(row.id, ())),
            posts=tuple(posts.get(row.id, ())),
        )
        for row in rows
    ]


def total(tx: Tx, account: int) -> int:
    """How many filters the account has."""
    row = tx.one("select count(*) as n from word_filter where account = :account", account=account)
    return int(row.n) if row else 0


def add(tx: Tx, account: int, title: str, contexts: Collection[str], action: str, expires: int | None) -> int:
    """Make a filter; its number."""
    number = tx.new_id()
    tx.run(
        "insert into word_filter (id, account, title, contexts, action, expires)"
        " values (:id, :account, :title, :contexts, :action, :expires)",
        id=number,
        account=account,
        title=title,
        contexts=" ".join(contexts),
        action=action,
        expires=expires,
    )
    return number


def change(tx: Tx, number: int, title: str, contexts: Collection[str], action: str, expires: int | None) -> None:
    """Set what a filter is called, where it counts, what it does and until when (ms)."""
    tx.run(
        "update word_filter set title = :title, contexts = :contexts, action = :action, expires = :expires"
        " where id = :id",
        title=title,
        contexts=" ".join(contexts),
        action=action,
        expires=expires,
        id=number,
    )


def remove(tx: Tx, account: int, number: int) -> bool:
    """Take a filter away; False if the account has none of that number."""
    return tx.run("delete from word_filter where account = :account and id = :id", account=account, id=number) > 0


def keyword(tx: Tx, account: int, number: int) -> tuple[int, Keyword] | None:
    """A keyword of one of the account's filters, and the number of that filter."""
    row = tx.one(
        "select k.* from filter_keyword k join word_filter f on f.id = k.filter"
        " where k.id = :id and f.account = :account",
        id=number,
        account=account,
    )
    return (row.filter, Keyword(id=row.id, keyword=row.keyword, whole_word=bool(row.whole_word))) if row else None


def add_keyword(tx: Tx, filter_: int, text: str, *, whole_word: bool) -> int:
    """Add a keyword; its number."""
    number = tx.new_id()
    tx.run(
        "insert into filter_keyword (id, filter, keyword, whole_word) values (:id, :filter, :keyword, :whole)",
        id=number,
        filter=filter_,
        keyword=text,
        whole=whole_word,
    )
    return number


def change_keyword(tx: Tx, number: int, text: str, *, whole_word: bool) -> None:
    """Set what a keyword is."""
    tx.run(
        "update filter_keyword set keyword = :keyword, whole_word = :whole where id = :id",
        keyword=text,
        whole=whole_word,
        id=number,
    )


def remove_keyword(tx: Tx, number: int) -> None:
    """Take a keyword away."""
    tx.run("delete from filter_keyword where id = :id", id=number)


def entry(tx: Tx, account: int, number: int) -> tuple[int, int] | None:
    """The post that an entry of one of the account's filters holds, and the number of that filter."""
    row = tx.one(
        "select s.filter, s.post from filter_post s join word_filter f on f.id = s.filter"
        " where s.id = :id and f.account = :account",
        id=number,
        account=account,
    )
    return (row.post, row.filter) if row else None


def add_post(tx: Tx, filter_: int, post: int) -> int:
    """Add a post; the number of the entry, also if it was there."""
    tx.run(
        "insert into filter_post (id, filter, post) values (:id, :filter, :post) on conflict do nothing",
        id=tx.new_id(),
        filter=filter_,
        post=post,
    )
    row = tx.one("select id from filter_post where filter = :filter and post = :post", filter=filter_, post=post)
    if row is None:
        raise RuntimeError("the entry vanished within its own transaction")
    return int(row.id)


def remove_post(tx: Tx, number: int) -> None:
    """Take an entry away."""
    tx.run("delete from filter_post where id = :id", id=number)
