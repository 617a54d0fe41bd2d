"""The second factor of a login: codes of an authenticator app (RFC 6238), recovery codes, and the log-in half done.

What is half done has no rights: it is no session. A cookie for the log-in page alone names it, for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

import pyotp
from pyotp.utils import strings_equal
from starlette.requests import Request
from starlette.responses import Response

from fediblog.domain.accounts import Login
from fediblog.federation.site import Site
from fediblog.store.people import second_factors
from fediblog.store.people.second_factors import HalfLogin
from fediblog.store.tx import Tx
from fediblog.web import login_tokens, webauthn
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import Proof, hashed

RECOVERY_CODES = 10
LASTS = 600_000  # ms that the second step may take
_COOKIE = "half-login"
_STEP = 30_000  # ms for which an app shows a code
_LATE = 1  # steps by which the clock of a telephone may differ
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # those that nobody takes for another
_GROUPS, _GROUP = 4, 4  # of a recovery code: 79 bits


def secret_of(site: Site, login: int, nonce: str) -> str:
    """The secret that an authenticator app shares with us, in base32."""
    made = hmac.new(site.secret, f"authenticator\n{login}\n{nonce}".encode(), hashlib.sha256).digest()
    return base64.b32encode(made[:20]).decode()


def address_of(site: Site, login: Login, secret: str) -> str:
    """What the app reads from the picture, or by a link on the telephone itself: an otpauth address."""
    return pyotp.TOTP(secret).provisioning_uri(name=login.name, issuer_name=site.urls.host)


def step_of(secret: str, code: str, now: int) -> int | None:
    """The number of the time step whose code this is, among those that count at `now` (ms)."""
    app, current = pyotp.TOTP(secret), now // _STEP
    steps = range(current - _LATE, current + _LATE + 1)
    right = [step for step in steps if strings_equal(app.generate_otp(step), code)]
    return right[-1] if right else None


def use(tx: Tx, site: Site, login: int, typed: str) -> bool:
    """Use up a code of the app or a recovery code of the login, as it was typed; False if it is none that counts."""
    code = typed.lower().replace(" ", "").replace("-", "")
    if not (code.isascii() and code.isdigit()):
        return second_factors.use_recovery_code(tx, login, hashed(code))
    app = second_factors.authenticator(tx, login)
    step = step_of(secret_of(site, login, app.nonce), code, tx.now) if app is not None else None
    return step is not None and second_factors.use_step(tx, login, step)


def renew_codes(tx: Tx, login: int) -> list[str]:
    """New recovery codes of a login, as they are shown, this once; those of before are void."""
    codes = ["-".join(_group() for _ in range(_GROUPS)) for _ in range(RECOVERY_CODES)]
    second_factors.put_recovery_codes(tx, login, [hashed(code.replace("-", "")) for code in codes])
    return codes


def _group() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_GROUP))


async def begin(request: Request, response: Response, login: Login, mark: str) -> None:
    """The password was right: let this browser go on with the second step."""
    site, token = site_of(request), secrets.token_urlsafe(32)
    await site.db.write(lambda tx: second_factors.begin_half(tx, hashed(token), login, mark, tx.now + LASTS))
    login_tokens.put(request, response, _COOKIE, token, LASTS)


async def half_of(request: Request) -> HalfLogin | None:
    """The log-in of this browser that waits for its second step."""
    return await site_of(request).db.read(second_factors.half, login_tokens.hash_of(request, _COOKIE))


async def proof_of(
    request: Request, form: Form, login: Login, token: str, fields: tuple[str, str] = ("code", "passkey")
) -> Proof:
    """That the code or the passkey in these fields of the form counts for the login; it is used up by that.

    `token` is the hash under which the passkey was asked to sign.
    """
    site, typed = site_of(request), form.line(fields[0], 100)
    if answer := form.text(fields[1]):
        found = await webauthn.signed(request, token, answer)
        return webauthn.proof(found, login) if found is not None else lambda _tx: False
    return lambda tx: use(tx, site, login.id, typed)


def half_proof(request: Request, login: Login, second: Proof) -> Proof:
    """That this browser has had the password right, and now the second step; the log-in half done ends with that."""
    token = login_tokens.hash_of(request, _COOKIE)

    def proof(tx: Tx) -> bool:
        half = second_factors.half(tx, token)
        if half is None or half.login.id != login.id or not second(tx):
            return False
        second_factors.end_half(tx, token)
        return True

    return proof


def forget(request: Request, response: Response) -> None:
    """Take the cookie of the second step from the browser."""
    login_tokens.drop(request, response, _COOKIE)
