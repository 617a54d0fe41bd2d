"""Categories: the tree under which posts are filed, and how many stand in each branch."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.category_tree import CategoryTree
from fediblog.domain.memo import Memo
from fediblog.domain.posts import Category
from fediblog.errors import Invalid
from fediblog.markup.slug import first_free
from fediblog.store.posts import search_index
from fediblog.store.posts.archive import totals_made_of
from fediblog.store.tx import Tx
from fediblog.store.visible import OURS_FOR_ALL

TREE = 1
"""The number that is held while the tree is changed: nothing else has one so low."""

_EVERY = "select id, name, slug, parent, description from category"
# With `union`, so that it ends even where a category lies below itself.
_TOTALS = (
    "with recursive up (id, above) as (select id, id from category"
    " union select up.id, c.parent from up join category c on c.id = up.above where c.parent is not null)"
    " select up.above as id, count(distinct p.id) as n from up join post_category f on f.category = up.id"
    f" join post p on p.id = f.post where {OURS_FOR_ALL} group by up.above"
)
_KEPT: Memo[int, dict[int, int]] = Memo(8)


def tree(tx: Tx) -> CategoryTree:
    """All categories."""
    return CategoryTree([Category(**row._asdict()) for row in tx.all(_EVERY)])


def totals(tx: Tx) -> dict[int, int]:
    """How many posts everybody finds under a category and what lies below it, by its number.

    Counted again when our people have posted or a post was withheld, and else once in a minute.
    """
    made_of = totals_made_of(tx)
    kept = _KEPT.get(made_of[0], made_of)
    if kept is None:
        kept = {row.id: row.n for row in tx.all(_TOTALS)}
        _KEPT.put(made_of[0], made_of, kept)
    return kept


def filed(tx: Tx, number: int) -> int:
    """How many posts of whatever kind are filed under the category itself, drafts among them."""
    row = tx.one("select count(*) as n from post_category where category = :id", id=number)
    return int(row.n) if row else 0


def by_slug(tx: Tx, slug: str) -> int | None:
    """The number of the category that is, or was once, at that address."""
    row = tx.one(
        "select id from category where slug = :slug"
        " union all select category from former_category_slug where slug = :slug",
        slug=slug,
    )
    return int(row.id) if row else None


def named(tx: Tx, name: str) -> int:
    """The number of the category of that name, however it is capitalised, or of that slug. Raises Invalid."""
    found = (each for _, each in tree(tx).rows() if name == each.slug or name.casefold() == each.name.casefold())
    category = next(found, None)
    if category is None:
        raise Invalid("categories", "category.unknown", name=name)
    return category.id


def free_slug(tx: Tx, slug: str, number: int = 0) -> str:
    """`slug`, or the first of slug-2, slug-3 … that no other category has or leads on from."""
    rows = tx.all(
        "select slug from category where id <> :id"
        " union all select slug from former_category_slug where category <> :id",
        id=number,
    )
    return first_free(slug, {row.slug for row in rows})


def add(tx: Tx, category: Category) -> None:
    """Store a new category."""
    tx.run(
        "insert into category (id, parent, name, slug, description, created)"
        " values (:id, :parent, :name, :slug, :description, :now)",
        id=category.id,
        parent=category.parent,
        name=category.name,
        slug=category.slug,
        description=category.description,
        now=tx.now,
    )


def change(tx: Tx, before: Category, after: Category) -> None:
    """Store what a category is now; where it has another address, the earlier one leads on."""
    tx.run(
        "update category set parent = :parent, name = :name, slug = :slug, description = :description where id = :id",
        id=before.id,
        parent=after.parent,
        name=after.name,
        slug=after.slug,
        description=after.description,
    )
    if before.name != after.name:
        search_index.renew_filed_later(tx, before.id)
    if before.slug != after.slug:
        tx.run("delete from former_category_slug where slug = :slug", slug=after.slug)
        tx.run("insert into former_category_slug (slug, category) values (:slug, :id)", slug=before.slug, id=before.id)


def remove(tx: Tx, category: Category) -> None:
    """Forget a category: its posts stay, and what lies below it moves up."""
    tx.run("update category set parent = :parent where parent = :id", parent=category.parent, id=category.id)
    tx.run("delete from category where id = :id", id=category.id)
    search_index.renew_filed_later(tx, category.id)


def file_under(tx: Tx, post: int, numbers: Collection[int]) -> None:
    """Say under which categories a post is filed, in place of what was said; those that are gone are left out."""
    tx.run("delete from post_category where post = :post", post=post)
    if numbers:
        tx.run(
            "insert into post_category (category, post) select id, :post from category where id in (:ids)",
            post=post,
            ids=sorted(set(numbers)),
        )
    search_index.renew(tx, post)
