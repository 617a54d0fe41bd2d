"""OAuth 2.0 as apps use it: they make themselves known, swap codes for tokens, and give tokens back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import unquote_plus

from starlette.requests import Request

from fediblog.actions import oauth_grants
from fediblog.actions.oauth_grants import Denied, Granted
from fediblog.counters import TURNED_AWAY
from fediblog.domain.scopes import SCOPES
from fediblog.errors import NotFound, TooOften
from fediblog.federation.outbound import vapid
from fediblog.federation.site import Site
from fediblog.limits import Limit
from fediblog.mastodon.calls import Call, Json, Reply, Unauthorized
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.store.people import accounts, apps
from fediblog.store.people.apps import AccessToken, App
from fediblog.store.tx import Tx

API = Table()
GRANTS = ("authorization_code", "client_credentials")
_UNCACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749 §5.1


class OauthLimits:
    """How often an address may make apps known, and how often it may ask for tokens."""

    def __init__(self, site: Site) -> None:
        self.apps = Limit(burst=30, seconds=60, clock=site.clock)
        self.tokens = Limit(burst=60, seconds=10, clock=site.clock)


def _limit(call: Call, which: Callable[[OauthLimits], Limit]) -> None:
    """Count the call of this address. Raises TooOften; our own machine or proxy is not counted."""
    party: str = call.request.scope.get("fediblog.party", "")
    if party and (wait := which(call.site.keep(OauthLimits)).take(party)):
        TURNED_AWAY.add("oauth")
        raise TooOften("error.too-often", wait)


@API.post("/api/v1/apps", who="anybody", gives="CredentialApplication", tier=0)
async def register(call: Call) -> Json:
    """Make an app known: it gets a client_id and a client_secret."""
    _limit(call, lambda limits: limits.apps)
    made = await call.write(
        oauth_grants.register,
        call.site.urls,
        name=call.params.text("client_name"),
        redirects=[line for each in call.params.texts("redirect_uris") for line in each.splitlines()],
        scopes=" ".join(call.params.texts("scopes")),
        website=call.params.text("website"),
    )
    secrets = {"client_id": made.app.client, "client_secret": made.secret, "client_secret_expires_at": 0}
    return {**_application(made.app, await vapid.public_key(call.site)), **secrets}


@API.get("/api/v1/apps/verify_credentials", who="app", gives="Application", tier=0)
async def verify_app(call: Call) -> Json:
    """The app whose token is used; a token that was made by hand stands for itself."""
    token, vapid_key = call.token, await vapid.public_key(call.site)
    if token is None:
        raise Unauthorized
    app = await call.read(apps.app, token.app) if token.app is not None else None
    return _application(app, vapid_key) if app is not None else _by_hand(token, vapid_key)


def _application(app: App, vapid_key: str) -> Json:
    return {
        "id": str(app.id),
        "name": app.name,
        "website": app.website or None,
        "scopes": list(app.scopes),
        "redirect_uri": "\n".join(app.redirects),
        "redirect_uris": list(app.redirects),
        "vapid_key": vapid_key,
    }


def _by_hand(token: AccessToken, vapid_key: str) -> Json:
    """The app of a token that was made by hand: its number and its name, and no address to lead anybody back to."""
    return {
        "id": str(token.id),
        "name": token.name or "fediblog",
        "website": None,
        "scopes": list(token.scopes),
        "redirect_uri": oauth_grants.OOB,
        "redirect_uris": [oauth_grants.OOB],
        "vapid_key": vapid_key,
    }


@API.post("/oauth/token", who="anybody", gives="Token", tier=0, note="Password grants are not possible.")
async def token(call: Call) -> Reply:
    """Swap a code for a token, or get a token of the app's own."""
    _limit(call, lambda limits: limits.tokens)
    try:
        granted = await _granted(call)
    except Denied as error:
        return _denial(call.request, error)
    body = {
        "access_token": granted.secret,
        "token_type": "Bearer",
        "scope": " ".join(granted.token.scopes),
        "created_at": granted.token.created // 1000,
    }
    return Reply(body, headers=dict(_UNCACHED))


async def _granted(call: Call) -> Granted:
    params, (client_id, secret) = call.params, credentials(call.request, call.params)
    kind = params.text("grant_type")
    if kind not in GRANTS:
        raise Denied("unsupported_grant_type" if kind else "invalid_request", "oauth.grant-type")
    app = await call.read(oauth_grants.client, client_id, secret)
    if kind == "client_credentials":
        if not secret:
            raise Denied("invalid_client", "oauth.secret-missing")
        return await call.write(oauth_grants.grant_app, app, params.text("scope"))
    outcome = await call.write(
        oauth_grants.swap,
        app,
        code=params.text("code"),
        redirect=params.text("redirect_uri"),
        verifier=params.text("code_verifier"),
        proven=bool(secret),
    )
    if isinstance(outcome, Denied):
        raise outcome
    return outcome


def credentials(request: Request, params: Params) -> tuple[str, str]:
    """client_id and client_secret, from the header (RFC 6749 §2.3.1) or from the body."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return params.text("client_id"), params.text("client_secret")
    try:
        client, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no ASCII at all, or no UTF-8 in it
        raise Denied("invalid_client", "oauth.basic-wrong") from None
    return unquote_plus(client), unquote_plus(secret)


def _denial(request: Request, error: Denied, status: int = 400) -> Reply:
    """The error as RFC 6749 §5.2 wants it."""
    headers = dict(_UNCACHED)
    if error.code == "invalid_client":
        status = 401
        if "authorization" in request.headers:
            headers["WWW-Authenticate"] = 'Basic realm="fediblog"'
    return Reply({"error": error.code, "error_description": error.message}, status, headers)


@API.post("/oauth/revoke", who="anybody", tier=0)
async def revoke(call: Call) -> Reply:
    """Give a token back."""
    _limit(call, lambda limits: limits.tokens)
    try:
        client_id, secret = credentials(call.request, call.params)
        app = await call.read(oauth_grants.client, client_id, secret) if client_id else None
    except Denied as error:
        return _denial(call.request, error)
    outcome = await call.write(oauth_grants.give_back, app, call.params.text("token"))
    if outcome == "foreign":
        return _denial(call.request, Denied("unauthorized_client", "oauth.foreign-token"), 403)
    return Reply({}, headers=dict(_UNCACHED))


@API.get("/oauth/userinfo", scope="profile", gives="UserInfo", tier=0)
@API.post("/oauth/userinfo", scope="profile", gives="UserInfo", tier=0)
async def userinfo(call: Call) -> Json:
    """Whose account the token acts as."""
    return await call.read(_userinfo, call.context, call.account)


def _userinfo(tx: Tx, context: EntityContext, number: int) -> Json:
    account = accounts.get(tx, number)
    if account is None:
        raise NotFound()
    return {
        "iss": oauth_grants.issuer(context.urls),
        "sub": account.uri,
        "name": account.shown_name,
        "preferred_username": account.handle,
        "profile": account.url or account.uri,
        "picture": account.icon.url if account.icon else context.avatar,
    }


@API.get("/.well-known/oauth-authorization-server", who="anybody", gives="AuthorizationServer", tier=0)
async def metadata(call: Call) -> Reply:
    """What there is for apps, and where (RFC 8414)."""
    origin = call.site.urls.origin
    body = {
        "issuer": oauth_grants.issuer(call.site.urls),
        "service_documentation": "https://docs.joinmastodon.org/",
        "authorization_endpoint": f"{origin}/oauth/authorize",
        "token_endpoint": f"{origin}/oauth/token",
        "app_registration_endpoint": f"{origin}/api/v1/apps",
        "revocation_endpoint": f"{origin}/oauth/revoke",
        "userinfo_endpoint": f"{origin}/oauth/userinfo",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANTS),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }
    return Reply(body, headers={"Cache-Control": "public, max-age=600"})
