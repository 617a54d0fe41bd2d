"""The page for a login all of whose accounts are deleted: it says so, and makes a new account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import account_actions
from fediblog.domain.accounts import Account
from fediblog.errors import Forbidden, Invalid
from fediblog.federation.keyring import new_keys
from fediblog.store.people import logins
from fediblog.store.readers import moderation_log
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions, unsent_forms
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.login_pages import contact_of
from fediblog.web.sessions import SessionLogin, SignInNeeded, page, visitor


async def ask(request: Request) -> Response:
    """The form for a new account; who has one finds the same among the settings."""
    if await visitor(request):
        return back(request, "/settings")
    held = await sessions.session_login(request)
    if held is None:
        raise SignInNeeded
    suspended = await site_of(request).db.read(_suspended, held.login.id)
    if suspended:
        contact = contact_of(request)
        return render(request, "suspended.html", private=True, held=held, suspended=suspended, contact=contact)
    return _show(request, held, Form.empty())


def _suspended(tx: Tx, login: int) -> list[tuple[Account, str]]:
    """The accounts of a login that are suspended, each with what its owner is told of the reason."""
    found = [each for each in logins.accounts_of(tx, login) if each.state == "suspended"]
    return [(each, moderation_log.reason_for(tx, each.id, "suspend")) for each in found]


async def make(request: Request) -> Response:
    """Make the account, and act as it."""
    site = site_of(request)
    form, held = await forms.read_held(request)
    kept = unsent_forms.kept_of(form)
    keys, most = await new_keys(), site.settings.accounts_per_login

    def add(tx: Tx) -> None:
        if _suspended(tx, held.login.id):
            raise Forbidden("login.suspended")
        handle, display = form.line("handle"), form.line("display")
        made = account_actions.add_account(tx, site.urls, held.login.id, handle, display, keys, most=most)
        logins.act_as(tx, held.session.token, made.id)

    try:
        await site.db.write(add)
    except Invalid as error:
        form.refuse(error)
        if kept is not None:
            return unsent_forms.show(request, kept, status=422, held=held, form=form)
        return _show(request, held, form)
    if kept is not None:
        return await unsent_forms.go_on(request, kept, sessions.token_of(request), "unsent.account-made")
    return back(request, "/settings", "account-added")


def _show(request: Request, held: SessionLogin, form: Form) -> Response:
    return render(
        request,
        "anew.html",
        422 if form.errors else 200,
        private=True,
        held=held,
        typed={name: form.line(name) for name in ("handle", "display")},
        errors=form.errors,
    )


ROUTES = [
    Route(sessions.NEW_ACCOUNT, page(ask), methods=["GET"]),
    Route(sessions.NEW_ACCOUNT, page(make), methods=["POST"]),
]
