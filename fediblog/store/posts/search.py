"""Search in what is stored: people by their names, posts by their words, hashtags by their beginning."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.hashtags import SIGNS, key
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.store.visible import NOT_SHUNNED, VISIBLE

# `lower` knows only ASCII in SQLite, and in PostgreSQL what its locale knows: so three ways to write the words.
_CONTAINS = " or ".join(
    f"lower(p.{column}) like lower(:{way}) escape '!'"
    for column in ("content", "title", "warning")
    for way in ("typed", "small", "title")
)
_PEOPLE = (
    "select a.* from account a where a.state = 'active' and (a.local = 0 or a.login is not null)"
    " and (a.handle_key like :handle escape '!' or (:domain = '' and (a.name like :typed escape '!'"
    " or a.name like :title escape '!' or lower(a.name) like :small escape '!')))"
    " and (:domain = '' or a.domain like :domain escape '!')"
    " and not exists (select 1 from block b where b.account = a.id and b.target = :viewer)"
    " and (:following = 0 or exists (select 1 from follow f where f.follower = :viewer and f.followed = a.id"
    " and f.state = 'accepted')) order by case when a.handle_key = :exact then 0 else 1 end,"
    " case when exists (select 1 from follow f where f.follower = :viewer and f.followed = a.id) then 0 else 1 end,"
    " a.local desc, a.id limit :n offset :offset"
)
_POSTS = (
    "select p.* from post p where p.state = 'published' and p.id in (select o.id from post o where o.local = 1"
    " union select s.post from stream s where s.account = :viewer)"
    " and (:account = 0 or p.account = :account) and p.id < :before and p.id > :after"
    f" and ({_CONTAINS}) and {VISIBLE} and {NOT_SHUNNED} order by p.id desc limit :n offset :offset"
)
_TAGGED = (
    "select p.* from post_tag t join post p on p.id = t.post where t.tag = :tag and t.post < :before"
    " and t.post > :after and p.state = 'published' and (p.visibility = 'public' or p.local = 1"
    " or exists (select 1 from stream s where s.account = :viewer and s.post = p.id))"
    f" and (:account = 0 or p.account = :account) and {VISIBLE} and {NOT_SHUNNED}"
    " order by t.post desc limit :n offset :offset"
)
_TAGS = (
    "select t.tag, max(t.name) as name from post_tag t join post p on p.id = t.post where t.tag >= :first"
    " and t.tag < :last and p.visibility = 'public' and p.state = 'published' group by t.tag"
    " order by case when t.tag = :first then 0 else 1 end, count(*) desc, t.tag limit :n offset :offset"
)


def people(tx: Tx, words: str, viewer: int, window: Window, *, following: bool = False) -> list[Account]:
    """Accounts whose handle begins with the words, or whose name has them; first whom the viewer follows."""
    handle, _, domain = words.removeprefix("@").strip().partition("@")
    rows = tx.all(
        _PEOPLE,
        handle=f"{_escaped(handle.lower())}%",
        exact=handle.lower(),
        domain=f"{_escaped(domain.lower())}%" if domain else "",
        typed=f"%{_escaped(handle)}%",
        small=f"%{_escaped(handle.lower())}%",
        title=f"%{_escaped(handle.title())}%",
        following=following,
        viewer=viewer,
        n=window.limit,
        offset=window.offset,
    )
    return [accounts.from_row(row) for row in rows]


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


def tags(tx: Tx, beginning: str, window: Window) -> list[str]:
    """Hashtags of public posts that begin so, as somebody wrote them; first the very same, then by use."""
    tag = key(beginning)
    if not tag or any(letter.isspace() for letter in tag):
        return []
    last = tag + "\U0010ffff"
    return [row.name for row in tx.all(_TAGS, first=tag, last=last, n=window.limit, offset=window.offset)]


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
