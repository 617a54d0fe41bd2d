"""What lets a program act for one of our people (OAuth 2.0, RFC 6749): apps, codes, tokens, and who asks for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import SplitResult, urlencode, urlsplit

from msgspec import Struct

from fediblog.domain import scopes as words
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid, NotFound, Refused
from fediblog.markup.text import display_name, one_line
from fediblog.store.people import access, accounts, apps
from fediblog.store.people.apps import AccessToken, App, Code
from fediblog.store.tx import Tx

OOB = "urn:ietf:wg:oauth:2.0:oob"
"""Instead of an address to go back to: the code is shown, and its reader carries it over."""

CODE_LASTS = 600_000  # ms: RFC 6749 §4.1.2 wants ten minutes at most
NAME_LIMIT, WEBSITE_LIMIT, REDIRECT_LIMIT, REDIRECTS_LIMIT = 100, 500, 2000, 20
MOST_TOKENS = 5  # without an account, of one app: older ones end
_STATE_LIMIT = 4000
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,60}\Z")
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9_])?|\[[0-9a-f:.]{2,50}\])\Z")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # SHA-256 in base64url (RFC 7636 §4.2)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")  # RFC 7636 §4.1
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
# What a browser would run, show or open by itself instead of handing it to a program.
_NEVER = frozenset(
    {
        *("javascript", "data", "vbscript", "file", "blob", "filesystem", "about", "view-source", "jar", "livescript"),
        *("mailto", "tel", "sms", "ws", "wss", "ftp", "chrome", "resource", "urn", "intent", "mhtml"),
    }
)


class Denied(Refused):
    """An error of RFC 6749: `code` is its word for it."""

    def __init__(self, code: str, key: str) -> None:
        super().__init__(f"oauth-{code.replace('_', '-')}", key=key)
        self.code = code


class Registered(Struct, frozen=True, kw_only=True):
    """An app that has just become known, with the secret that nobody is told again."""

    app: App
    secret: str


class AuthorizationRequest(Struct, frozen=True, kw_only=True):
    """What an app asks somebody for: it has been checked."""

    app: App
    redirect: str
    scopes: tuple[str, ...]
    state: str
    challenge: str

    @property
    def is_shown(self) -> bool:
        """Whether the code is shown instead of sent."""
        return self.redirect == OOB


class Granted(Struct, frozen=True, kw_only=True):
    """A fresh token: the secret itself, and what it stands for."""

    secret: str
    token: AccessToken


def register(
    tx: Tx, urls: Urls, *, name: str, redirects: Sequence[str], scopes: str = "", website: str = ""
) -> Registered:
    """Make an app known. Raises Invalid."""
    known = display_name(name)[:NAME_LIMIT].rstrip()
    if not known:
        raise Invalid("client_name", "oauth.app-name")
    wanted = tuple(dict.fromkeys(each.strip() for each in redirects if each.strip()))
    if not wanted or len(wanted) > REDIRECTS_LIMIT:
        raise Invalid("redirect_uris", "oauth.redirect-missing", n=REDIRECTS_LIMIT)
    for each in wanted:
        check_redirect(urls, each)
    if strange := words.unknown(scopes):
        raise Invalid("scopes", "oauth.scopes-unknown", scopes=" ".join(strange)[:200])
    client, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    number = apps.add_app(
        tx,
        client=client,
        secret=apps.digest(secret),
        name=known,
        website=_website(website),
        redirects=wanted,
        scopes=words.parse(scopes) or (words.DEFAULT,),
    )
    made = apps.app(tx, number)
    if made is None:
        raise NotFound()
    return Registered(app=made, secret=secret)


def _website(text: str) -> str:
    address = one_line(text)
    fits = len(address) <= WEBSITE_LIMIT and address.lower().startswith(("https://", "http://"))
    return address if fits and " " not in address else ""


def check_redirect(urls: Urls, address: str) -> None:
    """Raises Invalid for an address to which a code must not be sent."""
    if address == OOB:
        return
    if len(address) > REDIRECT_LIMIT or not (address.isascii() and address.isprintable()) or " " in address:
        raise Invalid("redirect_uris", "oauth.redirect-invalid")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Invalid("redirect_uris", "oauth.redirect-invalid") from None
    if "#" in address:
        raise Invalid("redirect_uris", "oauth.redirect-fragment")
    if not _SCHEME.match(parts.scheme) or parts.scheme in _NEVER or "\\" in address:
        raise Invalid("redirect_uris", "oauth.redirect-forbidden")
    if parts.scheme in ("https", "http"):
        _check_web(urls, parts, host or "")


def _check_web(urls: Urls, parts: SplitResult, host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    if not _HOST.match(shown) or "@" in parts.netloc:
        raise Invalid("redirect_uris", "oauth.redirect-relative")
    # A code that travels in plain text is anybody's (RFC 9700 §2.6); what stays on one machine travels nowhere.
    if parts.scheme == "http" and shown not in _LOOPBACK and urls.origin.startswith("https:"):
        raise Invalid("redirect_uris", "oauth.redirect-insecure")


def source_of(redirect: str) -> str:
    """The address's origin, or its scheme, as a Content-Security-Policy names it."""
    if redirect == OOB:
        return ""
    parts = urlsplit(redirect)
    if parts.scheme not in ("https", "http") or "[" in parts.netloc:  # CSP knows no IPv6 addresses
        return f"{parts.scheme}:"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def check_client(tx: Tx, asked: Mapping[str, str]) -> App:
    """Which app asks. Raises Refused, of which nobody is told but the reader, until the address is known to be its."""
    app = apps.app_by_client(tx, asked.get("client_id", "")[:200])
    if app is None:
        raise Refused("oauth-client")
    redirect = asked.get("redirect_uri", "")
    if redirect not in app.redirects:  # to the letter (RFC 9700 §2.1)
        raise Refused("oauth-redirect")
    return app


def check_request(app: App, asked: Mapping[str, str]) -> AuthorizationRequest:
    """What it asks for. Raises Denied, which the app is told."""
    if asked.get("response_type") != "code":
        raise Denied("unsupported_response_type", "oauth.response-type")
    if asked.get("response_mode", "query") != "query":
        raise Denied("invalid_request", "oauth.response-mode")
    if len(asked.get("state", "")) > _STATE_LIMIT:
        raise Denied("invalid_request", "oauth.long-state")
    wanted = asked.get("scope", "")
    return AuthorizationRequest(
        app=app,
        redirect=asked["redirect_uri"],
        scopes=_scopes(app, wanted),
        state=asked.get("state", ""),
        challenge=_challenge(asked),
    )


def _scopes(app: App, wanted: str) -> tuple[str, ...]:
    """The scopes asked for, which must be within those that the app registered with."""
    if not wanted.strip("+ "):
        return (words.DEFAULT,) if words.is_within([words.DEFAULT], app.scopes) else app.scopes
    found = words.parse(wanted)
    if words.unknown(wanted) or not words.is_within(found, app.scopes):
        raise Denied("invalid_scope", "oauth.scope-invalid")
    return found


def _challenge(asked: Mapping[str, str]) -> str:
    """RFC 7636: S256 or nothing. `plain`, which a missing method means, protects nobody who can read the request."""
    given, method = asked.get("code_challenge", ""), asked.get("code_challenge_method", "")
    if not given and not method:
        return ""
    if method != "S256" or not _CHALLENGE.match(given):
        raise Denied("invalid_request", "oauth.challenge-method")
    return given


def grant(tx: Tx, asked: AuthorizationRequest, login: int, account: int) -> str:
    """The login lets the app act as its account: the code to be swapped. Raises Forbidden if it is not its own."""
    found = accounts.get(tx, account)
    if found is None or found.state != "active" or access.role_of(tx, login, account) is None:
        raise Forbidden("oauth.foreign-account")
    code = secrets.token_urlsafe(32)
    apps.add_code(
        tx,
        apps.digest(code),
        Code(
            app=asked.app.id,
            login=login,
            account=account,
            scopes=asked.scopes,
            redirect=asked.redirect,
            challenge=asked.challenge,
            expires=tx.now + CODE_LASTS,
        ),
    )
    return code


def issuer(urls: Urls) -> str:
    """What this server calls itself towards apps, in its metadata (RFC 8414) and its answers (RFC 9207)."""
    return f"{urls.origin}/"


def answer_to(redirect: str, **values: str) -> str:
    """The app's address with what it is told; its own query stays."""
    return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode({k: v for k, v in values.items() if v})}"


def client(tx: Tx, client_id: str, secret: str) -> App:
    """The app that shows these credentials; without a secret it has proved nothing yet. Raises Denied."""
    app = apps.app_by_client(tx, client_id[:200])
    # Compared also where there is no app, so that both take as long.
    right = hmac.compare_digest(apps.digest(secret), app.secret if app else "0" * 64)
    if app is None or (secret and not right):
        raise Denied("invalid_client", "oauth.client-invalid")
    return app


def swap(tx: Tx, app: App, *, code: str, redirect: str, verifier: str, proven: bool) -> Granted | Denied:
    """A code for a token (RFC 6749 §4.1.3); `proven` is whether the app has shown its secret.

    A refusal is returned, not raised: what a stolen code gave must stay revoked.
    """
    hashed = apps.digest(code)
    found = apps.code(tx, hashed)
    if found is not None:
        tx.hold(found.login)  # its password may be changed just now, which ends codes and tokens
        found = apps.code(tx, hashed)
    bad = Denied("invalid_grant", "oauth.code-invalid")
    if found is None or found.app != app.id:
        return bad
    if found.used is not None:
        apps.revoke_code(tx, hashed)
        return bad
    if found.expires <= tx.now or found.redirect != redirect:
        return bad
    if not found.challenge and not proven:
        return Denied("invalid_client", "oauth.pkce-missing")
    if not is_verified(found.challenge, verifier):
        return Denied("invalid_grant", "oauth.verifier-wrong")
    if not apps.use_code(tx, hashed):
        return bad
    secret = secrets.token_urlsafe(32)
    number = apps.add_token(
        tx, apps.digest(secret), found.scopes, app=app.id, login=found.login, account=found.account, code=hashed
    )
    token = apps.token_by_id(tx, number)
    if token is None:  # the account or its login is gone by now
        apps.revoke(tx, number)
        return bad
    return Granted(secret=secret, token=token)


def is_verified(challenge: str, verifier: str) -> bool:
    """Whether the verifier is behind the challenge. One where there was no challenge fits nothing (RFC 9700 §2.1.1)."""
    if not challenge or not verifier:
        return not challenge and not verifier
    if not _VERIFIER.match(verifier):
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def grant_app(tx: Tx, app: App, scope: str) -> Granted:
    """A token of the app's own (RFC 6749 §4.4): it stands for nobody. Raises Denied."""
    secret = secrets.token_urlsafe(32)
    tx.hold(app.id)
    number = apps.add_token(tx, apps.digest(secret), _scopes(app, scope), app=app.id)
    apps.thin(tx, app.id, MOST_TOKENS)
    token = apps.token_by_id(tx, number)
    if token is None:
        raise NotFound()
    return Granted(secret=secret, token=token)


def grant_by_hand(tx: Tx, account: int, scopes: str, name: str) -> Granted:
    """A token for a script of the operator's. Raises Invalid."""
    if strange := words.unknown(scopes):
        raise Invalid("scopes", "oauth.scope-unknown", scope=strange[0])
    found, wanted = accounts.get(tx, account), words.parse(scopes)
    if found is None or found.login is None:
        raise NotFound("oauth.no-account")
    if not wanted:
        raise Invalid("scopes", "oauth.scope-missing")
    secret = secrets.token_urlsafe(32)
    number = apps.add_token(
        tx, apps.digest(secret), wanted, login=found.login, account=account, name=one_line(name, NAME_LIMIT)
    )
    token = apps.token_by_id(tx, number)
    if token is None:
        raise NotFound("oauth.no-account")
    return Granted(secret=secret, token=token)


def give_back(tx: Tx, app: App | None, secret: str) -> Literal["done", "unknown", "foreign"]:
    """Revoke a token at its app's wish (RFC 7009). What is no token, or none any more, is `unknown`."""
    token = apps.token(tx, apps.digest(secret))
    if token is None:
        return "unknown"
    if app is None or token.app != app.id:
        return "foreign"
    apps.revoke(tx, token.id)
    return "done"
