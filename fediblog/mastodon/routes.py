"""All rows of the API, and the routes by which the application reaches them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fediblog.federation.site import Site
from fediblog.mastodon import (
    accounts,
    admin,
    bookmarks,
    conversations,
    deeds,
    directory,
    filters,
    grouped,
    instance,
    lists,
    markers,
    media,
    notifications,
    oauth,
    oembed,
    polls,
    profile,
    push,
    relations,
    reports,
    scheduled,
    search,
    statuses,
    tags,
    timelines,
    trends,
    writing,
)
from fediblog.mastodon.table import Endpoint, Finder, answer

TABLES = (
    accounts.API,
    admin.API,
    bookmarks.API,
    conversations.API,
    deeds.API,
    directory.API,
    filters.API,
    grouped.API,
    instance.API,
    lists.API,
    markers.API,
    media.API,
    notifications.API,
    oauth.API,
    oembed.API,
    polls.API,
    profile.API,
    push.API,
    relations.API,
    reports.API,
    scheduled.API,
    search.API,
    statuses.API,
    tags.API,
    timelines.API,
    trends.API,
    writing.API,
)
ENDPOINTS: tuple[Endpoint, ...] = tuple(row for table in TABLES for row in table.rows)
_FINDER = Finder(ENDPOINTS)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def call(request: Request) -> Response:
    """Any call of the API."""
    site: Site = request.app.state.site
    return await answer(request, site, _FINDER)


ROUTES: list[BaseRoute] = [
    Route("/api/{rest:path}", call, methods=_METHODS),
    Route("/oauth/{rest:path}", call, methods=_METHODS),
    Route("/.well-known/oauth-authorization-server", call, methods=["GET"]),
]
