"""Deleting a post; what an account deleted, for itself alone: to read it, to make a draft of it, to end it for good."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import post_actions, trash_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.posts import Post
from fediblog.errors import NotFound
from fediblog.federation import deleted_posts
from fediblog.store.id_paging import Window
from fediblog.store.people import post_preferences
from fediblog.store.posts import categories, posts
from fediblog.store.posts.media_files import Upload
from fediblog.store.readers import trash
from fediblog.store.readers.trash import Trashed
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.render import back, render
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 20  # of what was deleted, on a page
PATH = "/trash"


class DeletedPost(Struct, frozen=True):
    """What was deleted, as it was handed in, with its pictures and the names under which it was filed."""

    kept: Trashed
    draft: Draft
    pictures: Sequence[Upload]
    filed: Sequence[str]


async def delete_page(request: Request) -> Response:
    """The page that asks whether to delete a post."""
    post, keeps = await ask_as(request, _to_delete, request.path_params["n"])
    return render(request, "delete.html", post=post, keeps=keeps, late=False)


def _to_delete(tx: Tx, user: CurrentUser, number: int) -> tuple[Post, bool]:
    post = posts.get(tx, number, user.account.id)
    if post is None or post.account.id != user.account.id:
        raise NotFound
    return post, post_preferences.defaults(tx, user.account.id).trash


async def delete(request: Request) -> Response:
    """Delete a post of one's own."""
    site, form = site_of(request), await forms.read(request)
    account, number = form.sender.account, request.path_params["n"]
    if form.flag("for-good"):
        await site.db.write(post_actions.delete, site.urls, account.id, number)
    else:
        await deleted_posts.delete(site, account.id, number)
    return back(request, f"/@{account.handle}", "deleted")


async def listed(request: Request) -> Response:
    """What the account deleted, the newest first."""
    window = paging.window(request, SIZE)
    keeps, found = await ask_as(request, _listed, window)
    return render(
        request,
        "trash.html",
        keeps=keeps,
        trashed=paging.page(request, found, SIZE, lambda each: each.id),
        days=trash.KEPT // trash.DAY,
    )


def _listed(tx: Tx, user: CurrentUser, window: Window) -> tuple[bool, list[Trashed]]:
    account = user.account.id
    return post_preferences.defaults(tx, account).trash, trash.listed(tx, account, window)


async def shown(request: Request) -> Response:
    """All that was written of one."""
    return render(request, "trashed.html", post=await ask_as(request, _shown, request.path_params["n"]))


def _shown(tx: Tx, user: CurrentUser, number: int) -> DeletedPost:
    kept = trash.get(tx, user.account.id, number)
    if kept is None:
        raise NotFound
    draft, tree = trash_actions.written(kept), categories.tree(tx)
    filed = [found.name for each in draft.categories or () if (found := tree.get(each)) is not None]
    return DeletedPost(kept, draft, trash.pictures(tx, number), filed)


async def restore(request: Request) -> Response:
    """Make a new draft of it."""
    site, form = site_of(request), await forms.read(request)
    post = await deleted_posts.restore(site, form.sender.account.id, request.path_params["n"])
    return back(request, f"/write/{post.id}", "restored")


async def remove(request: Request) -> Response:
    """Delete it for good."""
    site, form = site_of(request), await forms.read(request)
    await deleted_posts.remove(site, form.sender.account.id, request.path_params["n"])
    return back(request, PATH, "removed-for-good")


async def empty(request: Request) -> Response:
    """Delete all of it for good."""
    site, form = site_of(request), await forms.read(request)
    if not form.flag("sure"):
        return back(request, PATH, "trash-sure")
    await deleted_posts.remove(site, form.sender.account.id)
    return back(request, PATH, "trash-emptied")


ROUTES = [
    Route("/post/{n:number}/delete", page(delete_page), methods=["GET"]),
    Route("/post/{n:number}/delete", page(delete), methods=["POST"]),
    Route(PATH, page(listed), methods=["GET"]),
    Route(f"{PATH}/empty", page(empty), methods=["POST"]),
    Route(f"{PATH}/{{n:number}}", page(shown), methods=["GET"]),
    Route(f"{PATH}/{{n:number}}/restore", page(restore), methods=["POST"]),
    Route(f"{PATH}/{{n:number}}/delete", page(remove), methods=["POST"]),
]
