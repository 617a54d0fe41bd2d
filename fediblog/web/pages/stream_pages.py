"""What a reader who has signed in looks at: the stream and the notices."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.posts import Notice
from fediblog.store.id_paging import Window
from fediblog.store.posts import timelines
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.readers import notification_lists, notifications
from fediblog.store.readers.notification_lists import NotificationFilter
from fediblog.store.tx import Tx
from fediblog.web.components import paging
from fediblog.web.components.render import render
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 30


async def stream(request: Request) -> Response:
    """The posts of those whom the account follows."""
    items = await ask_as(request, _stream, paging.window(request, SIZE))
    shown = paging.page(request, items, SIZE, lambda item: item.id)
    return render(request, "stream.html", items=shown)


def _stream(tx: Tx, user: CurrentUser, window: Window) -> list[ListedPost]:
    viewer = user.account.id
    return timelines.whole(tx, timelines.home(tx, viewer, window), viewer)


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
    Route("/notices", page(notice_list)),
]
