"""The one door through which a signed request is believed: both schemes, every rule, and no way around the key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache

from msgspec import Struct

from fediblog.errors import Refused
from fediblog.protocol import cavage, rfc9421
from fediblog.protocol.digest import matches_content_digest, matches_digest
from fediblog.protocol.keys import Algorithm, Kind, PublicKey
from fediblog.protocol.structured import joined

WINDOW = 3600  # seconds a signature may be old, or ahead of our clock

# What the parameter says against what the key is; `hs2019` and nothing at all mean: go by the key.
_CAVAGE: dict[str | None, tuple[Kind, ...]] = {
    None: ("rsa", "ed25519"),
    "hs2019": ("rsa", "ed25519"),
    "rsa-sha256": ("rsa",),
}
_RFC9421: dict[str, tuple[Kind, Algorithm]] = {
    "rsa-v1_5-sha256": ("rsa", "rsa-v1_5-sha256"),
    "rsa-pss-sha512": ("rsa", "rsa-pss-sha512"),
    "ed25519": ("ed25519", "ed25519"),
}


class IncomingRequest(Struct, frozen=True, dict=True):
    """A request as it came in."""

    method: str
    target: str  # path and query, as received
    headers: tuple[tuple[str, str], ...]  # lower-case names, in order, may repeat; values as Latin-1
    body: bytes

    @cached_property
    def fields(self) -> dict[str, str]:
        """The value of each header, those that repeat joined."""
        return joined(self.headers)

    def stands_once(self, name: str) -> bool:
        """Whether there is exactly one header of that name."""
        alone = len(self.fields) == len(self.headers)
        return name in self.fields and (alone or [field for field, _ in self.headers].count(name) == 1)


class Claim(Struct, frozen=True):
    """Which key a request says that it is signed with. Nothing is proven before `verify`."""

    key_id: str
    signature: cavage.CavageSignature | rfc9421.MessageSignature

    @property
    def covered(self) -> frozenset[str]:
        """The names of the headers that are signed, in lower case."""
        signature = self.signature
        return frozenset(signature.headers) if isinstance(signature, cavage.CavageSignature) else signature.covered

    @property
    def scheme(self) -> str:
        """`cavage` or `rfc9421`: worth remembering, because who speaks one also understands it."""
        return "cavage" if isinstance(self.signature, cavage.CavageSignature) else "rfc9421"


def read(incoming: IncomingRequest, origin: str) -> Claim:
    """What a request claims, once it covers all that it has to and is meant for `origin`; Refused otherwise."""
    newer = incoming.fields.get("signature-input")
    signature = _read_cavage(incoming) if newer is None else _read_rfc9421(incoming, newer)
    covered = signature.headers if isinstance(signature, cavage.CavageSignature) else signature.covered
    # RFC 9421 derives its authority from `origin`; only the header itself can name somebody else.
    if "host" in covered and not _is_ours(incoming, origin):
        raise Refused("host-not-ours")
    return Claim(signature.key_id, signature)


class Checked(Struct, frozen=True):
    """A claim that nothing but the key can refute. Only `check` makes one."""

    claim: Claim
    incoming: IncomingRequest


def check(claim: Claim, incoming: IncomingRequest, now: int) -> Checked:
    """All that can be refused without the key, so before it is looked for; `now` is in seconds."""
    signature = claim.signature
    if signature.expires is not None and now > signature.expires:
        raise Refused("signature-stale", key="refusal.signature-expired")
    for time in _times(signature, incoming.fields):
        if time is None:
            raise Refused("signature-unreadable", key="refusal.signature-time-unreadable")
        if abs(now - time) > WINDOW:
            raise Refused("signature-stale")
    if _has_body(incoming):
        _check_digest(isinstance(signature, cavage.CavageSignature), incoming)
    return Checked(claim, incoming)


def verify(claim: Claim, incoming: IncomingRequest, key: PublicKey, origin: str, now: int) -> None:
    """Return if `key` signed this very request for `origin`, recently; raise Refused in every other case."""
    prove(check(claim, incoming, now), key, origin)


def prove(checked: Checked, key: PublicKey, origin: str) -> None:
    """The rest of `verify`: return if `key` signed what was checked; raise Refused in every other case."""
    signature, incoming = checked.claim.signature, checked.incoming
    if isinstance(signature, cavage.CavageSignature):
        good = _verify_cavage(signature, incoming, key)
    else:
        good = _verify_rfc9421(signature, incoming, key, origin)
    if good is not True:
        raise Refused("signature-bad")


def _read_cavage(incoming: IncomingRequest) -> cavage.CavageSignature:
    value = incoming.fields.get("signature")
    if value is None:
        raise Refused("signature-missing")
    signature = cavage.read(value) if incoming.stands_once("signature") else None
    if signature is None:
        raise Refused("signature-unreadable")
    if signature.algorithm not in _CAVAGE:
        raise Refused("signature-unsupported")
    needed = ["(request-target)", "host"]
    needed += ["digest"] if _has_body(incoming) else []
    needed += [] if "(created)" in signature.headers else ["date"]
    _require(needed, signature.headers)
    return signature


def _read_rfc9421(incoming: IncomingRequest, newer: str) -> rfc9421.MessageSignature:
    found = rfc9421.read(newer, incoming.fields.get("signature"))
    if not found:
        raise Refused("signature-unreadable", key="refusal.signature-input-unreadable")
    usable = [one for one in found if one.algorithm is None or one.algorithm in _RFC9421]
    if not usable:
        raise Refused("signature-unsupported")
    whole = [one for one in usable if not _missing(one, incoming)]
    if not whole:
        _require(_missing(usable[0], incoming), ())
    return whole[0]


def _missing(signature: rfc9421.MessageSignature, incoming: IncomingRequest) -> list[str]:
    """What a signature leaves open that would let it be used for another request."""
    covered = signature.covered
    where = {"@authority", "host"} & covered
    whole_path = "@request-target" in covered or {"@path", "@query"} <= covered
    short_path = "@path" in covered and "?" not in incoming.target
    missing = [] if "@method" in covered else ["@method"]
    if "@target-uri" not in covered and not (where and (whole_path or short_path)):
        missing.append("@target-uri")
    if _has_body(incoming) and "content-digest" not in covered:
        missing.append("content-digest")
    if signature.created is None:
        missing.append("created")
    return missing


def _require(needed: Collection[str], covered: Collection[str]) -> None:
    missing = [name for name in needed if name not in covered]
    if missing:
        raise Refused("signature-incomplete", parts=", ".join(missing))


def _has_body(incoming: IncomingRequest) -> bool:
    return bool(incoming.body) or incoming.method.upper() not in cavage.BODILESS


def _is_ours(incoming: IncomingRequest, origin: str) -> bool:
    usual = ":80" if origin.startswith("http:") else ":443"
    host = incoming.fields.get("host", "").lower().removesuffix(usual)
    return incoming.stands_once("host") and host == _authority(origin)


@lru_cache(maxsize=4)
def _authority(origin: str) -> str:
    return cavage.split(origin)[0]


def _times(signature: cavage.CavageSignature | rfc9421.MessageSignature, fields: Mapping[str, str]) -> list[int | None]:
    """Each time that the signature covers."""
    if isinstance(signature, rfc9421.MessageSignature):
        return [signature.created]
    times = [signature.created] if "(created)" in signature.headers else []
    if "date" in signature.headers:
        times.append(cavage.read_date(fields.get("date", "")))
    return times


def _check_digest(old: bool, incoming: IncomingRequest) -> None:
    given = incoming.fields.get("digest" if old else "content-digest")
    if given is None:
        raise Refused("digest-missing")
    matches = matches_digest if old else matches_content_digest
    if not matches(given, incoming.body):
        raise Refused("digest-mismatch")


def _verify_cavage(signature: cavage.CavageSignature, incoming: IncomingRequest, key: PublicKey) -> bool:
    if key.kind not in _CAVAGE[signature.algorithm]:
        return False
    targets = [incoming.target]
    # Mastodon before 4.3 left the query string of what it fetched out of the signature.
    if "?" in incoming.target and not _has_body(incoming):
        targets.append(incoming.target.partition("?")[0])
    for target in targets:
        text = cavage.base(
            signature.headers, incoming.method, target, incoming.fields, signature.created, signature.expires
        )
        if text is not None and key.verifies(signature.signature, text):
            return True
    return False


def _verify_rfc9421(
    signature: rfc9421.MessageSignature, incoming: IncomingRequest, key: PublicKey, origin: str
) -> bool:
    kind, algorithm = _RFC9421[signature.algorithm] if signature.algorithm else (key.kind, None)
    if kind != key.kind or not incoming.target.startswith("/"):
        return False
    text = rfc9421.base(signature.input, incoming.method, incoming.target, incoming.fields, origin)
    return text is not None and key.verifies(signature.signature, text, algorithm)
