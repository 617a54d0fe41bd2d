"""Timelines as apps page through them: rows `item, booster, p.*`, of which `item` is what paging goes by.

`booster` is the account that passed the post on, if that is why it is here. What a row needs to become a whole post is
`posts.hydrate`; what is asked beside many of them at once is in `store.posts.post_extras`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.domain.records import record
from fediblog.store.id_paging import Window
from fediblog.store.tx import Param, Row, Tx
from fediblog.store.visible import BOOST_VISIBLE, BOOSTER_NOT_SHUNNED, LISTED, NOT_SHUNNED, VISIBLE

_BETWEEN = "p.id < :before and p.id > :after and p.state = 'published'"
_SHOWN = f"{VISIBLE} and {NOT_SHUNNED}"


def both_ways(sql: str, column: str) -> tuple[str, str]:
    """A query as it is asked for the newest, and for those right above a number (`Window.upwards` chooses)."""
    return f"{sql} order by {column} desc limit :n", f"{sql} order by {column} asc limit :n"


_STREAM = (
    "select s.item, b.account as booster, p.* from stream s join post p on p.id = s.post left join boost b"
    " on b.id = s.boost where s.account = :viewer and s.item < :before and s.item > :after and p.state = 'published'"
    f" and {_SHOWN} and (s.boost is null or ({BOOST_VISIBLE} and {BOOSTER_NOT_SHUNNED}))"
)
_NOT_EXCLUSIVE = (
    "not exists (select 1 from user_list ul join list_member lm on lm.list = ul.id where ul.account = :viewer"
    " and ul.exclusive = 1 and lm.account = coalesce(b.account, p.account))"
)
_ANSWERS = (
    "(s.boost is not null or p.in_reply_to = '' or :replies = 'followed' or (:replies = 'list' and exists ("
    " select 1 from post above where above.id = p.parent and (above.account = :viewer or exists ("
    " select 1 from list_member lr where lr.list = :list and lr.account = above.account)))))"
)
_HOME = both_ways(f"{_STREAM} and {_NOT_EXCLUSIVE}", "s.item")
_LIST = both_ways(
    f"{_STREAM} and exists (select 1 from list_member lm where lm.list = :list"
    f" and lm.account = coalesce(b.account, p.account)) and {_ANSWERS}",
    "s.item",
)

_POSTS = "select p.id as item, null as booster, p.* from post p where"
_OPEN = (
    f"{_BETWEEN} and p.visibility = 'public' and (:media = 0 or exists ("
    f"select 1 from attachment f where f.post = p.id)) and {_SHOWN}"
)
_NO_ANSWER = (
    "(p.in_reply_to = '' or exists (select 1 from post above where above.id = p.parent and above.account = p.account))"
)
# Members see the posts of all members, as in Mastodon; for visitors it is the home of the server.
_HERE = f"{_OPEN} and {_NO_ANSWER} and (:viewer <> 0 or {LISTED})"
_PUBLIC = {
    "": both_ways(f"{_POSTS} {_HERE}", "p.id"),
    "local": both_ways(f"{_POSTS} p.local = 1 and {_HERE}", "p.id"),
    "remote": both_ways(f"{_POSTS} p.local = 0 and {_OPEN} and {_NO_ANSWER}", "p.id"),
}
_TAGGED = both_ways(
    "select p.id as item, null as booster, p.* from post_tag t join post p on p.id = t.post where t.tag = :tag"
    " and t.post < :before and t.post > :after and (:side = '' or p.local = :local)"
    f" and {_OPEN} and not exists (select 1 from post_tag x where x.post = t.post and x.tag in (:none))"
    " and (select count(*) from post_tag y where y.post = t.post and y.tag in (:every)) = :every_n",
    "t.post",
)
_ANY_TAG = both_ways(
    f"{_POSTS} p.id in (select t.post from post_tag t where t.tag in (:tags)) and (:side = '' or p.local = :local)"
    f" and {_OPEN} and not exists (select 1 from post_tag x where x.post = p.id and x.tag in (:none))"
    " and (select count(*) from post_tag y where y.post = p.id and y.tag in (:every)) = :every_n",
    "p.id",
)
_LINKED = both_ways(
    "select p.id as item, null as booster, p.* from post_link l join post p on p.id = l.post where l.link = :link"
    f" and l.post < :before and l.post > :after and {_OPEN}",
    "l.post",
)
# A like has no number: its time, and below that a part of the post's number, for likes of the same millisecond.
_LIKE = "(r.created * 1048576 + r.post % 1048576)"
_LIKED = both_ways(
    f"select {_LIKE} as item, null as booster, p.* from reaction r join post p on p.id = r.post"
    " where r.account = :viewer and r.kind = 'like' and r.created <= :latest and r.created >= :earliest"
    f" and {_LIKE} < :before and {_LIKE} > :after and p.state = 'published' and {VISIBLE}",
    "item",
)
_BOOKMARKED = both_ways(
    "select k.id as item, null as booster, p.* from bookmark k join post p on p.id = k.post where k.account = :viewer"
    f" and k.id < :before and k.id > :after and p.state = 'published' and {VISIBLE}",
    "k.id",
)


@record(frozen=True, slots=True, kw_only=True)
class Tags:
    """Which posts a tag's timeline has: with `tag` or one of `either`, with every one of `every`, with none of `none`.

    All are lower case. `side` is `local`, `remote` or nothing for both.
    """

    tag: str
    either: Sequence[str] = ()
    every: Sequence[str] = ()
    none: Sequence[str] = ()
    side: str = ""
    media: bool = False


def _rows(tx: Tx, queries: tuple[str, str], window: Window, **params: Param) -> list[Row]:
    """The rows of a piece, newest first."""
    found = tx.all(
        queries[window.upwards], now=tx.now, before=window.before, after=window.after, n=window.limit, **params
    )
    return window.turned(found)


def home(tx: Tx, viewer: int, window: Window) -> list[Row]:
    """What those wrote and passed on whom the viewer follows; those whom an exclusive list holds are left to it."""
    return _rows(tx, _HOME, window, viewer=viewer)


def of_list(tx: Tx, viewer: int, number: int, replies: str, window: Window) -> list[Row]:
    """The part of the viewer's stream that comes from the members of one of its lists."""
    return _rows(tx, _LIST, window, viewer=viewer, list=number, replies=replies)


def public(tx: Tx, viewer: int, window: Window, *, side: str = "", media: bool = False) -> list[Row]:
    """Public posts that begin a thread or go on with an author's own; `side` is `local`, `remote` or nothing."""
    return _rows(tx, _PUBLIC[side], window, viewer=viewer, media=media)


def tagged(tx: Tx, viewer: int, tags: Tags, window: Window) -> list[Row]:
    """Public posts with hashtags."""
    every = sorted(set(tags.every))
    more = {"tags": sorted({tags.tag, *tags.either})} if tags.either else {"tag": tags.tag}
    return _rows(
        tx,
        _ANY_TAG if tags.either else _TAGGED,
        window,
        viewer=viewer,
        side=tags.side,
        local=tags.side == "local",
        media=tags.media,
        none=sorted(set(tags.none)),
        every=every,
        every_n=len(every),
        **more,
    )


def linked(tx: Tx, viewer: int, link: str, window: Window) -> list[Row]:
    """Public posts that point to a page."""
    return _rows(tx, _LINKED, window, viewer=viewer, link=link, media=False)


def liked(tx: Tx, viewer: int, window: Window) -> list[Row]:
    """What the viewer liked, the latest like first."""
    return _rows(tx, _LIKED, window, viewer=viewer, latest=window.before >> 20, earliest=window.after >> 20)


def bookmarked(tx: Tx, viewer: int, window: Window) -> list[Row]:
    """What the viewer keeps, the latest bookmark first; paging goes by the bookmark."""
    return _rows(tx, _BOOKMARKED, window, viewer=viewer)
