"""Whom the account follows, who follows it or asks to, whom and which servers it mutes and blocks.

Following by handle; and these lists as files, to be carried elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import moderation_actions
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, Refused, TooOften, Unavailable
from fediblog.federation import prepared_actions, quotas
from fediblog.federation.site import Site
from fediblog.prepare import relation_csv
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import relation_lists, relations
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.people.relations import Follow
from fediblog.store.posts import posts
from fediblog.store.readers import relation_rows
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.page_links import Links
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.languages import explain, explain_unreachable, language_of
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, Handler, ask_as, page

SIZE = 40
MOST_ASKED = 100  # whose answer is awaited, shown above the first page
TABS = ("following", "followers", "requests", "muted", "blocked", "servers")


class People(Struct, frozen=True, kw_only=True):
    """One of the lists, with the totals; `follows` says of those followed how they are."""

    tab: str
    places: Sequence[ListedAccount]
    hosts: Sequence[tuple[int, str]]
    follows: dict[int, Follow]
    asked: Sequence[Account]
    followers: int
    following: int


_LISTS: dict[str, Callable[[Tx, int, Window, str], list[ListedAccount]]] = {
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


async def block_server(request: Request) -> Response:
    """See nobody of a server any more. Where follows end by that, they are counted first, and it is asked once more."""
    site, form = site_of(request), await forms.read(request)
    account, host = form.sender.account.id, form.line("host")
    try:
        quotas.use(site, account, "action")
        followed, followers = await site.db.read(moderation_actions.preview_host, site.urls, account, host)
        if not (followed or followers) or form.flag("sure"):
            await site.db.write(moderation_actions.mute_host, site.urls, account, host)
            return back(request, "/people?show=servers", "server-blocked")
        form.fault("sure", "people.server-ends", followed=followed, followers=followers)
    except TooOften as error:
        form.defer("host", error)
    except Invalid as error:
        form.refuse(error)
    return await _show(request, form, handle="", tab="servers", host=host)


async def unblock_server(request: Request) -> Response:
    """See the people of a server again."""
    site, form = site_of(request), await forms.read(request)
    quotas.use(site, form.sender.account.id, "action")
    await site.db.write(moderation_actions.unmute_host, site.urls, form.sender.account.id, form.line("host"))
    return back(request, "/people?show=servers", "server-unblocked")


def export(kind: str) -> Handler:
    """The handler that answers with one of the lists as a file, as Mastodon writes it and takes it."""

    async def exported(request: Request) -> Response:
        user = await ask_as(request, lambda _tx, user: user)
        rows = await site_of(request).db.scan(relation_rows.rows, user.account.id, kind)
        written = await asyncio.to_thread(relation_csv.write, kind, rows)
        return Response(written, headers={"Cache-Control": PRIVATE}, media_type="text/csv; charset=utf-8")

    return page(exported)


async def _show(request: Request, form: Form, *, handle: str, tab: str = "", host: str = "") -> Response:
    wanted, words = tab or request.query_params.get("show", ""), request.query_params.get("q", "").strip()[:100]
    tab = wanted if wanted in TABS else TABS[0]
    found = await ask_as(request, _people, tab, paging.window(request, SIZE, "after"), words)
    shown = paging.page(request, found.places, SIZE, lambda place: place.mark, "after")
    return render(
        request,
        "people.html",
        form.status,
        headers=form.headers,
        people=found,
        accounts=shown,
        hosts=paging.page(request, found.hosts, SIZE, lambda place: place[0], "after"),
        tabs=TABS,
        files=relation_csv.FILES,
        handle=handle,
        host=host,
        words=words,
        errors=form.errors,
    )


def _people(tx: Tx, user: CurrentUser, tab: str, window: Window, words: str) -> People:
    account = user.account.id
    followers, following = relations.counts(tx, account)
    first = tab == "following" and window.before == FAR and not words
    asked = relation_lists.asked(tx, account, Window(limit=MOST_ASKED)) if first else []
    places = _LISTS[tab](tx, account, window, words) if tab in _LISTS else []
    return People(
        tab=tab,
        places=places,
        hosts=[] if tab in _LISTS else relation_lists.muted_hosts(tx, account, window),
        follows=relations.follows_of(tx, account, [each.account.id for each in places]) if tab == "following" else {},
        asked=[each.account for each in asked],
        followers=followers,
        following=following,
    )


ROUTES = [
    Route("/people", page(people), methods=["GET"]),
    Route("/people", page(follow), methods=["POST"]),
    Route("/people/servers", page(block_server), methods=["POST"]),
    Route("/people/servers/remove", page(unblock_server), methods=["POST"]),
    *(Route(f"/people/{name}", export(kind)) for kind, name in relation_csv.FILES.items()),
    Route("/authorize_interaction", page(interact)),
]
