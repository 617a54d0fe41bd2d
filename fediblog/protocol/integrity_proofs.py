"""Proofs inside a document, made with Ed25519: eddsa-jcs-2022 as FEP-8b32 has it (W3C Data Integrity EdDSA, §3.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from fediblog.protocol.jcs import canonical
from fediblog.protocol.keys import PrivateKey, PublicKey, read_multibase, write_multibase

SUITE = "eddsa-jcs-2022"
MAX_PROOFS = 8  # of one document


class IntegrityProof(Struct, frozen=True):
    """One proof of a document, not yet verified."""

    method: str  # id of the key
    value: bytes
    expires: int | None  # seconds
    options: Mapping[str, object]  # all of it but the value


def read(document: Mapping[str, object]) -> list[IntegrityProof]:
    """The proofs of a document that could be verified here. None of them proves anything yet."""
    given = document.get("proof")
    proofs = given if isinstance(given, list) else [given]
    return [proof for proof in map(_proof, proofs[:MAX_PROOFS]) if proof]


def verify(document: Mapping[str, object], proof: IntegrityProof, key: PublicKey, now: int) -> bool:
    """Whether `key` made `proof` for exactly this document, and it has not expired; `now` is in seconds.

    That the key is the one the proof names, and that its owner may speak for the document, is for the caller to know.
    """
    if key.kind != "ed25519" or (proof.expires is not None and now >= proof.expires):
        return False
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    if "@context" in proof.options:
        # The document may have gained contexts after those that were there when it was signed.
        signed, present = _listed(proof.options["@context"]), _listed(document.get("@context"))
        if present[: len(signed)] != signed:
            return False
        unsecured["@context"] = proof.options["@context"]
    try:
        return key.verifies(proof.value, _hashes(proof.options, unsecured))
    except ValueError:
        return False


def sign(document: Mapping[str, object], key: PrivateKey, verification_method: str, created: int) -> dict[str, object]:
    """`document` with a proof by an Ed25519 key whose id is `verification_method`; `created` is in seconds."""
    if key.kind != "ed25519":
        raise ValueError("this proof needs an Ed25519 key")
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    options: dict[str, object] = {"@context": document["@context"]} if "@context" in document else {}
    options |= {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
        "created": f"{datetime.fromtimestamp(created, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    value = write_multibase(key.sign(_hashes(options, unsecured)))
    return {**unsecured, "proof": {**options, "proofValue": value}}


def _hashes(options: Mapping[str, object], unsecured: Mapping[str, object]) -> bytes:
    return b"".join(hashlib.sha256(canonical(dict(part))).digest() for part in (options, unsecured))


def _proof(value: object) -> IntegrityProof | None:
    if not isinstance(value, dict) or value.get("type") != "DataIntegrityProof" or value.get("cryptosuite") != SUITE:
        return None
    method, text = value.get("verificationMethod"), value.get("proofValue")
    if value.get("proofPurpose") != "assertionMethod" or not isinstance(method, str) or not isinstance(text, str):
        return None
    octets = read_multibase(text) if text.startswith("z") else None
    expires = _time(value["expires"]) if "expires" in value else None
    readable = all(_time(value[name]) is not None for name in ("created", "expires") if name in value)
    if not method or octets is None or len(octets) != 64 or not readable:
        return None
    return IntegrityProof(method, octets, expires, {name: part for name, part in value.items() if name != "proofValue"})


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _time(value: object) -> int | None:
    """Seconds of a date and time, which is UTC if it does not say otherwise."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) if at else None
    except (ValueError, OverflowError):
        return None
