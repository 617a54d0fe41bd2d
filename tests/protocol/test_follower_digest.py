"""Followers in a digest, and the header that carries it."""

from __future__ import annotations

from hashlib import sha256

import pytest

from fediblog.protocol.follower_digest import FollowerDigest, digest, read_header, write_header

TOLD = FollowerDigest("https://a.example/u/1/followers", "https://a.example/u/1/followers_sync?x=1,2", "ab" * 32)


def test_the_example_of_the_standard() -> None:
    """FEP-8fcf, "Example": two followers."""
    uris = ["https://testing.example.org/users/1", "https://testing.example.org/users/2"]
    assert digest(uris) == "c33f48cd341ef046a206b8a72ec97af65079f9a3a9b90eef79c5920dce45c61f"


def test_a_digest_is_of_the_set() -> None:
    one, two = (int(sha256(uri.encode()).hexdigest(), 16) for uri in ("https://a.example/1", "https://a.example/2"))
    assert digest([]) == "0" * 64
    assert digest(["https://a.example/1"]) == f"{one:064x}"
    assert digest(["https://a.example/2", "https://a.example/1", "https://a.example/2"]) == f"{one ^ two:064x}"


def test_the_header_can_be_read_back() -> None:
    assert read_header(write_header(TOLD)) == TOLD


@pytest.mark.parametrize(
    "value",
    [
        'digest="AB", url="https://a.example/2" , collectionId="https://a.example/1"',
        'collectionid="https://a.example/1",url="https://a.example/2",digest="ab"',
    ],
)
def test_order_and_case_do_not_matter(value: str) -> None:
    assert read_header(value) == FollowerDigest("https://a.example/1", "https://a.example/2", "ab")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        'collectionId="https://a.example/1", digest="ab"',
        'collectionId="javascript:x", url="https://a.example/2", digest="ab"',
        'collectionId="https://a.example/1", url="https://a.example/2", url="https://b.example/", digest="ab"',
    ],
)
def test_what_is_not_whole_is_nothing(value: str) -> None:
    assert read_header(value) is None
