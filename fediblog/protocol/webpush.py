"""Messages for browsers and phones: encrypted for the subscriber alone, and signed by this server.

RFC 8291 (aes128gcm) and, for older apps, the draft before it (aesgcm); RFC 8292 (VAPID). Keys and dice are arguments.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Struct

MOST = 3_800  # bytes of a message: services take 4096 with everything around it (RFC 8030 §7.2)
TTL = 172_800  # seconds for which a service keeps a message for a phone that is off
_RECORD = 4_096
_JWT_LASTS = 43_200  # seconds; services refuse more than a day (RFC 8292 §2)


class Subscriber(Struct, frozen=True, kw_only=True):
    """Where one browser or phone is reached, and the keys that it chose: uncompressed P-256 point, 16 bytes."""

    endpoint: str
    key: bytes
    secret: bytes
    standard: bool = True  # RFC 8291, else the draft


def read_keys(key: str, secret: str) -> tuple[bytes, bytes] | None:
    """The two keys of a subscription from base64url, or None if they are not such keys."""
    try:
        point, auth = decode(key), decode(secret)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, InvalidKey):
        return None
    return (point, auth) if len(point) == 65 and len(auth) == 16 else None


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Base64url or base64, with or without padding. Raises ValueError."""
    bare = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half as the 65 bytes that are sent."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def request(
    subscriber: Subscriber,
    message: bytes,
    *,
    salt: bytes,
    once: ec.EllipticCurvePrivateKey,
    server: ec.EllipticCurvePrivateKey,
    contact: str,
    now: int,
) -> tuple[dict[str, str], bytes]:
    """Headers and body of the POST that brings a message to the subscriber's service.

    `salt` is 16 random bytes and `once` a key made for this message; `server` is the VAPID key, `contact` a mailto:
    or https: address, `now` UTC seconds. Raises ValueError for a message that is too long.
    """
    if len(message) > MOST:
        raise ValueError(f"a message has at most {MOST} bytes")
    token = _token(subscriber.endpoint, server, contact, now)
    own = encode(point_of(server))
    headers = {"content-type": "application/octet-stream", "ttl": str(TTL), "urgency": "normal"}
    if subscriber.standard:
        headers |= {"content-encoding": "aes128gcm", "authorization": f"vapid t={token}, k={own}"}
        return headers, encrypt(subscriber, message, salt, once)
    headers |= {
        "content-encoding": "aesgcm",
        "authorization": f"WebPush {token}",
        "encryption": f"salt={encode(salt)}",
        "crypto-key": f"dh={encode(point_of(once))};p256ecdsa={own}",
    }
    return headers, encrypt_as_before(subscriber, message, salt, once)


def encrypt(subscriber: Subscriber, message: bytes, salt: bytes, once: ec.EllipticCurvePrivateKey) -> bytes:
    """One record of aes128gcm with its header (RFC 8291 §3, RFC 8188 §2)."""
    own = point_of(once)
    shared = _hkdf(subscriber.secret, _agree(once, subscriber), b"WebPush: info\0" + subscriber.key + own, 32)
    key = _hkdf(salt, shared, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, shared, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4, "big") + bytes([len(own)]) + own
    return header + AESGCM(key).encrypt(nonce, message + b"\x02", None)


def encrypt_as_before(subscriber: Subscriber, message: bytes, salt: bytes, once: ec.EllipticCurvePrivateKey) -> bytes:
    """The record of aesgcm (draft-ietf-webpush-encryption-04), whose parameters stand in headers."""
    own = point_of(once)
    context = b"P-256\0" + b"".join(len(each).to_bytes(2, "big") + each for each in (subscriber.key, own))
    shared = _hkdf(subscriber.secret, _agree(once, subscriber), b"Content-Encoding: auth\0", 32)
    key = _hkdf(salt, shared, b"Content-Encoding: aesgcm\0" + context, 16)
    nonce = _hkdf(salt, shared, b"Content-Encoding: nonce\0" + context, 12)
    return AESGCM(key).encrypt(nonce, b"\0\0" + message, None)


def _agree(once: ec.EllipticCurvePrivateKey, subscriber: Subscriber) -> bytes:
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), subscriber.key)
    return once.exchange(ec.ECDH(), theirs)


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _token(endpoint: str, server: ec.EllipticCurvePrivateKey, contact: str, now: int) -> str:
    """Who we are, for that service alone (RFC 8292 §2), as ES256 (RFC 7518 §3.4)."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": now + _JWT_LASTS, "sub": contact}
    signed = ".".join(encode(json.dumps(each).encode()) for each in ({"typ": "JWT", "alg": "ES256"}, claims))
    r, s = decode_dss_signature(server.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
