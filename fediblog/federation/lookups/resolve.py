"""Resolves an id, a handle or an address to the stored account or post, fetched from its origin where needed."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from html import unescape

from msgspec.structs import replace

from fediblog import inbox
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor, Collection, Key, Note
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Gone, NotFound, Refused, Unavailable
from fediblog.federation.lookups import document_fetch, handles
from fediblog.federation.lookups.cleaning import clean_apart
from fediblog.federation.lookups.document_fetch import Document
from fediblog.federation.lookups.fetch_budget import Budget
from fediblog.federation.site import Site
from fediblog.markup.tokens import Open, tokenise
from fediblog.net import Response
from fediblog.prepare import actor_cleaner, note_cleaner
from fediblog.prepare.cleaned import CleanActor, CleanNote
from fediblog.protocol import json_values
from fediblog.protocol.actors import key_uris, read_actor, read_key
from fediblog.protocol.authority import key_is_owned, same_origin
from fediblog.protocol.collections import read_collection
from fediblog.protocol.keys import PublicKey, load_multibase, load_public
from fediblog.protocol.link_relations import alternate_in, is_alternate, joined
from fediblog.protocol.negotiate import is_activity_type
from fediblog.protocol.notes import is_bare, read_note
from fediblog.protocol.webfinger import parse_handle
from fediblog.store.people import accounts
from fediblog.store.people.accounts import StoredKey, host_of
from fediblog.store.people.hosts import BLOCKS, blocked_among
from fediblog.store.posts import posts
from fediblog.store.queues import background_fetches
from fediblog.store.tx import Tx

_GARBLED = ("json-", "jsonld-", "not-utf8", "too-large")  # what a document is refused for before anybody looks into it
DEPTH = 20  # posts upwards
TOPIC_TRIES = 3  # posts of a forum's topic that are asked for until one of them is there


@lru_cache(maxsize=4096)
def parse_key(public: str) -> PublicKey | None:
    """A stored public key (multibase or PEM) parsed; None if that cannot be."""
    return load_multibase(public) if public[:1] in ("z", "u") and "\n" not in public else load_public(public)


async def actor(site: Site, uri: str, *, fresh: bool = False, budget: Budget | None = None) -> Account:
    """The account with exactly that id, stored or fetched; with `fresh` fetched again."""
    stored = await site.db.read(accounts.by_uri, uri)
    if site.urls.owns(uri):
        if stored is None or stored.state != "active":
            raise NotFound("account.none", uri)
        return stored
    if stored is not None and stored.state == "suspended":
        raise Refused("account-suspended", uri)
    if stored is not None and not fresh and stored.state == "active":
        return stored
    budget = budget or Budget()
    return await _keep_actor(site, await document_fetch.document(site, uri, budget, fresh=fresh), budget, stored)


async def _keep_actor(site: Site, document: Document, budget: Budget, stored: Account | None) -> Account:
    found = read_actor(document)
    if found is None:
        raise Refused("actor-invalid", str(document.get("id"))[:200])
    return await save(site, found, budget, stored)


async def save(
    site: Site, found: Actor, budget: Budget, stored: Account | None, domain: str = "", *, proven: str = ""
) -> Account:
    """Store an actor that its own origin served, under the domain for which its handle is confirmed.

    `proven` is the id of a key that has been found to be the actor's.
    """
    if same_origin(found.inbox, site.urls.origin):
        raise Refused("inbox-is-ours", found.uri)
    if not domain:
        same = stored is not None and (stored.handle, stored.webfinger) == (found.handle, found.webfinger)
        domain = stored.domain if stored is not None and same else await handles.domain_of(site, found, budget)
    clean = await clean_apart(actor_cleaner.harmless, found, actor_cleaner.size(found))
    return await site.db.write_here(store_actor, clean, domain, proven)


def store_actor(tx: Tx, found: CleanActor, domain: str, proven: str = "") -> Account:
    """Store an actor unless its server is blocked; `domain` and `proven` as `save` has them."""
    tx.hold(BLOCKS, shared=True)  # who blocks it at this moment finds the account, or this finds the block
    if blocked_among(tx, [domain, host_of(found.uri)]):
        raise Refused("host-blocked", found.uri)
    if proven:
        accounts.free_key(tx, proven, found.uri)
    return accounts.save_remote(tx, found, domain)


async def by_handle(site: Site, handle: str, *, fresh: bool = False, budget: Budget | None = None) -> Account:
    """The account that people write @user@host; the leading @ may be there or not."""
    parsed = parse_handle(handle)
    if parsed is None:
        raise Refused("handle-invalid", handle[:200])
    user, host = parsed
    ours = host in (site.urls.handle_domain, site.urls.host)
    stored = await site.db.read(accounts.by_acct, user, site.urls.handle_domain if ours else host)
    if stored is not None and (ours or not fresh) and stored.state == "active":
        return stored
    if ours:
        raise NotFound("account.none", handle)
    budget = budget or Budget()
    uri, user, domain = await handles.look_up(site, user, host, budget)
    if site.urls.owns(uri):
        return await actor(site, uri)
    found = read_actor(await document_fetch.document(site, uri, budget, fresh=fresh))
    if found is None:
        raise Refused("actor-invalid", uri)
    confirmed = domain if user.lower() == found.handle.lower() else host_of(uri)
    return await save(site, found, budget, None, confirmed)


def held_key(tx: Tx, key_id: str) -> tuple[StoredKey, Account] | None:
    """The stored key of that id and its owner; where the id is that of an actor, the first key of it."""
    return accounts.key_with_owner(tx, key_id) or key_of_actor(tx, key_id)


def key_of_actor(tx: Tx, uri: str) -> tuple[StoredKey, Account] | None:
    """The first stored key of the actor of that id, and the actor; None if there is none."""
    owner = accounts.by_uri(tx, uri) if "#" not in uri else None
    keys = accounts.with_keys(tx, owner).keys if owner is not None else ()
    return accounts.key_with_owner(tx, keys[0].uri) if keys else None


async def fetch_key(site: Site, key_id: str, budget: Budget, *, fresh: bool = False) -> tuple[PublicKey, Account]:
    """The key of that id and who owns it, from its origin. Both claim each other: the key names the actor, and the
    actor lists the key.
    """
    if not json_values.url(key_id):
        raise Refused("key-id-unreadable", key_id[:200])
    if site.urls.owns(key_id):
        raise Refused("key-is-ours", key_id)
    try:
        document, named = await document_fetch.hint(site, key_id.partition("#")[0], budget, fresh=fresh)
        claimed = read_key(document, key_id)
        owner = claimed.owner if claimed else ""
        if claimed is None or not same_origin(owner, key_id):
            raise Refused("key-unreadable", key_id)
        if not (named and json_values.url(document.get("id")) == owner and "inbox" in document):
            document = await document_fetch.document(site, owner, budget, fresh=fresh)
    except (NotFound, Gone) as missing:
        raise Refused("key-missing", key_id) from missing
    except Refused as refusal:
        if not refusal.reason.startswith(_GARBLED):
            raise
        raise Refused("key-unreadable", refusal.reason, key="refusal.key-document-unreadable") from refusal
    found = read_actor(document)
    if found is None:
        raise Refused("key-owner-invalid", key_id)
    if not key_is_owned(claimed, found, key_uris(document)):
        raise Refused("key-not-owned", key_id)
    return await _keep_key(site, claimed, found, budget)


async def _keep_key(site: Site, claimed: Key, found: Actor, budget: Budget) -> tuple[PublicKey, Account]:
    parsed = parse_key(claimed.public)
    if parsed is None:
        raise Refused("key-unusable", claimed.uri)
    if claimed.uri not in {each.uri for each in found.keys}:
        found = replace(found, keys=(*found.keys, claimed))
    stored = await site.db.read(accounts.by_uri, found.uri)
    return parsed, await save(site, found, budget, stored, proven=claimed.uri)


async def note(site: Site, uri: str, budget: Budget, *, fresh: bool = False) -> tuple[Note, Account]:
    """A post of another server as its origin serves it now, and its author; the post is not stored."""
    return await with_author(site, await document_fetch.document(site, uri, budget, fresh=fresh), budget)


async def with_author(site: Site, document: Document, budget: Budget) -> tuple[Note, Account]:
    """The post in a document that was fetched from its origin, and its author."""
    found = read_note(document)
    if found is None or is_bare(found):
        raise Refused("post-invalid", str(document.get("id"))[:200])
    return found, await actor(site, found.author, budget=budget)


async def post(site: Site, uri: str, *, depth: int = DEPTH, budget: Budget | None = None) -> Post | None:
    """The post with that id, with up to `depth` posts above it; None if it cannot be had."""
    stored = await site.db.read(posts.by_link, uri)
    if stored is not None or site.urls.owns(uri):
        return stored
    budget = budget or Budget()
    try:
        found, author = await note(site, uri, budget)
    except Refused:
        return None
    return await _keep_post(site, found, author, depth, budget)


async def keep(site: Site, document: Document, depth: int, budget: Budget) -> Post | None:
    """The post in a document that was fetched from its origin, stored, with up to `depth` posts above it."""
    found, author = await with_author(site, document, budget)
    return await _keep_post(site, found, author, depth, budget)


async def _keep_post(site: Site, found: Note, author: Account, depth: int, budget: Budget) -> Post | None:
    kept = await _store(site, found, author)
    if kept is not None:
        await climb(site, found.in_reply_to, depth, budget)
        return await site.db.read(posts.stored, kept.id)
    return None


async def _store(site: Site, found: Note, author: Account) -> Post | None:
    clean = await clean_apart(note_cleaner.harmless, found, note_cleaner.size(found))
    return await site.db.write(store, site.urls, found, author.id, clean)


def store(tx: Tx, urls: Urls, found: Note, author: int, clean: CleanNote) -> Post | None:
    """Store a post that was fetched, unless it is there already."""
    tx.hold(author)
    known = posts.by_uri(tx, found.uri)
    writer = accounts.get(tx, author)
    if known is not None or writer is None:
        return known
    return inbox.store_post(tx, urls, found, writer, boosted=True, climbed=True, clean=clean)


async def climb(site: Site, uri: str, depth: int, budget: Budget) -> None:
    """Fetch what is above a post, as far as `depth` and the budget allow."""
    seen: set[str] = set()
    with suppress(Refused, Unavailable):
        while uri and uri not in seen and len(seen) < depth and not site.urls.owns(uri):
            seen.add(uri)
            known = await site.db.read(posts.by_link, uri)
            if known is not None:
                uri = known.in_reply_to if known.parent is None else ""
                continue
            found, author = await note(site, uri, budget)
            if await _store(site, found, author) is None:
                return
            uri = found.in_reply_to


async def confirm_gone(site: Site, uri: str, *, budget: Budget | None = None) -> bool:
    """Whether the origin of an id says now that there is nothing any more (404, 410, a Tombstone)."""
    try:
        await document_fetch.document(site, uri, budget or Budget(), fresh=True)
    except (Gone, NotFound):
        return True
    except Refused:
        return False
    return False


async def anything(site: Site, text: str) -> Account | Post | None:
    """What a pasted handle or address means; None if it is nothing that can be shown.

    For an account that is new here, a job fetches what it posted before.
    """
    found = await _meant(site, text)
    if isinstance(found, Account) and not found.local:
        await site.write_aside(background_fetches.of_account, found)
    return found


async def _meant(site: Site, text: str) -> Account | Post | None:
    wanted = text.strip()
    if parse_handle(wanted) is not None:
        return await by_handle(site, wanted)
    if not json_values.url(wanted):
        return None
    known = await site.db.read(_known, wanted)
    if known is not None or site.urls.owns(wanted):
        return known
    budget = Budget()
    document = await _behind(site, wanted, budget)
    known = await site.db.read(_known, json_values.url(document.get("id")))
    if known is not None:
        return known
    if read_actor(document) is not None:
        return await _keep_actor(site, document, budget, None)
    if (topic := read_collection(document)) is not None:
        return await _thread_of(site, topic, budget)
    return await keep(site, document, DEPTH, budget)


async def _thread_of(site: Site, topic: Collection, budget: Budget) -> Post | None:
    """The post that begins the thread of which a forum's topic is the collection."""
    for uri in list(filter(None, map(json_values.ref, topic.items)))[:TOPIC_TRIES]:
        found = await post(site, uri, budget=budget)
        if found is not None:
            return await site.db.read(posts.stored, found.root) if found.root is not None else found
    return None


def _known(tx: Tx, link: str) -> Account | Post | None:
    account = accounts.by_link(tx, link)
    if account is not None:
        return account if account.state == "active" else None
    return posts.by_link(tx, link)


async def _behind(site: Site, url: str, budget: Budget) -> Document:
    """The document at an address, or the one that the page there names as its ActivityPub form."""
    answer = await document_fetch.fetch(site, url, budget, elsewhere=True)
    if is_activity_type(answer.header("content-type") or ""):
        return await document_fetch.identified(site, answer, budget)
    named = _alternate(answer)
    if not named:
        raise NotFound("search.not-fediverse", url)
    return await document_fetch.at(site, named, budget)


def _alternate(answer: Response) -> str:
    """Where the ActivityPub form is, as the header `Link` (RFC 8288) or a `<link>` of the page says."""
    for name, value in answer.headers:
        if name == "link" and (found := alternate_in(value, answer.url)):
            return found
    page = answer.body[:200_000].decode("utf-8", "replace")
    for token in tokenise(page):
        if isinstance(token, Open) and token.name == "link":
            kind, rel = unescape(token.attributes.get("type", "")), token.attributes.get("rel", "")
            if is_alternate(rel, kind):
                return joined(answer.url, unescape(token.attributes.get("href", "")))
    return ""
