"""Posts that are remembered as they were made: the very same as long as nothing has changed, and never an old one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from fediblog.domain.documents import Attachment
from fediblog.domain.memo import Memo
from fediblog.store.engine.database import Database
from fediblog.store.posts import post_writing, posts, reactions
from fediblog.store.tx import Tx
from tests.remote_accounts import save_remote
from tests.store.makers import actor, post, remote, whole


def test_what_was_made_is_given_only_for_the_same_values() -> None:
    kept: Memo[int, str] = Memo(2)
    assert kept.get(1, ("a",)) is None
    kept.put(1, ("a",), "made of a")
    assert kept.get(1, ("a",)) == "made of a"
    assert kept.get(1, ("b",)) is None
    assert kept.get(2, ("a",)) is None
    kept.put(1, ("b",), "made of b")
    assert kept.get(1, ("a",)) is None
    assert kept.get(1, ("b",)) == "made of b"


def test_what_was_asked_for_least_recently_goes_first() -> None:
    kept: Memo[int, str] = Memo(2)
    for number in (1, 2):
        kept.put(number, (), "made")
    kept.get(1, ())
    kept.put(3, (), "made")
    assert [kept.get(number, ()) for number in (1, 3, 2)] == ["made", "made", None]


def _told(tx: Tx, number: int) -> None:
    tx.run("update post set likes_told = 70 where id = :id", id=number)


def _edited(tx: Tx, number: int) -> None:
    tx.run("update post set content = '<p>other</p>', updated = 5 where id = :id", id=number)


def _answered(tx: Tx, number: int) -> None:
    post(tx, remote(tx, "carol"), in_reply_to=whole(tx, number).uri)


def _liked(tx: Tx, number: int) -> None:
    reactions.react(tx, remote(tx, "carol").id, number, "https://far.example/like")


def _passed_on(tx: Tx, number: int) -> None:
    reactions.boost(tx, remote(tx, "carol").id, number, "https://far.example/boost")


def _addressed(tx: Tx, number: int) -> None:
    post_writing.address(tx, number, [(remote(tx, "carol").id, "@carol", False)])


def _tagged(tx: Tx, number: int) -> None:
    tx.run("insert into post_tag (tag, post, name) values ('sea', :id, 'Sea')", id=number)


def _described(tx: Tx, number: int) -> None:
    tx.run("update attachment set alt = 'a boat' where post = :id", id=number)


def _renamed(tx: Tx, _number: int) -> None:
    save_remote(tx, actor(name="Robert"), "far.example")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (_told, "like_total"),
        (_edited, "content"),
        (_answered, "comments"),
        (_liked, "like_total"),
        (_passed_on, "boost_total"),
        (_addressed, "mentions"),
        (_tagged, "hashtags"),
        (_described, "attachments"),
        (_renamed, "account"),
    ],
)
async def test_a_post_is_made_anew_once_anything_of_it_has_changed(
    db: Database, change: Callable[[Tx, int], None], field: str
) -> None:
    picture = Attachment(kind="Image", url="https://far.example/1.png")
    number = await db.write(lambda tx: post(tx, remote(tx), attachments=(picture,)))
    first, again = [await db.read(posts.get, number) for _ in range(2)]
    assert first is not None
    assert again is first
    await db.write(change, number)
    changed = await db.read(posts.get, number)
    assert changed is not None
    assert getattr(changed, field) != getattr(first, field)
    assert await db.read(posts.get, number) is changed


async def test_a_remembered_post_has_the_marks_of_who_looks(db: Database) -> None:
    def furnish(tx: Tx) -> tuple[int, int, int]:
        author, fan, other = remote(tx), remote(tx, "carol"), remote(tx, "dave")
        number = post(tx, author)
        reactions.react(tx, fan.id, number, "https://far.example/like")
        reactions.boost(tx, fan.id, number, "https://far.example/boost")
        return number, fan.id, other.id

    number, fan, other = await db.write(furnish)
    for viewer in (fan, other, 0, fan):
        found = await db.read(posts.get, number, viewer)
        assert found is not None
        assert (found.liked, found.boosted) == (viewer == fan, viewer == fan)


async def test_a_remembered_post_is_not_shown_to_who_may_not_see_it(db: Database) -> None:
    number = await db.write(lambda tx: post(tx, remote(tx)))
    assert await db.read(posts.get, number) is not None
    await db.write(lambda tx: tx.run("update post set visibility = 'direct' where id = :id", id=number))
    assert await db.read(posts.get, number) is None


async def test_long_posts_are_not_remembered(db: Database) -> None:
    content = "x" * posts.LONGEST_KEPT
    number = await db.write(lambda tx: post(tx, remote(tx), content=content))
    first, again = [await db.read(posts.get, number) for _ in range(2)]
    assert first is not None
    assert first == again
    assert again is not first


async def test_no_two_of_the_same_number_are_taken_for_each_other(db: Database) -> None:
    """Such as those of two databases in one process."""
    number = await db.write(lambda tx: post(tx, remote(tx)))
    first = await db.read(posts.get, number)
    assert first is not None
    other = replace(first, content="<p>another</p>")
    await db.write(lambda tx: tx.run("update post set content = :text where id = :id", text=other.content, id=number))
    assert await db.read(posts.get, number) == other
