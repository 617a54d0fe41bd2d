"""What is in the database before a server under test starts, put there by the store's own functions."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from itertools import islice

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Actor, Key, Note, Visibility
from fediblog.domain.posts import Post
from fediblog.federation.keyring import make_keys
from fediblog.protocol import cavage
from fediblog.protocol.jsontext import encode
from fediblog.store.engine.database import Database
from fediblog.store.people import logins, relations
from fediblog.store.posts import post_writing, reactions
from fediblog.store.posts.post_columns import Placement
from fediblog.store.tx import Tx
from tests import wording
from tests.bench import load
from tests.bench.lab import ORIGIN, URLS, Lab
from tests.remote_accounts import save_remote

TOKEN = "a-token-that-only-the-benchmark-has"
WORDS = "On the way down from the pass the fog lifted, and we saw the whole valley with its villages at once."
CHUNK = 500  # rows of one transaction
_AT_ONCE = Placement(visibility=Visibility.PUBLIC)


async def account(db: Database, handle: str) -> Account:
    """One of our own, with a login of the same name and a session under TOKEN."""
    keys = make_keys()

    def make(tx: Tx) -> Account:
        login = account_actions.add_login(tx, handle, "no password")
        made = account_actions.add_account(tx, URLS, login.id, handle, handle.title(), keys)
        session = logins.Session(
            token=hashlib.sha256(f"{TOKEN}-{handle}".encode()).hexdigest(), login=login.id, account=made.id,
            csrf="", created=tx.now, seen=tx.now, expires=tx.now + 86_400_000, agent="",
        )  # fmt: skip
        logins.open_session(tx, session)
        return made

    return await db.write(make)


def uri(lab: Lab, number: int, host: str) -> str:
    """The id of a remote actor."""
    return f"https://{host}.bench.test:{lab.port}/u/{number}"


def actor(lab: Lab, number: int, host: str, port: int | None = None) -> tuple[Actor, str]:
    """A remote actor as its document would say, without a shared inbox, and the domain of its handle."""
    authority = f"{host}.bench.test:{port or lab.port}"
    own = f"https://{authority}/u/{number}"
    key = Key(uri=f"{own}#main-key", owner=own, kind="rsa", public=lab.keys[number % len(lab.keys)].public.pem())
    made = Actor(
        uri=own, kind="Person", handle=f"u{number}", name=f"Somebody {number}", inbox=f"{own}/inbox",
        outbox=f"{own}/outbox", followers=f"{own}/followers", url=f"https://{authority}/@u{number}", keys=(key,),
        summary=f"<p>Number {number} writes about hills.</p>",
    )  # fmt: skip
    return made, authority


async def actors(db: Database, made: Iterable[tuple[Actor, str]]) -> list[Account]:
    """Store remote actors."""

    def save(tx: Tx, some: Sequence[tuple[Actor, str]]) -> list[Account]:
        return [save_remote(tx, each, domain) for each, domain in some]

    stored: list[Account] = []
    rest = iter(made)
    while some := list(islice(rest, CHUNK)):
        stored += await db.write(save, some)
    return stored


async def follow(db: Database, pairs: Iterable[tuple[int, int]]) -> None:
    """(who, whom), accepted."""

    def save(tx: Tx) -> None:
        for follower, followed in pairs:
            relations.put_follow(tx, follower, followed, f"{ORIGIN}/x/{tx.new_id()}", "accepted")

    await db.write(save)


async def own_posts(db: Database, author: int, count: int) -> list[Post]:
    """Posts of one of our own, which have long been delivered."""

    def save(tx: Tx) -> list[Post]:
        made = [wording.publish(tx, URLS, author, Draft(source=f"{WORDS} #{i} *{i}*")) for i in range(count)]
        tx.run("delete from job where kind = 'fanout'")
        return made

    return await db.write(save)


async def remote_posts(db: Database, authors: Sequence[Account], count: int, *, home: int) -> None:
    """Posts of those whom `home` follows, a minute apart, in its stream."""
    now = time.time_ns() // 1_000_000

    def save(tx: Tx, numbers: Sequence[int]) -> None:
        rows = []
        for number in numbers:
            author = authors[number % len(authors)]
            made = post_writing.insert(
                tx, remote_note(author, f"n{number}", published=now - number * 60_000), author, _AT_ONCE
            )
            rows.append({"account": home, "post": made})
        tx.many("insert into stream (account, item, post) values (:account, :post, :post)", rows)

    for first in range(0, count, CHUNK):
        await db.write(save, range(first, min(first + CHUNK, count)))


async def comments(db: Database, post: Post, authors: Sequence[Account], count: int) -> None:
    """Answers to a post, and likes of it."""

    def save(tx: Tx) -> None:
        for i in range(count):
            author = authors[i % len(authors)]
            note = remote_note(author, f"c{post.id}-{i}", in_reply_to=post.uri, published=tx.now + i)
            post_writing.insert(tx, note, author, _AT_ONCE)
            if i < len(authors):
                reactions.react(tx, author.id, post.id, f"{author.uri}/likes/{post.id}")

    await db.write(save)


def remote_note(author: Account, name: str, *, in_reply_to: str = "", published: int) -> Note:
    """A note of a remote author."""
    own = f"{author.uri}/{name}"
    return Note(
        uri=own, kind="Note", author=author.uri, to=(PUBLIC,), cc=(author.followers,), content=f"<p>{WORDS}</p>",
        url=own, in_reply_to=in_reply_to, published=published, language="en",
    )  # fmt: skip


def signed(lab: Lab, number: int, actor_uri: str, document: dict[str, object]) -> bytes:
    """A delivery to the shared inbox, signed now as most servers sign."""
    body = encode({"@context": "https://www.w3.org/ns/activitystreams", "actor": actor_uri, **document})
    fields = {
        "Content-Type": "application/activity+json",
        "Accept": "*/*",
        "User-Agent": "Bench/1 (+https://h0.bench.test/)",
    }
    key = lab.keys[number % len(lab.keys)]
    added = cavage.sign("POST", f"{ORIGIN}/inbox", fields, body, f"{actor_uri}#main-key", key, int(time.time()))
    return load.post("/inbox", fields | added, body)
