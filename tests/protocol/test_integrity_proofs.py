"""A proof holds for the document it was made for, word for word."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog.protocol import integrity_proofs
from fediblog.protocol.keys import PrivateKey, load_multibase, load_private, new_ed25519, read_multibase
from tests.corpus import CORPUS, needs_corpus, vectors
from tests.protocol import ED25519, RSA
from tests.protocol.test_jcs import DOCUMENTS, TEXT

NOW = 1_760_000_000
METHOD = "https://alice.example/a/1#ed25519-key"
FIRST, SECOND = "https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v2"
NOTE: dict[str, object] = {
    "@context": [FIRST, SECOND],
    "id": "https://alice.example/p/1",
    "type": "Note",
    "content": "Hello",
}


def holds(document: dict[str, Any], key: PrivateKey = ED25519, now: int = NOW) -> bool:
    return any(integrity_proofs.verify(document, proof, key.public, now) for proof in integrity_proofs.read(document))


def with_proof(document: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {**document, "proof": {**document["proof"], **changes}}


@given(document=st.dictionaries(TEXT, DOCUMENTS, max_size=5), created=st.integers(0, 4 * 10**9))
def test_what_is_signed_verifies(document: dict[str, object], created: int) -> None:
    signed = integrity_proofs.sign(document, ED25519, METHOD, created)
    assert holds(signed)
    assert holds(json.loads(json.dumps(signed)))
    assert not holds(signed, new_ed25519())
    assert not holds(signed, RSA)
    assert not holds({**signed, "a name that no other has": 1})


def test_every_part_of_it_counts() -> None:
    signed = integrity_proofs.sign(NOTE, ED25519, METHOD, NOW)
    assert integrity_proofs.read(signed)[0].method == METHOD
    for name in ("id", "type", "content"):
        assert not holds({**signed, name: "other"})
        assert not holds({key: value for key, value in signed.items() if key != name})
    assert not holds(with_proof(signed, verificationMethod="https://mallory.example/a/1#ed25519-key"))
    assert not holds(with_proof(signed, created="2020-01-01T00:00:00Z"))
    assert not holds(with_proof(signed, expires="3000-01-01T00:00:00Z"))
    assert not holds(with_proof(signed, extra=True))


def test_contexts_may_be_added_at_the_end() -> None:
    signed = integrity_proofs.sign(NOTE, ED25519, METHOD, NOW)
    assert holds({**signed, "@context": [FIRST, SECOND, "https://later.example/ns"]})
    for contexts in ([SECOND, FIRST], [FIRST], FIRST, ["https://evil.example/ns", FIRST, SECOND], None):
        assert not holds({**signed, "@context": contexts})


def test_a_proof_among_others_is_found() -> None:
    signed: dict[str, Any] = integrity_proofs.sign(NOTE, ED25519, METHOD, NOW)
    others = [None, "text", {"type": "DataIntegrityProof", "cryptosuite": "mldsa44-jcs-2024"}]
    assert holds({**signed, "proof": [*others, signed["proof"]]})
    assert not holds({**signed, "proof": [None] * integrity_proofs.MAX_PROOFS + [signed["proof"]]})


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Ed25519Signature2020"},
        {"cryptosuite": "eddsa-rdfc-2022"},
        {"proofPurpose": "authentication"},
        {"proofPurpose": None},
        {"verificationMethod": ""},
        {"verificationMethod": {"id": METHOD}},
        {"proofValue": None},
        {"proofValue": "z"},
        {"proofValue": "z111"},
        {"proofValue": "uAAAA"},
        {"created": "yesterday"},
        {"expires": "never"},
        {"expires": None},
    ],
)
def test_other_shapes_are_no_proofs(changes: dict[str, object]) -> None:
    signed = integrity_proofs.sign(NOTE, ED25519, METHOD, NOW)
    assert integrity_proofs.read(with_proof(signed, **changes)) == []


def test_a_document_that_has_no_canonical_form_is_not_verified() -> None:
    signed = integrity_proofs.sign(NOTE, ED25519, METHOD, NOW)
    assert not holds({**signed, "content": float("nan")})
    assert not holds({**signed, "content": "\ud800"})


def test_only_ed25519_signs() -> None:
    with pytest.raises(ValueError, match="Ed25519"):
        integrity_proofs.sign(NOTE, RSA, METHOD, NOW)


@settings(max_examples=40)
@given(document=st.dictionaries(st.text(), DOCUMENTS), proof=DOCUMENTS | st.dictionaries(st.text(), DOCUMENTS))
def test_readers_never_raise(document: dict[str, object], proof: object) -> None:
    assert integrity_proofs.read({**document, "proof": proof}) == []


# Every file of vectors, and what is done with it, so that nothing is left out in silence.
VECTORS: dict[str, str] = {
    "cavage-draft": "test_cavage",
    "cavage-implementations": "test_cavage, test_signatures",
    "digest": "test_digest",
    "eddsa-jcs-2022": "here",
    "fep-ef61": "no: portable identifiers are not resolved; the proof of a portable object is verified here",
    "jcs": "test_jcs",
    "multikey": "test_keys",
    "rfc9421": "test_rfc9421, test_signatures",
    "rsasignature2017": "no: Linked Data Signatures are not believed, because they sign another graph than is read",
}


def secret(text: str) -> PrivateKey:
    octets = read_multibase(text)
    assert octets is not None
    key = Ed25519PrivateKey.from_private_bytes(octets[2:])
    pkcs8, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return load_private(key.private_bytes(serialization.Encoding.PEM, pkcs8, clear).decode())


def key_and_document(inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The published key and the document with the proof, which the vectors keep in various places."""
    if "signed" not in inputs:
        statement = inputs["actor"]["attachment"][0]
        return statement["subject"].removeprefix("did:key:"), statement
    if "actor" in inputs:
        return inputs["actor"]["assertionMethod"][0]["publicKeyMultibase"], inputs["signed"]
    return inputs["public_key_multibase"], inputs["signed"]


@needs_corpus
@pytest.mark.parametrize("vector", vectors("eddsa-jcs-2022"), ids=lambda vector: vector["name"])
def test_eddsa_jcs_2022_vectors(vector: dict[str, Any]) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    if "document" in inputs:
        config = inputs.get("proof_config", {})
        method = inputs.get("verification_method") or config.get("verificationMethod") or inputs["did"]
        created = datetime.fromisoformat(inputs.get("created") or config["created"])
        key = secret(inputs["secret_key_multibase"])
        assert integrity_proofs.sign(inputs["document"], key, method, int(created.timestamp())) == expected["signed"]
        assert holds(expected["signed"], key)
        return
    text, document = key_and_document(inputs)
    public = load_multibase(text)
    assert public is not None
    good = any(integrity_proofs.verify(document, proof, public, NOW) for proof in integrity_proofs.read(document))
    assert good is expected["valid"]


@needs_corpus
def test_every_file_of_vectors_is_known() -> None:
    assert CORPUS is not None
    assert {path.stem for path in (CORPUS / "vectors").glob("*.json")} == VECTORS.keys()


@needs_corpus
@pytest.mark.parametrize("vector", vectors("rsasignature2017"), ids=lambda vector: vector["name"])
def test_linked_data_signatures_are_no_proofs(vector: dict[str, Any]) -> None:
    assert integrity_proofs.read(vector["inputs"].get("signed", {})) == []
