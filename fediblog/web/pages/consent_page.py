"""Consent to an app (OAuth): they see who asks and for what, choose an account, and say yes or no (RFC 6749 §4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fediblog.actions import oauth_grants
from fediblog.actions.oauth_grants import AuthorizationRequest, Denied
from fediblog.errors import NotFound
from fediblog.store.people import logins
from fediblog.store.people.apps import App
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.components.render import PRIVATE, render
from fediblog.web.components.scope_texts import said
from fediblog.web.languages import language_of
from fediblog.web.middleware import policy_text
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, SignInNeeded, ask_as, page

PATH, SHOWN = "/oauth/authorize", "/oauth/authorize/native"
_CODE = re.compile(r"[A-Za-z0-9_-]{20,100}\Z")
_TRUE = ("true", "1", "on", "yes", "t")
# No frame for a stolen click, and no address of ours for others; `no-referrer` would take the Origin from our own form.
_ALONE = {"X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}


def _asked(request: Request) -> Mapping[str, str]:
    """What the app asks, always from the address: the form has a yes or a no, and nothing that could differ."""
    return dict(request.query_params)


async def consent(request: Request) -> Response:
    """Who asks for what. Only who has signed in is led on, so that a link to us leads no stranger away."""
    asked = _asked(request)
    if asked.get("force_login", "").lower() in _TRUE:
        return _onward(f"/login?{urlencode({'again': '1', 'next': _unforced(request)})}")
    app = await ask_as(request, _client, asked)
    try:
        wanted = oauth_grants.check_request(app, asked)
    except Denied as error:
        return _denied(request, app, asked, error)
    policy = policy_text(forms=oauth_grants.source_of(wanted.redirect))
    return render(
        request,
        "authorize.html",
        private=True,
        headers={**_ALONE, "Content-Security-Policy": policy},
        app=app,
        wanted=wanted,
        may=said(language_of(request), wanted.scopes),
        action=_again(request),
        goal="" if wanted.is_shown else oauth_grants.source_of(wanted.redirect),
    )


def _client(tx: Tx, _user: CurrentUser, asked: Mapping[str, str]) -> App:
    return oauth_grants.check_client(tx, asked)


def _again(request: Request) -> str:
    return f"{PATH}?{request.url.query}"


def _unforced(request: Request) -> str:
    """The address of the request without its wish for a new log-in, which is done by now."""
    pairs = request.query_params.multi_items()
    return f"{PATH}?{urlencode([(name, value) for name, value in pairs if name != 'force_login'])}"


async def answer(request: Request) -> Response:
    """Take the answer of the form: yes, no, or another account to act as."""
    form, asked, site = await forms.read(request), _asked(request), site_of(request)
    if form.choice("answer", ("deny", "allow", "other")) == "other":
        response = _onward(sessions.login_path(_again(request)))
        request.state.renewed = ""
        await sessions.end(request, response)
        return response
    app = await site.db.read(oauth_grants.check_client, asked)
    try:
        wanted = oauth_grants.check_request(app, asked)
        if form.choice("answer", ("deny", "allow")) == "deny":
            raise Denied("access_denied", "authorize.refused")
    except Denied as error:
        return _denied(request, app, asked, error)
    account = form.number("account") or form.sender.account.id
    code = await site.db.write(_grant, form.sender, wanted, account)
    return _granted(request, wanted, code)


def _grant(tx: Tx, user: CurrentUser, wanted: AuthorizationRequest, account: int) -> str:
    """A code, as long as the session stands: another password ends both, also just now."""
    tx.hold(user.login.id)
    if logins.session(tx, user.session.token) is None:
        raise SignInNeeded
    return oauth_grants.grant(tx, wanted, user.login.id, account)


def _granted(request: Request, wanted: AuthorizationRequest, code: str) -> Response:
    if wanted.is_shown:
        return _onward(f"{SHOWN}?code={code}")
    issuer = oauth_grants.issuer(site_of(request).urls)
    return _onward(oauth_grants.answer_to(wanted.redirect, code=code, state=wanted.state, iss=issuer))


def _denied(request: Request, app: App, asked: Mapping[str, str], error: Denied) -> Response:
    """Lead back to the app with the error (RFC 6749 §4.1.2.1); without an address to lead to, show it to the reader."""
    redirect = asked["redirect_uri"]
    if redirect == oauth_grants.OOB or redirect not in app.redirects:
        raise error.again()
    query = {"error": error.code, "error_description": error.message, "state": asked.get("state", "")}
    return _onward(oauth_grants.answer_to(redirect, **query, iss=oauth_grants.issuer(site_of(request).urls)))


def _onward(where: str) -> Response:
    """Redirect there, with a GET; nothing keeps the answer, and no Referer says where the reader came from."""
    return RedirectResponse(where, 303, headers={"Cache-Control": PRIVATE, **_ALONE})


async def show_code(request: Request) -> Response:
    """The code, for apps that no address leads back to. Only what can be one is shown: this is no place for words."""
    code = request.query_params.get("code", "")
    await ask_as(request, lambda _tx, _user: None)
    if not _CODE.match(code):
        raise NotFound
    return render(request, "authorized.html", private=True, headers=_ALONE, code=code)


ROUTES = [
    Route(PATH, page(consent), methods=["GET"]),
    Route(PATH, page(answer), methods=["POST"]),
    Route(SHOWN, page(show_code), methods=["GET"]),
]
