"""What posts are filed under stays through all that becomes of them, and is said to no other server."""

from __future__ import annotations

import pytest

from fediblog.actions import category_actions, post_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.posts import Category, Post
from fediblog.errors import Invalid
from fediblog.store.posts import categories, post_writing, posts
from tests import wording
from tests.actions.stage import Stage

HOUR = 3_600_000  # ms


async def category(stage: Stage, name: str, parent: int | None = None) -> Category:
    return await stage.db.write(category_actions.add, Category(id=0, name=name, slug="", parent=parent))


async def filed(stage: Stage, post: Post) -> list[str]:
    return [each.name for each in (await stage.post(post.id)).categories]


async def test_drafts_and_posts_for_later_keep_their_categories(stage: Stage) -> None:
    walks = await category(stage, "Walks")
    draft = await stage.publish(title="A walk", state="draft", categories=(walks.id,), new_category="Hills")
    assert await filed(stage, draft) == ["Hills", "Walks"]
    at = stage.clock.now + HOUR
    later = await stage.do(
        wording.edit, stage.ann.id, draft.id, Draft(source="x", title="A walk", state="scheduled", scheduled=at)
    )
    assert await filed(stage, later) == ["Hills", "Walks"]
    stage.clock.forward(seconds=3601)
    await stage.do(post_actions.release, later.id)
    assert await filed(stage, later) == ["Hills", "Walks"]
    assert "Walks" not in str((await stage.last()).document)


async def test_to_file_a_post_elsewhere_is_no_edit_for_others(stage: Stage) -> None:
    walks, hills = await category(stage, "Walks"), await category(stage, "Hills")
    post = await stage.publish("Text", title="A walk", categories=(walks.id,))
    sent = len(await stage.sent())
    edit = Draft(source="Text", title="A walk", categories=(hills.id, hills.id + 5), new_category="walks")
    await stage.do(wording.edit, stage.ann.id, post.id, edit)
    assert await filed(stage, post) == ["Hills", "Walks"]
    await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="Text", title="A walk"))
    assert await filed(stage, post) == ["Hills", "Walks"]
    await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="Text", title="A walk", categories=()))
    assert await filed(stage, post) == []
    assert len(await stage.sent()) == sent
    assert (await stage.post(post.id)).updated is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " \u200b "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"parent": 5}, "parent"),
        ({"description": "x" * 1001}, "description"),
    ],
)
async def test_what_is_no_category(stage: Stage, changes: dict[str, object], field: str) -> None:
    wanted = Category(**{"id": 0, "name": "Walks", "slug": "", **changes})  # type: ignore[arg-type]
    with pytest.raises(Invalid) as refused:
        await stage.db.write(category_actions.add, wanted)
    assert refused.value.field == field


async def test_a_category_is_not_moved_below_itself(stage: Stage) -> None:
    top = await category(stage, "Top")
    low = await category(stage, "Low", top.id)
    for parent in (top.id, low.id):
        with pytest.raises(Invalid):
            await stage.db.write(category_actions.change, Category(id=top.id, name="Top", slug="", parent=parent))
    assert [each.name for _, each in (await stage.db.read(categories.tree)).rows()] == ["Top", "Low"]


async def test_the_deepest_level_holds_for_what_is_moved_too(stage: Stage) -> None:
    deep: int | None = None
    for level in range(category_actions.DEEPEST - 2):
        deep = (await category(stage, f"Level {level}", deep)).id
    top = await category(stage, "Top")
    middle = await category(stage, "Middle", top.id)
    await category(stage, "Low", middle.id)
    with pytest.raises(Invalid) as refused:
        await stage.db.write(category_actions.change, Category(id=top.id, name="Top", slug="", parent=deep))
    assert (refused.value.field, refused.value.key) == ("parent", "category.too-deep")
    moved = Category(id=middle.id, name="Middle", slug="", parent=deep)
    assert (await stage.db.write(category_actions.change, moved)).parent == deep
    assert max(depth for depth, _ in (await stage.db.read(categories.tree)).rows()) == category_actions.DEEPEST - 1


async def test_another_address_is_told_and_the_earlier_one_leads_on(stage: Stage) -> None:
    post = await stage.publish("Text", title="A walk")
    month = post.url.removeprefix("https://blog.test/@ann/").rpartition("/")[0]
    again = await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="Text", title="A hike", slug="Hike!"))
    assert (again.slug, again.url) == ("hike", f"https://blog.test/@ann/{month}/hike")
    assert (await stage.last()).object["url"] == again.url
    at = (stage.ann.id, month, "a-walk")
    assert await stage.db.read(posts.by_slug, *at) is None
    led = await stage.db.read(posts.by_former_slug, *at)
    assert led is not None
    assert led.id == post.id
    pasted = await stage.db.read(posts.by_link, post.url)
    assert pasted is not None
    assert pasted.id == post.id
    assert await stage.db.read(posts.by_link, post.url.replace("blog.test", "other.test")) is None
    assert (await stage.publish("Other", title="A walk")).slug == "a-walk-2"
    back = await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="Text", title="A hike", slug="a-walk"))
    assert back.slug == "a-walk"
    assert await stage.db.read(posts.by_former_slug, *at) is None
    await stage.db.write(post_writing.set_state, post.id, "hidden")
    assert await stage.db.read(posts.by_former_slug, stage.ann.id, month, "hike", stage.cem.id) is None
    await stage.do(post_actions.delete, stage.ann.id, post.id)
    assert (await stage.publish("Other", title="Hike")).slug == "hike"
