"""When to send again, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol import retry
from fediblog.protocol.retry import DAY, HOUR, MINUTE, SECOND, Verdict

NOW = 1_700_000_000_000  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.DELIVERED) for status in (200, 201, 202, 204, 299)),
        *((status, Verdict.FINAL) for status in (400, 401, 403, 404, 405, 406, 409, 413, 415, 418, 422, 451, 501)),
        *((status, Verdict.LATER) for status in (301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 504, 521, 599)),
        (410, Verdict.GONE),
        (None, Verdict.LATER),
        (100, Verdict.LATER),
    ],
)
def test_verdict(status: int | None, verdict: Verdict) -> None:
    assert retry.verdict(status) is verdict


@pytest.mark.parametrize(
    ("failures", "wait"),
    [
        (0, MINUTE),
        (1, MINUTE),
        (2, 5 * MINUTE),
        (3, 15 * MINUTE),
        (4, HOUR),
        (5, 3 * HOUR),
        (6, 8 * HOUR),
        *((failures, DAY) for failures in range(7, 13)),
        (13, None),
        (1000, None),
    ],
)
def test_next_try(failures: int, wait: int | None) -> None:
    at = retry.next_try(failures, NOW)
    assert (at - NOW if at is not None else None) == wait


def test_it_is_all_within_seven_days() -> None:
    now, failures = NOW, 1
    while (at := retry.next_try(failures, now)) is not None:
        now, failures = at, failures + 1
    assert 6 * DAY < now - NOW < retry.WEEK


@given(st.integers(1, 12), st.floats(-1, 1))
def test_jitter_is_a_fifth(failures: int, jitter: float) -> None:
    plain = retry.next_try(failures, NOW)
    moved = retry.next_try(failures, NOW, jitter=jitter)
    assert plain is not None
    assert moved is not None
    assert abs(moved - plain) <= 0.2 * (plain - NOW) + 1


@pytest.mark.parametrize(
    ("asked", "wait"), [(None, MINUTE), (SECOND, MINUTE), (HOUR, HOUR), (DAY, DAY), (5 * DAY, DAY), (-HOUR, MINUTE)]
)
def test_a_host_may_ask_for_patience(asked: int | None, wait: int) -> None:
    assert retry.next_try(1, NOW, asked) == NOW + wait


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", 120 * SECOND),
        (" 0 ", 0),
        ("999999999999999999999", DAY),
        ("Tue, 14 Nov 2023 22:14:20 GMT", MINUTE),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("Sat, 18 Nov 2023 22:00:00 GMT", DAY),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after(header: str, wait: int | None) -> None:
    assert retry.retry_after(header, NOW) == wait


def test_a_host_is_unavailable_after_a_week_and_probed_daily() -> None:
    assert not retry.is_unavailable(None, NOW)
    assert not retry.is_unavailable(NOW - retry.WEEK + 1, NOW)
    assert retry.is_unavailable(NOW - retry.WEEK, NOW)
    assert retry.next_probe(NOW) == NOW + DAY
    assert retry.next_probe(NOW, -1) == NOW + round(0.8 * DAY)
