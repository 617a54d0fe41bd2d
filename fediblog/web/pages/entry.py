"""Coming in and going out: the set-up link, log in, log out, and acting as another account."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import people
from fediblog.domain.accounts import LOCAL_HANDLE, Login
from fediblog.errors import Invalid, NotFound, Refused
from fediblog.federation.keyring import new_keys
from fediblog.federation.passwords import check_password, hash_password
from fediblog.federation.site import Site
from fediblog.limits import Limit, party
from fediblog.messages import text
from fediblog.store import accounts, facts, logins
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.render import back, render
from fediblog.web.sessions import Handler, page, visitor

SHORTEST_PASSWORD = 10


class Door:
    """How often somebody may knock: for each address, and for each name whoever tries it."""

    def __init__(self, site: Site) -> None:
        self.addresses = Limit(burst=20, seconds=15, clock=site.clock)
        self.names = Limit(burst=10, seconds=30, clock=site.clock)


def door_of(request: Request) -> Door:
    """The limits of this site's door."""
    door: Door | None = getattr(request.app.state, "door", None)
    if door is None:
        door = request.app.state.door = Door(site_of(request))
    return door


def _address(request: Request) -> str:
    return party(request.client.host) if request.client else ""


async def login_page(request: Request) -> Response:
    """The form to log in."""
    onward = forms.own_path(request.query_params.get("next", ""))
    if await visitor(request):
        return back(request, onward)
    if await sessions.holder(request):
        return back(request, sessions.NEW_ACCOUNT)
    return render(request, "login.html", private=True, name="", onward=onward, errors={})


async def log_in(request: Request) -> Response:
    """Check name and password."""
    form = await forms.read_open(request)
    name, onward = form.line("name", 100).lower(), forms.own_path(form.line("next", 8000))  # what an app asks is long
    door = door_of(request)
    wait = door.addresses.take(_address(request)) or door.names.take(name)
    if wait:
        return _refused(request, name, onward, text("error.too-often", n=wait), 429, wait)
    login = await _known(site_of(request), name, form.secret("password"))
    if login is None:
        return _refused(request, name, onward, text("error.wrong-password"), 422)
    door.names.clear(name)
    owned = await site_of(request).db.read(accounts.of_login, login.id)
    response = back(request, onward if owned else sessions.NEW_ACCOUNT)
    await sessions.begin(request, response, login)
    return response


def _refused(request: Request, name: str, onward: str, message: str, status: int, wait: int = 0) -> Response:
    return render(
        request,
        "login.html",
        status,
        headers={"Retry-After": str(wait)} if wait else None,
        name=name,
        onward=onward,
        errors={"password": message},
    )


async def _known(site: Site, name: str, password: str) -> Login | None:
    def found(tx: Tx) -> tuple[Login | None, str | None]:
        return logins.by_name(tx, name), logins.password_hash(tx, name)

    login, stored = await site.db.read(found)
    # Without a stored hash this takes as long: nobody learns from the time which names there are.
    right = await asyncio.to_thread(check_password, password, stored)
    return login if right else None


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
    return render(request, "setup.html", private=True, token=token, values=_values(Form.empty()), errors={})


async def set_up(request: Request) -> Response:
    """Make the first login and account, and sign in."""
    form = await forms.read_open(request)
    token = form.line("token", 200)
    await _check_token(request, token)
    password = new_password(form)
    values = _values(form)
    if not LOCAL_HANDLE.match(values["name"]):
        form.errors["name"] = text("setup.name-wrong")
    if not form.errors:
        site = site_of(request)
        hashed, keys = await asyncio.gather(asyncio.to_thread(hash_password, password), new_keys())
        try:
            login, _account = await site.db.write(
                people.set_up,
                site.urls,
                token_hash=sessions.hashed(token),
                name=values["name"],
                password_hash=hashed,
                handle=values["handle"],
                display=values["display"],
                keys=keys,
            )
        except Invalid as error:
            form.refuse(error)
        else:
            response = back(request, "/settings", "welcome")
            await sessions.begin(request, response, login)
            return response
    return render(request, "setup.html", 422, token=token, values=values, errors=form.errors)


def _values(form: Form) -> dict[str, str]:
    return {
        "name": form.line("name", 60).lower(),
        "handle": form.line("handle", 60).lstrip("@").lower(),
        "display": form.line("display", 200),
    }


def new_password(form: Form, name: str = "password") -> str:
    """A new password, typed twice; what is wrong with it is noted at the field."""
    password = form.secret(name)
    if len(password) < SHORTEST_PASSWORD:
        form.errors[name] = text("error.short-password", n=SHORTEST_PASSWORD)
    elif password != form.secret(f"{name}-again"):
        form.errors[f"{name}-again"] = text("error.passwords-differ")
    return password


async def _check_token(request: Request, token: str) -> None:
    """Raise Refused unless the link is the one that was handed out and has not been used."""
    if wait := door_of(request).addresses.take(f"setup {_address(request)}"):
        raise Refused("too-often", text("error.too-often", n=wait))
    stored = await site_of(request).db.read(facts.get, people.SETUP_TOKEN)
    if not token or stored != sessions.hashed(token):
        raise NotFound(text("setup.used"))


def _both(path: str, show: Handler, take: Handler) -> list[Route]:
    return [Route(path, page(show), methods=["GET"]), Route(path, page(take), methods=["POST"])]


ROUTES = [
    *_both("/login", login_page, log_in),
    *_both("/setup", setup_page, set_up),
    Route("/logout", page(log_out), methods=["POST"]),
    Route("/session/account", page(switch), methods=["POST"]),
]
