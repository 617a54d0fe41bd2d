"""What was written when: of the whole blog and of one account, by year and month."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import NotFound
from fediblog.store.id_paging import Window
from fediblog.store.posts import account_posts, archive, posts, timelines
from fediblog.store.tx import Tx
from fediblog.web.components import page_elements, page_head, paging
from fediblog.web.components.page_head import Head
from fediblog.web.components.render import render
from fediblog.web.languages import say
from fediblog.web.pages.blog_pages import account_named
from fediblog.web.sessions import ask, page

MONTH_SIZE = 100

MonthTotal = tuple[str, int]
"""YYYY/MM, and how many posts everybody finds there."""


class Archive(Struct, frozen=True, kw_only=True):
    """Months with posts, newest first: all, or those of a year. Of the whole blog if there is no account."""

    account: Account | None
    months: Sequence[MonthTotal]
    year: str = ""

    @property
    def base(self) -> str:
        """What the addresses of years and months begin with."""
        return f"/@{self.account.handle}" if self.account else "/archive"

    @property
    def years(self) -> list[tuple[str, list[MonthTotal]]]:
        """The months by their years, newest first."""
        return [(year, list(months)) for year, months in groupby(self.months, lambda each: each[0][:4])]

    @property
    def whole(self) -> str:
        """Where all years are."""
        return f"{self.base}/archive" if self.account else self.base


class Month(Struct, frozen=True, kw_only=True):
    """One month, its posts, and the nearest months before and after it in which there are any."""

    archive: Archive
    name: str
    posts: Sequence[Post]
    earlier: str = ""
    later: str = ""


async def overview(request: Request) -> Response:
    """All months, or those of a year."""
    params = request.path_params
    found = await ask(request, _archive, params.get("handle", ""), params.get("year", ""))
    path = f"/{found.year}" if found.year else found.whole.removeprefix(found.base)
    head = _head(request, found, found.year or say(request, "archive.title"), path)
    return render(request, "archive.html", head=head, archive=found, account=found.account)


async def month(request: Request) -> Response:
    """What was written in one month."""
    params = request.path_params
    name = f"{params['year']}/{params['month']}"
    found = await ask(request, _month, params.get("handle", ""), name, paging.window(request, MONTH_SIZE))
    shown = paging.page(request, found.posts, MONTH_SIZE, lambda post: post.id)
    at = page_head.context(request)
    head = _head(request, found.archive, page_elements.month(at.language, name), f"/{name}")
    head = page_head.turned(at, head, shown.number)
    return render(request, "month.html", head=head, month=found, posts=shown, account=found.archive.account)


def _head(request: Request, found: Archive, title: str, path: str) -> Head:
    if found.account is not None:
        return page_head.of_list(found.account, title, path)
    return page_head.of_site_page(page_head.context(request), title, found.base + path)


def _archive(tx: Tx, _viewer: int, handle: str, year: str) -> Archive:
    account = account_named(tx, handle) if handle else None
    months = account_posts.months(tx, account.id) if account else archive.months(tx)
    kept = [each for each in months if each[0].startswith(year)]
    if year and not kept:
        raise NotFound
    return Archive(account=account, months=kept, year=year)


def _month(tx: Tx, viewer: int, handle: str, name: str, window: Window) -> Month:
    found = _archive(tx, viewer, handle, "")
    if found.account is not None:
        listed = account_posts.of_month(tx, found.account.id, name, viewer, window)
    else:
        listed = posts.hydrate(tx, timelines.of_month(tx, viewer, name, window), viewer)
    if not listed:
        raise NotFound
    names = [each for each, _ in found.months]
    return Month(
        archive=found,
        name=name,
        posts=listed,
        earlier=max((each for each in names if each < name), default=""),
        later=min((each for each in names if each > name), default=""),
    )


ROUTES = [
    Route("/archive", page(overview)),
    Route("/archive/{year:year}", page(overview)),
    Route("/archive/{year:year}/{month:month}", page(month)),
    Route("/@{handle:handle}/archive", page(overview)),
    Route("/@{handle:handle}/{year:year}", page(overview)),
    Route("/@{handle:handle}/{year:year}/{month:month}", page(month)),
]
