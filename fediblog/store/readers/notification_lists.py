"""Notices as pages and apps show them: by kind and by person, in groups, and what is still unread."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from fediblog.domain.posts import Notice
from fediblog.store.id_paging import Window, both_ways
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.queues.push_subscriptions import ALERT_OF
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import VISIBLE

KINDS = frozenset({*ALERT_OF, "move", "warning", "answer"})
"""All that an account is told of."""
_SHOWN = (
    "n.account = :viewer and (:filtered = 1 or n.filtered = 0) and n.kind in (:kinds)"
    " and exists (select 1 from account na where na.id = n.actor and na.state = 'active')"
    " and not exists (select 1 from block nb where nb.account = :viewer and nb.target = n.actor)"
    " and (n.post is null or exists (select 1 from post p where p.id = n.post and p.state = 'published'"
    f" and {VISIBLE}))"
)
_PAGE = both_ways(
    "select n.* from notice n where n.id < :before and n.id > :after and (:actor = 0 or n.actor = :actor)"
    f" and {_SHOWN}",
    "n.id",
)
_GROUP = (
    "select n.* from notice n where n.kind in (:kinds) and coalesce(n.post, 0) = :post and n.created >= :first"
    f" and n.created < :last and {_SHOWN} order by n.id desc limit :n"
)
_UNREAD = (
    "select n.id, n.kind, n.post, n.created from notice n where n.read = 0 and n.id > coalesce((select m.last_read"
    " from marker m where m.account = :viewer and m.timeline = 'notifications'), 0)"
    " and (:actor = 0 or n.actor = :actor)"
    f" and {_SHOWN} order by n.id desc limit :n"
)
_FORGET = (
    "delete from notice where account = :viewer and kind in (:kinds) and coalesce(post, 0) = :post"
    " and created >= :first and created < :last"
)


class NotificationFilter(Struct, frozen=True, kw_only=True):
    """Which notices: of these kinds, of one person alone (0: of anybody), with those that wait for consent or not."""

    kinds: Collection[str] = KINDS
    actor: int = 0
    filtered: bool = False


class NotificationGroup(Struct, frozen=True, kw_only=True):
    """Notices of some kinds about one post (0: about none) in a time (ms, the end left out)."""

    kinds: Collection[str]
    post: int
    first: int
    last: int


class Unread(Struct, frozen=True, kw_only=True):
    """A notice that was not read, as far as it has to be known to count it."""

    id: int
    kind: str
    post: int | None
    created: int


def page(tx: Tx, viewer: int, wanted: NotificationFilter, window: Window) -> list[Notice]:
    """A piece of the list, newest first: nothing of people or posts that are gone or hidden from the account."""
    rows = tx.all(
        _PAGE[window.upwards],
        viewer=viewer,
        kinds=sorted(wanted.kinds),
        actor=wanted.actor,
        filtered=wanted.filtered,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return _whole(tx, viewer, window.turned(rows))


def get(tx: Tx, viewer: int, number: int) -> Notice | None:
    """The notice of that number, if it is one of the account's that it may still see; also one that waits."""
    only = Window(before=number + 1, after=number - 1, limit=1)
    return next(iter(page(tx, viewer, NotificationFilter(filtered=True), only)), None)


def of_span(tx: Tx, viewer: int, span: NotificationGroup, limit: int) -> list[Notice]:
    """The notices of a group, newest first."""
    rows = tx.all(
        _GROUP,
        viewer=viewer,
        kinds=sorted(span.kinds),
        post=span.post,
        first=span.first,
        last=span.last,
        filtered=False,
        n=limit,
    )
    return _whole(tx, viewer, rows)


def unread(tx: Tx, viewer: int, wanted: NotificationFilter, limit: int) -> list[Unread]:
    """Notices that were read neither on a page here nor up to an app's marker."""
    rows = tx.all(
        _UNREAD,
        viewer=viewer,
        kinds=sorted(wanted.kinds),
        actor=wanted.actor,
        filtered=wanted.filtered,
        n=limit,
    )
    return [Unread(**row._asdict()) for row in rows]


def unread_total(tx: Tx, viewer: int, most: int = 100) -> int:
    """How many notices the account has not looked at, counted up to `most`."""
    return len(unread(tx, viewer, NotificationFilter(), most))


def _whole(tx: Tx, viewer: int, rows: Sequence[Row]) -> list[Notice]:
    people = accounts.many(tx, {row.actor for row in rows})
    about = posts.many(tx, {row.post for row in rows if row.post is not None}, viewer)
    return [
        Notice(
            id=row.id,
            kind=row.kind,
            actor=people[row.actor],
            post=about.get(row.post or 0),
            content=row.content,
            created=row.created,
            read=bool(row.read),
            filtered=bool(row.filtered),
        )
        for row in rows
    ]


def clear(tx: Tx, viewer: int) -> None:
    """Forget all notices."""
    tx.run("delete from notice where account = :viewer", viewer=viewer)


def dismiss(tx: Tx, viewer: int, number: int) -> bool:
    """Forget one notice; False if the account has none of that number."""
    return tx.run("delete from notice where account = :viewer and id = :id", viewer=viewer, id=number) > 0


def dismiss_span(tx: Tx, viewer: int, span: NotificationGroup) -> bool:
    """Forget a group of notices; False if there is none."""
    gone = tx.run(_FORGET, viewer=viewer, kinds=sorted(span.kinds), post=span.post, first=span.first, last=span.last)
    return gone > 0
