"""Decodes what strangers sent: at once if it is short, else in a thread and one at a time, so that nobody waits for it.

A thread shares the interpreter with everything else: a second one at once would keep others waiting twice as long.
"""

from __future__ import annotations

import asyncio

from fediblog.domain.documents import Json
from fediblog.federation.site import Site
from fediblog.protocol.contexts import refuse_tricks
from fediblog.protocol.jsontext import LIMIT, decode_object

LONG = 50_000  # bytes
MANY = 2_000  # commas and opened brackets: as many values take some milliseconds, however short they are


class Turns:
    """Whose turn it is at one site."""

    def __init__(self, _site: Site) -> None:
        self.lock = asyncio.Lock()


def is_long(body: bytes) -> bool:
    """Whether others would notice that this is decoded."""
    if len(body) <= 2 * MANY:
        return False
    return len(body) > LONG or body.count(b",") + body.count(b"[") + body.count(b"{") > MANY


async def decoded(site: Site, body: bytes, limit: int = LIMIT) -> dict[str, Json]:
    """The object in a body of at most `limit` bytes; Refused as by `decode_object`."""
    if len(body) > limit or not is_long(body):
        return decode_object(body, limit=limit)
    async with site.keep(Turns).lock:
        return await asyncio.to_thread(decode_object, body)


async def document_in(site: Site, body: bytes) -> dict[str, Json]:
    """The document in a body, which is read as plain JSON; Refused for JSON-LD that says something else."""
    if not is_long(body):
        return plain_document(body)
    async with site.keep(Turns).lock:
        return await asyncio.to_thread(plain_document, body)


def plain_document(body: bytes) -> dict[str, Json]:
    """As `document_in`, of what is short."""
    document = decode_object(body)
    refuse_tricks(document)
    return document
