"""What one reader has set beside posts: bookmarks, threads that are muted, votes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from fediblog.store.tx import Tx

KEPT_KEYS = 86_400_000  # ms in which a request that is sent again is known by its key


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


class Defaults(Struct, frozen=True, kw_only=True):
    """What new posts of an account are like where its app says nothing."""

    visibility: str = "public"
    sensitive: bool = False
    quotes: str = "public"


def defaults(tx: Tx, account: int) -> Defaults:
    """Those of the account."""
    row = tx.one("select visibility, sensitive, quotes from preference where account = :id", id=account)
    return Defaults(visibility=row.visibility, sensitive=bool(row.sensitive), quotes=row.quotes) if row else Defaults()


def begin(tx: Tx, token: int, key: str) -> int | None:
    """What came of the request with that key: None if this is the first one, which `finish` must end then."""
    tx.run("delete from idempotency where at < :old", old=tx.now - KEPT_KEYS)
    first = tx.run(
        "insert into idempotency (token, key, result, at) values (:token, :key, 0, :now) on conflict do nothing",
        token=token,
        key=key,
        now=tx.now,
    )
    if first:
        return None
    row = tx.one("select result from idempotency where token = :token and key = :key", token=token, key=key)
    return int(row.result) if row else 0


def finish(tx: Tx, token: int, key: str, result: int) -> None:
    """Remember what came of the request with that key."""
    tx.run(
        "update idempotency set result = :result where token = :token and key = :key",
        result=result,
        token=token,
        key=key,
    )


def authors_of(tx: Tx, posts: Collection[int]) -> dict[int, int]:
    """Who wrote the posts of these numbers, whoever may see them."""
    if not posts:
        return {}
    rows = tx.all("select id, account from post where id in (:ids)", ids=sorted(posts))
    return {row.id: row.account for row in rows}


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


def followed(tx: Tx, account: int, authors: Collection[int]) -> set[int]:
    """Whom of these the account follows."""
    if not authors:
        return set()
    rows = tx.all(
        "select followed from follow where follower = :account and followed in (:authors) and state = 'accepted'",
        account=account,
        authors=sorted(authors),
    )
    return {row.followed for row in rows}
