"""Who is here: accounts and logins for the owner to look after, links that invite, and the page such a link opens."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog import passwords
from fediblog.actions import invitation_actions
from fediblog.errors import Invalid, NotFound, Refused, TooOften
from fediblog.federation.keyring import new_keys
from fediblog.limits import party
from fediblog.store.people import admin_accounts, invitations, logins
from fediblog.store.people.admin_accounts import AccountFilter, Member
from fediblog.store.people.invitations import Invitation
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.components import paging
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form
from fediblog.web.pages.login_pages import LoginLimits, check_newcomer, new_password, newcomer
from fediblog.web.sessions import CurrentUser, ask_as, page

PATH = "/moderation/people"
SHOWN = ("ours", "limited", "suspended", "disabled", "others")
SIZE = 25


class Members(Struct, frozen=True, kw_only=True):
    """A page of accounts, when each login was last here (ms, by number), and the links that still count."""

    found: list[Member]
    seen: Mapping[int, int]
    invitations: list[Invitation]


async def show(request: Request) -> Response:
    """The accounts: ours, limited, suspended, kept out, or those of other servers; and who was invited."""
    return await _show(request, Form.empty())


async def _show(request: Request, form: Form, link: str = "", about: str = "") -> Response:
    asked = request.query_params
    tab = asked.get("show", "") if asked.get("show") in SHOWN else SHOWN[0]
    words = asked.get("q", "").strip()[:200].removeprefix("@")
    members = await ask_as(request, _members, request, tab, words)
    return render(
        request,
        "members.html",
        form.status,
        private=True,
        members=members,
        accounts=paging.page(request, members.found, SIZE, lambda each: each.account.id),
        tab=tab,
        tabs=SHOWN,
        words=words,
        link=link,
        about=about,
        uses=form.line("uses", 5) or "1",
        days=form.line("days", 5) or "7",
        errors=form.errors,
    )


def _members(tx: Tx, user: CurrentUser, request: Request, tab: str, words: str) -> Members:
    check_owner(user)
    handle, _, domain = words.partition("@")
    wanted = AccountFilter(
        origin={"ours": "local", "others": "remote"}.get(tab, ""),
        state="suspended" if tab == "suspended" else "",
        disabled=tab == "disabled",
        limited=tab == "limited",
        handle=handle,
        domain=domain,
    )
    found = admin_accounts.find(tx, wanted, paging.window(request, SIZE))
    people = {each.account.login for each in found if each.account.login is not None}
    return Members(found=found, seen=logins.last_seen(tx, people), invitations=invitations.standing(tx))


async def invite(request: Request) -> Response:
    """Make a link; it is shown this once."""
    site, form = site_of(request), await owners_form(request)
    token, by = secrets.token_urlsafe(32), form.sender.account.id
    uses, days = form.number("uses") or 0, form.number("days") or 0
    try:
        await site.db.write(invitation_actions.invite, by, sessions.hashed(token), uses, days)
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form)
    return await _show(request, Form.empty(), _link(request, token), "invite")


async def revoke(request: Request) -> Response:
    """Let a link count no more."""
    form = await owners_form(request)
    await site_of(request).db.write(invitation_actions.revoke, form.sender.account.id, request.path_params["n"])
    return back(request, PATH, "invitation-revoked")


async def offer_password(request: Request) -> Response:
    """Make a link with which a login gets another password; it is shown this once."""
    site, form = site_of(request), await owners_form(request)
    token, by = secrets.token_urlsafe(32), form.sender.account.id
    try:
        await site.db.write(invitation_actions.offer_password, by, sessions.hashed(token), request.path_params["n"])
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form)
    return await _show(request, Form.empty(), _link(request, token), "password")


def _link(request: Request, token: str) -> str:
    return f"{site_of(request).urls.origin}/invited?token={token}"


async def invited(request: Request) -> Response:
    """What a link opens: the form for a login and an account, or for another password."""
    token = request.query_params.get("token", "")[:200]
    return _asked(request, await _standing(request, token), token, Form.empty())


async def _standing(request: Request, token: str) -> Invitation:
    """The link of that token. Raises TooOften for who tries many, NotFound if it does not count."""
    site, address = site_of(request), request.client.host if request.client else ""
    if wait := site.keep(LoginLimits).invitations.take(party(address)):
        raise TooOften("error.too-often", wait)
    found = await site.db.read(invitations.find, sessions.hashed(token))
    if found is None:
        raise NotFound("invite.over")
    return found


async def join(request: Request) -> Response:
    """Make the login and its account and sign in, or change the password."""
    form = await forms.read_open(request)
    token = form.line("token", 200)
    found = await _standing(request, token)
    password = check_newcomer(form) if found.login is None else new_password(form)
    if form.errors:
        return _asked(request, found, token, form)
    return await (_join if found.login is None else _change)(request, found, token, password, form)


async def _join(request: Request, found: Invitation, token: str, password: str, form: Form) -> Response:
    site = site_of(request)
    hashed, keys = await asyncio.gather(passwords.hashed(password), new_keys())
    try:
        login = await site.db.write(
            invitation_actions.join,
            site.urls,
            token_hash=sessions.hashed(token),
            password_hash=hashed,
            keys=keys,
            **newcomer(form),
        )
    except Invalid as error:
        form.refuse(error)
        return _asked(request, found, token, form)
    except Refused as error:
        if error.reason != "login-taken":
            raise
        form.errors["name"] = error.sentence(form.language)
        return _asked(request, found, token, form)
    response = back(request, "/settings", "welcome")
    await sessions.begin(request, response, login, hashed)
    return response


async def _change(request: Request, _found: Invitation, token: str, password: str, _form: Form) -> Response:
    hashed = await passwords.hashed(password)
    await site_of(request).db.write(invitation_actions.change_password, sessions.hashed(token), hashed)
    return back(request, "/login", "password-changed")


def _asked(request: Request, found: Invitation, token: str, form: Form) -> Response:
    return render(
        request,
        "invited.html",
        form.status,
        private=True,
        token=token,
        renews=found.login is not None,
        values={name: form.line(name, 200) for name in ("name", "handle", "display")},
        shortest=passwords.SHORTEST,
        errors=form.errors,
    )


ROUTES = [
    Route(PATH, page(show), methods=["GET"]),
    Route("/moderation/invite", page(invite), methods=["POST"]),
    Route("/moderation/invitation/{n:number}/revoke", page(revoke), methods=["POST"]),
    Route("/moderation/login/{n:number}/password", page(offer_password), methods=["POST"]),
    Route("/invited", page(invited), methods=["GET"]),
    Route("/invited", page(join), methods=["POST"]),
]
