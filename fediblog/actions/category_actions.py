"""What the owner does with categories, and what a post is filed under."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fediblog.domain.posts import Category
from fediblog.errors import Invalid, NotFound
from fediblog.markup.slug import slugify
from fediblog.markup.text import display_name, tidy
from fediblog.store.posts import categories
from fediblog.store.tx import Tx

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 1_000
DEEPEST = 10  # levels


def add(tx: Tx, wanted: Category) -> Category:
    """Make a category: its number is new, its slug made of the name if it has none. Raises Invalid."""
    tx.hold(categories.TREE)
    made = _checked(tx, replace(wanted, id=tx.new_id()))
    categories.add(tx, made)
    return made


def change(tx: Tx, wanted: Category) -> Category:
    """Rename a category, move it below another, give it another address. Raises Invalid and NotFound."""
    tx.hold(categories.TREE)
    before = categories.tree(tx).get(wanted.id)
    if before is None:
        raise NotFound
    made = _checked(tx, replace(wanted, slug=wanted.slug or before.slug))
    categories.change(tx, before, made)
    return made


def remove(tx: Tx, number: int) -> None:
    """Take a category away: its posts stay, what lies below it moves up. Raises NotFound."""
    tx.hold(categories.TREE)
    found = categories.tree(tx).get(number)
    if found is None:
        raise NotFound
    categories.remove(tx, found)


def file_under(tx: Tx, post: int, numbers: Sequence[int], name: str, before: Sequence[Category] = ()) -> None:
    """Say what a post is filed under, which stood under `before`.

    `name` is that of a further category, made at the top if there is none.
    """
    wanted = {*numbers, _named(tx, name)} if name else set(numbers)
    if wanted != {each.id for each in before}:
        categories.file_under(tx, post, wanted)


def _named(tx: Tx, name: str) -> int:
    tx.hold(categories.TREE)
    key = name.casefold()
    known = next((each.id for each in categories.tree(tx).children() if each.name.casefold() == key), None)
    return known if known is not None else add(tx, Category(id=0, name=name, slug="")).id


def _checked(tx: Tx, wanted: Category) -> Category:
    """The category as it is stored."""
    name, about, tree = display_name(wanted.name), tidy(wanted.description).strip(), categories.tree(tx)
    if not name:
        raise Invalid("name", "category.no-name")
    if len(name) > NAME_LIMIT:
        raise Invalid("name", "error.too-long", n=NAME_LIMIT)
    if len(about) > DESCRIPTION_LIMIT:
        raise Invalid("description", "error.too-long", n=DESCRIPTION_LIMIT)
    if wanted.parent is not None:
        if tree.get(wanted.parent) is None:
            raise Invalid("parent", "category.parent-gone")
        if wanted.parent in tree.below(wanted.id):
            raise Invalid("parent", "category.below-itself")
        if len(tree.above(wanted.parent)) + 1 + tree.height(wanted.id) > DEEPEST:
            raise Invalid("parent", "category.too-deep", n=DEEPEST)
    slug = categories.free_slug(tx, slugify(wanted.slug) or slugify(name) or str(wanted.id), wanted.id)
    return replace(wanted, name=name, description=about, slug=slug)
