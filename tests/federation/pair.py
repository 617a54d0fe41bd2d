"""Two people on two servers, who are to know each other, and what can be seen from either side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account, Relation
from fediblog.domain.posts import Notice, Post
from fediblog.federation import prepared_actions
from fediblog.store.people import accounts, relations
from fediblog.store.posts import posts
from tests.store.makers import home_of, notices_of
from tests.world import World


@dataclass
class Pair:
    """Ann, who writes, on the server `near`, and Ben, who reads, on `far`."""

    world: World
    near: str
    far: str
    ann: Account
    ben: Account

    async def copy_of(self, host: str, account: Account) -> Account:
        """An account as a server knows it."""
        found = await self.world.read(host, accounts.by_uri, account.uri)
        assert found is not None, f"{host} does not know {account.acct}"
        return found

    async def ann_there(self) -> Account:
        return await self.copy_of(self.far, self.ann)

    async def ben_here(self) -> Account:
        return await self.copy_of(self.near, self.ben)

    async def follow(self) -> None:
        """Ben follows Ann."""
        await prepared_actions.follow(self.world.sites[self.far], self.ben.id, f"@{self.ann.acct}")
        await self.world.settle()

    async def follow_back(self) -> None:
        """Ann follows Ben."""
        await prepared_actions.follow(self.world.sites[self.near], self.ann.id, f"@{self.ben.acct}")
        await self.world.settle()

    async def publish(self, source: str, **more: Any) -> Post:
        """Ann writes something, and it gets about."""
        post = await prepared_actions.publish(self.world.sites[self.near], self.ann.id, Draft(source=source, **more))
        await self.world.settle()
        return post

    async def answer(self, post: Post, source: str, **more: Any) -> Post:
        """Ben answers a post of Ann's."""
        there = await self.there(post)
        assert there is not None
        draft = Draft(source=source, reply_to=there.id, **more)
        written = await prepared_actions.publish(self.world.sites[self.far], self.ben.id, draft)
        await self.world.settle()
        return written

    async def there(self, post: Post) -> Post | None:
        """A post as Ben's server has it."""
        return await self.world.read(self.far, posts.by_uri, post.uri)

    async def here(self, post: Post) -> Post | None:
        """A post as Ann's server has it."""
        return await self.world.read(self.near, posts.by_uri, post.uri)

    async def stream(self) -> list[Post]:
        """What Ben reads."""
        return [item.post for item in await self.world.read(self.far, home_of, self.ben.id)]

    async def notices_of_ann(self) -> list[Notice]:
        return await self.world.read(self.near, notices_of, self.ann.id)

    async def notices_of_ben(self) -> list[Notice]:
        return await self.world.read(self.far, notices_of, self.ben.id)

    async def at_ann(self) -> Relation:
        """What Ann's server thinks that Ben is to her."""
        return await self.world.read(self.near, relations.between, (await self.ben_here()).id, self.ann.id)

    async def at_ben(self) -> Relation:
        """What Ben's server thinks that Ben is to her."""
        return await self.world.read(self.far, relations.between, self.ben.id, (await self.ann_there()).id)
