"""Timelines: posts of many authors, for pages and for apps; and who gets a post into the home timeline.

A timeline is a list of entries: what `whole` makes posts of, and what remembered answers are compared with. What is
asked beside many of them at once is in `store.posts.post_extras`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, cast

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.store.id_paging import FIRST, Window, both_ways
from fediblog.store.people import accounts
from fediblog.store.posts import posts, search_index
from fediblog.store.posts import tags as hashtags
from fediblog.store.queues import events
from fediblog.store.tx import Param, Row, Tx
from fediblog.store.visible import BOOST_VISIBLE, BOOSTER_NOT_EXCLUDED, LISTED, NOT_EXCLUDED, VISIBLE, VISIBLE_IN_LISTS

_BETWEEN = "p.id < :before and p.id > :after and p.state = 'published'"
_SHOWN = f"{VISIBLE_IN_LISTS} and {NOT_EXCLUDED}"

_STREAM = (
    "select s.item, b.account as booster, p.* from stream s join post p on p.id = s.post left join boost b"
    " on b.id = s.boost where s.account = :viewer and s.item < :before and s.item > :after and p.state = 'published'"
    f" and {_SHOWN} and (s.boost is null or ({BOOST_VISIBLE} and {BOOSTER_NOT_EXCLUDED}))"
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
# The front page: what begins a thread, of those who want to be found; or one kind of what they wrote.
_BLOG_KINDS = {
    "all": "p.in_reply_to = ''",
    "articles": "p.in_reply_to = '' and p.kind = 'Article'",
    "notes": "p.in_reply_to = '' and p.kind <> 'Article'",
    "answers": "p.in_reply_to <> ''",
}
_BLOG = {
    kind: both_ways(f"{_POSTS} p.local = 1 and {_OPEN} and {which} and {LISTED}", "p.id")
    for kind, which in _BLOG_KINDS.items()
}
_BLOG["boosts"] = both_ways(
    "select b.id as item, b.account as booster, p.* from boost b join account ba on ba.id = b.account"
    " join post p on p.id = b.post where ba.local = 1 and ba.login is not null and ba.discoverable = 1"
    " and ba.limited = 0 and ba.state = 'active' and b.visibility = 'public' and b.id < :before and b.id > :after"
    f" and p.state = 'published' and p.visibility = 'public' and {_SHOWN} and {LISTED} and {BOOST_VISIBLE}"
    f" and {BOOSTER_NOT_EXCLUDED}",
    "b.id",
)
BLOG_KINDS = tuple(_BLOG)
_BLOG_PINNED = (
    f"{_POSTS} p.local = 1 and p.pinned is not null and p.state = 'published' and p.visibility = 'public'"
    f" and p.in_reply_to = '' and {_SHOWN} and {LISTED} order by p.pinned desc limit 3"
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
_FILED = both_ways(
    f"{_POSTS} p.id in (select f.post from post_category f where f.category in (:categories)) and p.local = 1"
    f" and {_OPEN} and {LISTED}",
    "p.id",
)
_OF_MONTH = both_ways(
    f"{_POSTS} p.local = 1 and p.month = :month and {_OPEN} and p.in_reply_to = '' and {LISTED}", "p.id"
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


class Entry(Row, Protocol):
    """A place in a timeline: the row of its post, and before it two columns of the place itself."""

    @property
    def item(self) -> int:
        """What paging goes by."""

    @property
    def booster(self) -> int | None:
        """The account that passed the post on, if that is why it is here."""


class ListedPost(Struct, frozen=True, kw_only=True):
    """A whole post at its place in a timeline; `id` is what paging goes by, `booster` who passed the post on."""

    id: int
    post: Post
    booster: Account | None = None


class TagFilter(Struct, frozen=True, kw_only=True):
    """Which posts a tag's timeline has: with `tag` or one of `either`, with every one of `every`, with none of `none`.

    All are lower case. `side` is `local`, `remote` or nothing for both.
    """

    tag: str
    either: Sequence[str] = ()
    every: Sequence[str] = ()
    none: Sequence[str] = ()
    side: str = ""
    media: bool = False


def entries(rows: Sequence[Row]) -> list[Entry]:
    """Rows that begin with `item` and `booster`, and go on with a post's."""
    return cast("list[Entry]", rows)


def whole(tx: Tx, listed: Sequence[Entry], viewer: int) -> list[ListedPost]:
    """The posts of a timeline, in a fixed number of queries however many there are."""
    boosters = accounts.many(tx, {entry.booster for entry in listed if entry.booster is not None})
    return [
        ListedPost(id=entry.item, post=post, booster=boosters.get(entry.booster or 0))
        for entry, post in zip(listed, posts.hydrate(tx, listed, viewer), strict=True)
    ]


def _ask(tx: Tx, queries: tuple[str, str], window: Window, **params: Param) -> list[Entry]:
    """A piece of a timeline, newest first."""
    found = tx.all(
        queries[window.upwards], now=tx.now, before=window.before, after=window.after, n=window.limit, **params
    )
    return entries(window.turned(found))


def home(tx: Tx, viewer: int, window: Window = FIRST) -> list[Entry]:
    """What those wrote and passed on whom the viewer follows; those whom an exclusive list holds are left to it."""
    return _ask(tx, _HOME, window, viewer=viewer)


def of_list(tx: Tx, viewer: int, number: int, replies: str, window: Window = FIRST) -> list[Entry]:
    """The part of the viewer's stream that comes from the members of one of its lists."""
    return _ask(tx, _LIST, window, viewer=viewer, list=number, replies=replies)


def public(tx: Tx, viewer: int, window: Window = FIRST, *, side: str = "", media: bool = False) -> list[Entry]:
    """Public posts that begin a thread or go on with an author's own; `side` is `local`, `remote` or nothing."""
    return _ask(tx, _PUBLIC[side], window, viewer=viewer, media=media)


def blog(tx: Tx, viewer: int = 0, window: Window = FIRST, kind: str = "all") -> list[Entry]:
    """The front page: public posts of ours that answer nothing, by those who want to be found.

    `kind` is one of BLOG_KINDS: articles or notes alone, their answers to others, or what they boosted.
    """
    return _ask(tx, _BLOG[kind], window, viewer=viewer, **({} if kind == "boosts" else {"media": False}))


def blog_pinned(tx: Tx, viewer: int = 0) -> list[Entry]:
    """What stands first on the front page: posts that their authors pinned, the latest pin first, three at most."""
    return entries(tx.all(_BLOG_PINNED, viewer=viewer, now=tx.now))


def tagged(tx: Tx, viewer: int, tags: TagFilter, window: Window = FIRST) -> list[Entry]:
    """Public posts with hashtags."""
    every = sorted(set(tags.every))
    more = {"tags": sorted({tags.tag, *tags.either})} if tags.either else {"tag": tags.tag}
    return _ask(
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


def filed(tx: Tx, viewer: int, categories: Collection[int], window: Window = FIRST) -> list[Entry]:
    """Public posts of ours that are filed under one of these categories, by those who want to be found."""
    return _ask(tx, _FILED, window, viewer=viewer, categories=sorted(categories), media=False)


def of_month(tx: Tx, viewer: int, month: str, window: Window = FIRST) -> list[Entry]:
    """What the front page showed of one month, YYYY/MM."""
    return _ask(tx, _OF_MONTH, window, viewer=viewer, month=month, media=False)


def linked(tx: Tx, viewer: int, link: str, window: Window = FIRST) -> list[Entry]:
    """Public posts that point to a page."""
    return _ask(tx, _LINKED, window, viewer=viewer, link=link, media=False)


def liked(tx: Tx, viewer: int, window: Window = FIRST) -> list[Entry]:
    """What the viewer liked, the latest like first."""
    return _ask(tx, _LIKED, window, viewer=viewer, latest=window.before >> 20, earliest=window.after >> 20)


def bookmarked(tx: Tx, viewer: int, window: Window = FIRST) -> list[Entry]:
    """What the viewer keeps, the latest bookmark first; paging goes by the bookmark."""
    return _ask(tx, _BOOKMARKED, window, viewer=viewer)


def spread(tx: Tx, post: Post, boost: int | None = None, booster: int | None = None) -> int:
    """Put a post (or somebody's boost of it) into the streams of our accounts that follow; returns how many.

    An answer goes only to those who also follow the one who is answered, or are that one; a boost to those who want
    boosts of that person, a post to those who read its language. A public post also goes to who follows its hashtags.
    """
    source = booster if booster is not None else post.account.id
    told = tx.run(
        "insert into stream (account, item, post, boost) select f.follower, :item, :post, :boost from follow f"
        " join account a on a.id = f.follower where f.followed = :source and f.state = 'accepted' and a.local = 1"
        " and (:boost_is = 0 or f.reblogs = 1)"
        " and (:boost_is = 1 or :language = '' or f.languages = ''"
        " or ' ' || f.languages || ' ' like '% ' || :language || ' %')"
        " and (:boost_is = 1 or :answer = 0 or exists (select 1 from post pp where pp.id = :parent and ("
        " pp.account = :source or pp.account = f.follower or exists (select 1 from follow f2"
        " where f2.follower = f.follower and f2.followed = pp.account and f2.state = 'accepted'))))"
        " and (:boost_is = 0 or not exists (select 1 from stream s2 where s2.account = f.follower and s2.post = :post))"
        " on conflict do nothing",
        item=boost if boost is not None else post.id,
        post=post.id,
        boost=boost,
        boost_is=int(boost is not None),
        answer=int(bool(post.in_reply_to)),
        parent=post.parent or 0,
        source=source,
        language=post.language.partition("-")[0].lower(),
    )
    if booster is not None or post.account.local:
        told += _own(tx, post, boost, source)
    if boost is None and post.hashtags and post.visibility == Visibility.PUBLIC:
        told += hashtags.spread(tx, post.id, post.hashtags)
    if told and not post.local:
        search_index.add(tx, post.id)
    events.publish(tx, events.POST if boost is None else events.BOOST, account=source, post=post.id, item=boost or 0)
    return told


def _own(tx: Tx, post: Post, boost: int | None, source: int) -> int:
    return tx.run(
        "insert into stream (account, item, post, boost) select id, :item, :post, :boost from account"
        " where id = :source and local = 1 and login is not null and (:boost_is = 0 or not exists ("
        " select 1 from stream s where s.account = :source and s.post = :post)) on conflict do nothing",
        item=boost if boost is not None else post.id,
        post=post.id,
        boost=boost,
        boost_is=int(boost is not None),
        source=source,
    )
