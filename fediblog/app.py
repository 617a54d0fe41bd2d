"""The ASGI application: routes put together, errors turned into answers, and the worker that lives beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match

from fediblog import log
from fediblog.counters import REFUSALS
from fediblog.errors import FediblogError, Refused, TooOften, Unavailable
from fediblog.federation.site import Site
from fediblog.federation.worker import Worker
from fediblog.http_status import status_of
from fediblog.mastodon import endpoints
from fediblog.mastodon.cors import Cors
from fediblog.mastodon.streaming import stream_connections
from fediblog.messages import Phrase, phrase, text
from fediblog.web import media_routes, metrics, pages, search_engines, sessions, unsent_forms
from fediblog.web.activitypub import activitypub_routes, discovery_routes, inbox_routes
from fediblog.web.components.render import render
from fediblog.web.languages import PAGES_VARY, language_for, language_of
from fediblog.web.middleware import RequestMiddleware, too_large
from fediblog.web.negotiation import site_of
from fediblog.web.not_found import Suggestions, suggested
from fediblog.web.page_cache import PageCache
from fediblog.web.pages.free_page import FreePageRoute
from fediblog.web.route_index import RouteIndex
from fediblog.web.visit_counter import VisitCounter

_NAMED: list[BaseRoute] = [
    *inbox_routes.ROUTES,  # first, since most requests go there
    *discovery_routes.ROUTES,
    *metrics.ROUTES,
    *search_engines.ROUTES,
    *activitypub_routes.ROUTES,
    *media_routes.ROUTES,
    *pages.ROUTES,
    *stream_connections.ROUTES,
    *endpoints.ROUTES,
]
_FREE_PAGE = FreePageRoute(RouteIndex(_NAMED).first_words)
ROUTES: list[BaseRoute] = [*_NAMED, _FREE_PAGE]

_PAGES = RouteIndex([*pages.ROUTES, _FREE_PAGE])


def create_app(site: Site, worker: Worker | None = None) -> Starlette:
    """The application of one site; a worker given runs as long as the application does."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if worker is not None:
            worker.start()
        try:
            yield
        finally:
            if worker is not None:
                await worker.stop()

    opened = site.keep(VisitCounter).note if site.settings.count_visits else None
    app = Starlette(
        routes=[RouteIndex(ROUTES)],
        middleware=[
            Middleware(Cors),
            Middleware(PageCache, db=site.db, language=site.settings.language, opened=opened),
            Middleware(
                RequestMiddleware, origin=site.urls.origin, trusted=site.settings.trusted_proxies, refuse=_answer
            ),
            Middleware(inbox_routes.Shortcut),
        ],
        exception_handlers={
            FediblogError: on_error,
            HTTPException: on_http_error,
            ClientDisconnect: on_disconnect,
            Exception: on_bug,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # such an answer would lead to whatever host the request names
    app.state.site = site
    return app


async def on_error(request: Request, error: Exception) -> Response:
    """Something was refused, or cannot be done now."""
    if not isinstance(error, FediblogError):
        raise error
    status = status_of(error).page
    reason = error.reason if isinstance(error, Refused | Unavailable) else "error"
    if isinstance(error, Refused):
        REFUSALS.add("web", reason)
    told = error.sentence if isinstance(error, Refused) else phrase("error.unavailable")
    await _meet(request)
    response = unsent_forms.on_error(request, error, status)
    response = response or _answer(request, status, reason, told, await _suggested(request, status))
    if isinstance(error, TooOften):
        response.headers["Retry-After"] = str(error.wait)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(int(error.delay or 60))
    return response


async def on_http_error(request: Request, error: Exception) -> Response:
    """No such route, or not with this method, or no form."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 404 and (address := _without_slash(request)):
        return RedirectResponse(address, 301)
    await _meet(request)
    if error.status_code == 404:
        response = _answer(request, 404, "not-found", phrase("error.not-found"), await _suggested(request, 404))
    elif error.status_code == 405:
        response = _answer(request, 405, "http", phrase("error.method"))
    else:
        response = _answer(request, error.status_code, "http", phrase("error.http", detail=error.detail))
    response.headers.update(error.headers or {})
    return response


async def on_disconnect(request: Request, error: Exception) -> Response:
    """The body broke off, because they went away or because it was longer than anything may be."""
    if request.scope.get("fediblog.too-large", False):
        return _answer(request, 413, "too-large", too_large(request.scope))
    return _answer(request, 400, "broke-off", phrase("error.broke-off"))


async def on_bug(request: Request, error: Exception) -> Response:
    """A mistake of ours: written down once, and said without details."""
    log.trouble("bug", error, path=request.url.path)
    return JSONResponse({"error": text(language_for(request), "error.bug"), "reason": "internal"}, 500)


async def _meet(request: Request) -> None:
    """Ask who is looking where nobody has asked yet: an error page speaks their language and has their menu, too."""
    if _is_for_people(request) and sessions.token_of(request) and sessions.session_login_of(request) is None:
        with suppress(Unavailable):
            await sessions.visitor(request)


def _is_for_people(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _without_slash(request: Request) -> str:
    """The address of a page of ours that was asked for with a slash at its end; '' if it is none."""
    path = request.scope["path"].rstrip("/")
    if request.method not in ("GET", "HEAD") or path in ("", request.scope["path"]):
        return ""
    if _PAGES.matches({**request.scope, "path": path})[0] is not Match.FULL:
        return ""
    return quote(path, safe="/@") + (f"?{request.url.query}" if request.url.query else "")


async def _suggested(request: Request, status: int) -> Suggestions | None:
    """What to offer to somebody who looked for a page that is not there."""
    if status not in (404, 410) or request.method not in ("GET", "HEAD") or not _is_for_people(request):
        return None
    user = sessions.current_user(request)
    viewer = user.account.id if user else 0
    with suppress(Unavailable):
        return await site_of(request).db.read(suggested, viewer, request.scope["path"])
    return None


def _answer(
    request: Request, status: int, reason: str, told: Phrase, suggestions: Suggestions | None = None
) -> Response:
    if _is_for_people(request):
        message = told(language_of(request))
        return render(request, "error.html", status, private=True, message=message, suggestions=suggestions)
    headers = {"Vary": PAGES_VARY, "Cache-Control": "no-store"}
    return JSONResponse({"error": told(language_for(request)), "reason": reason}, status, headers=headers)
