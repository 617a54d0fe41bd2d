"""What our cookies are called, and how they are sent."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from starlette.responses import Response

from fediblog.federation.site import Site


def name_of(site: Site, word: str, prefix: str = "") -> str:
    """The name of a cookie; over https with the prefix, by which browsers refuse one that somebody else has set.

    Browsers keep one for all ports of a host (RFC 6265 §8.5): it has the port in its name, unless that is the default,
    so that two servers on one host do not overwrite each other's.
    """
    port = urlsplit(site.urls.origin).port
    return f"{prefix if is_secure(site) else ''}{word}{f'-{port}' if port else ''}"


def is_secure(site: Site) -> bool:
    """Whether the site is reached by https."""
    return site.urls.origin.startswith("https://")


def put(
    site: Site,
    response: Response,
    name: str,
    value: str,
    *,
    seconds: int,
    path: str = "/",
    samesite: Literal["lax", "strict"] = "lax",
) -> None:
    """Give the browser a cookie that no script can read, for pages below the path."""
    response.set_cookie(
        name, value, max_age=seconds, path=path, secure=is_secure(site), httponly=True, samesite=samesite
    )


def drop(
    site: Site, response: Response, name: str, *, path: str = "/", samesite: Literal["lax", "strict"] = "lax"
) -> None:
    """Take from the browser a cookie that `put` gave it."""
    response.delete_cookie(name, path=path, secure=is_secure(site), httponly=True, samesite=samesite)
