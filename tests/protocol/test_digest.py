"""Digests say yes to the body they were made of, and to nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol.digest import content_digest, digest, matches_content_digest, matches_digest
from tests.corpus import needs_corpus, vectors

HELLO = "ZOyIygCyaOW6GjVnihtTFtIS9PNmskdyMlNKiuyjfzw="  # SHA-256 of "Hello world"


@given(body=st.binary(), other=st.binary())
def test_a_digest_matches_its_body_only(body: bytes, other: bytes) -> None:
    assert matches_digest(digest(body), body)
    assert matches_content_digest(content_digest(body), body)
    assert matches_digest(digest(body), other) is (body == other)
    assert matches_content_digest(content_digest(body), other) is (body == other)


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (f"SHA-256={HELLO}", True),
        (f"sha-256={HELLO}", True),
        (f"sha-512=AAAA,SHA-256={HELLO}", True),
        (f"SHA-256={HELLO} , md5=AAAA", True),
        (f"SHA-256={HELLO},SHA-256=AAAA", False),
        (f"SHA-256={HELLO}A", False),
        (f"SHA-256={HELLO[:-2]}", False),
        (f"SHA-256 {HELLO}", False),
        (f"SHA-512={HELLO}", False),
        ("SHA-256=", False),
        ("", False),
    ],
)
def test_digest_headers(header: str, good: bool) -> None:
    assert matches_digest(header, b"Hello world") is good


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (f"sha-256=:{HELLO}:", True),
        (f"sha-256=:{HELLO}:;q=1, unixsum=:AAAA:", True),
        (f"sha-256=:{HELLO}:, sha-512=:AAAA:", False),
        (f"sha-256=:{HELLO}:, sha-256=:{HELLO}:", False),
        (f"sha-256={HELLO}", False),
        (f"SHA-256=:{HELLO}:", False),
        ("sha-256", False),
        ("unixsum=:AAAA:", False),
        ("", False),
    ],
)
def test_content_digest_headers(header: str, good: bool) -> None:
    assert matches_content_digest(header, b"Hello world") is good


@given(header=st.text(), body=st.binary())
def test_readers_never_raise(header: str, body: bytes) -> None:
    assert not matches_digest(header, body)
    assert not matches_content_digest(header, body)


@needs_corpus
@pytest.mark.parametrize("vector", vectors("digest"), ids=lambda vector: vector["name"])
def test_digest_vectors(vector: dict[str, Any]) -> None:
    inputs = vector["inputs"]
    # Repr-Digest differs from Content-Digest only in what it is taken of; its values look the same.
    matches = matches_digest if inputs["field"] == "Digest" else matches_content_digest
    assert matches(inputs["value"], inputs["body"].encode()) is vector["expected"]["valid"]
