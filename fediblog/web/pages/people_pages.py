"""Whom the account follows, who follows it or asks to, whom and which servers it mutes and blocks.

And these lists as files, to be carried elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import moderation_actions
from fediblog.domain.accounts import Account
from fediblog.errors import Invalid, TooOften
from fediblog.federation import quotas
from fediblog.prepare import relation_csv
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import relation_lists, relations
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.people.relations import Follow
from fediblog.store.readers import relation_rows
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages.search_pages import named_by
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
    """One of the lists."""
    # Other servers remember the template that WebFinger gave them before: it led here with what was to be followed.
    if wanted := request.query_params.get("follow") or request.query_params.get("handle"):
        await ask_as(request, lambda _tx, user: user)
        return back(request, f"/search?{urlencode({'q': named_by(wanted)})}")
    return await _show(request, Form.empty())


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
    return await _show(request, form, tab="servers", host=host)


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


async def _show(request: Request, form: Form, *, tab: str = "", host: str = "") -> Response:
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
    Route("/people/servers", page(block_server), methods=["POST"]),
    Route("/people/servers/remove", page(unblock_server), methods=["POST"]),
    *(Route(f"/people/{name}", export(kind)) for kind, name in relation_csv.FILES.items()),
]
