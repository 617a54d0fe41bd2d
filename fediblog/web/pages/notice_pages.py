"""What happened to the account: all of it or one kind, who asks to follow, and what waits for one's other accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Notice
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import relation_lists
from fediblog.store.readers import notification_lists, notifications
from fediblog.store.readers.notification_lists import KINDS, NotificationFilter
from fediblog.store.tx import Tx
from fediblog.web.components import paging
from fediblog.web.components.notice_groups import grouped
from fediblog.web.components.render import render
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 40
MOST_COUNTED = 100
MOST_REQUESTS = 20  # shown above the notices; the others are under People
TABS: dict[str, frozenset[str]] = {
    "all": KINDS,
    "answers": frozenset({"mention", "reply", "quote"}),
    "reactions": frozenset({"like", "boost"}),
    "follows": frozenset({"follow", "follow_request", "move"}),
}


class Notices(Struct, frozen=True, kw_only=True):
    """A page of the notices of one tab, how many are unread in each tab, and who asks to follow."""

    account: int
    notices: Sequence[Notice]
    unread: Mapping[str, int]
    requests: Sequence[Account]


async def notice_list(request: Request) -> Response:
    """The notices. Whatever is shown counts as read from then on."""
    tab = request.query_params.get("show", "all")
    kinds = TABS.get(tab, KINDS)
    found = await ask_as(request, _notices, kinds, paging.window(request, SIZE))
    shown = paging.page(request, found.notices, SIZE, lambda notice: notice.id)
    response = render(
        request,
        "notices.html",
        context="notifications",
        notices=shown,
        groups=grouped(shown.items),
        unread=found.unread,
        requests=found.requests,
        tabs=tuple(TABS),
        tab=tab if tab in TABS else "all",
    )
    if any(not notice.read for notice in found.notices):
        await site_of(request).write_aside(notifications.mark_read, found.account, found.notices[0].id, kinds)
    return response


def _notices(tx: Tx, user: CurrentUser, kinds: frozenset[str], window: Window) -> Notices:
    account = user.account.id
    unread = notification_lists.unread(tx, account, NotificationFilter(), MOST_COUNTED) if user.unread else ()
    asking = relation_lists.requests(tx, account, Window(limit=MOST_REQUESTS))
    return Notices(
        account=account,
        notices=notification_lists.page(tx, account, NotificationFilter(kinds=kinds), window),
        unread={name: sum(each.kind in which for each in unread) for name, which in TABS.items()},
        requests=[each.account for each in asking] if user.requests and window.before == FAR else (),
    )


ROUTES = [Route("/notices", page(notice_list))]
