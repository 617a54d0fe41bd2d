"""The pages for people: one handler and one template for each, and the table of them all."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fediblog.web import addresses

addresses.register()

from fediblog.web.pages import (  # noqa: E402  the routes below need the shapes registered above
    anew,
    authorizing,
    blog,
    deeds,
    entry,
    people,
    post,
    profile,
    programs,
    reading,
    settings,
    workings,
    writing,
)

ROUTES: list[BaseRoute] = [
    *blog.ROUTES,
    *entry.ROUTES,
    *anew.ROUTES,
    *authorizing.ROUTES,
    *reading.ROUTES,
    *people.ROUTES,
    *writing.ROUTES,
    *deeds.ROUTES,
    *workings.ROUTES,
    *settings.ROUTES,
    *programs.ROUTES,
    *profile.ROUTES,
    *post.ROUTES,
]
