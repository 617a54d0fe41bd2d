"""The pages for people: one handler and one template for each, and the table of them all."""

from __future__ import annotations

from starlette.routing import BaseRoute

from fediblog.web import addresses

addresses.register()

from fediblog.web.pages import (  # noqa: E402  the routes below need the shapes registered above
    anew,
    blog,
    deeds,
    entry,
    people,
    post,
    profile,
    reading,
    settings,
    workings,
    writing,
)

ROUTES: list[BaseRoute] = [
    *blog.ROUTES,
    *entry.ROUTES,
    *anew.ROUTES,
    *reading.ROUTES,
    *people.ROUTES,
    *writing.ROUTES,
    *deeds.ROUTES,
    *workings.ROUTES,
    *settings.ROUTES,
    *profile.ROUTES,
    *post.ROUTES,
]
