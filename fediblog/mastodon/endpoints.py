"""All rows of the API, and the routes by which the application reaches them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from fediblog.federation.site import Site
from fediblog.mastodon.accounts import accounts_api, directory_api, lists_api, profile_api, relations_api
from fediblog.mastodon.endpoint_table import Endpoint, Finder, answer
from fediblog.mastodon.instance import admin_api, instance_api, reports_api
from fediblog.mastodon.notifications import grouped_api, notifications_api, push_api
from fediblog.mastodon.oauth import oauth_api
from fediblog.mastodon.statuses import (
    media_api,
    oembed_api,
    polls_api,
    scheduled_api,
    status_actions_api,
    status_writing_api,
    statuses_api,
)
from fediblog.mastodon.timelines import (
    bookmarks_api,
    conversations_api,
    filters_api,
    markers_api,
    search_api,
    tags_api,
    timelines_api,
    trends_api,
)

TABLES = (
    accounts_api.API,
    admin_api.API,
    bookmarks_api.API,
    conversations_api.API,
    status_actions_api.API,
    directory_api.API,
    filters_api.API,
    grouped_api.API,
    instance_api.API,
    lists_api.API,
    markers_api.API,
    media_api.API,
    notifications_api.API,
    oauth_api.API,
    oembed_api.API,
    polls_api.API,
    profile_api.API,
    push_api.API,
    relations_api.API,
    reports_api.API,
    scheduled_api.API,
    search_api.API,
    statuses_api.API,
    tags_api.API,
    timelines_api.API,
    trends_api.API,
    status_writing_api.API,
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
