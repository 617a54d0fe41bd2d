"""The stream: what those wrote whom the account follows, with a field to write a note, and what is new."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fediblog.domain.posts import Notice
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import post_preferences
from fediblog.store.posts import timelines
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.readers import markers, notification_lists
from fediblog.store.readers.notification_lists import NotificationFilter
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.notice_groups import NoticeGroup, grouped
from fediblog.web.components.render import PRIVATE, render
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.pages.post_form import VISIBILITIES
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 30
_BESIDE = 20  # notices of which the newest groups stand beside the stream
_GROUPS = 5
_HOME = "home"  # the stream, to filters and markers


class HomeStream(Struct, frozen=True, kw_only=True):
    """The stream as it is shown: `seen` is the number of the newest item that was shown before, 0 at the first time."""

    items: list[ListedPost]
    seen: int
    notices: list[NoticeGroup]
    visibility: str


async def stream(request: Request) -> Response:
    """The posts of those whom the account follows, a field to write a note, and what is new since the last look."""
    window = paging.window(request, SIZE)
    user, found = await ask_as(request, _stream, window)
    shown = paging.page(request, found.items, SIZE, lambda item: item.id)
    newest = shown.items[0].id if shown.items and shown.number == 1 else 0
    fresh = _shown_of(user, [each for each in shown.items if each.id > found.seen]) if newest and found.seen else 0
    response = render(
        request,
        "stream.html",
        context=_HOME,
        items=shown,
        fresh=fresh,
        newest=newest,
        beside=found.notices[:_GROUPS],
        visibilities=VISIBILITIES,
        visibility=found.visibility,
    )
    if newest > found.seen:
        await site_of(request).write_aside(markers.put, user.account.id, _HOME, newest)
    return response


def _stream(tx: Tx, user: CurrentUser, window: Window) -> tuple[CurrentUser, HomeStream]:
    viewer = user.account.id
    marker = next(iter(markers.get(tx, viewer, (_HOME,))), None)
    latest = notification_lists.page(tx, viewer, NotificationFilter(), Window(before=FAR, limit=_BESIDE))
    return user, HomeStream(
        items=timelines.whole(tx, timelines.home(tx, viewer, window), viewer),
        seen=marker.last_read if marker else 0,
        notices=grouped(each for each in latest if not _is_filtered(user, each)),
        visibility=post_preferences.defaults(tx, viewer).visibility,
    )


def _is_filtered(user: CurrentUser, notice: Notice) -> bool:
    return notice.post is not None and bool(user.filters.found(notice.post, "notifications"))


async def news(request: Request) -> Response:
    """What has come meanwhile, for the script of the desk: into the stream since the item `after`, and what is unread.

    `label` says the first in words, nothing if that is not asked for or there is none; `waiting` are totals by page.
    """
    after = forms.whole(request.query_params.get("after", ""))
    user, found = await ask_as(request, _news, after)
    told = {
        "label": say(request, "stream.show-new", n=found) if found else "",
        "new": say(request, "nav.new"),
        "waiting": {
            "/notices": user.unread,
            "/letters": user.letters,
            "/people": user.requests,
            "/moderation": user.reports,
        },
    }
    return JSONResponse(told, headers={"Cache-Control": PRIVATE})


def _news(tx: Tx, user: CurrentUser, after: int | None) -> tuple[CurrentUser, int]:
    if after is None:
        return user, 0
    come = timelines.home(tx, user.account.id, Window(before=FAR, after=after, limit=SIZE + 1))
    return user, _shown_of(user, timelines.whole(tx, come, user.account.id)) if user.filters else len(come)


def _shown_of(user: CurrentUser, items: Sequence[ListedPost]) -> int:
    """How many of these the reader's own filters let be seen."""
    return sum(1 for each in items if not user.filters.hides(each.post, _HOME))


ROUTES = [
    Route("/stream", page(stream)),
    Route("/stream/new", page(news)),
]
