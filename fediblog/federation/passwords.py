"""Passwords, kept as scrypt hashes (RFC 7914). Both functions take their time: call them in a thread."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cache

_N, _R, _P = 1 << 15, 8, 1  # 32 MB and about 80 ms
_SALT, _LENGTH = 16, 32  # bytes
_MEMORY = 128 * 1024 * 1024  # bytes that a stored hash may ask for


def hash_password(text: str) -> str:
    """What to store: `scrypt$n$r$p$salt$hash`, the last two in base64."""
    salt = secrets.token_bytes(_SALT)
    return "$".join(("scrypt", str(_N), str(_R), str(_P), _encode(salt), _encode(_derive(text, salt, _N, _R, _P))))


def check_password(text: str, stored: str | None) -> bool:
    """Whether `text` is the password. For None (no such login) it is not, after the same time."""
    try:
        kind, n, r, p, salt, expected = (stored or _nobody()).split("$")
        found = _derive(text, base64.b64decode(salt), int(n), int(r), int(p))
        same = hmac.compare_digest(found, base64.b64decode(expected))
    except (ValueError, OverflowError):
        return False
    return same and kind == "scrypt" and stored is not None


@cache
def _nobody() -> str:
    return hash_password(secrets.token_hex(16))


def _derive(text: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(text.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=_LENGTH)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
