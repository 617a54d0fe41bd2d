"""Keys of actors: made, written, read from what others publish, and used to sign and to verify."""

from __future__ import annotations

import re
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from msgspec import Struct

from fediblog.protocol.structured import read_base64

Kind = Literal["rsa", "ed25519"]
Algorithm = Literal["rsa-v1_5-sha256", "rsa-pss-sha512", "ed25519"]
"""As RFC 9421 §6.2.2 names them."""

USUAL: dict[Kind, Algorithm] = {"rsa": "rsa-v1_5-sha256", "ed25519": "ed25519"}
MIN_BITS = 2048
MAX_BITS = 8192  # larger ones are slow enough to be used against us
MAX_TEXT = 16_384  # characters of a published key

# Multicodec prefixes (FEP-521a) as varints: ed25519-pub 0xed, rsa-pub 0x1205.
_ED25519_PREFIX = b"\xed\x01"
_RSA_PREFIX = b"\x85\x24"
_PKCS1, _SHA256 = padding.PKCS1v15(), hashes.SHA256()
_PEM = re.compile(r"-----BEGIN (?:RSA )?PUBLIC KEY-----(.*?)-----END", re.DOTALL)
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {character: value for value, character in enumerate(_BASE58)}


class PublicKey(Struct, frozen=True, eq=False):
    """A key that verifies. Two are equal if they are the same key, however they were written."""

    kind: Kind
    der: bytes  # SubjectPublicKeyInfo
    _key: RSAPublicKey | Ed25519PublicKey

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and (self.kind, self.der) == (other.kind, other.der)

    def __hash__(self) -> int:
        return hash((self.kind, self.der))

    def __repr__(self) -> str:
        return f"PublicKey(kind={self.kind!r})"

    def verifies(self, signature: bytes, message: bytes, algorithm: Algorithm | None = None) -> bool:
        """Whether `signature` is this key's over `message`: True or False and never an exception."""
        try:
            return self._check(signature, message, algorithm or USUAL[self.kind])
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            return False

    def _check(self, signature: bytes, message: bytes, algorithm: Algorithm) -> bool:
        key = self._key
        if isinstance(key, Ed25519PublicKey):
            if algorithm != "ed25519":
                return False
            key.verify(signature, message)
        elif algorithm == "rsa-v1_5-sha256":
            key.verify(signature, message, _PKCS1, _SHA256)
        elif algorithm == "rsa-pss-sha512":
            # RFC 9421 §3.3.1: MGF1 with the same hash, 64 bytes of salt.
            pss = padding.PSS(mgf=padding.MGF1(hashes.SHA512()), salt_length=64)
            key.verify(signature, message, pss, hashes.SHA512())
        else:
            return False
        return True

    def pem(self) -> str:
        """As `publicKeyPem` has it (SubjectPublicKeyInfo)."""
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_bytes(serialization.Encoding.PEM, spki).decode()

    def multibase(self) -> str:
        """As `publicKeyMultibase` of a Multikey has it (FEP-521a)."""
        if isinstance(self._key, Ed25519PublicKey):
            return write_multibase(_ED25519_PREFIX + self._key.public_bytes_raw())
        pkcs1 = self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        return write_multibase(_RSA_PREFIX + pkcs1)


class PrivateKey(Struct, frozen=True, eq=False):
    """A key that signs. Its text form shows nothing of it."""

    public: PublicKey
    _key: RSAPrivateKey | Ed25519PrivateKey

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateKey) and self.public == other.public

    def __hash__(self) -> int:
        return hash(self.public)

    def __repr__(self) -> str:
        return f"PrivateKey(public={self.public!r})"

    @property
    def kind(self) -> Kind:
        """Which kind of key it is."""
        return self.public.kind

    def sign(self, message: bytes) -> bytes:
        """A signature by this kind's usual algorithm."""
        if isinstance(self._key, Ed25519PrivateKey):
            return self._key.sign(message)
        return self._key.sign(message, _PKCS1, _SHA256)

    def pem(self) -> str:
        """For the database (PKCS #8, not encrypted)."""
        pkcs8 = serialization.PrivateFormat.PKCS8
        clear = serialization.NoEncryption()
        return self._key.private_bytes(serialization.Encoding.PEM, pkcs8, clear).decode()


def new_rsa(bits: int = MIN_BITS) -> PrivateKey:
    """A new key of the kind that every server understands."""
    return _private(generate_private_key(public_exponent=65537, key_size=bits))


def new_ed25519() -> PrivateKey:
    """A new key of the small and fast kind."""
    return _private(Ed25519PrivateKey.generate())


def load_private(pem: str) -> PrivateKey:
    """One of our own keys. It is not proven to be a good RSA key, which takes a hundred times as long as signing."""
    key = serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("a private key must be RSA or Ed25519")
    return _private(key)


def load_public(text: str, min_bits: int = MIN_BITS) -> PublicKey | None:
    """What somebody published as `publicKeyPem`, or None.

    SubjectPublicKeyInfo or PKCS #1, any line ends, text around it, and DER in base64 without the PEM header are all
    out there.
    """
    if len(text) > MAX_TEXT:
        return None
    found = _PEM.search(text)
    letters = _NOT_BASE64.sub("", found[1] if found else text)
    der = read_base64(letters + "=" * (-len(letters) % 4))
    return _public(der, min_bits) if der else None


def load_multibase(text: str, min_bits: int = MIN_BITS) -> PublicKey | None:
    """What somebody published as `publicKeyMultibase` (FEP-521a), or None."""
    octets = read_multibase(text) or b""
    prefix, rest = octets[:2], octets[2:]
    if prefix == _ED25519_PREFIX and len(rest) == 32:
        return _known(Ed25519PublicKey.from_public_bytes(rest), min_bits)
    if prefix == _RSA_PREFIX:
        return _public(rest, min_bits)
    return None


def read_multibase(text: str) -> bytes | None:
    """The bytes behind base58btc (`z…`) or base64url (`u…`), or None."""
    if not 1 < len(text) <= MAX_TEXT // 8:
        return None
    if text[0] == "z":
        return _read_base58(text[1:])
    if text[0] == "u" and not set(text) & set("+/="):
        return read_base64(text[1:].translate(str.maketrans("-_", "+/")) + "=" * (-(len(text) - 1) % 4))
    return None


def write_multibase(octets: bytes) -> str:
    """`octets` in base58btc, the encoding that everybody reads."""
    number, letters = int.from_bytes(octets, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        letters = _BASE58[digit] + letters
    zeros = len(octets) - len(octets.lstrip(b"\0"))
    return "z" + "1" * zeros + letters


def _read_base58(letters: str) -> bytes | None:
    number = 0
    for letter in letters:
        digit = _DIGITS.get(letter)
        if digit is None:
            return None
        number = number * 58 + digit
    zeros = len(letters) - len(letters.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _public(der: bytes, min_bits: int) -> PublicKey | None:
    try:
        return _known(serialization.load_der_public_key(der), min_bits)
    except (UnsupportedAlgorithm, ValueError):
        return None


def _known(key: object, min_bits: int) -> PublicKey | None:
    match key:
        case Ed25519PublicKey():
            kind: Kind = "ed25519"
        case RSAPublicKey() if min_bits <= key.key_size <= MAX_BITS and key.public_numbers().e < 1 << 32:
            kind = "rsa"
        case _:
            return None
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return PublicKey(kind, key.public_bytes(serialization.Encoding.DER, spki), key)


def _private(key: RSAPrivateKey | Ed25519PrivateKey) -> PrivateKey:
    public = _known(key.public_key(), MIN_BITS)
    if public is None:
        raise ValueError(f"a private RSA key must have {MIN_BITS} to {MAX_BITS} bits")
    return PrivateKey(public, key)
