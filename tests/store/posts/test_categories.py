"""The tree of categories: whatever is stored, it is a tree; what is counted in it; where changed addresses lead."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fediblog.actions import category_actions
from fediblog.domain.category_tree import CategoryTree
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Category
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts
from fediblog.store.posts import archive, categories, posts, timelines
from fediblog.store.tx import Tx
from tests.store import makers


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=9))
def test_whatever_lies_below_what_each_category_stands_in_the_tree_once(parents: list[int | None]) -> None:
    """Also where two were moved below each other at once, or a parent is gone."""
    made = [Category(id=n, name=f"c{n}", slug=f"c{n}", parent=parent) for n, parent in enumerate(parents)]
    tree = CategoryTree(made)
    rows = list(tree.rows())
    assert sorted(each.id for _, each in rows) == [each.id for each in made]
    for depth, each in rows:
        above = tree.above(each.id)
        assert len(above) == depth
        assert all(each.id in tree.below(higher.id) for higher in above)
        assert not {higher.id for higher in above} & {lower.id for _, lower in tree.rows(each.id)}


def added(tx: Tx, name: str, parent: Category | None = None) -> Category:
    return category_actions.add(tx, Category(id=0, name=name, slug="", parent=parent.id if parent else None))


async def test_totals_are_of_what_everybody_finds(db: Database) -> None:
    """Each post once, wherever it is filed in a branch; and lists have as many."""

    def fill(tx: Tx) -> dict[str, Category]:
        alice, quiet = makers.local(tx), makers.local(tx, "quiet")
        tx.run("update account set discoverable = 1 where id = :id", id=alice.id)
        tx.run("update account set discoverable = 0 where id = :id", id=quiet.id)
        arts = added(tx, "Arts")
        made = {"arts": arts, "books": added(tx, "Books", arts), "empty": added(tx, "Empty")}
        both = [makers.post(tx, alice), *(makers.post(tx, alice, visibility=each) for each in Visibility)]
        both += [makers.post(tx, alice, state=state) for state in ("draft", "scheduled", "held", "hidden")]
        for number in (*both, makers.post(tx, quiet), makers.post(tx, makers.remote(tx))):
            categories.file_under(tx, number, [made["arts"].id, made["books"].id])
        categories.file_under(tx, makers.post(tx, alice), [made["arts"].id])
        return made

    made = await db.write(fill)
    totals = await db.read(categories.totals)
    assert totals == {made["arts"].id: 3, made["books"].id: 2}
    for name, number in (("arts", 3), ("books", 2), ("empty", 0)):
        branch = (await db.read(categories.tree)).below(made[name].id)
        assert len(await db.read(timelines.filed, 0, branch)) == number


async def test_they_are_counted_once_a_minute_or_after_a_new_post(db: Database) -> None:
    """Also the months of the whole blog: whatever is asked for, and however often."""
    now = 1_700_000_000_000

    def fill(tx: Tx) -> tuple[int, int]:
        alice, number = makers.local(tx), added(tx, "Walks").id
        categories.file_under(tx, makers.post(tx, alice, month="2025/01"), [number])
        return alice.id, number

    def count(tx: Tx, later: int = 0) -> tuple[dict[int, int], list[tuple[str, int]]]:
        tx.now = now + later
        return categories.totals(tx), archive.months(tx)

    alice, walks = await db.write(fill)
    assert await db.read(count) == ({walks: 1}, [("2025/01", 1)])
    await db.write(lambda tx: (tx.run("update post set month = '2025/02'"), tx.run("delete from post_category")))
    assert await db.read(count) == ({walks: 1}, [("2025/01", 1)])
    assert await db.read(count, 60_000) == ({}, [("2025/02", 1)])
    await db.write(lambda tx: tx.run("update post set state = 'hidden'"))
    assert await db.read(count, 60_000) == ({}, [])

    def again(tx: Tx) -> None:
        author = accounts.get(tx, alice)
        assert author is not None
        categories.file_under(tx, makers.post(tx, author, month="2025/03"), [walks])

    await db.write(again)
    assert await db.read(count, 60_000) == ({walks: 1}, [("2025/03", 1)])


async def test_changed_addresses_lead_on_and_are_given_to_nothing_else(db: Database) -> None:
    def act(tx: Tx) -> None:
        walks = added(tx, "Walks")
        moved = category_actions.change(tx, Category(id=walks.id, name="Hikes", slug="hikes"))
        assert (moved.slug, categories.by_slug(tx, "walks"), categories.by_slug(tx, "hikes")) == (
            "hikes",
            walks.id,
            walks.id,
        )
        assert added(tx, "Walks").slug == "walks-2"
        assert category_actions.change(tx, Category(id=walks.id, name="Walks", slug="walks")).slug == "walks"
        assert categories.by_slug(tx, "hikes") == walks.id
        category_actions.remove(tx, walks.id)
        assert categories.by_slug(tx, "hikes") is None
        assert added(tx, "Hikes").slug == "hikes"

    await db.write(act)


async def test_a_category_that_goes_takes_no_post_with_it_and_what_lies_below_moves_up(db: Database) -> None:
    def act(tx: Tx) -> None:
        top = added(tx, "Top")
        middle = added(tx, "Middle", top)
        low = added(tx, "Low", middle)
        number = makers.post(tx, makers.local(tx))
        categories.file_under(tx, number, [middle.id, low.id])
        category_actions.remove(tx, middle.id)
        post = posts.stored(tx, number)
        assert post is not None
        assert [each.name for each in post.categories] == ["Low"]
        tree = categories.tree(tx)
        assert [(depth, each.name) for depth, each in tree.rows()] == [(0, "Top"), (1, "Low")]

    await db.write(act)


async def test_a_rename_shows_at_once_on_what_was_read_before(db: Database) -> None:
    def filed(tx: Tx) -> tuple[Category, int]:
        made, number = added(tx, "Walks"), makers.post(tx, makers.local(tx))
        categories.file_under(tx, number, [made.id])
        return made, number

    made, number = await db.write(filed)
    for name in ("Walks", "Hikes"):
        await db.write(category_actions.change, Category(id=made.id, name=name, slug=""))
        post = await db.read(posts.stored, number)
        assert post is not None
        assert [each.name for each in post.categories] == [name]
