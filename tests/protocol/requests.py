"""Signed requests to test with: as we make them, and by hand so that they cover exactly what a test says."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from fediblog.errors import Refused
from fediblog.protocol import cavage, rfc9421, signatures
from fediblog.protocol.digest import content_digest, digest
from fediblog.protocol.keys import PrivateKey, PublicKey
from fediblog.protocol.signatures import IncomingRequest
from tests.protocol import RSA

NOW = 1_760_000_000
ORIGIN = "https://bob.example"
KEY_ID = "https://alice.example/a/1#main-key"
TYPE = {"Content-Type": "application/activity+json"}
SIGNERS = {"cavage": cavage.sign, "rfc9421": rfc9421.sign}


def request(
    scheme: str = "cavage",
    method: str = "POST",
    target: str = "/inbox",
    body: bytes = b'{"type":"Like"}',
    key: PrivateKey = RSA,
    now: int = NOW,
) -> IncomingRequest:
    body = b"" if method == "GET" else body
    headers = dict(TYPE) if body else {}
    headers |= SIGNERS[scheme](method, ORIGIN + target, headers, body, KEY_ID, key, now)
    return IncomingRequest(method, target, tuple((name.lower(), value) for name, value in headers.items()), body)


def verify(incoming: IncomingRequest, key: PublicKey = RSA.public, now: int = NOW, origin: str = ORIGIN) -> str:
    """'good', or the reason why not."""
    try:
        claim = signatures.read(incoming, origin)
        signatures.verify(claim, incoming, key, origin, now)
    except Refused as refused:
        return refused.reason
    return "good"


def changed(incoming: IncomingRequest, **changes: str | None) -> IncomingRequest:
    """The same with headers set, or taken away; `_` stands for `-`."""
    changes = {name.replace("_", "-"): value for name, value in changes.items()}
    kept = tuple((name, value) for name, value in incoming.headers if name not in changes)
    new = tuple((name, value) for name, value in changes.items() if value is not None)
    return IncomingRequest(incoming.method, incoming.target, kept + new, incoming.body)


def handmade(
    names: str, method: str = "POST", body: bytes = b"{}", target: str = "/inbox", params: str = "", **headers: str
) -> IncomingRequest:
    """A cavage signature over exactly `names`, by a good key."""
    every = {"host": "bob.example", "date": cavage.write_date(NOW), "digest": digest(body), **headers}
    created = NOW if "created" in params else None
    text = cavage.base(names.split(), method, target, list(every.items()), created, NOW + 60)
    assert text is not None
    signature = base64.b64encode(RSA.sign(text)).decode()
    every["signature"] = f'keyId="{KEY_ID}",headers="{names}",signature="{signature}"{params}'
    return IncomingRequest(method, target, tuple(every.items()), body)


def handmade_9421(
    names: Sequence[str], method: str = "POST", body: bytes = b"{}", target: str = "/inbox", params: str | None = None
) -> IncomingRequest:
    """An RFC 9421 signature over exactly `names`, by a good key."""
    params = f';created={NOW};keyid="{KEY_ID}"' if params is None else params
    written = " ".join(f'"{name}"' for name in names)
    headers = {"host": "bob.example", "content-digest": content_digest(body), "date": "any"}
    found = rfc9421.read(f"s=({written}){params}", "s=:AAAA:")
    assert found
    text = rfc9421.base(found[0].input, method, target, list(headers.items()), ORIGIN)
    assert text is not None
    headers["signature-input"] = f"s=({written}){params}"
    headers["signature"] = f"s=:{base64.b64encode(RSA.sign(text)).decode()}:"
    return IncomingRequest(method, target, tuple(headers.items()), body)
