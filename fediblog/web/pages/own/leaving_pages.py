"""How one leaves: with everything in one file, and for good. Both are for the owner of the account alone."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from fediblog.actions import account_actions
from fediblog.errors import Forbidden, NotFound
from fediblog.store.people import second_factors
from fediblog.store.queues import account_exports
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.security_pages import is_changed
from fediblog.web.sessions import CurrentUser, ask_as, page

EXPORT, DELETE = "/settings/export", "/settings/delete"


def check_own(user: CurrentUser) -> None:
    """Raise Forbidden for who may act as the account and does not own it."""
    if user.account.login != user.login.id:
        raise Forbidden("error.only-whose-account")


async def export_page(request: Request) -> Response:
    """What can be taken along, and the file if there is one."""
    return await _show(request, "export.html", Form.empty())


async def _show(request: Request, template: str, form: Form) -> Response:
    found, second = await ask_as(request, _state)
    return render(
        request,
        template,
        form.status,
        headers=form.headers,
        export=found,
        second=second,
        days=account_exports.KEPT // account_exports.DAY,
        errors=form.errors,
        typed=form.line("handle"),
    )


def _state(tx: Tx, user: CurrentUser) -> tuple[account_exports.AccountExport | None, bool]:
    check_own(user)
    return account_exports.get(tx, user.account.id), second_factors.is_on(tx, user.login.id)


async def begin_export(request: Request) -> Response:
    """Have the file made."""
    form = await forms.read(request)
    check_own(form.sender)
    await site_of(request).db.write(account_exports.ask, form.sender.account.id)
    return back(request, EXPORT, "export-asked")


async def download(request: Request) -> Response:
    """The file, for who knows the password."""
    site, form = site_of(request), await forms.read(request)
    check_own(form.sender)
    found: list[account_exports.AccountExport] = []

    def look(tx: Tx) -> bool:
        kept = account_exports.get(tx, form.sender.account.id)
        found.extend([kept] if kept is not None and kept.made is not None else [])
        return True

    if not await is_changed(request, form, look):
        return await _show(request, "export.html", form)
    place = site.settings.exports / found[0].file if found else None
    if place is None or not await asyncio.to_thread(place.is_file):
        raise NotFound("error.no-export")
    name = f"{form.sender.account.handle}-{site.urls.handle_domain.partition(':')[0]}.zip"
    return FileResponse(place, media_type="application/zip", filename=name, headers={"Cache-Control": PRIVATE})


async def delete_page(request: Request) -> Response:
    """What happens to an account that is deleted, and the form that deletes it."""
    return await _show(request, "delete-account.html", Form.empty())


async def delete(request: Request) -> Response:
    """Delete the account and all it wrote, for good."""
    site, form = site_of(request), await forms.read(request)
    check_own(form.sender)
    account = form.sender.account
    if form.line("handle").lstrip("@").lower() not in (account.handle.lower(), account.acct.lower()):
        form.fault("handle", "leave.handle-differs", handle=account.handle)
    if not form.flag("sure"):
        form.fault("sure", "error.sure")

    def change(tx: Tx) -> bool:
        account_actions.delete_account(tx, site.urls, account.id)
        return True

    if form.errors or not await is_changed(request, form, change):
        return await _show(request, "delete-account.html", form)
    return back(request, "/", "account-deleted")


ROUTES = [
    Route(EXPORT, page(export_page), methods=["GET"]),
    Route(EXPORT, page(begin_export), methods=["POST"]),
    Route(f"{EXPORT}/download", page(download), methods=["POST"]),
    Route(DELETE, page(delete_page), methods=["GET"]),
    Route(DELETE, page(delete), methods=["POST"]),
]
