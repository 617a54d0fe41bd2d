"""What happens in the demo: each step one action, what it sends, and how it is seen on the other side."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable

from msgspec import Struct, field
from PIL import Image

from fediblog.actions import post_actions, reaction_actions
from fediblog.actions.post_actions import Draft, File
from fediblog.cli.demo_stage import Party
from fediblog.cli.demo_texts import ALT, ANSWER, ARTICLE, EDITED, NOTE, PICTURE, REGRET, REPLY, TITLE
from fediblog.cli.terminal import translated
from fediblog.domain.posts import Post
from fediblog.errors import NotFound
from fediblog.federation import prepared_actions, uploads
from fediblog.store.id_paging import Window
from fediblog.store.people import relation_lists
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.posts import posts, reaction_lists


class Step(Struct, frozen=True):
    """`does` acts on one side; `kinds` are the activities that must cross; `seen` looks on the other side."""

    title: str
    kinds: list[str]
    does: Callable[[], Awaitable[None]]
    seen: Callable[[], Awaitable[bool]]


class Play(Struct):
    """Two people on two servers, and what they have written so far."""

    ann: Party
    ben: Party
    wrote: dict[str, Post] = field(default_factory=dict)

    def steps(self) -> list[Step]:
        """In the order in which they happen."""
        ann, ben = self.ann, self.ben
        return [
            self._follow(ann, ben),
            self._follow(ben, ann),
            self._write(ann, ben, "note", Draft(source=NOTE), "demo.writes-note"),
            self._write(ann, ben, "article", Draft(source=ARTICLE, title=TITLE), "demo.writes-article"),
            self._picture(ben, ann),
            self._reply(ben, ann, "note", "reply", REPLY),
            self._reply(ann, ben, "reply", "answer", ANSWER),
            self._like(ben, ann, "article"),
            self._boost(ann, ben, "picture"),
            self._edit(ann, ben, "note", Draft(source=EDITED)),
            self._write(ann, ben, "regret", Draft(source=REGRET), "demo.writes-hastily"),
            self._delete(ann, ben, "regret"),
        ]

    def _follow(self, one: Party, other: Party) -> Step:
        async def does() -> None:
            await prepared_actions.follow(one.site, one.account.id, f"@{other.account.acct}")

        async def seen() -> bool:
            there = await other.site.db.read(relation_lists.followers, other.account.id, Window())
            here = await one.site.db.read(relation_lists.following, one.account.id, Window())
            return one.account.uri in _uris(there) and other.account.uri in _uris(here)

        return Step(
            translated("demo.follows", name=one.name, handle=other.account.acct), ["Follow", "Accept"], does, seen
        )

    def _write(self, one: Party, other: Party, name: str, draft: Draft, title: str) -> Step:
        async def does() -> None:
            self.wrote[name] = await prepared_actions.publish(one.site, one.account.id, draft)

        async def seen() -> bool:
            return await self._copy(other, name) is not None

        return Step(translated(title, name=one.name), ["Create"], does, seen)

    def _picture(self, one: Party, other: Party) -> Step:
        async def does() -> None:
            upload = await uploads.upload(one.site, one.account.id, paint())
            draft = Draft(source=PICTURE, files=(File(upload=upload.id, alt=ALT),))
            self.wrote["picture"] = await prepared_actions.publish(one.site, one.account.id, draft)

        async def seen() -> bool:
            copy = await self._copy(other, "picture")
            return copy is not None and [each.alt for each in copy.attachments] == [ALT]

        return Step(translated("demo.shows-picture", name=one.name), ["Create"], does, seen)

    def _reply(self, one: Party, other: Party, to: str, name: str, text: str) -> Step:
        async def does() -> None:
            parent = await self._needed(one, to)
            self.wrote[name] = await prepared_actions.publish(
                one.site, one.account.id, Draft(source=text, reply_to=parent.id)
            )

        async def seen() -> bool:
            copy, parent = await self._copy(other, name), await self._copy(other, to)
            return copy is not None and parent is not None and copy.parent == parent.id

        return Step(translated(f"demo.answers-{to}", name=one.name, other=other.name), ["Create"], does, seen)

    def _like(self, one: Party, other: Party, name: str) -> Step:
        async def does() -> None:
            post = await self._needed(one, name)
            await one.site.db.write(reaction_actions.like, one.site.urls, one.account.id, post.id)

        async def seen() -> bool:
            liked = await other.site.db.read(reaction_lists.first_reactions, self.wrote[name].id)
            return one.account.uri in {each.account.uri for each in liked}

        return Step(translated(f"demo.likes-{name}", name=one.name, other=other.name), ["Like"], does, seen)

    def _boost(self, one: Party, other: Party, name: str) -> Step:
        async def does() -> None:
            post = await self._needed(one, name)
            await one.site.db.write(reaction_actions.boost, one.site.urls, one.account.id, post.id)

        async def seen() -> bool:
            boosters = await other.site.db.read(reaction_lists.boosters, self.wrote[name].id)
            return one.account.uri in {each.uri for _, each in boosters}

        return Step(translated(f"demo.boosts-{name}", name=one.name, other=other.name), ["Announce"], does, seen)

    def _edit(self, one: Party, other: Party, name: str, draft: Draft) -> Step:
        async def does() -> None:
            self.wrote[name] = await prepared_actions.edit(one.site, one.account.id, self.wrote[name].id, draft)

        async def seen() -> bool:
            copy = await self._copy(other, name)
            return copy is not None and copy.updated is not None and "mend" in copy.content

        return Step(translated(f"demo.edits-{name}", name=one.name), ["Update"], does, seen)

    def _delete(self, one: Party, other: Party, name: str) -> Step:
        async def does() -> None:
            await one.site.db.write(post_actions.delete, one.site.urls, one.account.id, self.wrote[name].id)

        async def seen() -> bool:
            return await self._copy(other, name) is None

        return Step(translated("demo.deletes", name=one.name), ["Delete"], does, seen)

    async def _copy(self, party: Party, name: str) -> Post | None:
        """What that server has of a post, its own or its copy."""
        found = await party.site.db.read(posts.by_uri, self.wrote[name].uri)
        return found if found is not None and found.state == "published" else None

    async def _needed(self, party: Party, name: str) -> Post:
        copy = await self._copy(party, name) if name in self.wrote else None
        if copy is None:
            raise NotFound("cli.demo-not-yet", person=party.name, thing=name)
        return copy


def paint() -> bytes:
    """A picture of a hill in the evening, as a JPEG file."""
    sky = Image.merge("RGB", [Image.linear_gradient("L").point(scale) for scale in (_red, _green, _blue)])
    sky = sky.resize((960, 600))
    hill = Image.radial_gradient("L").resize((1600, 900)).point(lambda value: 255 if value < 150 else 0)
    sky.paste((24, 58, 40), (-260, 330), hill)
    file = io.BytesIO()
    sky.save(file, "JPEG", quality=88)
    return file.getvalue()


def _red(value: int) -> int:
    return 70 + value * 180 // 255


def _green(value: int) -> int:
    return 60 + value * 90 // 255


def _blue(value: int) -> int:
    return 120 - value * 60 // 255


def _uris(people: list[ListedAccount]) -> set[str]:
    return {each.account.uri for each in people}
