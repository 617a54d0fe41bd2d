"""The key by which push services know this server (RFC 8292): made once, kept in the database."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from fediblog.federation.site import Site
from fediblog.protocol import webpush
from fediblog.store.people import server_state
from fediblog.store.tx import Tx

_NAME = "vapid"


class _Key:
    """The VAPID key of a site, None until it is first used."""

    def __init__(self, _site: Site) -> None:
        self.private: ec.EllipticCurvePrivateKey | None = None


async def private_key(site: Site) -> ec.EllipticCurvePrivateKey:
    """The P-256 key, made at its first use."""
    kept = site.keep(_Key)
    if kept.private is None:
        pem = await site.db.read(server_state.get, _NAME)
        if pem is None:
            pem = await site.db.write(_keep, _new())
        key = load_pem_private_key(pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise RuntimeError("the VAPID key in the database is of another kind")
        kept.private = key
    return kept.private


async def public_key(site: Site) -> str:
    """The public half of the key, for apps: base64url of the uncompressed point."""
    return webpush.encode(webpush.point_of(await private_key(site)))


def _new() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _keep(tx: Tx, fresh: str) -> str:
    """Store a fresh key unless there is one; the stored one: of two processes that make one at once, the first's."""
    if standing := server_state.get(tx, _NAME):
        return standing
    server_state.put(tx, _NAME, fresh)
    return fresh
