"""What a reader who has signed in looks at: the stream, letters, bookmarks and the notices."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fediblog.domain.posts import Notice
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import post_preferences
from fediblog.store.posts import conversations, timelines
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.readers import markers, notification_lists, notifications
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
_HOME = "home"


class HomeStream(Struct, frozen=True, kw_only=True):
    """The stream as it is shown: `seen` is the number of the newest item that was shown before, 0 at the first time."""

    items: list[ListedPost]
    seen: int
    notices: list[NoticeGroup]
    visibility: str


async def stream(request: Request) -> Response:
    """The posts of those whom the account follows, a field to write a note, and what is new since the last look."""
    window = paging.window(request, SIZE)
    account, found = await ask_as(request, _stream, window)
    shown = paging.page(request, found.items, SIZE, lambda item: item.id)
    newest = shown.items[0].id if shown.items and shown.number == 1 else 0
    fresh = sum(1 for each in shown.items if each.id > found.seen) if newest and found.seen else 0
    response = render(
        request,
        "stream.html",
        items=shown,
        fresh=fresh,
        newest=newest,
        beside=found.notices[:_GROUPS],
        visibilities=VISIBILITIES,
        visibility=found.visibility,
    )
    if newest > found.seen:
        await site_of(request).write_aside(markers.put, account, _HOME, newest)
    return response


def _stream(tx: Tx, user: CurrentUser, window: Window) -> tuple[int, HomeStream]:
    viewer = user.account.id
    marker = next(iter(markers.get(tx, viewer, (_HOME,))), None)
    latest = notification_lists.page(tx, viewer, NotificationFilter(), Window(before=FAR, limit=_BESIDE))
    return viewer, HomeStream(
        items=timelines.whole(tx, timelines.home(tx, viewer, window), viewer),
        seen=marker.last_read if marker else 0,
        notices=grouped(latest),
        visibility=post_preferences.defaults(tx, viewer).visibility,
    )


async def stream_news(request: Request) -> Response:
    """How much has come into the stream since the item `after`, in words, for the script of that page."""
    after = forms.whole(request.query_params.get("after", "")) or 0
    found = await ask_as(
        request, lambda tx, user: timelines.home(tx, user.account.id, Window(before=FAR, after=after, limit=SIZE + 1))
    )
    label = say(request, "stream.show-new", n=len(found)) if found else ""
    return JSONResponse({"label": label}, headers={"Cache-Control": PRIVATE})


async def letters(request: Request) -> Response:
    """Private posts by conversation, the one with the latest word first."""
    found = await ask_as(request, _letters, paging.window(request, SIZE))
    return render(request, "letters.html", letters=paging.page(request, found, SIZE, lambda letter: letter.id))


def _letters(tx: Tx, user: CurrentUser, window: Window) -> list[ListedPost]:
    viewer = user.account.id
    return timelines.whole(tx, conversations.last_posts(tx, viewer, window), viewer)


async def bookmarks(request: Request) -> Response:
    """The posts that the account keeps."""
    found = await ask_as(request, _bookmarks, paging.window(request, SIZE))
    return render(request, "bookmarks.html", items=paging.page(request, found, SIZE, lambda item: item.id))


def _bookmarks(tx: Tx, user: CurrentUser, window: Window) -> list[ListedPost]:
    viewer = user.account.id
    return timelines.whole(tx, timelines.bookmarked(tx, viewer, window), viewer)


async def notice_list(request: Request) -> Response:
    """What happened to the account. Whatever is shown counts as read from then on."""
    window = paging.window(request, SIZE)

    def latest(tx: Tx, user: CurrentUser) -> tuple[int, list[Notice]]:
        return user.account.id, notification_lists.page(tx, user.account.id, NotificationFilter(), window)

    account, found = await ask_as(request, latest)
    shown = paging.page(request, found, SIZE, lambda notice: notice.id)
    response = render(request, "notices.html", notices=shown)
    if any(not notice.read for notice in found):
        await site_of(request).write_aside(notifications.mark_read, account, found[0].id)
    return response


ROUTES = [
    Route("/stream", page(stream)),
    Route("/stream/new", page(stream_news)),
    Route("/letters", page(letters)),
    Route("/bookmarks", page(bookmarks)),
    Route("/notices", page(notice_list)),
]
