"""The order in which the answers below a post are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple


class ThreadPlace(NamedTuple):
    """Where one answer stands: how many levels it hangs below the first level, and the number of what it answers."""

    id: int
    depth: int
    parent: int


def in_reading_order(top: int, answers: Iterable[tuple[int, int | None]]) -> list[ThreadPlace]:
    """The places of answers (number, number of what each answers) below the post `top`.

    Each is followed by its own answers, oldest first. One whose own parent is not among them stands at the first level.
    """
    parents = dict(answers)
    children: dict[int, list[int]] = {}
    for number in sorted(parents):
        parent = parents[number]
        children.setdefault(parent if parent is not None and parent in parents else top, []).append(number)
    found: list[ThreadPlace] = []
    waiting = [ThreadPlace(number, 0, top) for number in reversed(children.pop(top, []))]
    while waiting:  # no recursion: strangers decide how deep a thread is
        place = waiting.pop()
        found.append(place)
        if below := children.pop(place.id, None):  # most have no answers
            waiting += [ThreadPlace(number, place.depth + 1, place.id) for number in reversed(below)]
    return found


def branch_sizes(answers: Iterable[tuple[int, int | None, int]]) -> dict[int, int]:
    """How much hangs below each post that has answers among these (number, what it answers, 1 if it counts, else 0).

    Each is looked at once, however deep the thread is. What answers itself in a circle has nothing below it.
    """
    known = {number: (parent, counts) for number, parent, counts in answers}
    open_below = Counter(parent for parent, _ in known.values())
    sizes: Counter[int] = Counter()
    ready = [number for number in known if not open_below[number]]
    while ready:
        number = ready.pop()
        parent, counts = known[number]
        if parent is None:
            continue
        sizes[parent] += sizes[number] + counts
        open_below[parent] -= 1
        if parent in known and not open_below[parent]:
            ready.append(parent)
    return sizes
