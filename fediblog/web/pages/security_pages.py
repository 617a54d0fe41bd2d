"""Who is signed in as one, and with what: the sessions of a login, and ending them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.errors import NotFound
from fediblog.store.people import logins
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.browser_names import browser_name
from fediblog.web.components.render import back, render
from fediblog.web.languages import language_of
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

PATH = "/settings/security"


async def security(request: Request) -> Response:
    """The sessions of the login, this browser's first."""
    sessions = await ask_as(request, _sessions)
    names = [browser_name(language_of(request), each.agent) for each in sessions]
    return render(request, "security.html", sessions=list(zip(sessions, names, strict=True)))


def _sessions(tx: Tx, user: CurrentUser) -> list[Session]:
    return sorted(logins.sessions_of(tx, user.login.id), key=lambda each: each.token != user.session.token)


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


ROUTES = [
    Route(PATH, page(security), methods=["GET"]),
    Route(f"{PATH}/session", page(end_session), methods=["POST"]),
    Route(f"{PATH}/other-sessions", page(end_others), methods=["POST"]),
]
