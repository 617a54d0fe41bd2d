"""The pictures that an account has uploaded: to see where each is used, to describe it, to put it into a text again."""

from __future__ import annotations

import asyncio

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fediblog.domain.posts import Post
from fediblog.errors import NotFound
from fediblog.federation.site import Site
from fediblog.store.id_paging import Window
from fediblog.store.posts import media_files, posts
from fediblog.store.posts.media_files import Upload
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.pages import post_form
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 24  # pictures on a page
ALT = 1_500  # characters


class UsedPicture(Struct, frozen=True):
    """An upload and the posts of its account that show it; `used` also if something else does, such as the profile."""

    upload: Upload
    posts: tuple[Post, ...]
    used: bool


async def library(request: Request) -> Response:
    """The pictures of the account, the newest first."""
    window = paging.window(request, SIZE)
    found = await ask_as(request, _library, window)
    return render(request, "library.html", pictures=paging.page(request, found, SIZE, lambda each: each.upload.id))


def _library(tx: Tx, user: CurrentUser, window: Window) -> list[UsedPicture]:
    account = user.account.id
    uploads = media_files.listed(tx, account, before=window.before, limit=window.limit)
    uses = media_files.uses(tx, account, uploads)
    shown = posts.many(tx, {number for numbers in uses.values() for number in numbers}, account)
    return [
        UsedPicture(each, tuple(shown[n] for n in uses[each.id] if n in shown), bool(uses[each.id]) or _used(tx, each))
        for each in uploads
    ]


def _used(tx: Tx, upload: Upload) -> bool:
    return media_files.is_shown(tx, upload) or media_files.is_being_written(tx, upload)


async def add(request: Request) -> Response:
    """Take in a picture for a text that is being written: its address, and the Markdown that shows it."""
    site, form = site_of(request), await forms.read(request)
    chosen = form.files("upload")[:1]
    upload = await post_form.stored_upload(site, form, "upload", chosen[0]) if chosen else None
    if upload is None:
        error = form.errors.get("upload", "")
        return JSONResponse({"error": error}, form.status if error else 422, {**form.headers, "Cache-Control": PRIVATE})
    path = f"/media/{upload.file}"
    return JSONResponse({"id": str(upload.id), "path": path}, headers={"Cache-Control": PRIVATE})


async def describe(request: Request) -> Response:
    """Keep a description of a picture, for the next text that shows it."""
    site, form = site_of(request), await forms.read(request)
    await site.db.write(_describe, form.sender.account.id, request.path_params["n"], form)
    return back(request, "/write/pictures", "described")


def _describe(tx: Tx, account: int, number: int, form: Form) -> None:
    upload = _own(tx, account, number)
    media_files.describe(tx, number, form.line("alt", ALT), upload.focus)


async def remove(request: Request) -> Response:
    """Delete a picture that nothing shows."""
    site, form = site_of(request), await forms.read(request)
    gone = await site.db.write(_remove, form.sender.account.id, request.path_params["n"])
    if gone is None:
        return back(request, "/write/pictures", "picture-used")
    await asyncio.to_thread(_forget, site, gone)
    return back(request, "/write/pictures", "picture-deleted")


def _remove(tx: Tx, account: int, number: int) -> Upload | None:
    """Remove the row, unless it is used; its files go after the commit."""
    tx.hold(number)
    upload = _own(tx, account, number)
    if media_files.uses(tx, account, [upload])[number] or _used(tx, upload):
        return None
    media_files.remove(tx, number)
    return upload


def _forget(site: Site, upload: Upload) -> None:
    for name in {upload.file, upload.large, upload.small} - {""}:
        site.files.remove(name)


def _own(tx: Tx, account: int, number: int) -> Upload:
    upload = media_files.get(tx, number, account)
    if upload is None:
        raise NotFound
    return upload


ROUTES = [
    Route("/write/pictures", page(library), methods=["GET"]),
    Route("/write/picture", page(add), methods=["POST"]),
    Route("/write/pictures/{n:number}", page(describe), methods=["POST"]),
    Route("/write/pictures/{n:number}/delete", page(remove), methods=["POST"]),
]
