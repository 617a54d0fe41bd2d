"""What two servers tell each other to agree on who follows whom (FEP-8fcf): a digest of the followers on one."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

from fediblog.protocol import json_values
from fediblog.protocol.cavage import parameters

HEADER = "collection-synchronization"


class FollowerDigest(Struct, frozen=True):
    """The header, taken apart: whose followers, where those of the receiver's server are listed, and their digest."""

    collection: str
    url: str
    digest: str


def digest(uris: Iterable[str]) -> str:
    """The SHA-256 of all ids, combined by XOR, so that their order does not matter; in hexadecimal."""
    total = 0
    for uri in set(uris):
        total ^= int.from_bytes(sha256(uri.encode()).digest())
    return f"{total:064x}"


def write_header(announced: FollowerDigest) -> str:
    """The header's value."""
    return f'collectionId="{announced.collection}", digest="{announced.digest}", url="{announced.url}"'


def read_header(value: str) -> FollowerDigest | None:
    """The header read; None if collection or url is missing."""
    given = parameters(value)
    collection, url = json_values.url(given.get("collectionid")), json_values.url(given.get("url"))
    return FollowerDigest(collection, url, given.get("digest", "").lower()) if collection and url else None
