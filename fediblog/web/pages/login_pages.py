"""Log-in and set-up: the set-up link, log in, log out, and acting as another account."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fediblog import passwords
from fediblog.actions import account_actions
from fediblog.domain.accounts import LOCAL_HANDLE, Login
from fediblog.domain.blog import TAGLINE_LIMIT, TITLE_LIMIT
from fediblog.errors import Invalid, NotFound, TooOften
from fediblog.federation.keyring import new_keys
from fediblog.federation.site import Site
from fediblog.limits import Limit, Slowing, network, party
from fediblog.messages import PROGRAM
from fediblog.messages.program import NAME
from fediblog.store.people import blog_settings, logins, passkeys, second_factors, server_state
from fediblog.store.readers import moderation_log
from fediblog.store.tx import Tx
from fediblog.web import forms, known_devices, second_factor, sessions, unsent_forms, webauthn
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import Handler, SignInNeeded, page, visitor
from fediblog.web.unsent_forms import UnsentForm


class LoginLimits:
    """How often passwords may be tried, set-up links, and invitations.

    A browser that has logged in before has tries of its own, so that nobody else can use them up. All others share
    those of the name, whether or not there is such a login, and those of their network.
    """

    def __init__(self, site: Site) -> None:
        def slowing(burst: int, seconds: float) -> Slowing:
            slower = Limit(burst=burst * 5, seconds=seconds * 20, clock=site.clock)
            return Slowing(Limit(burst=burst, seconds=seconds, clock=site.clock), slower)

        self.setups = Limit(burst=20, seconds=15, clock=site.clock)
        self.invitations = Limit(burst=20, seconds=15, clock=site.clock)
        self.networks = slowing(20, 15)
        self.names = slowing(10, 30)
        self.devices = slowing(10, 30)
        self.passkeys = Limit(burst=30, seconds=10, clock=site.clock)  # what is to be signed is stored

    def take(self, name: str, device: str, address: str) -> int:
        """Count one try to log in: 0, or the seconds to wait. `device` is '' for a browser that is not known."""
        if device:
            return self.devices.take(f"{device} {name}")
        return self.networks.take(network(address)) or self.names.take(name)

    def clear(self, name: str, device: str) -> None:
        """Forget the wrong tries, once the password was right."""
        if device:
            self.devices.clear(f"{device} {name}")
        else:
            self.names.clear(name)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def login_page(request: Request) -> Response:
    """The form to log in."""
    onward = forms.own_path(request.query_params.get("next", ""))
    again = bool(request.query_params.get("again"))  # an app wants to know who is there, whoever is logged in
    if await visitor(request) and not again:
        return back(request, onward)
    if await sessions.session_login(request) and not again:
        return back(request, sessions.NEW_ACCOUNT)
    return _login_form(request, Form.empty(), "", onward)


async def log_in(request: Request) -> Response:
    """Check name and password."""
    form = await forms.read_open(request)
    kept = unsent_forms.kept_of(form)
    name, onward = form.line("name", 100).lower(), forms.own_path(form.line("next", 8000))  # what an app asks is long
    named = await site_of(request).db.read(logins.by_name, name)
    mark = named.mark if named is not None else ""
    limits, device = site_of(request).keep(LoginLimits), known_devices.device_of(request, name, mark)
    if answer := form.text("passkey"):
        return await _by_passkey(request, form, answer, kept, onward)
    if wait := limits.take(name, device, _address(request)):
        form.defer("password", TooOften("error.too-often", wait))
        return _refused(request, form, kept)
    try:
        known = await _known(site_of(request), name, form.secret("password"))
    except _KeptOut as error:
        form.fault("password", "login.kept-out", reason=error.reason, contact=contact_of(request))
        return _refused(request, form, kept)
    if not known:
        form.fault("password", "error.wrong-password")
        return _refused(request, form, kept)
    login, password = known
    if await site_of(request).db.read(second_factors.is_on, login.id):
        response = await _ask_second(request, Form.empty(), login, kept, onward)
        await second_factor.begin(request, response, login, logins.mark_of(password))
        return response
    token = await sessions.opened(request, login, sessions.password_proof(login, password))
    if not token:  # the password has been changed meanwhile
        form.fault("password", "error.wrong-password")
        return _refused(request, form, kept)
    limits.clear(name, device)
    return await _logged_in(request, login, token, logins.mark_of(password), kept, onward)


async def take_second(request: Request) -> Response:
    """The second step of a log-in: a code of the authenticator app, or a recovery code."""
    form = await forms.read_open(request)
    kept, onward = unsent_forms.kept_of(form), forms.own_path(form.line("next", 8000))
    half = await second_factor.half_of(request)
    if half is None:
        form.fault("password", "error.half-login-over")
        return _refused(request, form, kept)
    login, limits = half.login, site_of(request).keep(LoginLimits)
    device = known_devices.device_of(request, login.name, login.mark)
    tries = f"second {login.name}"  # which those with a wrong password do not use up
    if wait := limits.take(tries, device, _address(request)):
        form.defer("code", TooOften("error.too-often", wait))
        return await _ask_second(request, form, login, kept, onward)
    proof = await second_factor.proof_of(request, form, login, webauthn.token_of(request))
    token = await sessions.opened(request, login, second_factor.half_proof(request, login, proof))
    if not token:
        form.fault("code", "error.wrong-code")
        return await _ask_second(request, form, login, kept, onward)
    limits.clear(tries, device)
    limits.clear(login.name, device)
    response = await _logged_in(request, login, token, login.mark, kept, onward)
    second_factor.forget(request, response)
    return response


async def _by_passkey(request: Request, form: Form, answer: str, kept: UnsentForm | None, onward: str) -> Response:
    """Log in by a passkey alone: it says whose it is, and has asked that one for a finger or a PIN."""
    found = await webauthn.signed(request, webauthn.token_of(request), answer)
    login = await site_of(request).db.read(logins.get, found.passkey.login) if found is not None else None
    if (
        found is None
        or login is None
        or not (token := await sessions.opened(request, login, webauthn.proof(found, login)))
    ):
        form.fault("passkey", "passkey.failed")
        return _refused(request, form, kept)
    return await _logged_in(request, login, token, login.mark, kept, onward)


async def ask_passkey(request: Request) -> Response:
    """What the browser is to ask a passkey for, so that somebody logs in by it alone."""
    await forms.read_open(request)
    return await _asked(request, None)


async def ask_second_passkey(request: Request) -> Response:
    """The same after the right password: only for passkeys of that login."""
    await forms.read_open(request)
    half = await second_factor.half_of(request)
    if half is None:
        raise SignInNeeded
    return await _asked(request, half.login.id)


async def _asked(request: Request, login: int | None) -> Response:
    if wait := site_of(request).keep(LoginLimits).passkeys.take(network(_address(request))):
        raise TooOften("error.too-often", wait)
    token = webauthn.new_token()
    asked = await webauthn.ask_to_sign(request, sessions.hashed(token), login)
    response = JSONResponse(asked, headers={"Cache-Control": PRIVATE})
    webauthn.remember(request, response, token)
    return response


async def _logged_in(
    request: Request, login: Login, token: str, mark: str, kept: UnsentForm | None, onward: str
) -> Response:
    """Lead on with the session of `token`, or show what could not be sent before."""
    owned = [each for each in await site_of(request).db.read(logins.accounts_of, login.id) if each.state == "active"]
    if kept is not None:
        response = await unsent_forms.go_on(request, kept, token, "unsent.logged-in")
    else:
        response = back(request, onward if owned else sessions.NEW_ACCOUNT)
    sessions.give(request, response, login, token, mark)
    return response


async def _ask_second(request: Request, form: Form, login: Login, kept: UnsentForm | None, onward: str) -> Response:
    return render(
        request,
        "second-step.html",
        form.status,
        private=True,
        headers=form.headers,
        kept=kept,
        onward=onward,
        errors=form.errors,
        passkeys=bool(await site_of(request).db.read(passkeys.of_login, login.id)),
    )


def _refused(request: Request, form: Form, kept: UnsentForm | None) -> Response:
    if kept is not None:
        return unsent_forms.show(request, kept, status=form.status, form=form)
    name, onward = form.line("name", 100), forms.own_path(form.line("next", 8000))
    return _login_form(request, form, name, onward)


def _login_form(request: Request, form: Form, name: str, onward: str) -> Response:
    """The page to log in; how the program is called there is told to nobody elsewhere."""
    site = site_of(request)
    program, option = (PROGRAM, site.settings.data_option) if site.urls.is_trial else (NAME, "")
    return render(
        request,
        "login.html",
        form.status,
        private=True,
        headers=form.headers,
        name=name,
        onward=onward,
        errors=form.errors,
        contact=contact_of(request),
        called=program,
        data_option=option,
    )


class _KeptOut(Exception):
    """Name and password are right, but the owner of the server lets nobody log in there; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def _known(site: Site, name: str, password: str) -> tuple[Login, str] | None:
    """The login with this name and password, and the hash by which it is known. Raises _KeptOut."""

    def found(tx: Tx) -> tuple[Login | None, str | None, str | None]:
        shut = logins.disabled(tx, name)
        if shut is not None:
            return None, shut[1], moderation_log.reason_for(tx, _first_account(tx, shut[0]), "disable")
        return logins.by_name(tx, name), logins.password_hash(tx, name) or logins.some_hash(tx, name), None

    # Where nobody has the name, somebody's hash is compared: nobody learns from the time which names there are.
    login, stored, reason = await site.db.read(found)
    right = await passwords.is_right(password, stored)
    if right and reason is not None:
        raise _KeptOut(reason)
    if not right or login is None or stored is None:
        return None
    if not passwords.is_outdated(stored):
        return login, stored
    renewed = await passwords.hashed(password)
    if await site.db.write(logins.renew_hash, login.id, stored, renewed):
        return login, renewed
    return await _known(site, name, password)  # somebody else has just renewed or changed it


def _first_account(tx: Tx, login: int) -> int:
    return next((each.id for each in logins.accounts_of(tx, login)), 0)


def contact_of(request: Request) -> str:
    """Whom to write to about the server."""
    site = site_of(request)
    return site.settings.contact or site.urls.origin


async def log_out(request: Request) -> Response:
    """End the session, here and in the browser."""
    await forms.read_held(request)
    response = back(request, "/", "logged-out")
    request.state.renewed = ""
    await sessions.end(request, response)
    return response


async def switch(request: Request) -> Response:
    """Act as another account of one's own."""
    form = await forms.read(request)
    account = form.number("account")
    if account not in {each.id for each in form.sender.accounts}:
        raise NotFound
    await site_of(request).db.write(logins.act_as, form.sender.session.token, account or 0)
    return back(request, forms.own_path(form.line("next", 2000), "/stream"), "switched")


async def setup_page(request: Request) -> Response:
    """The form behind the set-up link."""
    token = request.query_params.get("token", "")
    await _check_token(request, token)
    return _setup(request, token, Form.empty())


async def set_up(request: Request) -> Response:
    """Make the first login and account, and sign in."""
    form = await forms.read_open(request)
    token = form.line("token", 200)
    await _check_token(request, token)
    password = check_newcomer(form)
    values = newcomer(form)
    if not form.errors:
        site = site_of(request)
        hashed, keys = await asyncio.gather(passwords.hashed(password), new_keys())

        def make(tx: Tx) -> Login:
            login, _account = account_actions.set_up(
                tx, site.urls, token_hash=sessions.hashed(token), password_hash=hashed, keys=keys, **values
            )
            title, tagline = form.line("title", TITLE_LIMIT), form.line("tagline", TAGLINE_LIMIT)
            blog_settings.put(tx, replace(blog_settings.get(tx), title=title, tagline=tagline))
            return login

        try:
            login = await site.db.write(make)
        except Invalid as error:
            form.refuse(error)
        else:
            response = back(request, "/", "welcome")
            await sessions.begin(request, response, login, hashed)
            return response
    return _setup(request, token, form)


def _setup(request: Request, token: str, form: Form) -> Response:
    blog = {"title": form.line("title", TITLE_LIMIT), "tagline": form.line("tagline", TAGLINE_LIMIT)}
    values = blog | newcomer(form)
    return render(request, "setup.html", form.status, private=True, token=token, values=values, errors=form.errors)


def newcomer(form: Form) -> dict[str, str]:
    """Who asks for a login and an account by a form: the login's `name`, and `handle` and `display` of the account."""
    return {
        "name": form.line("name", 60).lower(),
        "handle": form.line("handle", 60).lstrip("@").lower(),
        "display": form.line("display", 200),
    }


def check_newcomer(form: Form) -> str:
    """The new password of such a form; all that is wrong is noted at its fields, from the first to the last."""
    asked = newcomer(form)
    try:
        account_actions.check_handle(asked["handle"])
    except Invalid as error:
        form.refuse(error)
    if not LOCAL_HANDLE.match(asked["name"]):
        form.fault("name", "setup.name-wrong")
    return new_password(form)


def new_password(form: Form, name: str = "password") -> str:
    """A new password, typed twice; what is wrong with it is noted at the field."""
    password = form.secret(name)
    if len(password) < passwords.SHORTEST:
        form.fault(name, "error.short-password", n=passwords.SHORTEST)
    if password != form.secret(f"{name}-again"):
        form.fault(f"{name}-again", "error.passwords-differ")
    return password


async def _check_token(request: Request, token: str) -> None:
    """Raise TooOften, or NotFound unless the link is the one that was handed out and has not been used."""
    if wait := site_of(request).keep(LoginLimits).setups.take(party(_address(request))):
        raise TooOften("error.too-often", wait)
    stored = await site_of(request).db.read(server_state.get, account_actions.SETUP_TOKEN)
    if not token or stored != sessions.hashed(token):
        raise NotFound("setup.used")


def _both(path: str, show: Handler, take: Handler) -> list[Route]:
    return [Route(path, page(show), methods=["GET"]), Route(path, page(take), methods=["POST"])]


ROUTES = [
    *_both("/login", login_page, log_in),
    Route("/login/second", page(take_second), methods=["POST"]),
    Route("/login/passkey", page(ask_passkey), methods=["POST"]),
    Route("/login/second/passkey", page(ask_second_passkey), methods=["POST"]),
    *_both("/setup", setup_page, set_up),
    Route("/logout", page(log_out), methods=["POST"]),
    Route("/session/account", page(switch), methods=["POST"]),
]
