"""Other timelines than the stream: this server, followed hashtags, lists, what one liked, bookmarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import reader_actions
from fediblog.domain.accounts import Account
from fediblog.errors import Invalid
from fediblog.federation import quotas
from fediblog.hashtags import key
from fediblog.store.id_paging import Window
from fediblog.store.people import account_search
from fediblog.store.posts import tags, timelines
from fediblog.store.posts.timelines import Entry, ListedPost, TagFilter
from fediblog.store.readers import lists
from fediblog.store.readers.lists import List
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, Handler, ask_as, page

SIZE = 30
MOST_SHOWN = 200  # followed hashtags, and members of a list


class TagStream(Struct, frozen=True, kw_only=True):
    """Hashtags that the account follows, and posts that have one of them."""

    names: Sequence[str]
    items: Sequence[ListedPost]


class ListStream(Struct, frozen=True, kw_only=True):
    """One list: its members and their posts."""

    list: List
    members: Sequence[Account]
    items: Sequence[ListedPost]


def _timeline(name: str, ask: Callable[[Tx, int, Window], list[Entry]]) -> Handler:
    """The page of a timeline that has nothing beside its posts; `name` is that of its messages."""

    def posts(tx: Tx, user: CurrentUser, window: Window) -> list[ListedPost]:
        return timelines.whole(tx, ask(tx, user.account.id, window), user.account.id)

    async def show(request: Request) -> Response:
        found = await ask_as(request, posts, paging.window(request, SIZE))
        items = paging.page(request, found, SIZE, lambda item: item.id)
        return render(request, "timeline.html", context="public" if name == "local" else "", timeline=name, items=items)

    return show


def _local(tx: Tx, viewer: int, window: Window) -> list[Entry]:
    return timelines.public(tx, viewer, window, side="local")


async def hashtags(request: Request) -> Response:
    """Posts with the hashtags that the account follows."""
    return await _show_hashtags(request, Form.empty())


async def _show_hashtags(request: Request, form: Form) -> Response:
    found = await ask_as(request, _tagged, paging.window(request, SIZE))
    items = paging.page(request, found.items, SIZE, lambda item: item.id)
    return render(
        request,
        "hashtags.html",
        form.status,
        context="public",
        names=found.names,
        items=items,
        tag=form.text("tag"),
        errors=form.errors,
    )


async def follow_hashtag(request: Request) -> Response:
    """Follow the hashtag that was typed."""
    site, form = site_of(request), await forms.read(request)
    quotas.use(site, form.sender.account.id, "action")
    try:
        await site.db.write(reader_actions.follow_tag, form.sender.account.id, form.line("tag"))
    except Invalid as error:
        form.errors["tag"] = error.sentence(form.language)
        return await _show_hashtags(request, form)
    return back(request, "/stream/hashtags", "tag-followed")


def _tagged(tx: Tx, user: CurrentUser, window: Window) -> TagStream:
    viewer = user.account.id
    names = [name for _, name in tags.followed(tx, viewer, Window(limit=MOST_SHOWN))]
    if not names:
        return TagStream(names=(), items=())
    wanted = TagFilter(tag=key(names[0]), either=[key(name) for name in names])
    return TagStream(names=names, items=timelines.whole(tx, timelines.tagged(tx, viewer, wanted, window), viewer))


def _mark_tag(action: Callable[[Tx, int, str], None], message: str) -> Handler:
    async def pressed(request: Request) -> Response:
        site, form = site_of(request), await forms.read(request)
        quotas.use(site, form.sender.account.id, "action")
        await site.db.write(action, form.sender.account.id, request.path_params["name"])
        return back(request, forms.own_path(form.line("next", 2000)), message)

    return page(pressed)


async def all_lists(request: Request) -> Response:
    """The account's lists, and a field to make another."""
    return await _show_lists(request, Form.empty())


async def _show_lists(request: Request, form: Form) -> Response:
    found = await ask_as(request, lambda tx, user: lists.of_account(tx, user.account.id))
    return render(request, "lists.html", form.status, lists=found, title=form.text("title"), errors=form.errors)


async def add_list(request: Request) -> Response:
    """Make a list."""
    site, form = site_of(request), await forms.read(request)
    try:
        made = await site.db.write(reader_actions.add_list, form.sender.account.id, form.line("title", 1000))
    except Invalid as error:
        form.refuse(error)
        return await _show_lists(request, form)
    return back(request, f"/stream/lists/{made}")


async def one_list(request: Request) -> Response:
    """The posts of a list's members, who they are, and what one may change."""
    return await _show_list(request, Form.empty())


async def _show_list(request: Request, form: Form) -> Response:
    found = await ask_as(request, _listed, request.path_params["n"], paging.window(request, SIZE))
    items = paging.page(request, found.items, SIZE, lambda item: item.id)
    return render(
        request,
        "list.html",
        form.status,
        context="home",
        headers=form.headers,
        list=found.list,
        members=found.members,
        items=items,
        replies=lists.REPLIES,
        who=form.text("who"),
        errors=form.errors,
    )


def _listed(tx: Tx, user: CurrentUser, number: int, window: Window) -> ListStream:
    viewer, found = user.account.id, reader_actions.own_list(tx, user.account.id, number)
    listed = timelines.of_list(tx, viewer, number, found.replies, window)
    members = lists.members(tx, number, Window(limit=MOST_SHOWN))
    return ListStream(list=found, members=members, items=timelines.whole(tx, listed, viewer))


async def change_list(request: Request) -> Response:
    """Do to a list what the button says: rename it, delete it, put somebody in, or take somebody out."""
    site, form = site_of(request), await forms.read(request)
    account, number = form.sender.account.id, request.path_params["n"]
    does = form.choice("do", ("save", "delete", "add", "drop"))
    try:
        if does == "delete":
            await site.db.write(reader_actions.remove_list, account, number)
            return back(request, "/stream/lists", "list-deleted")
        if does == "save":
            title, replies = form.line("title", 1000), form.choice("replies", lists.REPLIES)
            exclusive = form.flag("exclusive")
            await site.db.write(reader_actions.change_list, account, number, title, replies, exclusive=exclusive)
        elif does == "add":
            await site.db.write(_put_in, account, number, form.line("who"))
        else:
            await site.db.write(reader_actions.drop_from_list, account, number, form.numbers("account"))
    except Invalid as error:
        form.refuse(error)
    if form.errors:
        return await _show_list(request, form)
    return back(request, f"/stream/lists/{number}", "list-saved")


def _put_in(tx: Tx, account: int, number: int, name: str) -> None:
    """Put in whom a handle, the beginning of one or an address names: one of those whom the account follows."""
    found = account_search.people(tx, name, account, limit=1, following=True)
    if not found:
        raise Invalid("who", "lists.not-followed")
    reader_actions.put_in_list(tx, account, number, [found[0].id])


ROUTES = [
    Route("/stream/local", page(_timeline("local", _local))),
    Route("/stream/likes", page(_timeline("likes", timelines.liked))),
    Route("/bookmarks", page(_timeline("bookmarks", timelines.bookmarked))),
    Route("/stream/hashtags", page(hashtags), methods=["GET"]),
    Route("/stream/hashtags", page(follow_hashtag), methods=["POST"]),
    Route("/tags/{name}/follow", _mark_tag(reader_actions.follow_tag, "tag-followed"), methods=["POST"]),
    Route("/tags/{name}/unfollow", _mark_tag(tags.unfollow, "tag-unfollowed"), methods=["POST"]),
    Route("/stream/lists", page(all_lists), methods=["GET"]),
    Route("/stream/lists", page(add_list), methods=["POST"]),
    Route("/stream/lists/{n:number}", page(one_list), methods=["GET"]),
    Route("/stream/lists/{n:number}", page(change_list), methods=["POST"]),
]
