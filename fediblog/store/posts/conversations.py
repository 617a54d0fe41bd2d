"""Conversations: private posts by thread, as each of our people who takes part has them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.domain.posts import Post
from fediblog.store.id_paging import Window, both_ways
from fediblog.store.posts.timelines import Entry, entries
from fediblog.store.queues import events
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import NOT_EXCLUDED, VISIBLE

_SHOWN = f"p.state = 'published' and {VISIBLE} and {NOT_EXCLUDED}"
_LAST = both_ways(
    "select c.last_post as item, null as booster, p.* from conversation c join post p on p.id = c.last_post"
    f" where c.account = :viewer and c.last_post < :before and c.last_post > :after and {_SHOWN}",
    "c.last_post",
)
_UNREAD = (
    "select c.id from conversation c join post p on p.id = c.last_post"
    f" where c.account = :viewer and c.unread = 1 and {_SHOWN} limit :n"
)
_POSTS = both_ways(
    "select p.id as item, null as booster, p.* from post p where (p.id = :root or p.root = :root)"
    f" and p.visibility = 'direct' and p.id < :before and p.id > :after and {_SHOWN}",
    "p.id",
)
_EARLIER = (
    "select max(p.id) as id from post p where (p.root = :root or p.id = :root) and p.id <> :post"
    " and p.visibility = 'direct' and p.state = 'published' and (p.account = :account"
    " or exists (select 1 from mention m where m.post = p.id and m.account = :account))"
)


class Conversation(Struct, frozen=True, kw_only=True):
    """One conversation of an account; `root` and `last` are the numbers of the thread's first and its last post."""

    id: int
    root: int
    unread: bool
    last: int


def add(tx: Tx, post: Post) -> None:
    """A private post goes to its author's and its readers' conversations, those of our people."""
    people = sorted(post.addressed | {post.account.id})
    rows = tx.all(
        "select a.id, c.id as number, c.last_post from account a left join conversation c on c.account = a.id"
        " and c.root = :root where a.id in (:people) and a.local = 1 and a.login is not null and a.state = 'active'"
        " and not exists (select 1 from block b where b.account = a.id and b.target = :author)"
        " and not exists (select 1 from block b where b.account = :author and b.target = a.id)",
        root=post.root or post.id,
        people=people,
        author=post.account.id,
    )
    for row in rows:
        if row.last_post is None or row.last_post < post.id:
            _put(tx, row, post)


def _put(tx: Tx, row: Row, post: Post) -> None:
    number = row.number or tx.new_id()
    unread = row.id != post.account.id
    tx.run(
        "insert into conversation (account, root, id, last_post, unread) values (:account, :root, :id, :post, :unread)"
        " on conflict (account, root) do update set last_post = excluded.last_post, unread = excluded.unread",
        account=row.id,
        root=post.root or post.id,
        id=number,
        post=post.id,
        unread=unread,
    )
    events.publish(tx, events.CONVERSATION, account=row.id, post=post.id, item=number)


def step_back(tx: Tx, post: int) -> None:
    """A post is about to be deleted: conversations that it ended end with the one before it."""
    for row in tx.all("select account, root from conversation where last_post = :post", post=post):
        earlier = tx.one(_EARLIER, root=row.root, post=post, account=row.account)
        if earlier is not None and earlier.id is not None:
            tx.run(
                "update conversation set last_post = :last where account = :account and root = :root",
                last=earlier.id,
                account=row.account,
                root=row.root,
            )


def last_posts(tx: Tx, viewer: int, window: Window) -> list[Entry]:
    """The timeline of the last post of each conversation, newest first."""
    found = tx.all(
        _LAST[window.upwards], viewer=viewer, now=tx.now, before=window.before, after=window.after, n=window.limit
    )
    return entries(window.turned(found))


def unread_total(tx: Tx, viewer: int, most: int = 100) -> int:
    """How many conversations have a last post that the account has not read, counted up to `most`."""
    return len(tx.all(_UNREAD, viewer=viewer, now=tx.now, n=most))


def of_posts(tx: Tx, viewer: int, posts: Sequence[int]) -> list[Conversation]:
    """The conversations that these posts ended, in the order of the posts."""
    rows = tx.all(
        "select * from conversation where account = :viewer and last_post in (:posts)",
        viewer=viewer,
        posts=posts,
    )
    found = {row.last_post: _conversation(row) for row in rows}
    return [found[number] for number in posts if number in found]


def own(tx: Tx, account: int, number: int) -> Conversation | None:
    """The conversation of that number, if it is the account's."""
    row = tx.one("select * from conversation where account = :account and id = :id", account=account, id=number)
    return _conversation(row) if row else None


def _conversation(row: Row) -> Conversation:
    return Conversation(id=row.id, root=row.root, unread=bool(row.unread), last=row.last_post)


def posts_of(tx: Tx, viewer: int, root: int, window: Window) -> list[Entry]:
    """The private posts of a thread that the viewer may see, newest first; `root` is the number of its first post."""
    found = tx.all(
        _POSTS[window.upwards],
        viewer=viewer,
        now=tx.now,
        root=root,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return entries(window.turned(found))


def mark(tx: Tx, account: int, number: int, *, unread: bool) -> None:
    """Note whether the account has read a conversation."""
    tx.run(
        "update conversation set unread = :unread where account = :account and id = :id",
        unread=unread,
        account=account,
        id=number,
    )


def remove(tx: Tx, account: int, number: int) -> bool:
    """Take a conversation from one's list; its posts stay. False if there is none."""
    return tx.run("delete from conversation where account = :account and id = :id", account=account, id=number) > 0
