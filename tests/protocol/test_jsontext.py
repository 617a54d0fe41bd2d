"""Decoding is strict and bounded; nothing but Refused comes out of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.errors import Refused
from fediblog.protocol import jsontext
from fediblog.protocol.jsontext import DEPTH, MOST_MARKS, decode, decode_object, encode
from tests.protocol.generated import anything


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b'\xef\xbb\xbf{"bom": 1}', {"bom": 1}),
        ('\ufeff{"bom": 1}', {"bom": 1}),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"https:\/\/example.org"', "https://example.org"),
        (b"9" * 5000, 2**53),
        (b"-" + b"9" * 18, -(2**53)),
        (b"1e3", 1000.0),
        (b'"' + b"[" * 500 + b'"', "[" * 500),
        (rb'"\"[[\\"', '"[[\\'),
    ],
)
def test_good(body: bytes | str, value: object) -> None:
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b" " * 1_000_001, "too-large"),
        (b'"\xff"', "not-utf8"),
        ('{"a": 1}'.encode("utf-16"), "not-utf8"),
        (b"", "json-invalid"),
        (b"{", "json-invalid"),
        (b"{} {}", "json-invalid"),
        (b"{'a': 1}", "json-invalid"),
        (b'"a\nb"', "json-invalid"),
        (b'"\\', "json-invalid"),
        (b"[" * 41 + b"]" * 41, "json-too-deep"),
        (b"[" * 500_000, "json-too-deep"),
        (b'{"a":' * 41 + b"1" + b"}" * 41, "json-too-deep"),
        (b"[" + b"1," * 400_000 + b"1]", "json-too-many"),
        (b"[" + b"{}," * 300_000 + b"1]", "json-too-many"),
        (b"[" + b'"",' * 300_000 + b"1]", "json-too-many"),
        (b'[""' + b'""' * 300_000 + b"," * 30_000, "json-too-many"),
        (b'{"a": 1, "a": 1}', "json-duplicate-key"),
        (b'[{"b": {"a": 1, "a": 2}}]', "json-duplicate-key"),
        (b"NaN", "json-not-finite"),
        (b"[-Infinity]", "json-not-finite"),
        (b"1e999", "json-not-finite"),
        (rb'"\ud800"', "json-lone-surrogate"),
        (rb'{"\udc00": 1}', "json-lone-surrogate"),
        ('["\ud800"]', "json-lone-surrogate"),
        (rb'{"a": ["b\u0000"]}', "json-nul"),
        (rb'{"\u0000": 1}', "json-nul"),
    ],
)
def test_refused(body: bytes | str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        decode(body)
    assert refused.value.reason == reason


def test_the_limits_are_the_callers() -> None:
    assert decode(b"[[1]]", depth=2) == [[1]]
    with pytest.raises(Refused, match="json-too-deep"):
        decode(b"[[1]]", depth=1)
    with pytest.raises(Refused, match="too-large"):
        decode(b"[[1]]", limit=4)


def test_no_more_is_looked_at_than_it_takes_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0

    class Marks:
        def finditer(self, text: str) -> Iterator[re.Match[str]]:
            nonlocal seen
            for seen, mark in enumerate(marks.finditer(text), 1):  # noqa: B007  what is counted is told afterwards
                yield mark

    marks = jsontext._MARKS
    monkeypatch.setattr(jsontext, "_MARKS", Marks())
    for body, most in ((b"[" * 1_000_000, DEPTH + 1), (b"[" + b"1," * 400_000 + b"1]", MOST_MARKS + 1)):
        with pytest.raises(Refused):
            decode(body)
        assert seen == most


def test_a_long_list_of_ids_is_taken() -> None:
    ids = [f"https://far.test/users/{number}" for number in range(20_000)]
    assert decode(encode(list(ids))) == ids


def test_a_document_is_an_object() -> None:
    assert decode_object(b"{}") == {}
    with pytest.raises(Refused, match="json-not-an-object"):
        decode_object(b"[]")


HOSTILE = [
    '"' + r"\"" * 499_000,
    r"\"" * 499_000,
    '"' * 999_000,
    r"\u0041" * 160_000,
    '["' + "\\" * 999_000,
    "{" * 999_000,
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_no_body_takes_long(body: str) -> None:
    before = time.process_time()
    with pytest.raises(Refused):
        decode(body)
    assert time.process_time() - before < 2  # milliseconds in truth; quadratic would be minutes


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_only_refused_comes_out(body: bytes | str) -> None:
    with suppress(Refused):
        decode(body)


PIECES = [
    r"\u0000", r"\\u0000", r"\u003c", r"\ud83d\ude00", r"\uD83D\uDE00", r"\ud83d", r"\uDE00", r"\ud7ff", r"\\ud83d",
    "\u00fc", "\U0001f600", r"\n", "a",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_no_string_comes_out_that_holds_a_nul_or_half_of_a_pair(text: str) -> None:
    body = f'[{{"{text}": ["{text}"]}}]'
    plain = json.loads(body)
    string = plain[0].popitem()[0]
    odd = "\0" in string or any("\ud800" <= character <= "\udfff" for character in string)
    for sent in (body, body.encode(), b"\xef\xbb\xbf" + body.encode()):
        if odd:
            with pytest.raises(Refused, match=r"json-nul|json-lone-surrogate"):
                decode(sent)
        else:
            assert decode(sent) == json.loads(body)


@given(anything)
def test_what_is_encoded_is_decoded(value: object) -> None:
    with suppress(Refused):  # of a NUL in a string
        decoded = decode(json.dumps(value), depth=100)
        assert decode(encode(decoded), depth=100) == decoded


def test_encoding_is_compact() -> None:
    assert encode({"a": ["ü", 1]}) == '{"a":["ü",1]}'.encode()
