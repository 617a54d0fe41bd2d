"""What ties a post to its thread: the post that it answers, and what hangs below it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from fediblog.domain.documents import Note
from fediblog.store.people.accounts import host_of
from fediblog.store.tx import Tx
from fediblog.store.visible import KNOWN, has_page

_TIED = f"select p.id, p.root, p.uri from post p where p.uri = :uri and {KNOWN}"
_AT_PAGE = (
    f"select p.id, p.root, p.uri from post p join account a on a.id = p.account where {has_page('p', 'a')}"
    f" and {KNOWN} order by p.local desc, p.id limit 1"
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


def tie(tx: Tx, in_reply_to: str, author: int) -> TiedPost | None:
    """The post that `in_reply_to` names, by its id or its page, if `author`, who answers it, may know of it."""
    if not in_reply_to:
        return None
    row = tx.one(_TIED, uri=in_reply_to, viewer=author)
    return TiedPost._make(row) if row else at_page(tx, in_reply_to, author)


def at_page(tx: Tx, url: str, author: int) -> TiedPost | None:
    """The post whose page that is, if it may stand for it and `author`, who answers it, may know of it."""
    row = tx.one(_AT_PAGE, page=url, page_host=host_of(url), viewer=author) if url else None
    return TiedPost._make(row) if row else None


def page_of(note: Note, host: str) -> str:
    """The page that a post with an id of this host may stand for, if it has one.

    It lies on the same host: else anybody could put a post between others and their answers.
    """
    return note.url if note.url and host_of(note.url) == host else ""


def move(tx: Tx, below: Collection[int], parent: int | None, root: int | None) -> None:
    """Hang posts below another one, or let each begin a thread (None), with all that hangs on them."""
    if parent is not None:
        tx.run("update post set parent = :parent where id in (:ids)", parent=parent, ids=sorted(below))
        tx.run(_ROOT_BELOW, id=parent, root=root)
        return
    for number in sorted(below):
        tx.run("update post set parent = null, root = null where id = :id", id=number)
        tx.run(_ROOT_BELOW, id=number, root=number)


def untitle(tx: Tx, topics: Collection[int], below: Collection[int]) -> None:
    """Take the titles of these posts, and of all below them, that only repeat those of `topics`."""
    if titles := repeating(tx, topics):
        tx.run(_UNTITLED, ids=sorted(below), titles=sorted(titles))


def repeating(tx: Tx, numbers: Collection[int]) -> set[str]:
    """What answers are called that have no title of their own: forums give each that of the topic (of these posts)."""
    rows = tx.all("select title from post where id in (:ids) and title <> ''", ids=sorted(numbers))
    topics = {row.title.removeprefix("Re: ") for row in rows}
    return topics | {f"Re: {topic}" for topic in topics}


def loosen(tx: Tx, uri: str) -> None:
    """An answer that must not stand below what it answers begins a thread of its own, with all that hangs on it."""
    row = tx.one("select id from post where uri = :uri and local = 0 and parent is not null", uri=uri)
    if row is not None:
        move(tx, (row.id,), None, None)
