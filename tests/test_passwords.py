"""Passwords: what is stored of them, what it costs, and that nothing else is one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from threading import Barrier, Lock

import pytest

from fediblog.passwords import AT_ONCE, LONGEST, check_password, hash_password, is_outdated, is_right


@pytest.mark.usefixtures("real_passwords")
def test_passwords() -> None:
    stored = hash_password("correct horse")
    assert stored.startswith("$argon2id$v=19$m=32768,t=3,p=1$")
    assert not is_outdated(stored)
    assert hash_password("correct horse") != stored
    assert check_password("correct horse", stored)
    assert not check_password("correct Horse", stored)
    assert not check_password("", stored)


@pytest.mark.usefixtures("real_passwords")
def test_a_hash_of_an_older_version_counts_until_it_is_made_anew() -> None:
    salt = b"salt of 16 bytes"
    made = hashlib.scrypt(b"correct horse", salt=salt, n=1 << 15, r=8, p=1, maxmem=1 << 27, dklen=32)
    stored = f"scrypt$32768$8$1${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"
    assert check_password("correct horse", stored)
    assert not check_password("correct Horse", stored)
    assert is_outdated(stored)
    assert is_outdated(hash_password("x").replace("t=3", "t=2"))


def test_a_hash_is_the_one_of_the_rfc() -> None:
    """What argon2-cffi makes of the same password, salt and costs."""
    stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    assert check_password("password", stored)
    assert not check_password("Password", stored)


def test_a_password_counts_as_far_as_a_form_takes_it() -> None:
    assert check_password("x" * LONGEST, hash_password("x" * LONGEST + "y"))


async def test_few_hashes_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, lock = 0, 0, Lock()
    full = Barrier(AT_ONCE)

    def counted(text: str, stored: str | None) -> bool:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        full.wait(20)
        with lock:
            inside -= 1
        return False

    monkeypatch.setattr("fediblog.passwords.check_password", counted)
    await asyncio.gather(*(is_right("x", None) for _ in range(AT_ONCE * 5)))
    assert most == AT_ONCE


BROKEN = (
    *(None, "", "-", "scrypt$1$2", "scrypt$x$8$1$AA==$AA==", "md5$32768$8$1$AA==$AA==", "$argon2id$v=19$m=8,t=1"),
    *(
        "$argon2id$v=19$m=8$AA$AA",
        "$argon2id$v=19$m=x,t=1,p=1$AA$AA",
        "$argon2id$v=19$m=999999,t=1,p=1$AAAAAAAAAAA$AA",
    ),
    *("$argon2i$v=19$m=32,t=1,p=1$AAAAAAAAAAA$AA", "$argon2id$v=19$m=32,t=1,p=1$AAAAAAAAAAA$"),
)


@pytest.mark.parametrize("stored", BROKEN)
def test_there_is_no_password_for_what_is_no_hash(stored: str | None) -> None:
    assert not check_password("anything", stored)
    assert not check_password("", stored)
