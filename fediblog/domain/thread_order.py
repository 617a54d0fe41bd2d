"""The order in which the answers below a post are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

OPEN_ANSWERS = 3
"""Answers of a branch that are seen at once beside what they answer; a page folds the others."""
FEW = 10
"""Answers of a long branch that stand beside other branches at least."""


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


class ThreadBranch(NamedTuple):
    """What is answered at the first level and what hangs below it, as far as it is shown, and what is left out."""

    places: Sequence[ThreadPlace]
    left: Sequence[ThreadPlace] = ()


def in_pages(order: Sequence[ThreadPlace], size: int) -> list[list[ThreadBranch]]:
    """Answers in reading order as pages of at most `size` of them. No branch goes on from one page to the next.

    Where there is more than one page, only the beginning of a long branch is shown: the others are not far away then.
    """
    starts = [at for at, place in enumerate(order) if place.depth == 0]
    most = min(size, len(order) if len(order) <= size else max(size // len(starts), FEW))
    pages: list[list[ThreadBranch]] = [[]]
    room = size
    for start, end in pairwise([*starts, len(order)]):
        cut = min(start + most, end)
        if cut - start > room:
            pages.append([])
            room = size
        pages[-1].append(ThreadBranch(order[start:cut], order[cut:end]))
        room -= cut - start
    return pages


def branch_of(order: Sequence[ThreadPlace], number: int) -> list[ThreadPlace]:
    """An answer and what hangs below it, in reading order, with that answer at the first level; empty if it is none."""
    start = next((at for at, place in enumerate(order) if place.id == number), len(order))
    found: list[ThreadPlace] = []
    for place in order[start:]:
        if found and place.depth <= order[start].depth:
            break
        found.append(place._replace(depth=place.depth - order[start].depth))
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
