"""Answers that came before what they answer find their place below it, as far as they might have come afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fediblog.domain.documents import Note
from fediblog.store.people import relations
from fediblog.store.people.accounts import host_of
from fediblog.store.posts import posts, reply_policy, thread_links
from fediblog.store.posts.thread_links import ThreadPost
from fediblog.store.tx import Tx
from fediblog.store.visible import KNOWN

_WAITING = (
    "select id, parent, account from post where in_reply_to in (:names) and in_reply_to <> '' and parent is null"
    " and id <> :id and not exists"
    " (select 1 from reply_authorization r where r.replying = post.uri and r.revoked is not null)"
)
_ABOVE = (
    "with recursive above(id, parent) as (select id, parent from post where id = :id union"
    " select p.id, p.parent from post p join above a on p.id = a.parent) select id from above"
)
_BELOW = (
    "with recursive below(id, parent, account) as (select id, parent, account from post where parent in (:ids) union"
    " select p.id, p.parent, p.account from post p join below b on p.parent = b.id)"
    " select id, parent, account from below order by id"
)
_KNOWS = f"select 1 as yes from post p where p.id = :id and {KNOWN}"


class _Answer(NamedTuple):
    id: int
    parent: int | None
    account: int


def adopt(tx: Tx, post: int, root: int, note: Note) -> None:
    """Hang answers that waited for this post below it, with all that hangs on them; `root` begins its thread.

    Only those that might come now: whose authors may know of the post, are not blocked by its author or that of the
    thread, and may answer. What others wrote begins a thread of its own. `note` is the post, whose id and page count.
    """
    rows = tx.all(_WAITING, names=[note.uri, thread_links.page_of(note, host_of(note.uri))], id=post)
    waiting = [_Answer._make(row) for row in rows]
    if waiting and root != post:  # posts that claim to answer each other in a circle stay a line
        above = {row.id for row in tx.all(_ABOVE, id=post)}
        waiting = [each for each in waiting if each.id not in above]
    if not waiting:
        return
    parent, first = posts.owner(tx, post), posts.owner(tx, root) if root != post else None
    ours = [each for each in (parent, first) if each is not None and each.local]
    if ours:
        waiting = [each for each in waiting if _may_hang(tx, each.account, parent, first, ours)]
    adopted = [each.id for each in waiting]
    if not adopted:
        return
    if ours:
        thread_links.move(tx, _strays(tx, adopted, first or parent, ours), None, None)
    thread_links.move(tx, adopted, post, root)
    thread_links.untitle(tx, {post, root}, adopted)


def _may_hang(
    tx: Tx, author: int, parent: ThreadPost | None, first: ThreadPost | None, ours: Iterable[ThreadPost]
) -> bool:
    if parent is not None and tx.one(_KNOWS, id=parent.id, viewer=author) is None:
        return False
    if any(relations.blocks(tx, each.account, author) for each in ours):
        return False
    return reply_policy.may_answer(tx, author, parent, first)


def _strays(tx: Tx, adopted: Iterable[int], first: ThreadPost | None, ours: Iterable[ThreadPost]) -> list[int]:
    """What hangs below these answers and might not have come into the thread."""
    below = [_Answer._make(row) for row in tx.all(_BELOW, ids=sorted(adopted))]
    found = []
    for each in below:
        parent = posts.owner(tx, each.parent) if each.parent is not None else None
        if not _may_hang(tx, each.account, parent, first, ours):
            found.append(each.id)
    return found
