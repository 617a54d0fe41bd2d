"""The one table from an error to the HTTP status of its answer.

The same error is answered by three kinds of status: browsers and servers that fetch get what HTTP means by it, apps
what Mastodon's own API sends, and a server that delivers to an inbox what tells it whether to sign anew or to give up.
"""

from __future__ import annotations

from typing import NamedTuple

from fediblog.errors import (
    FediblogError,
    Forbidden,
    Gone,
    Invalid,
    Misuse,
    NotFound,
    Refused,
    TooOften,
    Unavailable,
)


class Status(NamedTuple):
    """HTTP statuses of one error: of a page or document, of the API, of a delivery to an inbox."""

    page: int
    api: int
    inbox: int


_OF_CLASS: dict[type[FediblogError], Status] = {
    Refused: Status(400, 422, 403),
    NotFound: Status(404, 404, 403),
    Gone: Status(410, 404, 403),
    Forbidden: Status(403, 403, 403),
    Invalid: Status(422, 422, 403),
    TooOften: Status(429, 429, 403),
    Unavailable: Status(503, 503, 503),
    Misuse: Status(400, 422, 503),
}
# Reasons that say more than the class of their error.
_OF_REASON = {
    "token-invalid": Status(400, 401, 403),
    "too-large": Status(413, 413, 413),
    "too-slow": Status(408, 422, 403),
    "blocked": Status(403, 422, 403),
    "bad-json": Status(400, 400, 403),
    "bad-form": Status(400, 400, 403),
    "content-encoding": Status(400, 422, 415),
    "content-type": Status(400, 422, 415),
    "not-utf8": Status(400, 422, 400),
    "not-an-activity": Status(400, 422, 400),
    "signer-is-not-actor": Status(400, 422, 401),
    "oembed-format": Status(501, 501, 403),
    "host-not-ours": Status(401, 422, 401),
}
# Whose signature fails hears 401, whatever failed: then the other signature scheme is tried (RFC 9421 against cavage).
_OF_REASONS_WITH = {
    "signature-": Status(401, 422, 401),
    "digest-": Status(401, 422, 401),
    "key-": Status(400, 422, 401),
    "json-": Status(400, 422, 400),
    "jsonld-": Status(400, 422, 400),
}


def status_of(error: FediblogError) -> Status:
    """By the reason of what was refused, else by the nearest class in the table."""
    if isinstance(error, Refused):
        found = _OF_REASON.get(error.reason) or _OF_REASONS_WITH.get(f"{error.reason.partition('-')[0]}-")
        if found is not None:
            return found
    return next((_OF_CLASS[kind] for kind in type(error).__mro__ if kind in _OF_CLASS), _OF_CLASS[Misuse])
