"""Keys survive every way they are written, and verify nothing but what they signed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol import keys
from tests.corpus import needs_corpus, vectors
from tests.protocol import ED25519, KEYS, OTHER_RSA, RSA

KINDS = pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)


def pkcs1_pem() -> str:
    loaded = serialization.load_pem_public_key(RSA.public.pem().encode())
    return loaded.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1).decode()


@KINDS
def test_a_key_survives_being_written(key: keys.PrivateKey) -> None:
    again = keys.load_private(key.pem())
    assert again == key
    assert keys.load_public(key.public.pem()) == key.public
    assert keys.load_multibase(key.public.multibase()) == key.public
    assert key.public.verifies(again.sign(b"hello"), b"hello")
    assert hash(again.public) == hash(key.public)


@KINDS
def test_a_key_shows_nothing_of_itself(key: keys.PrivateKey) -> None:
    assert repr(key) == f"PrivateKey(public=PublicKey(kind='{key.kind}'))"


@pytest.mark.parametrize(
    "written",
    [
        RSA.public.pem(),
        RSA.public.pem().replace("\n", "\r\n"),
        RSA.public.pem().replace("\n", " "),
        f"\n\n  {RSA.public.pem()}\n\n-- \nbest regards",
        f"my key:\n{RSA.public.pem()}",
        "".join(RSA.public.pem().splitlines()[1:-1]),
        "".join(RSA.public.pem().splitlines()[1:-1]).rstrip("="),
        pkcs1_pem(),
        pkcs1_pem().replace("\n", "\r\n"),
        # The wrong label of the two, as some write it.
        pkcs1_pem().replace("RSA PUBLIC", "PUBLIC"),
        RSA.public.pem().replace(" PUBLIC", " RSA PUBLIC"),
    ],
)
def test_public_keys_are_read_as_they_are_published(written: str) -> None:
    assert keys.load_public(written) == RSA.public


def small_key() -> str:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return small.public_bytes(serialization.Encoding.PEM, spki).decode()


def test_a_small_key_is_no_key() -> None:
    pem = small_key()
    assert keys.load_public(pem) is None
    assert keys.load_public(pem, min_bits=1024) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "https://example.com/key",
        RSA.public.pem()[:200],
        RSA.public.pem() * 100,
        RSA.pem(),
        ED25519.pem(),
        "-----BEGIN PUBLIC KEY-----" * 500,
    ],
)
def test_other_text_is_no_public_key(text: str) -> None:
    assert keys.load_public(text) is None


def test_kinds_we_do_not_use_are_no_keys() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = other.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
    assert keys.load_public(pem) is None
    pkcs8, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    with pytest.raises(ValueError, match="RSA or Ed25519"):
        keys.load_private(other.private_bytes(serialization.Encoding.PEM, pkcs8, clear).decode())


@KINDS
@given(noise=st.binary(max_size=300))
def test_noise_does_not_verify(key: keys.PrivateKey, noise: bytes) -> None:
    assert key.public.verifies(noise, b"hello") is False


@KINDS
@given(at=st.integers(0), flip=st.integers(1, 255))
def test_a_changed_signature_or_message_does_not_verify(key: keys.PrivateKey, at: int, flip: int) -> None:
    message, signature = b"a message of some length", key.sign(b"a message of some length")
    assert key.public.verifies(signature, message) is True
    assert key.public.verifies(changed(signature, at, flip), message) is False
    assert key.public.verifies(signature, changed(message, at, flip)) is False
    assert OTHER_RSA.public.verifies(signature, message) is False


def changed(octets: bytes, at: int, flip: int) -> bytes:
    at %= len(octets)
    return octets[:at] + bytes([octets[at] ^ flip]) + octets[at + 1 :]


@pytest.mark.parametrize("algorithm", ["ed25519", "rsa-pss-sha512"])
def test_an_algorithm_of_another_kind_does_not_verify(algorithm: keys.Algorithm) -> None:
    assert RSA.public.verifies(RSA.sign(b"hello"), b"hello", algorithm) is False


def test_ed25519_knows_one_algorithm() -> None:
    assert ED25519.public.verifies(ED25519.sign(b"hello"), b"hello", "ed25519") is True
    assert ED25519.public.verifies(ED25519.sign(b"hello"), b"hello", "rsa-v1_5-sha256") is False


@given(text=st.text() | st.text(alphabet="zu123456789ABCabc-_=", max_size=60))
def test_readers_never_raise(text: str) -> None:
    keys.load_public(text)
    keys.load_multibase(text)
    keys.load_multibase(f"z6Mk{text}")
    keys.load_multibase(f"z4MX{text}")


@given(octets=st.binary(min_size=1, max_size=64))
def test_multibase_survives(octets: bytes) -> None:
    assert keys.read_multibase(keys.write_multibase(octets)) == octets
    url_safe = base64.urlsafe_b64encode(octets).decode().rstrip("=")
    assert keys.read_multibase(f"u{url_safe}") == octets


@needs_corpus
@pytest.mark.parametrize("vector", vectors("multikey"), ids=lambda vector: vector["name"])
def test_multikey_vectors(vector: dict[str, Any]) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    if "multikey" in expected:
        key = keys.load_multibase(expected["multikey"]["publicKeyMultibase"])
        assert key is not None
        assert key.multibase() == expected["multikey"]["publicKeyMultibase"]
        octets = keys.read_multibase(key.multibase())
        assert octets == bytes.fromhex(expected["multicodec_prefix_hex"] + inputs["public_key_hex"])
    elif "public_key_hex" in expected:
        key = keys.load_multibase(inputs["publicKeyMultibase"])
        assert key is not None
        assert key.kind == "ed25519"
        assert key.der.endswith(bytes.fromhex(expected["public_key_hex"]))
        secret = bytes.fromhex(expected["secret_prefix_hex"] + expected["secret_key_hex"])
        assert keys.read_multibase(inputs["privateKeyMultibase"]) == secret
        assert keys.load_multibase(inputs["privateKeyMultibase"]) is None
    else:
        # What shape `assertionMethod` has is for the reader of actors; here only whether its values are keys.
        actor = json.dumps(inputs.get("actor", {}))
        found = [keys.load_multibase(text) for text in actor.split('"') if text.startswith("z6")]
        assert None not in found
        assert bool(found) or expected["outcome"] == "inapplicable"
