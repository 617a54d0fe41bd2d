"""Encryption of push messages: the example of RFC 8291, and both codings read back as a browser would."""

from __future__ import annotations

import json

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol import webpush
from fediblog.protocol.webpush import Subscriber, decode, encode, point_of

BROWSER = ec.generate_private_key(ec.SECP256R1())
SERVER = ec.generate_private_key(ec.SECP256R1())
ENDPOINT = "https://push.example/send/abc"


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), ec.SECP256R1())


def test_the_example_of_rfc_8291_section_5() -> None:
    once = private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    subscriber = Subscriber(
        endpoint="https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        key=decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        secret=decode("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    body = webpush.encrypt(
        subscriber, b"When I grow up, I want to be a watermelon", decode("DGv6ra1nlYgDCS1FRnbzlw"), once
    )
    assert encode(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def read_back(headers: dict[str, str], body: bytes, secret: bytes) -> bytes:
    """What the browser makes of it."""
    own = point_of(BROWSER)
    if headers["content-encoding"] == "aes128gcm":
        salt, length = body[:16], body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
    else:
        salt = decode(headers["encryption"].removeprefix("salt="))
        theirs, sealed = decode(headers["crypto-key"].split(";")[0].removeprefix("dh=")), body
    agreed = BROWSER.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    if headers["content-encoding"] == "aes128gcm":
        shared = _derive(secret, agreed, b"WebPush: info\0" + own + theirs, 32)
        key = _derive(salt, shared, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(salt, shared, b"Content-Encoding: nonce\0", 12)
        return AESGCM(key).decrypt(nonce, sealed, None).removesuffix(b"\x02")
    context = b"P-256\0\0\x41" + own + b"\0\x41" + theirs
    shared = _derive(secret, agreed, b"Content-Encoding: auth\0", 32)
    key = _derive(salt, shared, b"Content-Encoding: aesgcm\0" + context, 16)
    nonce = _derive(salt, shared, b"Content-Encoding: nonce\0" + context, 12)
    return AESGCM(key).decrypt(nonce, sealed, None)[2:]


@given(message=st.binary(max_size=webpush.MOST), standard=st.booleans(), salt=st.binary(min_size=16, max_size=16))
def test_only_the_subscriber_reads_it(message: bytes, standard: bool, salt: bytes) -> None:
    secret = b"s" * 16
    subscriber = Subscriber(endpoint=ENDPOINT, key=point_of(BROWSER), secret=secret, standard=standard)
    once = ec.generate_private_key(ec.SECP256R1())
    headers, body = webpush.request(
        subscriber, message, salt=salt, once=once, server=SERVER, contact="https://blog.test", now=1_000
    )
    assert read_back(headers, body, secret) == message
    with pytest.raises(InvalidTag):
        read_back(headers, body, b"x" * 16)


@pytest.mark.parametrize("standard", [True, False])
def test_the_server_says_who_it_is(standard: bool) -> None:
    subscriber = Subscriber(endpoint=ENDPOINT, key=point_of(BROWSER), secret=b"s" * 16, standard=standard)
    headers, body = webpush.request(
        subscriber, b"x", salt=b"0" * 16, once=BROWSER, server=SERVER, contact="mailto:a@b.test", now=1_000
    )
    given_token = headers["authorization"].removeprefix("WebPush ").removeprefix("vapid t=").split(",")[0]
    head, claims, signature = given_token.split(".")
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    SERVER.public_key().verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(decode(claims)) == {"aud": "https://push.example", "exp": 44_200, "sub": "mailto:a@b.test"}
    assert encode(point_of(SERVER)) in headers["authorization"] + headers.get("crypto-key", "")
    assert len(body) <= 4_096


@given(st.text(max_size=120), st.text(max_size=40))
def test_keys_are_read_or_refused(key: str, secret: str) -> None:
    assert webpush.read_keys(key, secret) is None


def test_good_keys_are_read_in_both_alphabets() -> None:
    key, secret = point_of(BROWSER), bytes(range(250, 256)) + bytes(10)
    assert webpush.read_keys(encode(key), encode(secret) + "==") == (key, secret)
    assert webpush.read_keys(encode(key).replace("-", "+").replace("_", "/"), encode(secret)) == (key, secret)
    assert webpush.read_keys(encode(key[:-1] + bytes([key[-1] ^ 1])), encode(secret)) is None
    with pytest.raises(ValueError, match="at most"):
        webpush.request(
            Subscriber(endpoint=ENDPOINT, key=key, secret=secret),
            b"x" * 4_000,
            salt=b"0" * 16,
            once=BROWSER,
            server=SERVER,
            contact="",
            now=0,
        )
