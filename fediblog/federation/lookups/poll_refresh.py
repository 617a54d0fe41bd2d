"""The totals of a poll of another server, as its origin tells them now."""

from __future__ import annotations

from contextlib import suppress

from fediblog.domain.documents import Note
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import resolve
from fediblog.federation.lookups.cleaning import clean_apart
from fediblog.federation.lookups.fetch_budget import FETCHES, Budget
from fediblog.federation.site import Site
from fediblog.inbox import post_handlers
from fediblog.inbox.handler import Facts
from fediblog.prepare import note_cleaner
from fediblog.store.posts import posts
from fediblog.store.tx import Tx


async def refresh(site: Site, number: int) -> None:
    """Fetch a poll elsewhere again, by the number of its post; where that fails the stored totals stay."""
    post = await site.db.read(posts.stored, number)
    if post is None or post.local or post.poll is None:
        return
    with suppress(Refused, Unavailable):
        note, author = await resolve.note(site, post.uri, Budget(FETCHES, post.uri), fresh=True)
        if note.uri == post.uri:
            clean = await clean_apart(note_cleaner.harmless, note, note_cleaner.size(note))
            await site.db.write(_take_in, site.urls, note, Facts(actor=author, cleaned=((note, clean),)))


def _take_in(tx: Tx, urls: Urls, note: Note, facts: Facts) -> None:
    tx.hold(facts.actor.id)
    post_handlers.take_in(tx, urls, note, facts)
