"""What one reader has set beside posts: bookmarks, threads that are muted, votes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from fediblog.store.tx import Tx


class Marks(Struct, frozen=True, kw_only=True):
    """Numbers of posts that are bookmarked, of threads that are muted, and the answers chosen in polls."""

    bookmarked: frozenset[int] = frozenset()
    muted: frozenset[int] = frozenset()
    votes: Mapping[int, Sequence[str]] = field(default_factory=dict)


def marks(tx: Tx, viewer: int, posts: Collection[int]) -> Marks:
    """What the viewer has set beside these posts."""
    ids = sorted(set(posts))
    kept = tx.all("select post from bookmark where account = :viewer and post in (:ids)", viewer=viewer, ids=ids)
    hushed = tx.all(
        "select root from thread_mute where account = :viewer and root in"
        " (select coalesce(p.root, p.id) from post p where p.id in (:ids))",
        viewer=viewer,
        ids=ids,
    )
    votes: dict[int, list[str]] = {}
    for row in tx.all(
        "select post, choice from poll_vote where account = :viewer and post in (:ids)", viewer=viewer, ids=ids
    ):
        votes.setdefault(row.post, []).append(row.choice)
    return Marks(
        bookmarked=frozenset(row.post for row in kept), muted=frozenset(row.root for row in hushed), votes=votes
    )


def bookmark(tx: Tx, account: int, post: int) -> None:
    """Keep a post among one's bookmarks."""
    tx.run(
        "insert into bookmark (account, post, id) values (:account, :post, :id) on conflict do nothing",
        account=account,
        post=post,
        id=tx.new_id(),
    )


def unbookmark(tx: Tx, account: int, post: int) -> None:
    """Take a post from one's bookmarks."""
    tx.run("delete from bookmark where account = :account and post = :post", account=account, post=post)


def mute_thread(tx: Tx, account: int, root: int) -> None:
    """Hear nothing more of a thread."""
    tx.run(
        "insert into thread_mute (account, root) values (:account, :root) on conflict do nothing",
        account=account,
        root=root,
    )


def unmute_thread(tx: Tx, account: int, root: int) -> None:
    """Hear of a thread again."""
    tx.run("delete from thread_mute where account = :account and root = :root", account=account, root=root)
