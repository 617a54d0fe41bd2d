"""Ids grow, tell their time, and do not meet."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from fediblog.store.ids import IdMaker, first_of
from tests.conftest import Clock
from tests.store.makers import time_of


@given(st.lists(st.integers(min_value=1, max_value=4_000_000_000_000), min_size=1, max_size=60))
def test_ids_grow_even_when_the_clock_goes_back(times: list[int]) -> None:
    maker = IdMaker(Clock())
    ids = [maker.new(now) for now in times]
    assert ids == sorted(set(ids))


@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_an_id_tells_its_time_and_fits_into_64_bits(ms: int) -> None:
    maker = IdMaker(Clock(ms))
    for identifier in (maker.new(), maker.new(), maker.at(ms)):
        assert time_of(identifier) == ms
        assert first_of(ms) <= identifier < first_of(ms + 1)
        assert identifier < 1 << 63


def test_many_ids_in_one_millisecond_differ() -> None:
    maker = IdMaker(Clock(1_000), lambda _bits: 7)
    ids = [maker.at(1_000) for _ in range(5000)] + [maker.new() for _ in range(5000)]
    assert ids == sorted(set(ids))


def test_a_full_millisecond_runs_over_into_the_next() -> None:
    maker = IdMaker(Clock(10), lambda bits: (1 << bits) - 1)
    first = maker.new()
    last = max(maker.new() for _ in range(1 << 19))
    assert time_of(first) == 10
    assert last == first + (1 << 19)
    assert time_of(last) in (10, 11)
    assert maker.new(10) == last + 1


def test_two_processes_start_each_millisecond_elsewhere() -> None:
    one, other = (IdMaker(Clock(), random.Random(seed).getrandbits) for seed in (1, 2))
    assert not {one.new(now) for now in range(1, 2000)} & {other.new(now) for now in range(1, 2000)}
    assert not {one.at(5) for _ in range(100)} & {other.at(5) for _ in range(100)}


def test_times_before_the_epoch_do_not_make_negative_ids() -> None:
    assert IdMaker(Clock()).at(-5) >= 0
