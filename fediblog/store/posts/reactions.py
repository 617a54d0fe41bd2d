"""Likes, emoji, dislikes and boosts. Totals are counts of rows, so nothing moves them twice."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.domain.documents import Option, Poll
from fediblog.domain.posts import Post
from fediblog.store.posts import post_writing
from fediblog.store.queues import events, job_kinds, job_queue
from fediblog.store.tx import Tx
from fediblog.store.visible import OPEN_TO_ALL

TALLY_DELAY = 180_000  # ms between two Updates that only tell how a poll stands


def react(
    tx: Tx,
    account: int,
    post: int,
    uri: str,
    *,
    kind: str = "like",
    content: str = "",
    emoji_url: str = "",
) -> bool:
    """Store a reaction (kind: like, emoji or dislike); False if the same one stands already."""
    return (
        tx.run(
            "insert into reaction (account, post, kind, content, emoji_url, uri, created)"
            " values (:account, :post, :kind, :content, :emoji, :uri, :now) on conflict do nothing",
            account=account,
            post=post,
            kind=kind,
            content=content,
            emoji=emoji_url,
            uri=uri,
            now=tx.now,
        )
        > 0
    )


def withdraw(tx: Tx, account: int, post: int, *, kind: str = "like", content: str | None = None) -> str | None:
    """Take a reaction back; returns the id it had, None if there was none."""
    row = tx.one(
        "select uri, content from reaction where account = :account and post = :post and kind = :kind"
        " and (:any = 1 or content = :content) order by created",
        account=account,
        post=post,
        kind=kind,
        any=int(content is None),
        content=content or "",
    )
    if row is None:
        return None
    tx.run(
        "delete from reaction where account = :account and post = :post and kind = :kind and content = :content",
        account=account,
        post=post,
        kind=kind,
        content=row.content,
    )
    return str(row.uri)


def withdraw_by_uri(tx: Tx, account: int, uri: str) -> bool:
    """Take back the reaction of that id, if it is the account's own."""
    return tx.run("delete from reaction where account = :account and uri = :uri", account=account, uri=uri) > 0


def by_uri(tx: Tx, uri: str) -> tuple[int, int] | None:
    """(account, post) of the reaction of that id."""
    row = tx.one("select account, post from reaction where uri = :uri", uri=uri)
    return (row.account, row.post) if row else None


def emoji_of(tx: Tx, uri: str) -> str:
    """The emoji of the reaction of that id; nothing if it is a like."""
    row = tx.one("select content from reaction where uri = :uri", uri=uri)
    return str(row.content) if row else ""


def still_likes(tx: Tx, account: int, post: int, but: str = "") -> bool:
    """Whether a like or an emoji of the account stands beside the post, other than the one with the id `but`."""
    row = tx.one(
        "select 1 as yes from reaction where post = :post and account = :account and kind <> 'dislike' and uri <> :but"
        " limit 1",
        post=post,
        account=account,
        but=but,
    )
    return row is not None


def shown_emoji(tx: Tx, account: int, post: int) -> str:
    """The emoji that stands beside the account's face below the post; nothing if it only likes the post."""
    row = tx.one(
        "select content from reaction where post = :post and account = :account and kind = 'emoji'"
        " order by created, content limit 1",
        post=post,
        account=account,
    )
    return str(row.content) if row else ""


def boost(
    tx: Tx, account: int, post: int, uri: str, *, visibility: str = "public", number: int | None = None
) -> int | None:
    """Store a boost; returns its number, None if the account has boosted the post already."""
    identity = number if number is not None else tx.new_id()
    done = tx.run(
        "insert into boost (id, account, post, uri, visibility, created)"
        " values (:id, :account, :post, :uri, :visibility, :now) on conflict do nothing",
        id=identity,
        account=account,
        post=post,
        uri=uri,
        visibility=visibility,
        now=tx.now,
    )
    return identity if done else None


def unboost(tx: Tx, account: int, post: int) -> str | None:
    """Take a boost back, out of the streams too; returns the id it had."""
    row = tx.one(
        "select id, uri, visibility from boost where account = :account and post = :post", account=account, post=post
    )
    if row is None:
        return None
    tx.run("delete from boost where id = :id", id=row.id)
    events.publish(tx, events.DELETE, account=account, post=row.id, detail=str(row.visibility))
    return str(row.uri)


def boost_by_uri(tx: Tx, uri: str) -> tuple[int, int] | None:
    """(account, post) of the boost of that id."""
    row = tx.one("select account, post from boost where uri = :uri", uri=uri)
    return (row.account, row.post) if row else None


def vote(tx: Tx, account: int, post: int, choice: str, uri: str) -> bool:
    """Store a vote in one of our polls; False if that choice was made already."""
    return (
        tx.run(
            "insert into poll_vote (post, account, choice, uri, created) values (:post, :account, :choice, :uri, :now)"
            " on conflict do nothing",
            post=post,
            account=account,
            choice=choice,
            uri=uri,
            now=tx.now,
        )
        > 0
    )


def votes(tx: Tx, post: int) -> tuple[dict[str, int], int]:
    """Votes for each choice, and how many people voted."""
    rows = tx.all("select choice, count(*) as n from poll_vote where post = :post group by choice", post=post)
    people = tx.one("select count(distinct account) as n from poll_vote where post = :post", post=post)
    return {row.choice: row.n for row in rows}, people.n if people else 0


def has_voted(tx: Tx, account: int, post: int) -> bool:
    """Whether the account voted in the poll."""
    return (
        tx.one("select 1 as yes from poll_vote where post = :p and account = :a limit 1", p=post, a=account) is not None
    )


def local_voters(tx: Tx, post: int) -> list[int]:
    """Numbers of our accounts that voted in the poll."""
    rows = tx.all(
        "select distinct v.account from poll_vote v join account a on a.id = v.account"
        " where v.post = :post and a.local = 1 order by v.account",
        post=post,
    )
    return [row.account for row in rows]


def involved_inboxes(tx: Tx, post: int) -> list[str]:
    """Inboxes of the remote people who answered, liked, quoted or passed on a post, and of whom it quotes.

    Their servers hold a copy of it.
    """
    rows = tx.all(
        "select distinct case when a.shared_inbox <> '' then a.shared_inbox else a.inbox end as inbox from account a"
        " where a.local = 0 and a.state = 'active' and a.id in (select account from reaction where post = :post"
        " union select account from boost where post = :post union select account from post where parent = :post"
        " union select account from quote_authorization where post = :post"
        " union select w.id from quote_request q join account w on w.uri = q.author where q.post = :post"
        f" and exists (select 1 from post p where p.id = q.post and p.visibility in {OPEN_TO_ALL}))",
        post=post,
    )
    return [row.inbox for row in rows]


def tally(tx: Tx, post: Post) -> None:
    """Count the votes of a poll of ours, and have the result told, but not at every vote."""
    if post.poll is not None:
        post_writing.set_poll(tx, post.id, counted(tx, post.id, post.poll))
        job_queue.add(tx, job_kinds.SEND_COUNTS, str(post.id), run_at=tx.now + TALLY_DELAY)


def counted(tx: Tx, post: int, poll: Poll) -> Poll:
    """The poll of that post with the votes that are stored."""
    found, people = votes(tx, post)
    options = tuple(Option(name=each.name, votes=found.get(each.name, 0)) for each in poll.options)
    return replace(poll, options=options, voters=people)
