"""Stored files: uploaded pictures, served as what they are and nothing else; and our own style sheets and scripts."""

from __future__ import annotations

from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from fediblog.errors import NotFound
from fediblog.media.formats import MEDIA_TYPES
from fediblog.web.negotiation import site_of

_FOR_EVER = "public, max-age=31536000, immutable"
_MEDIA_HEADERS = {
    "Cache-Control": _FOR_EVER,
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def media(request: Request) -> Response:
    """An uploaded picture; its type follows from the ending that we gave it, never by who uploaded it."""
    name: str = request.path_params["name"]
    path = site_of(request).files.path(name)
    kind = MEDIA_TYPES.get(PurePath(name).suffix)
    if kind is None or not path.is_file():
        raise NotFound
    return FileResponse(path, media_type=kind, headers=_MEDIA_HEADERS)


class StaticAssets(StaticFiles):
    """Style sheets, scripts and icons: their address changes with their content, so browsers keep them for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with the header that lets caches keep it for ever."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _FOR_EVER
        return response


ROUTES: list[BaseRoute] = [
    Route("/media/{name:path}", media),
    Mount("/static", StaticAssets(packages=[("fediblog.web", "static")])),
]
