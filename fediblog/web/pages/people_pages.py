"""Whom the account follows, who follows it or asks to, whom it mutes and blocks; and following by handle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import Refused, TooOften, Unavailable
from fediblog.federation import prepared_actions, quotas
from fediblog.federation.site import Site
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import relation_lists, relations
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.page_links import Links
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.languages import explain, explain_unreachable, language_of
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 40
MOST_ASKED = 100  # whose answer is awaited, shown above the first page
TABS = ("following", "followers", "requests", "muted", "blocked")


class People(Struct, frozen=True, kw_only=True):
    """One of the lists, with the totals."""

    tab: str
    places: Sequence[ListedAccount]
    asked: Sequence[Account]
    followers: int
    following: int


_LISTS: dict[str, Callable[[Tx, int, Window], list[ListedAccount]]] = {
    "following": relation_lists.following,
    "followers": relation_lists.followers,
    "requests": relation_lists.requests,
    "muted": relation_lists.muted,
    "blocked": relation_lists.blocked,
}


async def people(request: Request) -> Response:
    """One of the lists, and the form to follow somebody."""
    # Other servers remember the template that WebFinger gave them before: it led here with what was to be followed.
    wanted = request.query_params.get("follow") or request.query_params.get("handle", "")
    return await _show(request, Form.empty(), handle=_bare(wanted))


async def interact(request: Request) -> Response:
    """Go to the account or post that somebody found on another server, to follow, answer, like or boost it from here.

    Other servers lead their visitors here, by the template of WebFinger or, as Mastodon does, without asking for one.
    Nothing is looked up for who has not signed in.
    """
    site, user = site_of(request), await ask_as(request, lambda _tx, user: user)
    wanted = _bare(request.query_params.get("uri") or request.query_params.get("acct", ""))
    if not wanted:
        return back(request, "/people")
    links, form, found = Links(site.urls, True), Form(FormData(), language_of(request)), None
    try:
        quotas.use(site, user.account.id, "action")
        found = await prepared_actions.find(site, wanted)
    except TooOften as error:
        form.defer("handle", error)
    except Refused as error:
        form.errors["handle"] = explain(request, error)
    except Unavailable as error:
        form.errors["handle"] = explain_unreachable(request, error)
    if isinstance(found, Post):  # stored, but perhaps not for this reader: then it is not there
        found = await site.db.read(posts.get, found.id, user.account.id)
    if found is not None:
        return back(request, links.account(found) if isinstance(found, Account) else links.post(found))
    if not form.errors:
        form.fault("handle", "search.nothing-there")
    return await _show(request, form, handle=wanted)


async def follow(request: Request) -> Response:
    """Follow the account of a handle or an address."""
    site, form = site_of(request), await forms.read(request)
    wanted, account = _bare(form.line("handle")), form.sender.account.id
    try:
        if (post := await _post(site, account, wanted)) is not None:
            return back(request, Links(site.urls, True).post(post))
        found = await prepared_actions.follow(site, account, wanted)
    except TooOften as error:
        form.defer("handle", error)
    except Refused as error:
        form.errors["handle"] = explain(request, error)
    except Unavailable as error:
        form.errors["handle"] = explain_unreachable(request, error)
    else:
        return back(request, f"/account/{found.id}" if not found.local else f"/@{found.handle}", "did-follow")
    return await _show(request, form, handle=wanted)


def _bare(wanted: str) -> str:
    return " ".join(wanted.split())[:500].removeprefix("acct:")


async def _post(site: Site, account: int, wanted: str) -> Post | None:
    """The post at an address, None if none is: other servers send their visitors here also to answer or boost."""
    if not wanted.startswith(("https://", "http://")):
        return None
    quotas.use(site, account, "action")
    found = await prepared_actions.find(site, wanted)
    return await site.db.read(posts.get, found.id, account) if isinstance(found, Post) else None


async def _show(request: Request, form: Form, *, handle: str) -> Response:
    tab = request.query_params.get("show", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    found = await ask_as(request, _people, tab, paging.window(request, SIZE, "after"))
    shown = paging.page(request, found.places, SIZE, lambda place: place.mark, "after")
    return render(
        request,
        "people.html",
        form.status,
        headers=form.headers,
        people=found,
        accounts=shown,
        tabs=TABS,
        handle=handle,
        errors=form.errors,
    )


def _people(tx: Tx, user: CurrentUser, tab: str, window: Window) -> People:
    account = user.account.id
    followers, following = relations.counts(tx, account)
    first = tab == "following" and window.before == FAR
    asked = relation_lists.asked(tx, account, Window(limit=MOST_ASKED)) if first else []
    return People(
        tab=tab,
        places=_LISTS[tab](tx, account, window),
        asked=[each.account for each in asked],
        followers=followers,
        following=following,
    )


ROUTES = [
    Route("/people", page(people), methods=["GET"]),
    Route("/people", page(follow), methods=["POST"]),
    Route("/authorize_interaction", page(interact)),
]
