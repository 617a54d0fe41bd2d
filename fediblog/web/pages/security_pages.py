"""What protects a login: the browsers that are logged in, the second step of a log-in, and its recovery codes.

What changes that asks for the password and, as soon as there is a second step, for that as well: else who has a session
and the password would add one of their own, and by that take away the others.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog import passwords
from fediblog.domain.accounts import Login
from fediblog.errors import NotFound, TooOften
from fediblog.store.people import logins, passkeys, second_factors
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from fediblog.web import forms, second_factor
from fediblog.web.components.browser_names import browser_name
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.languages import language_of
from fediblog.web.negotiation import site_of
from fediblog.web.pages.login_pages import LoginLimits
from fediblog.web.sessions import CurrentUser, ask_as, current_user, page

PATH = "/settings/security"
APP, CODES = f"{PATH}/authenticator", f"{PATH}/recovery-codes"
_NONCE = re.compile(r"[0-9a-f]{32}\Z")


async def security(request: Request) -> Response:
    """The sessions of the login, this browser's first, and which second step there is."""
    sessions, app, own, left = await ask_as(request, _security)
    names = [browser_name(language_of(request), each.agent) for each in sessions]
    user = current_user(request)
    if user is not None and user.session.news:
        await site_of(request).write_aside(logins.heard, user.session.token)
    named = list(zip(sessions, names, strict=True))
    return render(request, "security.html", sessions=named, app=app, passkeys=own, left=left)


def _security(tx: Tx, user: CurrentUser) -> tuple[list[Session], bool, int, int]:
    found = sorted(logins.sessions_of(tx, user.login.id), key=lambda each: each.token != user.session.token)
    app = second_factors.authenticator(tx, user.login.id)
    own = len(passkeys.of_login(tx, user.login.id))
    return found, app is not None, own, second_factors.recovery_codes_left(tx, user.login.id)


async def end_session(request: Request) -> Response:
    """End one session of this login."""
    form = await forms.read(request)
    if not await site_of(request).db.write(logins.end_session, form.sender.login.id, form.line("session")):
        raise NotFound
    return back(request, PATH, "session-ended")


async def end_others(request: Request) -> Response:
    """End all sessions of this login but that of this browser."""
    user = (await forms.read(request)).sender
    await site_of(request).db.write(logins.end_other_sessions, user.login.id, user.session.token)
    return back(request, PATH, "sessions-ended")


async def app_page(request: Request) -> Response:
    """The form that begins with an authenticator app, or ends with it."""
    login, is_on, second = await ask_as(request, _login_and_app)
    return _show_app(request, login, Form.empty(), is_on=is_on, nonce=secrets.token_hex(16), second=second)


def _login_and_app(tx: Tx, user: CurrentUser) -> tuple[Login, bool, bool]:
    login = user.login
    return login, second_factors.authenticator(tx, login.id) is not None, second_factors.is_on(tx, login.id)


def _show_app(
    request: Request, login: Login, form: Form, *, is_on: bool, nonce: str = "", second: bool = True
) -> Response:
    secret = second_factor.secret_of(site_of(request), login.id, nonce)
    address = second_factor.address_of(site_of(request), login, secret)
    return render(
        request,
        "authenticator.html",
        form.status,
        headers=form.headers,
        errors=form.errors,
        is_on=is_on,
        second=second,
        nonce=nonce,
        secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        address=address,
        picture=_drawn(address),
    )


def _drawn(address: str) -> Markup:
    """The address as a QR code, dark on light whatever the page is."""
    drawing = segno.make_qr(address, error="m").svg_inline(border=4, light="#fff", dark="#000", omitsize=True)
    return Markup(drawing)  # noqa: S704  drawn of an address that is ours


async def begin_app(request: Request) -> Response:
    """Ask for codes of an authenticator app from now on, once one has shown that it makes the right ones."""
    site, form = site_of(request), await forms.read(request)
    login, nonce = form.sender.login, form.line("nonce")
    if not _NONCE.match(nonce):
        raise NotFound
    secret, codes = second_factor.secret_of(site, login.id, nonce), list[str]()

    def change(tx: Tx) -> bool:
        step = second_factor.step_of(secret, form.line("code", 20).replace(" ", ""), tx.now)
        if step is None or second_factors.authenticator(tx, login.id) is not None:
            return False
        codes[:] = [] if second_factors.is_on(tx, login.id) else second_factor.renew_codes(tx, login.id)
        second_factors.put_authenticator(tx, login.id, nonce, step)
        return True

    if await is_changed(request, form, change, fields=("second-code", "passkey")):
        return show_codes(request, codes) if codes else back(request, PATH, "second-step-on")
    second = await site.db.read(second_factors.is_on, login.id)
    return _show_app(request, login, form, is_on=False, nonce=nonce, second=second)


async def end_app(request: Request) -> Response:
    """Let the password be enough again."""
    form = await forms.read(request)
    login = form.sender.login
    if await is_changed(request, form, lambda tx: second_factors.drop_authenticator(tx, login.id)):
        return back(request, PATH, "second-step-off")
    return _show_app(request, login, form, is_on=True)


async def codes_page(request: Request) -> Response:
    """The form that makes new recovery codes; those that there are cannot be shown again."""
    return _show_codes(request, Form.empty(), await ask_as(request, _codes_left))


def _codes_left(tx: Tx, user: CurrentUser) -> int | None:
    """How many have not been used; None where there is no second step that they could stand for."""
    login = user.login.id
    return second_factors.recovery_codes_left(tx, login) if second_factors.is_on(tx, login) else None


def _show_codes(request: Request, form: Form, left: int | None) -> Response:
    return render(
        request,
        "recovery-codes.html",
        form.status,
        headers=form.headers,
        codes=[],
        errors=form.errors,
        left=left,
    )


def show_codes(request: Request, codes: list[str]) -> Response:
    """The page that shows new recovery codes, this once."""
    return render(request, "recovery-codes.html", codes=codes, errors={}, left=len(codes))


async def renew_codes(request: Request) -> Response:
    """New recovery codes, shown once; those of before are void."""
    form, codes = await forms.read(request), list[str]()

    def change(tx: Tx) -> bool:
        if not second_factors.is_on(tx, form.sender.login.id):
            return False
        codes[:] = second_factor.renew_codes(tx, form.sender.login.id)
        return True

    if await is_changed(request, form, change):
        return show_codes(request, codes)
    return _show_codes(request, form, await site_of(request).db.read(_codes_left, form.sender))


async def is_changed(
    request: Request,
    form: Form,
    change: Callable[[Tx], bool],
    *,
    fault: tuple[str, str] = ("code", "error.wrong-code"),
    fields: tuple[str, str] = ("code", "passkey"),
) -> bool:
    """Make a change that the form proves by the password and, where there is a second step, by a code or a passkey.

    These stand in the two `fields`. What is wrong is noted at the fields: `fault` (field, message) if `change` says no.
    """
    site, user = site_of(request), form.sender
    limits, tries = site.keep(LoginLimits), f"session {user.session.token}"
    codes = f"second {user.login.id}"  # in whatever session: who knows the password can have one after another
    if wait := limits.devices.take(tries):
        form.defer("old", TooOften("error.too-often", wait))
        return False
    stored = await site.db.read(logins.password_hash, user.login.name)
    if not await passwords.is_right(form.secret("old"), stored):
        form.fault("old", "error.wrong-password")
        return False
    is_on = await site.db.read(second_factors.is_on, user.login.id)
    if is_on and (wait := limits.devices.take(codes)):
        form.defer(fields[0], TooOften("error.too-often", wait))
        return False
    proof = await second_factor.proof_of(request, form, user.login, user.session.token, fields)
    is_proven = False

    def held(tx: Tx) -> bool:
        nonlocal is_proven
        tx.hold(user.login.id)
        if logins.password_hash(tx, user.login.name) != stored:
            return False
        is_proven = not second_factors.is_on(tx, user.login.id) or proof(tx)
        return is_proven and change(tx)

    if not await site.db.write(held):
        form.fault(*(fault if is_proven else (fields[0], "error.wrong-code")))
        return False
    limits.devices.clear(tries)
    limits.devices.clear(codes)
    return True


ROUTES = [
    Route(PATH, page(security), methods=["GET"]),
    Route(f"{PATH}/session", page(end_session), methods=["POST"]),
    Route(f"{PATH}/other-sessions", page(end_others), methods=["POST"]),
    Route(APP, page(app_page), methods=["GET"]),
    Route(APP, page(begin_app), methods=["POST"]),
    Route(f"{APP}/end", page(end_app), methods=["POST"]),
    Route(CODES, page(codes_page), methods=["GET"]),
    Route(CODES, page(renew_codes), methods=["POST"]),
]
