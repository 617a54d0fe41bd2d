"""Tokens by which the log-in pages, and no others, know a browser for some minutes; the database has their hashes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from fediblog.web import cookies
from fediblog.web.known_devices import PATH
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import hashed

_PREFIX = "__Secure-"
_LONGEST = 100  # characters


def put(request: Request, response: Response, name: str, token: str, lasts: int) -> None:
    """Give the browser the token of that name for so many ms."""
    site = site_of(request)
    cookie = cookies.name_of(site, name, _PREFIX)
    cookies.put(site, response, cookie, token, seconds=lasts // 1000, path=PATH, samesite="strict")


def hash_of(request: Request, name: str) -> str:
    """The hash of the token of that name that the browser has; that of nothing if it has none."""
    return hashed(request.cookies.get(cookies.name_of(site_of(request), name, _PREFIX), "")[:_LONGEST])


def drop(request: Request, response: Response, name: str) -> None:
    """Take the token of that name from the browser."""
    site = site_of(request)
    cookies.drop(site, response, cookies.name_of(site, name, _PREFIX), path=PATH, samesite="strict")
