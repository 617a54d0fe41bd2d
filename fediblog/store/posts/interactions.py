"""Who liked, passed on and quotes a post, and its thread, piece by piece as the API asks for them."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Boost, Post
from fediblog.store.id_paging import NEWEST, OLDEST, Window
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.posts.quotes import HOLDS
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import BOOST_VISIBLE, BOOSTER_NOT_SHUNNED, NOT_SHUNNED, VISIBLE, shown_below

_AT_EASE = (
    "exists (select 1 from account ra where ra.id = r.account and ra.state = 'active')"
    " and not exists (select 1 from block rb where rb.account = r.account and rb.target = :viewer)"
    " and not exists (select 1 from block rv where rv.account = :viewer and rv.target = r.account)"
)
_LIKERS = (
    "select distinct r.account as id, r.account from reaction r join post p on p.id = r.post where r.post = :post"
    f" and r.kind <> 'dislike' and {shown_below('r.account', 'p')}"
    f" and r.account < :before and r.account > :after and {_AT_EASE} order by r.account "
)
_BOOSTERS = (
    "select b.id, b.account from boost b join post p on p.id = b.post where b.post = :post and b.id < :before"
    f" and b.id > :after and {shown_below('b.account', 'p')}"
    f" and {BOOST_VISIBLE} and {BOOSTER_NOT_SHUNNED} order by b.id "
)
_QUOTES = (
    "select p.* from post p where p.uri in (select q.quoting from quote_authorization q where q.post = :post"
    f" and {HOLDS}) and p.state = 'published' and p.id < :before and p.id > :after and {VISIBLE}"
    f" and {NOT_SHUNNED} order by p.id "
)
_WAITING = (
    "select p.* from post p where p.account = :account and p.state = 'scheduled' and p.id < :before"
    " and p.id > :after order by p.id "
)
_LIMIT = " limit :n"
_LIKERS_NEWEST = _LIKERS + NEWEST + _LIMIT
_LIKERS_OLDEST = _LIKERS + OLDEST + _LIMIT
_BOOSTERS_NEWEST = _BOOSTERS + NEWEST + _LIMIT
_BOOSTERS_OLDEST = _BOOSTERS + OLDEST + _LIMIT
_QUOTES_NEWEST = _QUOTES + NEWEST + _LIMIT
_QUOTES_OLDEST = _QUOTES + OLDEST + _LIMIT
_WAITING_NEWEST = _WAITING + NEWEST + _LIMIT
_WAITING_OLDEST = _WAITING + OLDEST + _LIMIT
_ABOVE = (
    "with recursive above(id, parent, depth) as (select id, parent, 0 from post where id = :id union all"
    " select p.id, p.parent, a.depth + 1 from post p join above a on p.id = a.parent where a.depth < :most)"
    " select id from above where depth > 0 order by depth"
)


def likers(tx: Tx, post: int, viewer: int, window: Window) -> list[tuple[int, Account]]:
    """Who liked it or set an emoji beside it, each once; paged by the account's number, since a like has none."""
    sql = _LIKERS_OLDEST if window.upwards else _LIKERS_NEWEST
    rows = tx.all(sql, post=post, viewer=viewer, before=window.before, after=window.after, n=window.limit)
    return _people(tx, window.turned(rows))


def boosters(tx: Tx, post: int, viewer: int, window: Window) -> list[tuple[int, Account]]:
    """Who passed it on; paged by the boost's number."""
    sql = _BOOSTERS_OLDEST if window.upwards else _BOOSTERS_NEWEST
    rows = tx.all(sql, post=post, viewer=viewer, now=tx.now, before=window.before, after=window.after, n=window.limit)
    return _people(tx, window.turned(rows))


def _people(tx: Tx, rows: list[Row]) -> list[tuple[int, Account]]:
    found = accounts.many(tx, {row.account for row in rows})
    return [(row.id, found[row.account]) for row in rows if row.account in found]


def quoting(tx: Tx, post: int, viewer: int, window: Window) -> list[Post]:
    """The posts that quote one of ours with our leave, as far as the viewer may see them."""
    sql = _QUOTES_OLDEST if window.upwards else _QUOTES_NEWEST
    rows = tx.all(sql, post=post, viewer=viewer, now=tx.now, before=window.before, after=window.after, n=window.limit)
    return posts.hydrate(tx, window.turned(rows), viewer)


def waiting(tx: Tx, account: int, window: Window) -> list[Post]:
    """Posts of the account for later."""
    sql = _WAITING_OLDEST if window.upwards else _WAITING_NEWEST
    rows = tx.all(sql, account=account, before=window.before, after=window.after, n=window.limit)
    return posts.hydrate(tx, window.turned(rows), account)


def ancestors(tx: Tx, post: Post, viewer: int, most: int = 40) -> list[Post]:
    """The posts that this one hangs below, the first of the thread first, up to one that the viewer may not see."""
    if post.parent is None:
        return []
    numbers = [row.id for row in tx.all(_ABOVE, id=post.id, most=most)]
    seen = posts.many(tx, numbers, viewer)
    chain: list[Post] = []
    for number in numbers:
        if number not in seen or seen[number].state != "published":
            break
        chain.append(seen[number])
    return chain[::-1]


def boosts(tx: Tx, numbers: Collection[int], viewer: int) -> dict[int, Boost]:
    """Those of the boosts with these numbers that the viewer may see, with their posts."""
    if not numbers:
        return {}
    rows = tx.all(
        f"select b.* from boost b where b.id in (:ids) and {BOOST_VISIBLE}", ids=sorted(set(numbers)), viewer=viewer
    )
    whole = posts.many(tx, {row.post for row in rows}, viewer)
    people = accounts.many(tx, {row.account for row in rows})
    return {
        row.id: Boost(id=row.id, uri=row.uri, account=people[row.account], post=whole[row.post], created=row.created)
        for row in rows
        if row.post in whole and row.account in people
    }


def own_boost(tx: Tx, account: int, post: int) -> Row | None:
    """id, uri, visibility and created of the account's boost of a post."""
    return tx.one(
        "select id, uri, visibility, created from boost where account = :account and post = :post",
        account=account,
        post=post,
    )
