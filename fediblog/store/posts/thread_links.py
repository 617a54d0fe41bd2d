"""What ties a post to its thread: the post that it answers, and the answers that came before it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from fediblog.domain.documents import Note
from fediblog.store.people.accounts import host_of
from fediblog.store.tx import Tx
from fediblog.store.visible import has_page

_TIED = "select id, root, uri from post where"
_AT_PAGE = (
    f"select p.id, p.root, p.uri from post p join account a on a.id = p.account where {has_page('p', 'a')}"
    " order by p.local desc, p.id limit 1"
)
_ABOVE = (
    "with recursive above(id, parent) as (select id, parent from post where id = :id union"
    " select p.id, p.parent from post p join above a on p.id = a.parent) select id from above"
)
_ROOT_BELOW = (
    "update post set root = :root where id in (with recursive below(id) as"
    " (select p.id from post p where p.parent = :id union"
    " select p.id from post p join below b on p.parent = b.id) select id from below)"
)

_UNTITLED = (
    "update post set title = '' where local = 0 and kind = 'Note' and title in (:titles) and id in (with recursive"
    " below(id) as (select p.id from post p where p.id in (:ids) union"
    " select p.id from post p join below b on p.parent = b.id) select id from below)"
)


class TiedPost(NamedTuple):
    """A post that another one answers; `root` is the first of its thread, None if it is that itself."""

    id: int
    root: int | None
    uri: str


class ThreadPost(NamedTuple):
    """A post below which somebody writes: as `TiedPost`, and whose it is, and who may answer it (`repliable`).

    `local`: it is of one of our people, and `pushed`: who wants to be woken by push messages.
    """

    id: int
    root: int | None
    uri: str
    account: int
    local: int
    repliable: str
    pushed: int


def tie(tx: Tx, in_reply_to: str) -> TiedPost | None:
    """The post that `in_reply_to` names, by its id or its page."""
    if not in_reply_to:
        return None
    row = tx.one(f"{_TIED} uri = :uri", uri=in_reply_to)
    return TiedPost._make(row) if row else at_page(tx, in_reply_to)


def at_page(tx: Tx, url: str) -> TiedPost | None:
    """The post whose page that is, if it may stand for it."""
    row = tx.one(_AT_PAGE, page=url, page_host=host_of(url)) if url else None
    return TiedPost._make(row) if row else None


def _is_page(url: str, uri: str) -> bool:
    """Whether a post may stand for that page: else anybody could put a post between others and their answers."""
    return bool(url) and host_of(url) == host_of(uri)


def page_of(note: Note) -> str:
    """The page that a post may stand for, if it has one."""
    return note.url if _is_page(note.url, note.uri) else ""


def adopt(tx: Tx, post: int, root: int, note: Note) -> None:
    """Answers that came before this post find their place below it, with all that hangs on them."""
    rows = tx.all(
        "select id from post where in_reply_to in (:names) and in_reply_to <> '' and parent is null and id <> :id"
        " and not exists (select 1 from reply_authorization r where r.replying = post.uri and r.revoked is not null)",
        names=[note.uri, page_of(note)],
        id=post,
    )
    orphans = {row.id for row in rows}
    if orphans and root != post:  # posts that claim to answer each other in a circle stay a line
        orphans -= {row.id for row in tx.all(_ABOVE, id=post)}
    if orphans:
        tx.run("update post set parent = :parent where id in (:ids)", parent=post, ids=sorted(orphans))
        tx.run(_ROOT_BELOW, id=post, root=root)
        if titles := repeating(tx, {post, root}):
            tx.run(_UNTITLED, ids=sorted(orphans), titles=sorted(titles))


def repeating(tx: Tx, numbers: Collection[int]) -> set[str]:
    """What answers are called that have no title of their own: forums give each that of the topic (of these posts)."""
    rows = tx.all("select title from post where id in (:ids) and title <> ''", ids=sorted(numbers))
    topics = {row.title.removeprefix("Re: ") for row in rows}
    return topics | {f"Re: {topic}" for topic in topics}


def loosen(tx: Tx, uri: str) -> None:
    """An answer that must not stand below what it answers begins a thread of its own, with all that hangs on it."""
    row = tx.one("select id from post where uri = :uri and local = 0 and parent is not null", uri=uri)
    if row is not None:
        tx.run("update post set parent = null, root = null where id = :id", id=row.id)
        tx.run(_ROOT_BELOW, id=row.id, root=row.id)
