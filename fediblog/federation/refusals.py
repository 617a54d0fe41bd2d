"""What is answered to those whose activity is not taken, and the note that is kept of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fediblog import log
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.store import moderation
from fediblog.store.accounts import host_of

PAUSE = 300  # seconds that we ask others to wait, where nothing better is known
# Whose signature fails hears 401, whatever failed: then the other signature scheme is tried (RFC 9421 against cavage).
_UNSIGNED = ("signature-", "digest-", "host-not-ours", "key-", "signer-is-not-actor")
_STATUS = {"too-large": 413, "content-encoding": 415, "content-type": 415, "not-utf8": 400, "not-an-activity": 400}
_MALFORMED = ("json-", "jsonld-")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a delivery: an HTTP status and a short text; `reason` is for the log. `retry_after` in seconds."""

    status: int
    message: str = ""
    reason: str = ""
    retry_after: int | None = None


ACCEPTED = Receipt(202)


def receipt_for(refusal: Refused) -> Receipt:
    """The answer to what cannot be taken."""
    reason = refusal.reason
    if reason.startswith(_MALFORMED):
        status = 400
    elif reason.startswith(_UNSIGNED):
        status = 401
    else:
        status = _STATUS.get(reason, 403)
    return Receipt(status, refusal.message, reason)


def later(trouble: Unavailable) -> Receipt:
    """The answer to what cannot be taken now."""
    wait = PAUSE if trouble.delay is None else max(1, min(int(trouble.delay), 86_400))
    return Receipt(503, "Try again later.", trouble.reason, wait)


async def note(site: Site, refusal: Refused, actor: str = "", kind: str = "") -> None:
    """Log a refusal and keep it for the owner to look at; not to be able to keep it is no reason to fail."""
    host = host_of(actor)
    log.event("inbox.refused", logging.INFO, host=host, actor=actor, kind=kind, reason=refusal.reason)
    try:
        await site.db.write(moderation.refused, host, actor, kind, refusal.reason, refusal.detail)
    except Unavailable as trouble:
        log.event("refusal.lost", logging.WARNING, reason=trouble.reason)
