"""Tests of the protocol floor, and the keys that they share: making an RSA key takes longer than most of them."""

from __future__ import annotations

from fediblog.protocol.keys import PrivateKey, new_ed25519, new_rsa

RSA = new_rsa()
OTHER_RSA = new_rsa()
ED25519 = new_ed25519()
KEYS: dict[str, PrivateKey] = {"rsa": RSA, "ed25519": ED25519}
