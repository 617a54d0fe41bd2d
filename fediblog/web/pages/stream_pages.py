"""What a reader who has signed in looks at: the stream, the notices, and what a search finds."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Notice, Post
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import action_lookups
from fediblog.store.id_paging import Window
from fediblog.store.posts import posts, timelines
from fediblog.store.posts import search as finder
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.readers import notification_lists, notifications
from fediblog.store.readers.notification_lists import Wanted
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.page_links import Links
from fediblog.web.components.paging import Page
from fediblog.web.components.render import back, render
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import Visit, ask_as, page

SIZE = 30


async def stream(request: Request) -> Response:
    """The posts of those whom the account follows."""
    items = await ask_as(request, _stream, paging.window(request, SIZE))
    shown = paging.page(request, items, SIZE, lambda item: item.id)
    return render(request, "stream.html", items=shown)


def _stream(tx: Tx, visit: Visit, window: Window) -> list[ListedPost]:
    viewer = visit.account.id
    return timelines.whole(tx, timelines.home(tx, viewer, window), viewer)


async def notice_list(request: Request) -> Response:
    """What happened to the account. Whatever is shown counts as read from then on."""
    window = paging.window(request, SIZE)

    def latest(tx: Tx, visit: Visit) -> tuple[int, list[Notice]]:
        return visit.account.id, notification_lists.page(tx, visit.account.id, Wanted(), window)

    account, found = await ask_as(request, latest)
    shown = paging.page(request, found, SIZE, lambda notice: notice.id)
    response = render(request, "notices.html", notices=shown)
    if any(not notice.read for notice in found):
        await site_of(request).db.write(notifications.mark_read, account, found[0].id)
    return response


async def search(request: Request) -> Response:
    """Posts with some words, among our own and those of the stream; or with a hashtag."""
    words = " ".join(request.query_params.get("q", "").split())[:200]
    found = await ask_as(request, _search, words, paging.window(request, SIZE))
    shown = paging.page(request, found, SIZE, lambda post: post.id)
    return render(request, "search.html", words=words, posts=shown, is_address=_is_address(words), errors={})


def _search(tx: Tx, visit: Visit, words: str, window: Window) -> list[Post]:
    return finder.words(tx, words, visit.account.id, window) if len(words) > 1 else []


async def find(request: Request) -> Response:
    """Go to the account or post that a handle or an address names, wherever it is."""
    site, form = site_of(request), await forms.read(request)
    words = form.line("q", 2000)
    try:
        found = await action_lookups.find(site, words)
    except (Refused, Unavailable):
        found = None
    if isinstance(found, Post):  # stored, but perhaps not for this reader: then it is not there
        found = await site.db.read(posts.get, found.id, form.sender.account.id)
    if found is None:
        errors = {"q": say(request, "search.nothing-there")}
        return render(request, "search.html", 422, words=words, posts=Page(()), is_address=True, errors=errors)
    links = Links(site.urls, True)
    return back(request, links.account(found) if isinstance(found, Account) else links.post(found))


def _is_address(words: str) -> bool:
    return " " not in words and (words.startswith("https://") or "@" in words)


ROUTES = [
    Route("/stream", page(stream)),
    Route("/notices", page(notice_list)),
    Route("/search", page(search)),
    Route("/find", page(find), methods=["POST"]),
]
