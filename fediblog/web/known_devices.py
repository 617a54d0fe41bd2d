"""Browsers that have logged in before: a signed cookie proves it, so that a stranger's tries do not keep them out.

One cookie for each login, sent to the log-in page alone. It signs nobody in: it only gives the browser a count of
wrong passwords of its own. As sessions do, it ends with another password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from fediblog.federation.site import Site
from fediblog.web import cookies
from fediblog.web.negotiation import site_of

PATH = "/login"
LASTS = 400 * 86_400  # seconds: browsers keep no cookie longer


def remember(request: Request, response: Response, name: str, mark: str) -> None:
    """Let the browser prove that it has logged in under that name, as long as the login has the password of `mark`."""
    site, nonce = site_of(request), secrets.token_hex(16)
    value = nonce + _proof(site, name, mark, nonce)
    cookies.put(site, response, cookie_name(site, name), value, seconds=LASTS, path=PATH)


def device_of(request: Request, name: str, mark: str) -> str:
    """Which browser it is that has logged in under that name, with the password of now; '' if it cannot prove that."""
    site = site_of(request)
    value = request.cookies.get(cookie_name(site, name), "")
    nonce, proof = value[:32], value[32:]
    return nonce if hmac.compare_digest(proof.encode(), _proof(site, name, mark, nonce).encode()) else ""


def cookie_name(site: Site, name: str) -> str:
    """The cookie of that login; the prefix makes browsers refuse one that came by plain http."""
    number = hashlib.sha256(name.encode()).hexdigest()[:16]
    return cookies.name_of(site, f"device-{number}", "__Secure-")


def _proof(site: Site, name: str, mark: str, nonce: str) -> str:
    return hmac.new(site.secret, f"known device\n{name}\n{mark}\n{nonce}".encode(), hashlib.sha256).hexdigest()
