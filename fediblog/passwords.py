"""Passwords, kept as Argon2id hashes (RFC 9106); scrypt hashes (RFC 7914) of older versions still count.

A hash takes its time and memory on purpose: `hashed` and `is_right` make them on threads, a few at once.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

SHORTEST = 10  # characters of a new password, wherever it is set
LONGEST = 1000  # characters that count
AT_ONCE = 4  # hashes made at the same time in one process: 128 MB

_MEMORY, _PASSES, _LANES = 32 * 1024, 3, 1  # KiB; about 80 ms
_SALT, _LENGTH = 16, 32  # bytes
_MOST = 128 * 1024  # KiB that a stored hash may ask for
_PREFIX = f"$argon2id$v=19$m={_MEMORY},t={_PASSES},p={_LANES}$"


async def hashed(text: str) -> str:
    """What to store for a password, made on a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), hash_password, text)


async def is_right(text: str, stored: str | None) -> bool:
    """Whether `text` is the password, found out on a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), check_password, text, stored)


def hash_password(text: str) -> str:
    """What to store, as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`."""
    salt = secrets.token_bytes(_SALT)
    return f"{_PREFIX}{_encode(salt)}${_encode(_argon2id(text, salt, _MEMORY, _PASSES, _LANES))}"


def check_password(text: str, stored: str | None) -> bool:
    """Whether `text` is the password. For None (no such login) it is not, after the same time."""
    try:
        same = _check(text, stored or _nobody())
    except (ValueError, OverflowError):
        return False
    return same and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash is of another kind or cost than new ones are."""
    return not stored.startswith(_PREFIX)


def _check(text: str, stored: str) -> bool:
    if stored.startswith("scrypt$"):
        _, n, r, p, salt, expected = stored.split("$")
        found = _scrypt(text, _decode(salt), int(n), int(r), int(p))
    else:
        nothing, kind, version, costs, salt, expected = stored.split("$")
        if (nothing, kind, version) != ("", "argon2id", "v=19"):
            return False
        memory, passes, lanes = [int(part.partition("=")[2]) for part in costs.split(",")]
        found = _argon2id(text, _decode(salt), memory, passes, lanes)
    return hmac.compare_digest(found, _decode(expected))


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, "password")


@cache
def _nobody() -> str:
    return hash_password(secrets.token_hex(16))


def _argon2id(text: str, salt: bytes, memory: int, passes: int, lanes: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id  # no start waits for it

    if memory > _MOST:
        raise ValueError("the hash asks for too much memory")
    kdf = Argon2id(salt=salt, length=_LENGTH, iterations=passes, lanes=lanes, memory_cost=memory)
    return kdf.derive(text[:LONGEST].encode())


def _scrypt(text: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(text[:LONGEST].encode(), salt=salt, n=n, r=r, p=p, maxmem=_MOST * 1024, dklen=_LENGTH)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
