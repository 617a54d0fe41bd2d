"""Small worlds for the tests of the store: accounts, posts, and eyes that watch what a question asks the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor, Key, Note, Visibility
from fediblog.domain.posts import Notice, Post
from fediblog.domain.rules import may_see
from fediblog.domain.urls import Urls
from fediblog.store import ids
from fediblog.store.engine.database import Database
from fediblog.store.id_paging import FAR, FIRST, Window
from fediblog.store.people import accounts, hosts, logins, relations
from fediblog.store.posts import post_columns, post_writing, posts, threads, timelines
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.posts.tombstones import Tombstone
from fediblog.store.queues import delivery_queue
from fediblog.store.queues.delivery_queue import Outgoing
from fediblog.store.queues.leases import Delivery
from fediblog.store.readers import notification_lists
from fediblog.store.readers.notification_lists import NotificationFilter
from fediblog.store.tx import Param, Row, Scalar, Tx
from tests.remote_accounts import save_remote

P = ParamSpec("P")
T = TypeVar("T")

URLS = Urls(origin="https://blog.example", handle_domain="blog.example")
DAY = 86_400_000  # ms
_numbers = count(1)


def local(tx: Tx, handle: str = "alice") -> Account:
    """An account of ours with a login of its own."""
    login = logins.create(tx, handle, "a hash")
    keys = [accounts.NewKey(kind="rsa", public="public", private="private")]
    return accounts.create_local(tx, URLS, handle, keys, login=login.id, name=handle.title())


def actor(handle: str = "bob", host: str = "far.example", **changes: Any) -> Actor:
    """What a remote server says of somebody."""
    uri = changes.get("uri", f"https://{host}/users/{handle}")
    plain = Actor(
        uri=uri,
        kind="Person",
        handle=handle,
        inbox=f"{uri}/inbox",
        shared_inbox=f"https://{host}/inbox",
        followers=f"{uri}/followers",
        url=f"https://{host}/@{handle}",
        keys=(Key(uri=f"{uri}#main-key", owner=uri, kind="rsa", public="their key"),),
    )
    return replace(plain, **changes)


def remote(tx: Tx, /, handle: str = "bob", host: str = "far.example", **changes: Any) -> Account:
    """A remote account as it is stored."""
    return save_remote(tx, actor(handle, host, **changes), host)


def note(author: Account, *, uri: str = "", **changes: Any) -> Note:
    """A note by that author."""
    plain = Note(uri=uri or f"{author.uri}/{next(_numbers)}", kind="Note", author=author.uri, content="<p>hello</p>")
    return replace(plain, **changes)


def post(
    tx: Tx,
    author: Account,
    *,
    visibility: Visibility = Visibility.PUBLIC,
    state: str = "published",
    month: str = "",
    slug: str = "",
    guest: int | None = None,
    mentioned: Iterable[int] = (),
    number: int | None = None,
    **changes: Any,
) -> int:
    """A stored post; its number."""
    placement = post_columns.Placement(visibility=visibility, state=state, month=month, slug=slug, guest=guest)
    stored = post_writing.insert(tx, note(author, **changes), author, placement, number=number)
    post_writing.address(tx, stored, [(each, "", False) for each in mentioned])
    return stored


def guest(tx: Tx, name: str = "Gil", door: str = "guest", **more: Scalar) -> int:
    """Somebody who writes without being an actor; the number."""
    values = {"url": "", "picture": "", "mail": "", "subject": "", **more}
    number = tx.new_id()
    tx.run(
        "insert into guest (id, door, name, url, picture, mail, subject, created)"
        " values (:id, :door, :name, :url, :picture, :mail, :subject, :now)",
        **{"id": number, "door": door, "name": name, "now": tx.now, **values},
    )
    return number


def whole(tx: Tx, number: int) -> Post:
    """The post of that number, in whatever state."""
    row = tx.one("select * from post where id = :id", id=number)
    assert row is not None
    return posts.hydrate(tx, [row])[0]


def home_of(tx: Tx, account: int, window: Window = FIRST) -> list[ListedPost]:
    """The home timeline of one of our people."""
    return timelines.whole(tx, timelines.home(tx, account, window), account)


def comments_of(tx: Tx, root: int, viewer: int = 0) -> list[Post]:
    """The answers in a thread that are shown to the viewer, oldest first."""
    return sorted(threads.descendants(tx, whole(tx, root), viewer, 500), key=lambda each: each.id)


def everything(tx: Tx) -> list[Post]:
    """All posts, in order of their numbers."""
    return posts.hydrate(tx, tx.all("select * from post order by id"))


def rule(tx: Tx, post: Post, viewer: int) -> bool:
    """What the pure rule says."""
    return may_see(post, relations.viewer(tx, viewer, post.account.id, post.root) if viewer else None)


def notices_of(tx: Tx, account: int, *, before: int = FAR, limit: int = 40) -> list[Notice]:
    """What the account was told, newest first."""
    return notification_lists.page(tx, account, NotificationFilter(), Window(before=before, limit=limit))


class _Undo(Exception):
    """Takes a transaction back."""


async def undone(db: Database, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `fn(tx, …)` in a transaction that leaves nothing behind; what it returned."""
    results: list[T] = []

    def run(tx: Tx) -> None:
        results.append(fn(tx, *args, **kwargs))
        raise _Undo

    with suppress(_Undo):
        await db.write(run)
    return results[-1]


class Watched(Tx):
    """A transaction that writes down what it is asked."""

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx.now, tx._ids)
        self.engine = tx.engine
        self.skip_locked = tx.skip_locked
        self.inner = tx
        self.asked: list[tuple[str, dict[str, Param]]] = []

    def all(self, sql: str, /, **params: Param) -> list[Row]:
        self.asked.append((sql, params))
        return self.inner.all(sql, **params)

    def each(self, sql: str, /, **params: Param) -> Iterator[Row]:
        self.asked.append((sql, params))
        return self.inner.each(sql, **params)

    def one(self, sql: str, /, **params: Param) -> Row | None:
        self.asked.append((sql, params))
        return self.inner.one(sql, **params)

    def run(self, sql: str, /, **params: Param) -> int:
        self.asked.append((sql, params))
        return self.inner.run(sql, **params)

    def many(self, sql: str, rows: Iterable[Mapping[str, Scalar]], /) -> None:
        listed = list(rows)
        self.asked.extend((sql, dict(row)) for row in listed[:1])
        self.inner.many(sql, listed)

    def hold(self, *numbers: int, shared: bool = False) -> None:
        self.inner.hold(*numbers, shared=shared)

    def plans(self) -> list[str]:
        """How SQLite would go about each statement: `SEARCH x USING INDEX y (z=?)` or `SCAN x`."""
        return [
            row.detail for sql, params in self.asked for row in self.inner.all(f"explain query plan {sql}", **params)
        ]


def scans(plans: Iterable[str], *tables: str) -> list[str]:
    """The steps that read all of one of these tables (or of a name that stands for one); an index of words is none."""
    scanned = (step for step in plans if step.startswith("SCAN ") and "VIRTUAL TABLE INDEX" not in step)
    return [step for step in scanned if step.split()[1] in tables]


def time_of(identifier: int) -> int:
    """The time (UTC ms) that an id was made for."""
    return identifier >> ids.BITS


def tombstone(tx: Tx, uri: str) -> Tombstone | None:
    """The tombstone of that id, whatever it was, if it has one."""
    row = tx.one("select uri, owner, kind, at from tombstone where uri = :uri", uri=uri)
    return Tombstone(**row._asdict()) if row else None


def sent(tx: Tx, uri: str) -> Outgoing | None:
    """The activity of ours with that id, and how far it got."""
    row = tx.one("select * from outgoing where uri = :uri", uri=uri)
    return Outgoing(**row._asdict()) if row else None


def delivered(tx: Tx, delivery: Delivery) -> None:
    """An inbox took it."""
    delivery_queue.delivered_all(tx, delivery.outgoing, [delivery.id])


def host_answered(tx: Tx, host: str, scheme: str | None = None) -> None:
    """A host works; `scheme` is the signature scheme that it turned out to want."""
    if scheme is not None:
        hosts.remember_scheme(tx, host, scheme)
    hosts.hosts_answered(tx, [host])
