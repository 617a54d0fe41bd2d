"""An authenticator made of software: it makes passkeys and signs with them as the specification says, or wrongly."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey (WebAuthn level 3 §6), at one origin."""

    def __init__(self, origin: str) -> None:
        self.origin, self.id, self.signs = origin, os.urandom(32), 0
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user = ""

    def make(self, asked: dict[str, Any], *, algorithm: int = -7, **said: Any) -> str:
        """Answer what a page asks of `navigator.credentials.create`; `said` is what is wrong with it."""
        self.user = asked["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        x, y = (each.to_bytes(32, "big") for each in (numbers.x, numbers.y))
        key = cbor.encode({1: 2, 3: algorithm, -1: 1, -2: x, -3: y})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + key
        data = self._data(asked["rp"]["id"], said.pop("flags", PRESENT | VERIFIED) | ATTESTED) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"], said)
        return self._written({"clientDataJSON": client, "attestationObject": attestation})

    def sign(self, asked: dict[str, Any], **said: Any) -> str:
        """Answer what a page asks of `navigator.credentials.get`; `said` is what is wrong with it."""
        self.signs = said.pop("signs", self.signs + 1)
        data = self._data(said.pop("rp", asked["rpId"]), said.pop("flags", PRESENT | VERIFIED))
        handle = websafe_decode(said.pop("user", self.user))
        key = said.pop("key", self.key)
        client = self._client("webauthn.get", asked["challenge"], said)
        signature = key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._written(
            {"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": handle}
        )

    def _data(self, rp: str, flags: int) -> bytes:
        return hashlib.sha256(rp.encode()).digest() + bytes([flags]) + self.signs.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, said: dict[str, Any]) -> bytes:
        usual = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**usual, **said}).encode()

    def _written(self, response: dict[str, bytes]) -> str:
        name = websafe_encode(self.id)
        fields = {key: websafe_encode(value) for key, value in response.items()}
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": fields, "clientExtensionResults": {}}
        )
