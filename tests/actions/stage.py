"""A server with two people of its own and two that live elsewhere, and a look at what it would send."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor, Note, Visibility
from fediblog.domain.posts import Notice, Post
from fediblog.domain.rules import addresses
from fediblog.domain.urls import Urls
from fediblog.store.engine.database import Database
from fediblog.store.people import relations
from fediblog.store.people.accounts import NewKey
from fediblog.store.posts import media_files, post_writing, posts
from fediblog.store.posts.post_columns import Placement
from fediblog.store.tx import Tx
from tests import wording
from tests.conftest import Clock
from tests.remote_accounts import save_remote
from tests.store.makers import home_of, notices_of

T = TypeVar("T")
URLS = Urls("https://blog.test", "blog.test")
KEYS = (NewKey(kind="rsa", public="a public key", private="a private key"),)


@dataclass(frozen=True, slots=True)
class Sent:
    """One activity that will leave, to these inboxes and perhaps to those of all followers."""

    number: int
    document: dict[str, Any]
    inboxes: frozenset[str]
    followers: bool
    subject: str

    @property
    def kind(self) -> str:
        return str(self.document["type"])

    @property
    def object(self) -> dict[str, Any]:
        """The object, which is embedded."""
        found: dict[str, Any] = self.document["object"]
        assert isinstance(found, dict)
        return found


@dataclass
class Stage:
    """Ann and Cem live here; Ben (with a shared inbox) and Dan (without) elsewhere."""

    db: Database
    clock: Clock
    ann: Account
    cem: Account
    ben: Account
    dan: Account

    async def do(self, action: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.db.write(action, URLS, *args, **kwargs)

    async def publish(self, source: str = "Hello", by: Account | None = None, **more: Any) -> Post:
        return await self.do(wording.publish, (by or self.ann).id, Draft(source=source, **more))

    async def follows(self, follower: Account, followed: Account, state: str = "accepted") -> None:
        uri = f"{follower.uri}/follows/{followed.id}"
        await self.db.write(relations.put_follow, follower.id, followed.id, uri, state)

    async def remote_post(self, by: Account, visibility: Visibility = Visibility.PUBLIC, **more: Any) -> Post:
        """A post that came from elsewhere; addressed to Ann if it is a direct one."""
        mentioned = (self.ann.uri,) if visibility == Visibility.DIRECT else ()
        to, cc = addresses(visibility, by.followers, mentioned)

        def action(tx: Tx) -> Post:
            uri = f"{by.uri}/posts/{tx.new_id()}"
            note = Note(uri=uri, kind=more.pop("kind", "Note"), author=by.uri, to=to, cc=cc, published=tx.now, **more)
            number = post_writing.insert(tx, note, by, Placement(visibility=visibility))
            if visibility == Visibility.DIRECT:
                post_writing.address(tx, number, [(self.ann.id, "@ann", False)])
            found = posts.stored(tx, number)
            assert found is not None
            return found

        return await self.db.write(action)

    async def sent(self) -> list[Sent]:
        """All that will leave, in the order in which it was made."""
        return await self.db.read(_sent)

    async def last(self) -> Sent:
        return (await self.sent())[-1]

    async def kinds(self) -> list[str]:
        return [each.kind for each in await self.sent()]

    async def told(self, account: Account) -> list[Notice]:
        return await self.db.read(notices_of, account.id)

    async def stream(self, account: Account) -> list[int]:
        return [item.post.id for item in await self.db.read(home_of, account.id)]

    async def post(self, number: int) -> Post:
        found = await self.db.read(posts.stored, number)
        assert found is not None
        return found

    async def upload(self, account: Account, file: str = "aa/bb/aabb.png") -> int:
        return await self.db.write(_upload, account.id, file)


async def stage_on(db: Database, clock: Clock) -> Stage:
    """The four people on that database."""
    return Stage(
        db,
        clock,
        ann=await db.write(make_local, "ann"),
        cem=await db.write(make_local, "cem"),
        ben=await db.write(make_remote, "ben", "ben.test", shared=True),
        dan=await db.write(make_remote, "dan", "dan.test", shared=False),
    )


def _upload(tx: Tx, account: int, file: str) -> int:
    return media_files.add(
        tx,
        account,
        media_type="image/png",
        file=file,
        large="",
        small=file.replace(".", "s."),
        width=640,
        height=480,
        blurhash="LKO2",
        size=1000,
    )


def _sent(tx: Tx) -> list[Sent]:
    fanned = {row.subject for row in tx.all("select subject from job where kind = 'fanout'")}
    found = []
    for row in tx.all("select * from outgoing order by id"):
        reached = tx.all("select inbox from delivery where outgoing = :id", id=row.id)
        inboxes = frozenset(each.inbox for each in reached)
        found.append(Sent(row.id, json.loads(row.body), inboxes, str(row.id) in fanned, row.subject))
    return found


def make_local(tx: Tx, handle: str) -> Account:
    """Somebody with an account here."""
    login = account_actions.add_login(tx, handle, "-")
    return account_actions.add_account(tx, URLS, login.id, handle, handle.title(), KEYS)


def make_remote(tx: Tx, handle: str, domain: str, *, shared: bool) -> Account:
    """Somebody who lives elsewhere."""
    uri = f"https://{domain}/users/{handle}"
    actor = Actor(
        uri=uri,
        kind="Person",
        handle=handle,
        inbox=f"{uri}/inbox",
        shared_inbox=f"https://{domain}/inbox" if shared else "",
        followers=f"{uri}/followers",
        url=f"https://{domain}/@{handle}",
    )
    return save_remote(tx, actor, domain)
