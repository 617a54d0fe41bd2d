"""Threads: what a post answers, and the answers below it in the order in which they are read, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from fediblog.domain.posts import Post
from fediblog.domain.thread_order import (
    OPEN_ANSWERS,
    ThreadBranch,
    ThreadPlace,
    branch_of,
    in_pages,
    in_reading_order,
)
from fediblog.store.id_paging import FIRST, Window
from fediblog.store.posts import posts
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import NOT_EXCLUDED, OPEN_TO_ALL, SHOWN_BELOW, VISIBLE, VISIBLE_IN_LISTS

PAGE = 32  # answers: of who has signed in each takes some 4 kB
THREAD_LIMIT = 500  # answers of a thread, after which no more are looked for elsewhere
DEPTH = 40  # posts above another one that are shown with it
MOST = 20_000  # answers whose order is worked out; what came after them is on the pages of the answers that it hangs on

_SHOWN = f"p.state = 'published' and {VISIBLE_IN_LISTS} and (:viewer = 0 or {NOT_EXCLUDED}) and {SHOWN_BELOW}"
_OLDEST, _NEWEST = "order by p.id limit :n", "order by p.id desc limit :n"
_IN_THREAD = f"post p where p.root = :top and {_SHOWN}"
# Not `union all`: then a circle would have no end.
_IN_BRANCH = (
    "post p where p.id in (with recursive branch (id) as (select b.id from post b where b.parent = :top"
    f" union select c.id from branch join post c on c.parent = branch.id) select id from branch) and {_SHOWN}"
)
_WHOLE, _WHOLE_BRANCH = f"select p.* from {_IN_THREAD} {_OLDEST}", f"select p.* from {_IN_BRANCH} {_OLDEST}"
_LATEST, _LATEST_OF_BRANCH = f"select p.* from {_IN_THREAD} {_NEWEST}", f"select p.* from {_IN_BRANCH} {_NEWEST}"
_SPOTS = f"select p.id, p.parent from {_IN_THREAD} {_OLDEST}"
_SPOTS_OF_BRANCH = f"select p.id, p.parent from {_IN_BRANCH} {_OLDEST}"

_ABOVE = (
    "with recursive above(id, parent, depth) as (select id, parent, 0 from post where id = :id union all"
    " select p.id, p.parent, up.depth + 1 from post p join above up on p.id = up.parent where up.depth < :most)"
    " select id from above where depth > 0 order by depth"
)
_LINKS = f"select p.id, p.uri from post p where p.id > :after and p.state = 'published' and {VISIBLE} and {SHOWN_BELOW}"
_REPLIES = f"{_LINKS} and p.parent = :post order by p.id limit :n"
_ALL_LINKS = f"{_LINKS} and (p.root = :root or p.id = :root) order by p.id limit :n"


class PostLink(NamedTuple):
    """Number and id of a post, for collections that have no more of it."""

    id: int
    uri: str


class RepliesPage(Struct, frozen=True, kw_only=True):
    """One page of the answers below a post, or of one branch of them. Pages count from 1."""

    branches: Sequence[ThreadBranch]
    shown: Mapping[int, Post]  # by number; an answer that is not among them is not shown, but has some below it
    total: int  # answers that are shown, on all pages
    left: Mapping[int, int]  # by number of a branch: how many of its answers that would be shown are left out
    branch: int = 0  # the answer at the head of all, if it is one branch
    page: int = 1
    pages: int = 1


class RepliesPlace(NamedTuple):
    """Where an answer is certain to be seen: in which branch (0: among all), on which page."""

    branch: int
    page: int


def below(tx: Tx, post: Post, viewer: int, page: int = 1, branch: int = 0, size: int = PAGE) -> RepliesPage:
    """A page of the answers below a post that are shown to the viewer; the last one if there are not so many.

    `branch` is the answer whose branch is asked for; all are given if it is not there.
    """
    rows = _ask(tx, _WHOLE if post.root is None else _WHOLE_BRANCH, post, viewer, size + 1)
    if len(rows) <= size and not branch:
        order = _order(tx, post, {row.id: row.parent for row in rows})
        shown = {each.id: each for each in posts.hydrate(tx, rows, viewer)}
        [branches] = in_pages(order, len(order))
        return RepliesPage(branches=branches, shown=shown, total=len(shown), left={})
    known, order = _spots(tx, post, viewer)
    if within := branch_of(order, branch):
        cut = [ThreadBranch(within[at : at + size]) for at in range(0, len(within), size)]
        found = [[each] for each in cut]
    else:
        branch, found = 0, in_pages(order, size)
    page = min(max(page, 1), len(found))
    numbers = {number for part in found[page - 1] for place in part.places for number in (place.id, place.parent)}
    return RepliesPage(
        branches=found[page - 1],
        shown=_whole(tx, known.keys() & numbers, viewer),
        total=len(known),
        left={part.places[0].id: sum(each.id in known for each in part.left) for part in found[page - 1]},
        branch=branch,
        page=page,
        pages=len(found),
    )


def place_of(tx: Tx, post: Post, viewer: int, number: int, size: int = PAGE) -> RepliesPlace | None:
    """Where below a post an answer stands; None if the viewer is shown no such one."""
    known, order = _spots(tx, post, viewer)
    if number not in known:
        return None
    for page, branches in enumerate(in_pages(order, size), 1):
        for part in branches:
            head = part.places[0].id
            if any(place.id == number for place in part.places[: OPEN_ANSWERS + 1]):
                return RepliesPlace(0, page)
            for at, place in enumerate((*part.places, *part.left)):
                if place.id == number:
                    return RepliesPlace(head, at // size + 1)
    return None


def _spots(tx: Tx, post: Post, viewer: int) -> tuple[dict[int, int | None], list[ThreadPlace]]:
    """What each answer that is shown answers, and the order of all."""
    rows = _ask(tx, _SPOTS if post.root is None else _SPOTS_OF_BRANCH, post, viewer, MOST)
    known = {row.id: row.parent for row in rows}
    return known, _order(tx, post, known)


def descendants(tx: Tx, post: Post, viewer: int, limit: int) -> list[Post]:
    """The answers below a post that are shown to the viewer, each before its own answers."""
    rows = _ask(tx, _WHOLE if post.root is None else _WHOLE_BRANCH, post, viewer, limit)
    order = _order(tx, post, {row.id: row.parent for row in rows})
    shown = {each.id: each for each in posts.hydrate(tx, rows, viewer)}
    return [shown[place.id] for place in order if place.id in shown]


def latest(tx: Tx, post: Post, limit: int) -> list[Post]:
    """The answers below a post that everybody sees, newest first."""
    return posts.hydrate(tx, _ask(tx, _LATEST if post.root is None else _LATEST_OF_BRANCH, post, 0, limit))


def _order(tx: Tx, post: Post, spots: Mapping[int, int | None]) -> list[ThreadPlace]:
    unseen = _unseen(tx, post.root or post.id, {post.id: None, **spots})
    return in_reading_order(post.id, [*spots.items(), *unseen.items()])


def _unseen(tx: Tx, root: int, spots: Mapping[int, int | None]) -> dict[int, int | None]:
    """Of public answers in a thread that are not among these, but have some of them below: their parents by number.

    They are of somebody who is blocked; what others answered to them stays, and hangs below where they would be.
    """
    found: dict[int, int | None] = {}
    missing = {parent for parent in spots.values() if parent is not None} - spots.keys()
    while missing:
        rows = tx.all(
            "select id, parent from post where id in (:ids) and root = :root and state = 'published'"
            f" and visibility in {OPEN_TO_ALL}",
            ids=sorted(missing),
            root=root,
        )
        found.update((row.id, row.parent) for row in rows)
        missing = {row.parent for row in rows if row.parent is not None} - spots.keys() - found.keys()
    return found


def _ask(tx: Tx, sql: str, post: Post, viewer: int, limit: int) -> list[Row]:
    return tx.all(sql, top=post.id, viewer=viewer, now=tx.now, n=limit)


def _whole(tx: Tx, numbers: set[int], viewer: int) -> dict[int, Post]:
    rows = tx.all("select p.* from post p where p.id in (:ids)", ids=sorted(numbers))
    return {post.id: post for post in posts.hydrate(tx, rows, viewer)}


def ancestors(tx: Tx, post: Post, viewer: int = 0, most: int = DEPTH) -> list[Post]:
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


def reply_links(tx: Tx, post: int, viewer: int = 0, window: Window = FIRST) -> list[PostLink]:
    """The direct answers that the viewer may see, oldest first, those above `window.after`."""
    rows = tx.all(_REPLIES, post=post, viewer=viewer, after=window.after, n=window.limit)
    return [PostLink(*row) for row in rows]


def links(tx: Tx, root: int, viewer: int = 0, window: Window = FIRST) -> list[PostLink]:
    """All posts of a thread that the viewer may see, oldest first, those above `window.after`."""
    rows = tx.all(_ALL_LINKS, root=root, viewer=viewer, after=window.after, n=window.limit)
    return [PostLink(*row) for row in rows]


def total(tx: Tx, root: int) -> int:
    """How many public or unlisted posts a thread has."""
    row = tx.one(
        "select count(*) as n from post p join account a on a.id = p.account and a.state = 'active'"
        f" where (p.root = :root or p.id = :root) and p.state = 'published' and p.visibility in {OPEN_TO_ALL}"
        f" and {SHOWN_BELOW}",
        root=root,
    )
    return int(row.n) if row else 0
