"""Stored files: uploaded pictures and copies of other servers' files, as what they are; our own styles and scripts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePath
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from fediblog.errors import NotFound
from fediblog.federation.site import Site
from fediblog.media.formats import MEDIA_TYPES, PLAYED
from fediblog.media.placeholder import CLEAR, blurred
from fediblog.memory import Memory
from fediblog.store.posts import remote_media
from fediblog.store.posts.remote_media import Copy, RemotePicture
from fediblog.store.tx import Tx
from fediblog.web import path_convertors
from fediblog.web.negotiation import site_of

PATIENCE: Final = 3.0
"""Seconds that somebody who looks at a picture first waits for it."""
PATIENCE_OF_PLAYED: Final = 20.0
"""The same for whoever pressed the button of a player."""
LOOK: Final = 0.5
"""Seconds after which it is asked whether another process has made the copy, where that cannot notify us."""
MOST_WAITING: Final = 200
"""Requests that wait at a time; others get what stands in the picture's place."""
IN_VAIN: Final = 60_000
"""ms in which nobody waits for a host for which somebody waited in vain."""

_FOR_EVER = "public, max-age=31536000, immutable"
_MEDIA_HEADERS = {
    "Cache-Control": _FOR_EVER,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


_KEPT_COPY = {**_MEDIA_HEADERS, "Cache-Control": "private, max-age=604800, immutable"}
_IN_ITS_PLACE = {**_MEDIA_HEADERS, "Cache-Control": "private, no-store"}


async def media(request: Request) -> Response:
    """An uploaded picture; its type follows from the ending that we gave it, never by who uploaded it."""
    name: str = request.path_params["name"]
    path = site_of(request).files.path(name)
    kind = MEDIA_TYPES.get(PurePath(name).suffix)
    if kind is None or not path.is_file():
        raise NotFound
    return FileResponse(path, media_type=kind, headers=_MEDIA_HEADERS)


async def copy(request: Request) -> Response:
    """The copy of a picture or file that an account or a post shows which is known here; nothing else is fetched.

    Where there is none yet the worker is asked for it, and what stands in its place is answered if that takes long.
    """
    site, owner, mark = site_of(request), request.path_params["owner"], request.path_params["mark"]
    mark, _, size = mark.partition(".")
    found = await site.db.read(_found, site, owner, mark)
    if found is None:
        raise NotFound
    return await _copy(site, owner, *found, size)


async def emoji_copy(request: Request) -> Response:
    """The copy of the picture of a custom emoji, as it is shown here in text: its address is one that we have made."""
    site, mark, encoded = site_of(request), request.path_params["mark"], request.path_params["encoded"]
    url = site.urls.copied_emoji(mark, encoded)
    found = None if url is None else await site.db.read(_found_emoji, url)
    if found is None:
        raise NotFound
    return await _copy(site, remote_media.EMOJI, *found)


async def _copy(site: Site, owner: str, picture: RemotePicture, known: Copy | None, size: str = "") -> Response:
    path = _path(site, known, size)
    if path is None and (known is None or known.state != "failed" or known.due <= site.clock()):
        known = await site.keep(Waiting).copy(picture, owner)
        path = _path(site, known, size)
    if path is None or known is None:
        return _in_its_place(picture, known)
    if known.used < site.clock() - remote_media.UNUSED:
        await site.write_aside(remote_media.used, known.id, owner)
    return FileResponse(path, media_type={**MEDIA_TYPES, **PLAYED}[path.suffix], headers=_KEPT_COPY)


def _found(tx: Tx, site: Site, owner: str, mark: str) -> tuple[RemotePicture, Copy | None] | None:
    for each in remote_media.shown_by(tx, owner):
        if site.urls.is_copy(mark, owner, each.url):
            return each, remote_media.get(tx, each.url, each.shape)
    return None


def _found_emoji(tx: Tx, url: str) -> tuple[RemotePicture, Copy | None] | None:
    if not remote_media.shown_among(tx, remote_media.EMOJI, {url}):
        return None
    return RemotePicture(url, "emoji"), remote_media.get(tx, url, "emoji")


def _path(site: Site, known: Copy | None, size: str) -> Path | None:
    if known is None or known.state != "kept":
        return None
    path = site.copies.path((known.small if size else "") or known.file)
    return path if path.is_file() else None


def _in_its_place(picture: RemotePicture, known: Copy | None) -> Response:
    failed = known is not None and known.state == "failed"
    if picture.shape in ("emoji", "played") or (picture.shape == "remote" and failed):  # then its description is shown
        return Response(status_code=404, headers=_IN_ITS_PLACE)
    body = _nobody() if picture.shape == "avatar" else blurred(picture.blurhash) if picture.blurhash else CLEAR
    return Response(body, media_type="image/png", headers=_IN_ITS_PLACE)


@cache
def _nobody() -> bytes:
    return files("fediblog.web").joinpath("static", "avatar.png").read_bytes()


class Waiting:
    """Requests that wait for a copy that the worker makes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._number = 0
        self._made = asyncio.Event()
        self._in_vain: Memory[str, bool] = Memory(1000)  # hosts
        site.db.listen(remote_media.CHANNEL, self._wake)

    def _wake(self) -> None:
        made, self._made = self._made, asyncio.Event()
        made.set()

    async def copy(self, picture: RemotePicture, owner: str) -> Copy | None:
        """Ask for a copy and wait a while for it; what is known of it then."""
        site, host = self._site, urlsplit(picture.url).netloc
        await site.write_aside(remote_media.want, picture.url, picture.shape, owner)
        if self._number >= MOST_WAITING or self._in_vain.get(host, site.clock() - IN_VAIN):
            return None
        self._number += 1
        try:
            async with asyncio.timeout(PATIENCE_OF_PLAYED if picture.shape == "played" else PATIENCE):
                while True:
                    made = self._made
                    known = await site.db.read(remote_media.get, picture.url, picture.shape)
                    if known is None or known.state != "wanted":
                        return known
                    with suppress(TimeoutError):
                        await asyncio.wait_for(made.wait(), LOOK)
        except TimeoutError:
            self._in_vain.put(host, True, site.clock())
            return None
        finally:
            self._number -= 1


class StaticAssets(StaticFiles):
    """Style sheets, scripts and icons: their address changes with their content, so browsers keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with the header that lets caches keep it for ever."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOR_EVER
        return response


path_convertors.register()

ROUTES: list[BaseRoute] = [
    Route("/media/remote/{owner:owner}/{mark:mark}", copy),
    Route("/media/emoji/{mark:mark}/{encoded:encoded}", emoji_copy),
    Route("/media/{name:path}", media),
    Mount("/static", StaticAssets(packages=[("fediblog.web", "static")])),
]
