"""Who liked, passed on and quotes a post, as far as the viewer wants to and may see them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Boost, Post, Reaction
from fediblog.store.id_paging import FIRST, Window, both_ways
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.posts.quotes import HOLDS
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import (
    BOOST_VISIBLE,
    BOOSTER_NOT_EXCLUDED,
    NOT_EXCLUDED,
    VISIBLE_IN_LISTS,
    not_excluded,
    shown_below,
)

_LIKED = (
    "from reaction r join post p on p.id = r.post where r.post = :post and r.kind <> 'dislike'"
    " and exists (select 1 from account ra where ra.id = r.account and ra.state = 'active')"
    f" and {shown_below('r.account', 'p')} and (:viewer = 0 or ({not_excluded('r.account')}"
    " and not exists (select 1 from block rb where rb.account = r.account and rb.target = :viewer)))"
)
_LIKERS = both_ways(
    f"select distinct r.account as id, r.account {_LIKED} and r.account < :before and r.account > :after", "r.account"
)
_FIRST = f"{_LIKED} group by r.account order by min(r.created), r.account limit :n"
_CHOSEN = "select r.account, r.kind, r.content, r.emoji_url, r.created from reaction r where r.post = :post"
_REACTIONS = (
    f"{_CHOSEN} and r.kind <> 'dislike' and r.account in (select r.account {_FIRST})"
    " order by r.created, r.account, r.content"
)
_FOLLOWED = (
    "case when exists (select 1 from follow rf where rf.follower = :viewer and rf.followed = r.account"
    " and rf.state = 'accepted') then 1 else 0 end"
)
_REACTIONS_TO_READER = (
    f"{_CHOSEN} and r.kind <> 'dislike' and r.account in (select r.account {_LIKED} group by r.account"
    f" order by max({_FOLLOWED}) desc, min(r.created), r.account limit :n)"
    f" order by {_FOLLOWED} desc, r.created, r.account, r.content"
)
_LIKE_URIS = f"select min(r.uri) as uri {_FIRST}"
_BOOSTED = (
    f"from boost b join post p on p.id = b.post where b.post = :post and {shown_below('b.account', 'p')}"
    f" and {BOOST_VISIBLE} and (:viewer = 0 or {BOOSTER_NOT_EXCLUDED})"
)
_BOOSTERS = both_ways(f"select b.id, b.account {_BOOSTED} and b.id < :before and b.id > :after", "b.id")
_BOOST_URIS = f"select b.uri {_BOOSTED} order by b.id limit :n"
_QUOTES = both_ways(
    "select p.* from post p where p.uri in (select q.quoting from quote_authorization q where q.post = :post"
    f" and {HOLDS}) and p.state = 'published' and p.id < :before and p.id > :after and {VISIBLE_IN_LISTS}"
    f" and {NOT_EXCLUDED}",
    "p.id",
)


def likers(tx: Tx, post: int, viewer: int = 0, window: Window = FIRST) -> list[tuple[int, Account]]:
    """Who liked it or set an emoji beside it, each once; paged by the account's number, since a like has none."""
    return _people(tx, _ask(tx, _LIKERS, post, viewer, window))


def first_reactions(tx: Tx, post: int, viewer: int = 0, limit: int = 40) -> list[Reaction]:
    """The same people, those first whom the viewer follows, then the earliest: with an emoji if there is one."""
    rows = tx.all(_REACTIONS_TO_READER if viewer else _REACTIONS, post=post, viewer=viewer, now=tx.now, n=limit)
    found: dict[int, Row] = {}
    for row in rows:
        known = found.setdefault(row.account, row)
        if row.content and not known.content:
            found[row.account] = row
    people = accounts.many(tx, set(found))
    return [
        Reaction(
            account=people[row.account],
            kind=row.kind,
            content=row.content,
            image="" if people[row.account].media_rejected else row.emoji_url,
            created=row.created,
        )
        for row in found.values()
    ]


def like_uris(tx: Tx, post: int, viewer: int = 0, limit: int = 100) -> list[str]:
    """Ids of the likes and emoji of a post, earliest first, one for each person."""
    return [row.uri for row in tx.all(_LIKE_URIS, post=post, viewer=viewer, now=tx.now, n=limit)]


def boosters(tx: Tx, post: int, viewer: int = 0, window: Window = FIRST) -> list[tuple[int, Account]]:
    """Who passed it on; paged by the boost's number."""
    return _people(tx, _ask(tx, _BOOSTERS, post, viewer, window))


def boost_uris(tx: Tx, post: int, viewer: int = 0, limit: int = 100) -> list[str]:
    """Ids of the boosts of a post that the viewer may see, earliest first."""
    return [row.uri for row in tx.all(_BOOST_URIS, post=post, viewer=viewer, now=tx.now, n=limit)]


def quoting(tx: Tx, post: int, viewer: int, window: Window) -> list[Post]:
    """The posts that quote one of ours with our leave, as far as the viewer may see them."""
    return posts.hydrate(tx, _ask(tx, _QUOTES, post, viewer, window), viewer)


def _ask(tx: Tx, queries: tuple[str, str], post: int, viewer: int, window: Window) -> list[Row]:
    found = tx.all(
        queries[window.upwards],
        post=post,
        viewer=viewer,
        now=tx.now,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return window.turned(found)


def _people(tx: Tx, rows: list[Row]) -> list[tuple[int, Account]]:
    found = accounts.many(tx, {row.account for row in rows})
    return [(row.id, found[row.account]) for row in rows if row.account in found]


def is_boost_seen(tx: Tx, uri: str, viewer: int) -> bool:
    """Whether there is a boost of that id that the viewer may see."""
    row = tx.one(f"select 1 as yes from boost b where b.uri = :uri and {BOOST_VISIBLE}", uri=uri, viewer=viewer)
    return row is not None


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
        row.id: Boost(
            id=row.id,
            uri=row.uri,
            account=people[row.account],
            post=whole[row.post],
            visibility=Visibility(row.visibility),
            created=row.created,
        )
        for row in rows
        if row.post in whole and row.account in people
    }


class OwnBoost(NamedTuple):
    """A boost, as the one who made it has it."""

    id: int
    uri: str
    visibility: str
    created: int


def own_boost(tx: Tx, account: int, post: int) -> OwnBoost | None:
    """The account's boost of a post."""
    row = tx.one(
        "select id, uri, visibility, created from boost where account = :account and post = :post",
        account=account,
        post=post,
    )
    return OwnBoost(*row) if row else None
