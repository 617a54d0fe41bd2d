"""In which language people are answered: their login's, else what their browser asks for, else the site's."""

from __future__ import annotations

from starlette.requests import Request

from fediblog.errors import FediblogError, Refused, Unavailable
from fediblog.messages import ENGLISH, LANGUAGES, text
from fediblog.messages.accept_language import wanted
from fediblog.web import sessions
from fediblog.web.negotiation import VARY, site_of

PAGES_VARY = f"{VARY}, Accept-Language"


def language_of(request: Request) -> str:
    """The language of the page that answers, as far as it is known in this request who is looking."""
    known = sessions.current_user(request) or sessions.session_login_of(
        request
    )  # who has no account has a setting as well
    if known is not None and known.login.language in LANGUAGES:
        return known.login.language
    return wanted(request.scope["headers"], site_of(request).settings.language)


def language_for(request: Request) -> str:
    """The language of an error as JSON: English unless the program asks for another one."""
    return wanted(request.scope["headers"], ENGLISH)


def say(request: Request, key: str, /, **values: object) -> str:
    """The message of that key for who is looking."""
    return text(language_of(request), key, **values)


def explain_unreachable(request: Request, error: Unavailable) -> str:
    """Why another server, which was named, cannot be asked: there is none of that name, or it does not answer."""
    return say(request, "error.no-server" if error.key == "unavailable.no-address" else "error.unreachable")


def explain(request: Request, error: FediblogError) -> str:
    """What went wrong, for who is looking."""
    return error.sentence(language_of(request)) if isinstance(error, Refused) else say(request, "error.unavailable")
