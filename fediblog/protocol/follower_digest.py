"""What two servers tell each other to agree on who follows whom (FEP-8fcf): a digest of the followers on one."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

from fediblog.protocol import readers
from fediblog.protocol.cavage import parameters

HEADER = "collection-synchronization"


class FollowerDigest(Struct, frozen=True):
    """The header, taken apart: whose followers, where those of the receiver's server are listed, and their digest."""

    collection: str
    url: str
    digest: str


def digest(uris: Iterable[str]) -> str:
    """All bits of the SHA-256 of each id, one over the other: the order does not matter."""
    total = 0
    for uri in set(uris):
        total ^= int.from_bytes(sha256(uri.encode()).digest())
    return f"{total:064x}"


def write_header(told: FollowerDigest) -> str:
    """As it stands in a request."""
    return f'collectionId="{told.collection}", digest="{told.digest}", url="{told.url}"'


def read_header(value: str) -> FollowerDigest | None:
    """The header, or None if it is not whole."""
    given = parameters(value)
    collection, url = readers.url(given.get("collectionid")), readers.url(given.get("url"))
    return FollowerDigest(collection, url, given.get("digest", "").lower()) if collection and url else None
