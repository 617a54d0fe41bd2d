"""Passkeys (WebAuthn level 3): what a browser is asked for, and whether what it answers is right.

A passkey is found by the browser itself (a discoverable credential) and asks who uses it for a finger or a PIN (user
verification), so that it stands for a name, a password and a second step at once. What it signs names our origin, and
was made for this browser a few minutes ago at most; each is taken once, whether or not the answer is right.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from fediblog.domain.accounts import Login
from fediblog.federation.site import Site
from fediblog.store.people import logins, passkeys
from fediblog.store.people.passkeys import Passkey
from fediblog.store.tx import Tx
from fediblog.web import login_tokens
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, Proof, hashed

if TYPE_CHECKING:
    from fido2.server import Fido2Server

LASTS = 300_000  # ms between the question and the answer
LONGEST = 20_000  # characters of an answer
_COOKIE = "passkey"
_ALGORITHMS = (-7, -8, -257)  # of COSE: ES256, EdDSA, RS256


class NewPasskey(Struct, frozen=True, kw_only=True):
    """A passkey that a browser has just made, as it is stored."""

    credential: str
    data: str
    signs: int


class Signed(Struct, frozen=True, kw_only=True):
    """A passkey whose answer was right, and how many signatures it counts since."""

    passkey: Passkey
    signs: int


async def ask_to_make(request: Request, user: CurrentUser) -> dict[str, Any]:
    """What the browser is asked when a login gets a passkey (PublicKeyCredentialCreationOptionsJSON)."""
    site, login = site_of(request), user.login
    known = await site.db.read(passkeys.of_login, login.id)
    return {
        "rp": {"id": _host(site), "name": site.title},
        "user": {"id": _handle_of(site, login.id), "name": login.name, "displayName": login.name},
        "challenge": await _new_challenge(site, _to_make(user)),
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in _ALGORITHMS],
        "timeout": LASTS,
        "excludeCredentials": _named(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def _to_make(user: CurrentUser) -> str:
    """Under what is remembered what a new passkey is to sign, beside what one of before is to sign for that."""
    return hashed(f"make {user.session.token}")


async def ask_to_sign(request: Request, token: str, login: int | None = None) -> dict[str, Any]:
    """What the browser is asked (PublicKeyCredentialRequestOptionsJSON): for a passkey of the login, or any of ours."""
    site = site_of(request)
    known = await site.db.read(passkeys.of_login, login) if login is not None else []
    return {
        "rpId": _host(site),
        "challenge": await _new_challenge(site, token),
        "timeout": LASTS,
        "allowCredentials": _named(known),
        "userVerification": "required",
    }


def _named(known: list[Passkey]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": each.credential} for each in known]


async def _new_challenge(site: Site, token: str) -> str:
    challenge = secrets.token_urlsafe(32)
    await site.db.write(lambda tx: passkeys.put_challenge(tx, token, challenge, tx.now + LASTS))
    return challenge


async def made(request: Request, user: CurrentUser, answer: str) -> NewPasskey | None:
    """The passkey that the browser has made when it was asked to; None if anything about the answer is wrong."""
    site = site_of(request)
    challenge = await _challenge(site, _to_make(user))
    return _made(site, challenge, answer) if challenge else None


async def signed(request: Request, token: str, answer: str) -> Signed | None:
    """Which passkey of ours has signed what it was asked to; None if anything about the answer is wrong."""
    site = site_of(request)
    challenge = await _challenge(site, token)
    given = _read(answer)
    passkey = await site.db.read(passkeys.by_credential, str(given.get("id", ""))[:2000])
    signs = _signs(site, challenge, passkey, given) if challenge and passkey is not None else None
    return Signed(passkey=passkey, signs=signs) if passkey is not None and signs is not None else None


async def _challenge(site: Site, token: str) -> str:
    """What was to be signed, this once; nothing is written for those who were never asked."""
    is_asked = await site.db.read(passkeys.is_asked, token)
    return await site.db.write(passkeys.take_challenge, token) if is_asked else ""


def proof(found: Signed, login: Login) -> Proof:
    """That the passkey is one of the login, which may log in, and has not signed anything else meanwhile."""

    def holds(tx: Tx) -> bool:
        own = found.passkey.login == login.id and logins.get(tx, login.id) is not None
        return own and passkeys.use(tx, found.passkey.id, found.passkey.signs, found.signs)

    return holds


def _made(site: Site, challenge: str, answer: str) -> NewPasskey | None:
    from fido2.utils import websafe_encode
    from fido2.webauthn import RegistrationResponse

    try:
        given = RegistrationResponse.from_dict(_read(answer))
        data = _server(site).register_complete(_state(challenge), given)
        credential = data.credential_data
        if given.response.client_data.cross_origin or credential is None:
            return None
        if credential.public_key[3] not in _ALGORITHMS:
            return None
    except Exception:  # whatever the library stumbles over in what a stranger has sent
        return None
    return NewPasskey(
        credential=websafe_encode(credential.credential_id), data=websafe_encode(credential), signs=data.counter
    )


def _signs(site: Site, challenge: str, passkey: Passkey, given: dict[str, Any]) -> int | None:
    """How many signatures the passkey counts, with this one; None if that is not right."""
    from fido2.utils import websafe_decode, websafe_encode
    from fido2.webauthn import AttestedCredentialData, AuthenticationResponse

    try:
        answer = AuthenticationResponse.from_dict(given)
        known = AttestedCredentialData(websafe_decode(passkey.data))
        _server(site).authenticate_complete(_state(challenge), [known], answer)
        handle, signs = answer.response.user_handle, answer.response.authenticator_data.counter
        if answer.response.client_data.cross_origin:
            return None
    except Exception:  # whatever the library stumbles over in what a stranger has sent
        return None
    if handle and websafe_encode(handle) != _handle_of(site, passkey.login):
        return None
    if (signs or passkey.signs) and signs <= passkey.signs:  # there is a copy of it; those that never count say 0
        return None
    return signs


def _read(answer: str) -> dict[str, Any]:
    """What a browser has sent, {} if that is nothing of the kind."""
    try:
        return msgspec.json.decode(answer[:LONGEST], type=dict[str, Any])
    except (ValueError, RecursionError):
        return {}


def _state(challenge: str) -> dict[str, str]:
    from fido2.webauthn import UserVerificationRequirement

    return {"challenge": challenge, "user_verification": UserVerificationRequirement.REQUIRED}


def _server(site: Site) -> Fido2Server:
    return _server_at(site.urls.origin)


@cache
def _server_at(origin: str) -> Fido2Server:
    from fido2.server import Fido2Server  # no start waits for it
    from fido2.webauthn import PublicKeyCredentialRpEntity

    host = urlsplit(origin).hostname or ""
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name=host), verify_origin=lambda given: given == origin)


def _host(site: Site) -> str:
    return urlsplit(site.urls.origin).hostname or ""


def _handle_of(site: Site, login: int) -> str:
    """What a passkey knows a login by: nothing that says who it is."""
    made = hmac.new(site.secret, f"passkey\n{login}".encode(), hashlib.sha256)
    from fido2.utils import websafe_encode

    return websafe_encode(made.digest())


def new_token() -> str:
    """What names a browser that is asked to log in by a passkey."""
    return secrets.token_urlsafe(32)


def remember(request: Request, response: Response, token: str) -> None:
    """Give the browser that token, for the log-in pages alone."""
    login_tokens.put(request, response, _COOKIE, token, LASTS)


def token_of(request: Request) -> str:
    """The hash of the token that the browser was given."""
    return login_tokens.hash_of(request, _COOKIE)
