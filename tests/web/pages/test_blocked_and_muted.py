"""Whom readers block or mute, or put into a list alone, they meet on no page: as in apps."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.store.people import relations
from fediblog.store.posts import reactions, timelines
from fediblog.store.readers import lists
from fediblog.store.tx import Tx
from tests.web.pages.conftest import Blog


async def heard(blog: Blog, author: Account, words: str, number: int, **fields: Any) -> Post:
    """A post that came in and went to those who follow its author."""
    made = await blog.heard(author, f"<p>{words}</p>", number, **fields)
    await blog.site.db.write(timelines.spread, made)
    return made


async def block_or_mute(blog: Blog, how: str, other: Account) -> None:
    if how == "mute":
        await blog.site.db.write(relations.mute, blog.alice.id, other.id)
    else:
        await blog.site.db.write(relations.block, blog.alice.id, other.id, f"{blog.alice.uri}/block")


async def test_members_of_an_exclusive_list_are_not_in_the_stream(blog: Blog) -> None:
    people = [await blog.stranger(name) for name in ("bob", "carol")]
    for number, each in enumerate(people):
        await blog.site.db.write(relations.put_follow, blog.alice.id, each.id, f"{each.uri}/f", "accepted")
        await heard(blog, each, f"Words of {each.handle}", number)
    other = await blog.heard(await blog.stranger("dave"), "<p>Words of dave</p>", 9)

    def passed_on(tx: Tx) -> None:
        timelines.spread(
            tx, other, reactions.boost(tx, people[0].id, other.id, "https://far.example/b/1"), people[0].id
        )

    await blog.site.db.write(passed_on)
    owner = await blog.owner()
    before = (await owner.get("/stream")).text
    assert [f"Words of {name}" in before for name in ("bob", "carol", "dave")] == [True, True, True]
    number = await blog.site.db.write(lists.add, blog.alice.id, "Loud", "list", exclusive=True)
    await blog.site.db.write(lists.put, number, [people[0].id])
    stream = (await owner.get("/stream")).text
    assert [f"Words of {name}" in stream for name in ("bob", "carol", "dave")] == [False, True, False]


@pytest.mark.parametrize("how", ["mute", "block"])
async def test_faces_below_a_post_are_not_of_those_whom_the_reader_blocks_or_mutes(blog: Blog, how: str) -> None:
    carol = await blog.stranger("carol")
    post = await blog.heard(carol, "<p>Something nice</p>", 1)
    fans = [await blog.stranger(name.lower(), name=name) for name in ("Bob", "Dave", "Erin", "Finn")]
    for each in fans[:2]:
        await blog.site.db.write(reactions.react, each.id, post.id, f"{each.uri}/l")
    for each in fans[2:]:
        await blog.site.db.write(reactions.boost, each.id, post.id, f"{each.uri}/b")
    owner = await blog.owner()
    page = (await owner.get(f"/post/{post.id}")).text
    assert [f'title="{each.name}"' in page for each in fans] == [True] * 4
    for each in (fans[0], fans[2]):
        await block_or_mute(blog, how, each)
    page = (await owner.get(f"/post/{post.id}")).text
    assert [f'title="{each.name}"' in page for each in fans] == [False, True, False, True]


async def test_who_boosted_for_followers_alone_has_no_face_for_others(blog: Blog) -> None:
    mine = await blog.write("Pass it on")
    bob = await blog.stranger("bob", name="Bob")
    await blog.site.db.write(reactions.boost, bob.id, mine.id, f"{bob.uri}/b", visibility="followers")
    path = mine.url.removeprefix("https://blog.test")
    owner = await blog.owner()
    assert 'title="Bob"' not in (await blog.browser().get(path)).text
    assert 'title="Bob"' not in (await owner.get(path)).text
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, f"{bob.uri}/f", "accepted")
    assert 'title="Bob"' in (await owner.get(path)).text


@pytest.mark.parametrize("how", ["mute", "block"])
async def test_a_tag_shows_nothing_of_those_whom_the_reader_blocks_or_mutes(blog: Blog, how: str) -> None:
    people = [await blog.stranger(name) for name in ("bob", "carol")]
    for number, each in enumerate(people):
        await blog.heard(each, f"<p>Words of {each.handle}</p>", number, hashtags=("tea",))
    owner = await blog.owner()
    page = (await owner.get("/tags/tea")).text
    assert [f"Words of {each.handle}" in page for each in people] == [True, True]
    await block_or_mute(blog, how, people[0])
    page = (await owner.get("/tags/tea")).text
    assert [f"Words of {each.handle}" in page for each in people] == [False, True]
