"""What differs between two versions of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.markup.differences import LONGEST_SAME, MOST_PIECES, ChangedPiece, differences

WORDS = st.lists(st.sampled_from(["one", "two", "three", " ", "\n", "\n\n"]), max_size=30).map(" ".join)


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "", []),
        ("the same", "the same", [("same", "the same")]),
        ("a red house", "a blue house", [("same", "a"), ("del", " red"), ("ins", " blue"), ("same", " house")]),
        ("", "new", [("ins", "new")]),
        ("old", "", [("del", "old")]),
    ],
)
def test_words_that_came_and_went_are_marked(before: str, after: str, pieces: list[tuple[str, str]]) -> None:
    assert differences(before, after) == pieces


@given(WORDS, WORDS)
def test_both_texts_can_be_read_from_it(before: str, after: str) -> None:
    pieces = differences(before, after)
    if all(len(each.text) < LONGEST_SAME for each in pieces):
        assert "".join(each.text for each in pieces if each.kind != "ins") == before
        assert "".join(each.text for each in pieces if each.kind != "del") == after


def test_of_what_is_long_and_the_same_the_ends_are_shown() -> None:
    same, gone, come = differences("word " * 1000 + "end", "word " * 1000 + "stop")
    assert same.kind == "same"
    assert len(same.text) < LONGEST_SAME + 10
    assert (gone, come) == (ChangedPiece("del", " end"), ChangedPiece("ins", " stop"))


def test_scattered_changes_of_a_long_text_are_found_by_lines() -> None:
    lines = [f"line {n} of the text" for n in range(MOST_PIECES // 2)]
    changed = [line.replace("text", "book") if n in (3, 400) else line for n, line in enumerate(lines)]
    found = [each for each in differences("\n".join(lines), "\n".join(changed)) if each.kind != "same"]
    assert [(each.kind, each.text) for each in found] == [("del", " text"), ("ins", " book")] * 2


@pytest.mark.parametrize("made", ["{n} {m}\n", "x ", "x\n", "{m} "])
def test_of_the_longest_text_too_many_lines_stand_for_each_other(made: str) -> None:
    """The work is bounded whatever the texts are: they take 0.1 to 0.2 s, and would take minutes word by word."""
    before = "".join(made.format(n=n, m=n % 7) for n in range(400_000 // len(made)))
    after = "start " + "".join(made.format(n=n + 1, m=n % 5) for n in range(400_000 // len(made))) + " end"
    kinds = [each.kind for each in differences(before, after)]
    assert kinds.count("del") <= MOST_PIECES
    assert "ins" in kinds
