"""What a reader who has signed in looks at: the stream, the notices; and what a search finds, for visitors too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Notice, Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, Unavailable
from fediblog.federation import prepared_actions
from fediblog.hashtags import SIGNS, key
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import account_search
from fediblog.store.posts import posts, timelines
from fediblog.store.posts import search as finder
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.readers import notification_lists, notifications
from fediblog.store.readers.notification_lists import NotificationFilter
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.components import paging
from fediblog.web.components.page_links import Links
from fediblog.web.components.paging import Page
from fediblog.web.components.render import back, render
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask, ask_as, page

SIZE = 30
PEOPLE = 10  # that a search shows


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


async def search(request: Request) -> Response:
    """People, and posts: with some words or a hashtag, by who was named, or at an address."""
    words = " ".join(request.query_params.get("q", "").split())[:200]
    people, found = await ask(request, _search, words, paging.window(request, SIZE))
    shown = paging.page(request, found, SIZE, lambda post: post.id)
    return _found(request, words, people, shown)


def _search(tx: Tx, viewer: int, words: str, window: Window) -> tuple[list[Account], list[Post]]:
    """Whoever has signed in looks through posts, our own and those of the stream; a visitor for people, and hashtags.

    Of a hashtag visitors find what its page shows them; no text is looked through for them.
    """
    if len(words) < 2:
        return [], []
    people = account_search.people(tx, words, viewer, limit=PEOPLE, by_name=True) if words[:1] not in SIGNS else []
    if _is_hashtag(words) and not viewer:
        wanted = timelines.TagFilter(tag=key(words), side="local")
        found = posts.hydrate(tx, timelines.tagged(tx, viewer, wanted, window), viewer)
    elif _is_address(words) or not viewer:
        found = finder.at(tx, words, viewer) or finder.of_people(tx, [each.id for each in people], viewer, window)
    else:
        found = finder.words(tx, words, viewer, window)
    return people if window.before == FAR else [], found


def _found(
    request: Request, words: str, people: Sequence[Account], shown: Page[Post], errors: Mapping[str, str] | None = None
) -> Response:
    """What a search found; who has signed in may have a handle or an address of elsewhere looked up where it is."""
    user, urls = sessions.current_user(request), site_of(request).urls
    return render(
        request,
        "search.html",
        422 if errors else 200,
        private=True,  # one page for each of all words that anybody types is not worth keeping
        words=words,
        people=people,
        posts=shown,
        is_elsewhere=bool(errors) or (_is_address(words) and user is not None and not _is_ours(urls, words)),
        is_partial=user is None and not _is_hashtag(words),
        errors=errors or {},
    )


async def find(request: Request) -> Response:
    """Go to the account or post that a handle or an address names, wherever it is."""
    site, form = site_of(request), await forms.read(request)
    words = form.line("q", 2000)
    try:
        found = await prepared_actions.find(site, words)
    except (Refused, Unavailable):
        found = None
    if isinstance(found, Post):  # stored, but perhaps not for this reader: then it is not there
        found = await site.db.read(posts.get, found.id, form.sender.account.id)
    if found is None:
        return _found(request, words, (), Page(()), {"q": say(request, "search.nothing-there")})
    links = Links(site.urls, True)
    return back(request, links.account(found) if isinstance(found, Account) else links.post(found))


def _is_hashtag(words: str) -> bool:
    return words[:1] in SIGNS and " " not in words and bool(key(words))


def _is_ours(urls: Urls, words: str) -> bool:
    """Whether a handle or an address is of this server, so that nothing elsewhere can be meant."""
    return urls.owns(words) or ("/" not in words and words.rpartition("@")[2].lower() == urls.handle_domain)


def _is_address(words: str) -> bool:
    return " " not in words and (words.startswith(("https://", "http://")) or "@" in words)


ROUTES = [
    Route("/stream", page(stream)),
    Route("/notices", page(notice_list)),
    Route("/search", page(search)),
    Route("/find", page(find), methods=["POST"]),
]
