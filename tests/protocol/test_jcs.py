"""Canonical JSON is the same for the same document, however it was written."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol.jcs import canonical
from tests.corpus import needs_corpus, vectors

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=15,
)


@given(document=DOCUMENTS)
def test_canonical_form_means_the_same_and_is_stable(document: object) -> None:
    once = canonical(document)
    assert json.loads(once, parse_int=float) == document
    assert canonical(json.loads(once)) == once


@given(double=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_their_value(double: float) -> None:
    assert float(canonical(double)) == double


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**53, "9007199254740992"),
        (2**53 + 1, "9007199254740992"),
        (10**21, "1e+21"),
        (10**20, "100000000000000000000"),
        (1.0, "1"),
        (100.0, "100"),
        (-0.0, "0"),
        (1.5e-7, "1.5e-7"),
        (0.00001, "0.00001"),
        (0.5, "0.5"),
        (123.456, "123.456"),
        (1.5e300, "1.5e+300"),
    ],
)
def test_numbers_are_written_as_ecmascript_does(value: int | float, text: str) -> None:
    assert canonical(value).decode() == text


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, 10**400, "\ud800", {"\udfff": 1}, {1: 2}, b"bytes", {1, 2}, nested(5000)],
    ids=["nan", "infinity", "huge", "surrogate", "surrogate name", "name", "bytes", "set", "deep"],
)
def test_what_json_cannot_say_is_an_error(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)


def test_names_are_sorted_by_utf16() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@needs_corpus
@pytest.mark.parametrize("vector", vectors("jcs"), ids=lambda vector: vector["name"])
def test_jcs_vectors(vector: dict[str, Any]) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    if "ieee754_hex" in inputs:
        (value,) = struct.unpack(">d", bytes.fromhex(inputs["ieee754_hex"]))
    else:
        value = json.loads(inputs["json_text"])
        assert canonical(value).hex() == expected["canonical_utf8_hex"]
    assert canonical(value).decode() == expected["canonical"]
