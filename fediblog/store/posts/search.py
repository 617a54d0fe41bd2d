"""Search in what is stored: posts by their words, their authors or their address, hashtags by their beginning."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.posts import Post
from fediblog.hashtags import SIGNS, key
from fediblog.store.id_paging import Window
from fediblog.store.people.accounts import host_of
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.store.visible import LISTED, NOT_EXCLUDED, VISIBLE, has_page

# `lower` knows only ASCII in SQLite, and in PostgreSQL what its locale knows: so three ways to write the words.
_CONTAINS = " or ".join(
    f"lower(p.{column}) like lower(:{way}) escape '!'"
    for column in ("content", "title", "warning")
    for way in ("typed", "small", "title")
)
_POSTS = (
    "select p.* from post p where p.state = 'published' and p.id in (select o.id from post o where o.local = 1"
    " union select s.post from stream s where s.account = :viewer)"
    " and (:account = 0 or p.account = :account) and p.id < :before and p.id > :after"
    f" and ({_CONTAINS}) and {VISIBLE} and {NOT_EXCLUDED} order by p.id desc limit :n offset :offset"
)
_TAGGED = (
    "select p.* from post_tag t join post p on p.id = t.post where t.tag = :tag and t.post < :before"
    " and t.post > :after and p.state = 'published' and (p.visibility = 'public' or p.local = 1"
    " or exists (select 1 from stream s where s.account = :viewer and s.post = p.id))"
    f" and (:account = 0 or p.account = :account) and {VISIBLE} and {NOT_EXCLUDED}"
    " order by t.post desc limit :n offset :offset"
)
_OF_PEOPLE = (
    "select p.* from post p where p.state = 'published' and p.account in (:people) and p.visibility = 'public'"
    f" and p.id < :before and p.id > :after and {VISIBLE} and {NOT_EXCLUDED} order by p.id desc limit :n"
)
_AT = (
    "select p.* from post p where p.state = 'published' and p.id in (select u.id from post u where u.uri = :page"
    f" union select w.id from post w join account h on h.id = w.account where {has_page('w', 'h')})"
    f" and {VISIBLE} and (:viewer <> 0 or (p.local = 1 and {LISTED})) order by p.local desc, p.id limit 1"
)
_TAGS = (
    "select t.tag, max(t.name) as name from post_tag t join post p on p.id = t.post where t.tag >= :first"
    " and t.tag < :last and p.visibility = 'public' and p.state = 'published' group by t.tag"
    " order by case when t.tag = :first then 0 else 1 end, count(*) desc, t.tag limit :n offset :offset"
)


def words(tx: Tx, wanted: str, viewer: int, window: Window, *, account: int = 0) -> list[Post]:
    """Posts with the words in them, newest first: only our own, and those that came into the viewer's stream.

    A hashtag with its sign means the posts that have it, and all public ones that are known.
    """
    if wanted[:1] in SIGNS and (tag := key(wanted)) and not any(letter.isspace() for letter in tag):
        return _tagged(tx, tag, viewer, window, account)
    typed, small, title = (f"%{_escaped(each)}%" for each in (wanted, wanted.lower(), wanted.title()))
    rows = tx.all(
        _POSTS,
        viewer=viewer,
        account=account,
        typed=typed,
        small=small,
        title=title,
        now=tx.now,
        before=window.before,
        after=window.after,
        n=window.limit,
        offset=window.offset,
    )
    return posts.hydrate(tx, rows, viewer)


def _tagged(tx: Tx, tag: str, viewer: int, window: Window, account: int) -> list[Post]:
    rows = tx.all(
        _TAGGED,
        tag=tag,
        viewer=viewer,
        account=account,
        now=tx.now,
        before=window.before,
        after=window.after,
        n=window.limit,
        offset=window.offset,
    )
    return posts.hydrate(tx, rows, viewer)


def of_people(tx: Tx, people: Collection[int], viewer: int, window: Window) -> list[Post]:
    """Public posts of those accounts, newest first."""
    if not people:
        return []
    rows = tx.all(
        _OF_PEOPLE,
        people=sorted(people),
        viewer=viewer,
        now=tx.now,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return posts.hydrate(tx, rows, viewer)


def at(tx: Tx, link: str, viewer: int) -> list[Post]:
    """The post with that id or that web page; for a stranger (0) only of an account of ours that wants to be found."""
    return posts.hydrate(tx, tx.all(_AT, page=link, page_host=host_of(link), viewer=viewer), viewer)


def tags(tx: Tx, beginning: str, window: Window) -> list[str]:
    """Hashtags of public posts that begin so, as somebody wrote them; first the very same, then by use."""
    tag = key(beginning)
    if not tag or any(letter.isspace() for letter in tag):
        return []
    last = tag + "\U0010ffff"
    return [row.name for row in tx.all(_TAGS, first=tag, last=last, n=window.limit, offset=window.offset)]


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
