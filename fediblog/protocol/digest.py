"""Digests of a request's body: `Digest` (RFC 3230) beside cavage signatures, `Content-Digest` (RFC 9530) since."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from fediblog.protocol.structured import Item, read_base64, read_dictionary

_CONTENT_HASHES = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


@lru_cache(maxsize=8)  # one body goes to many inboxes
def digest(body: bytes) -> str:
    """The value of a `Digest` header."""
    return _digest(body)


def _digest(body: bytes) -> str:
    return f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode()}"


def matches_digest(header: str, body: bytes) -> bool:
    """Whether a `Digest` header has a SHA-256 of `body`. Other algorithms may stand beside it and count for nothing."""
    if header == _digest(body):
        return True  # as nearly all write it
    parts = (part.partition("=") for part in header.split(","))
    values = [value.strip() for name, _, value in parts if name.strip().lower() == "sha-256"]
    expected = hashlib.sha256(body).digest()
    return bool(values) and all(read_base64(value) == expected for value in values)


@lru_cache(maxsize=8)
def content_digest(body: bytes) -> str:
    """The value of a `Content-Digest` header."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def matches_content_digest(header: str, body: bytes) -> bool:
    """Whether a `Content-Digest` header has a SHA-256 or SHA-512 of `body`, and none that is wrong."""
    members = read_dictionary(header) or {}
    known = [name for name in members if name in _CONTENT_HASHES]
    return bool(known) and all(_is_hash(members[name], name, body) for name in known)


def _is_hash(member: object, name: str, body: bytes) -> bool:
    return isinstance(member, Item) and member.value == _CONTENT_HASHES[name](body).digest()
