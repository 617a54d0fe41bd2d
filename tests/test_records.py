"""A record does what a dataclass of the same fields does, but for being frozen."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.records import record


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    name: str
    weight: float = 0.0
    secret: str = field(default="", repr=False)
    number: int = field(default=0, compare=False)


@record(frozen=True, slots=True, kw_only=True)
class Quick:
    name: str
    weight: float = 0.0
    secret: str = field(default="", repr=False)
    number: int = field(default=0, compare=False)


@record(frozen=True, slots=True, kw_only=True)
class Heir(Quick):
    more: tuple[int, ...] = ()


@record(slots=True)
class Changing:
    count: int = 0


Values = dict[str, Any]
VALUES: st.SearchStrategy[Values] = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["", "a", "b"]),
        "weight": st.sampled_from([0.0, -0.0, 1.0]),
        "secret": st.sampled_from(["", "x"]),
        "number": st.integers(0, 1),
    }
)


@given(VALUES, VALUES)
def test_records_are_equal_and_hashed_and_shown_as_dataclasses_are(one: Values, other: Values) -> None:
    assert (Quick(**one) == Quick(**other)) is (Plain(**one) == Plain(**other))
    assert hash(Quick(**one)) == hash(Plain(**one))
    assert repr(Quick(**one)) == repr(Plain(**one)).replace("Plain", "Quick")
    assert replace(Quick(**one), name="c") == Quick(**{**one, "name": "c"})


def test_a_record_has_the_fields_of_the_dataclass_and_no_others() -> None:
    assert [(each.name, each.default, each.kw_only) for each in fields(Quick)] == [
        (each.name, each.default, each.kw_only) for each in fields(Plain)
    ]
    with pytest.raises(AttributeError):
        Quick(name="a").other = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        Quick("a")  # type: ignore[call-arg]


def test_records_of_two_classes_are_never_equal() -> None:
    assert Heir(name="a") != Quick(name="a")
    assert Heir(name="a", more=(1,)) == Heir(name="a", more=(1,), number=7)
    assert repr(Heir(name="a", secret="x", more=(1,))) == "Heir(name='a', weight=0.0, number=0, more=(1,))"


def test_a_record_that_is_meant_to_change_is_compared_and_not_hashed() -> None:
    assert Changing(1) == Changing(1) != Changing(2)
    with pytest.raises(TypeError):
        hash(Changing())
