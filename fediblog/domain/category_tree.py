"""The tree of categories: in which order it is shown, and what lies above and below each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fediblog.domain.posts import Category


class CategoryTree:
    """Categories by what they lie below. A parent that is unknown, or lies below its own child, counts as none."""

    def __init__(self, categories: Collection[Category]) -> None:
        self._known = {each.id: each for each in categories}
        self._children: dict[int | None, list[Category]] = {}
        for each in sorted(categories, key=lambda each: (each.name.casefold(), each.id)):
            self._children.setdefault(self._parent(each), []).append(each)

    def _parent(self, category: Category) -> int | None:
        """The number of its parent."""
        seen, parent = {category.id}, category.parent
        while parent is not None and parent in self._known:
            if parent in seen:
                return None
            seen.add(parent)
            parent = self._known[parent].parent
        return category.parent if category.parent in self._known else None

    def get(self, number: int) -> Category | None:
        """The category of that number."""
        return self._known.get(number)

    def children(self, number: int | None = None) -> list[Category]:
        """What lies right below a category, or at the top, by name."""
        return self._children.get(number, [])

    def rows(self, number: int | None = None, depth: int = 0) -> Iterator[tuple[int, Category]]:
        """(levels from the top, category) of the whole tree in the order in which it is read."""
        for each in self.children(number):
            yield depth, each
            yield from self.rows(each.id, depth + 1)

    def below(self, number: int) -> set[int]:
        """The category itself and all that lie below it, by number."""
        return {number} | {each.id for _, each in self.rows(number)}

    def height(self, number: int) -> int:
        """How many levels a category and what lies below it have: 1 if nothing does."""
        return 1 + max((depth + 1 for depth, _ in self.rows(number)), default=0)

    def above(self, number: int) -> list[Category]:
        """The way from the top down to a category, without itself."""
        found: list[Category] = []
        here = self._known.get(number)
        while here is not None and (parent := self._parent(here)) is not None:
            here = self._known[parent]
            found.append(here)
        return found[::-1]
