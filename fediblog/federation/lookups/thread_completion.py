"""Threads made whole in the background: what a post answers, and the answers that were never delivered here."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Collection, Note
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, Unavailable
from fediblog.federation.lookups import document_fetch, resolve
from fediblog.federation.lookups.cleaning import clean_apart
from fediblog.federation.lookups.fetch_budget import FETCHES, Budget, for_thread
from fediblog.federation.site import Site
from fediblog.prepare import note_cleaner
from fediblog.prepare.cleaned import CleanNote
from fediblog.protocol import json_values
from fediblog.protocol.authority import same_origin
from fediblog.protocol.collections import read_collection
from fediblog.store.people import relations
from fediblog.store.posts import adoption, post_writing, posts, thread_links, threads
from fediblog.store.queues import background_fetches
from fediblog.store.tx import Tx

PAGES = 5  # of one collection
NOTES = 200  # of one thread
AUTHORS = 40  # fetches beside those of the notes, for authors who are new here


async def complete(site: Site, number: int) -> None:
    """Fetch the missing posts above a post, and the answers below it if it is part of a thread of ours."""
    post = await site.db.read(posts.stored, number)
    if post is None or post.local or post.state != "published":
        return
    budget = for_thread(site, post.root or post.id, NOTES + AUTHORS, post.uri)
    if post.in_reply_to and post.parent is None and not await site.db.write(_join, number):
        await resolve.climb(site, post.in_reply_to, resolve.DEPTH, budget.part(FETCHES))
    if await site.db.write(_begin, number):
        await _complete_below(site, post, budget)


def _join(tx: Tx, number: int) -> bool:
    """Whether the post above is here: of two that came at one moment PostgreSQL lets neither see the other."""
    post = posts.stored(tx, number)
    waits = post is not None and post.parent is None
    above = thread_links.tie(tx, post.in_reply_to, post.account.id) if post is not None and waits else None
    parent = posts.stored(tx, above.id) if above is not None else None
    if parent is not None:
        adoption.adopt(tx, parent.id, parent.root or parent.id, parent)
    return parent is not None


def _begin(tx: Tx, number: int) -> bool:
    """Whether this round is due, and the thread is not long already, and somebody here has to do with it.

    So it is if it is ours, if our people wrote in it, and if one of them follows who began it.
    """
    post = posts.stored(tx, number)
    if post is None or not background_fetches.threads_due(tx, (number,)):
        return False
    if post.root is not None and posts.is_long(tx, post.root, threads.THREAD_LIMIT):
        return False
    post_writing.set_completed(tx, number)
    root = posts.stored(tx, post.root) if post.root is not None else post
    if root is None:
        return posts.answered_here(tx, number)
    return root.local or posts.answered_here(tx, root.id) or relations.followed_here(tx, root.account.id)


async def _complete_below(site: Site, post: Post, budget: Budget) -> None:
    uris: list[str] = []
    for collection in dict.fromkeys((post.replies, post.context)):
        if collection and same_origin(collection, post.uri) and not site.urls.owns(collection):
            with suppress(Refused, Unavailable):
                uris += await _ids_in(site, collection, budget.part(PAGES + 1))
    await _take_in(site, dict.fromkeys(uris), budget)


async def _ids_in(site: Site, uri: str, budget: Budget) -> list[str]:
    """Ids in a collection, page by page. What stands there is never believed, only asked for at its own origin."""
    seen, found = {uri}, dict[str, None]()
    page = await page_at(site, uri, budget)
    while page is not None and len(found) < NOTES:
        found.update(dict.fromkeys(filter(None, map(json_values.ref, page.items))))
        following = page.first or page.next
        address = json_values.ref(following)
        if isinstance(following, dict) and (inside := read_collection(following)) is not None:
            page = None if address in seen else inside
        else:
            page = await page_at(site, address, budget) if _goes_on(address, uri, seen) else None
        seen.add(address)
    return list(found)[:NOTES]


def _goes_on(address: str, collection: str, seen: set[str]) -> bool:
    """Whether the next page is another one, of the collection's origin: some servers link their pages in a circle."""
    return bool(address) and address not in seen and same_origin(address, collection)


async def page_at(site: Site, uri: str, budget: Budget) -> Collection | None:
    """A collection or a page of one, None if it cannot be had; nothing in it is believed."""
    with suppress(Refused, Unavailable):
        return read_collection(await document_fetch.read(site, await document_fetch.fetch(site, uri, budget)))
    return None


async def _take_in(site: Site, uris: Iterable[str], budget: Budget) -> None:
    """Fetch each post that is not here from its own origin, and keep those that hang on one that is."""
    known = await site.db.read(posts.known, list(uris))
    loose: list[tuple[Note, Account]] = []
    for uri in uris:
        if uri not in known and not site.urls.owns(uri) and budget.left > 0:
            with suppress(Refused, Unavailable):
                loose.append(await resolve.note(site, uri, budget))
    hung = True
    while hung and loose:
        left = [each for each in loose if not await _hang(site, *each)]
        hung, loose = len(left) < len(loose), left


async def _hang(site: Site, note: Note, author: Account) -> bool:
    """Store an answer, True also where it is refused; False if the post that it answers is not stored yet."""
    with suppress(Refused):
        clean = await clean_apart(note_cleaner.harmless, note, note_cleaner.size(note))
        return await site.db.write(_store_answer, site.urls, note, author.id, clean)
    return True


def _store_answer(tx: Tx, urls: Urls, note: Note, author: int, clean: CleanNote) -> bool:
    if thread_links.tie(tx, note.in_reply_to, author) is None:
        return False
    resolve.store(tx, urls, note, author, clean)
    return True
