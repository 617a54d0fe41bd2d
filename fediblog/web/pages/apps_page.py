"""The programs that may use the accounts of a login, and taking that back."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.errors import NotFound
from fediblog.store.people import accounts, apps
from fediblog.store.people.apps import AccessToken
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import back, render
from fediblog.web.components.scope_texts import said
from fediblog.web.languages import language_of
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

PATH = "/settings/apps"


class Program(Struct, frozen=True, kw_only=True):
    """One token: whose it is, as which account, and what it may do."""

    token: AccessToken
    account: Account
    may: list[str]


async def programs(request: Request) -> Response:
    """The page of all programs with a token of this login, the latest first."""
    return render(request, "apps.html", programs=await ask_as(request, _programs, request))


def _programs(tx: Tx, user: CurrentUser, request: Request) -> list[Program]:
    tokens = apps.tokens_of(tx, user.login.id)
    owners = accounts.many(tx, {each.account for each in tokens if each.account})
    return [
        Program(token=each, account=owners[each.account], may=said(language_of(request), each.scopes))
        for each in tokens
        if each.account in owners
    ]


async def take_back(request: Request) -> Response:
    """Revoke one token of this login."""
    form = await forms.read(request)
    if not await site_of(request).db.write(apps.revoke, form.number("token") or 0, form.sender.login.id):
        raise NotFound
    return back(request, PATH, "app-revoked")


ROUTES = [
    Route(PATH, page(programs), methods=["GET"]),
    Route(PATH, page(take_back), methods=["POST"]),
]
