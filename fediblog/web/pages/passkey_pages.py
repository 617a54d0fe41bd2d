"""The passkeys of a login: made, listed, named and removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fediblog.errors import NotFound
from fediblog.store.people import passkeys, second_factors
from fediblog.store.people.passkeys import Passkey
from fediblog.store.tx import Tx
from fediblog.web import forms, second_factor, webauthn
from fediblog.web.components.browser_names import browser_name
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.languages import language_of
from fediblog.web.negotiation import site_of
from fediblog.web.pages.security_pages import PATH, is_changed, show_codes
from fediblog.web.sessions import CurrentUser, ask_as, page

ALL, ONE = f"{PATH}/passkeys", f"{PATH}/passkeys/{{n:number}}"


async def passkeys_page(request: Request) -> Response:
    """The passkeys of the login, and the form for another."""
    return _show_all(request, Form.empty(), await ask_as(request, _all))


def _all(tx: Tx, user: CurrentUser) -> tuple[list[Passkey], bool]:
    """The passkeys of the login, and whether it has a second step."""
    return passkeys.of_login(tx, user.login.id), second_factors.is_on(tx, user.login.id)


def _show_all(request: Request, form: Form, state: tuple[list[Passkey], bool]) -> Response:
    found, second = state
    name = form.line("label", 60) or browser_name(language_of(request), request.headers.get("user-agent", ""))
    return render(
        request,
        "passkeys.html",
        form.status,
        headers=form.headers,
        errors=form.errors,
        passkeys=found,
        second=second,
        label=name,
    )


async def add(request: Request) -> Response:
    """Keep the passkey that the browser has made; with the first second step come recovery codes."""
    site, form = site_of(request), await forms.read(request)
    user, codes = form.sender, list[str]()
    name = form.line("label", 60) or browser_name(language_of(request), user.session.agent)
    made = await webauthn.made(request, user, form.text("passkey"))

    def change(tx: Tx) -> bool:
        is_first = not second_factors.is_on(tx, user.login.id)
        if made is None or not passkeys.add(tx, user.login.id, made.credential, made.data, made.signs, name):
            return False
        codes[:] = second_factor.renew_codes(tx, user.login.id) if is_first else []
        return True

    if await is_changed(request, form, change, fault=("passkey", "passkey.failed"), fields=("code", "signed")):
        return show_codes(request, codes) if codes else back(request, ALL, "passkey-added")
    return _show_all(request, form, await site.db.read(_all, user))


async def passkey_page(request: Request) -> Response:
    """One passkey: the forms that name and remove it."""
    found = await ask_as(request, _own, request.path_params["n"])
    return _show_one(request, Form.empty(), found)


def _own(tx: Tx, user: CurrentUser, number: int) -> Passkey:
    found = next((each for each in passkeys.of_login(tx, user.login.id) if each.id == number), None)
    if found is None:
        raise NotFound
    return found


def _show_one(request: Request, form: Form, found: Passkey) -> Response:
    return render(request, "passkey.html", form.status, headers=form.headers, errors=form.errors, passkey=found)


async def rename(request: Request) -> Response:
    """Call a passkey otherwise."""
    site, form = site_of(request), await forms.read(request)
    found = await site.db.read(_own, form.sender, request.path_params["n"])
    name = form.line("label", 60) or found.name
    await site.db.write(passkeys.rename, form.sender.login.id, found.id, name)
    return back(request, ALL, "passkey-renamed")


async def remove(request: Request) -> Response:
    """Forget a passkey; the recovery codes end with the last second step."""
    site, form = site_of(request), await forms.read(request)
    found = await site.db.read(_own, form.sender, request.path_params["n"])
    if await is_changed(request, form, lambda tx: second_factors.drop_passkey(tx, found.login, found.id)):
        return back(request, ALL, "passkey-removed")
    return _show_one(request, form, found)


def _asking(
    ask: Callable[[Request, CurrentUser], Awaitable[dict[str, Any]]],
) -> Callable[[Request], Awaitable[Response]]:
    """A handler that tells a script what to ask of the browser."""

    async def asked(request: Request) -> Response:
        user = (await forms.read(request)).sender
        return JSONResponse(await ask(request, user), headers={"Cache-Control": PRIVATE})

    return asked


async def _own_to_sign(request: Request, user: CurrentUser) -> dict[str, Any]:
    return await webauthn.ask_to_sign(request, user.session.token, user.login.id)


ROUTES = [
    Route(ALL, page(passkeys_page), methods=["GET"]),
    Route(ALL, page(add), methods=["POST"]),
    Route(f"{ALL}/ask-to-make", page(_asking(webauthn.ask_to_make)), methods=["POST"]),
    Route(f"{ALL}/ask-to-sign", page(_asking(_own_to_sign)), methods=["POST"]),
    Route(ONE, page(passkey_page), methods=["GET"]),
    Route(ONE, page(rename), methods=["POST"]),
    Route(f"{ONE}/remove", page(remove), methods=["POST"]),
]
