"""The order in which the answers below a post are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Place(NamedTuple):
    """Where one answer stands: how many levels it hangs below the first level, and the number of what it answers."""

    id: int
    depth: int
    parent: int


def in_reading_order(top: int, answers: Iterable[tuple[int, int | None]]) -> list[Place]:
    """The places of answers (number, number of what each answers) below the post `top`.

    Each is followed by its own answers, oldest first. One whose own parent is not among them stands at the first level.
    """
    parents = dict(answers)
    children: dict[int, list[int]] = {}
    for number in sorted(parents):
        parent = parents[number]
        children.setdefault(parent if parent is not None and parent in parents else top, []).append(number)
    found: list[Place] = []
    waiting = [Place(number, 0, top) for number in reversed(children.pop(top, []))]
    while waiting:  # no recursion: strangers decide how deep a thread is
        place = waiting.pop()
        found.append(place)
        waiting += [Place(number, place.depth + 1, place.id) for number in reversed(children.pop(place.id, []))]
    return found
