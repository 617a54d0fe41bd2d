"""ActivityPub documents that other servers fetch: actors, posts, activities and collections."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Json
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Gone, NotFound
from fediblog.outgoing.own_documents import (
    actor_document,
    announce_of,
    create_of,
    outbox_entry,
    post_document,
    reaction_of,
)
from fediblog.protocol.activities import tombstone
from fediblog.protocol.collections import write_collection, write_page
from fediblog.protocol.contexts import in_context, without_context
from fediblog.protocol.negotiate import wants_activity
from fediblog.protocol.tag_array import write_emoji
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import accounts, relation_lists, relations
from fediblog.store.posts import (
    account_posts,
    custom_emoji,
    posts,
    reaction_lists,
    reactions,
    tags,
    threads,
    tombstones,
)
from fediblog.store.posts.threads import PostLink
from fediblog.store.queues.delivery_queue import is_leaving
from fediblog.store.tx import Tx
from fediblog.web import path_convertors
from fediblog.web.activitypub import authorization_routes, follower_sync_route
from fediblog.web.negotiation import VARY, ActivityRoute, ask, document, site_of

PAGE = 20
LINKS = 40  # ids on one page of a collection
LEAVING = 86_400_000  # ms in which the key of a deleted account can be had, at most
_OF_A_KEY = frozenset({"@context", "id", "type", "preferredUsername", "inbox", "publicKey", "assertionMethod"})

Document = dict[str, Json]


# --- actors ---


async def actor(request: Request) -> Response:
    """An account by its id: its document, or its page for those who want that. Keys must be had without a signature."""
    site = site_of(request)
    number = request.path_params["number"]
    if wants_activity(request.headers.get("accept", "")) or "text/html" not in request.headers.get("accept", ""):
        found, public = await site.db.read(_actor_or_tombstone, site.urls, number)
        return document(request, found, public=public)
    account = await site.db.read(account_here, number)
    return RedirectResponse(account.url, 303, headers={"Vary": VARY})


async def actor_page(request: Request) -> Response:
    """The actor's document at the address of its profile page, for those who ask for ActivityPub."""
    site = site_of(request)
    return document(request, await site.db.read(_actor_named, site.urls, request.path_params["handle"]))


async def instance_actor(request: Request) -> Response:
    """The actor that speaks for the server itself."""
    site = site_of(request)
    account = await site.keys.instance_account()
    return document(request, await site.db.read(_actor, site.urls, account.id))


async def instance_outbox(request: Request) -> Response:
    """The server itself publishes nothing, but an actor has an outbox (ActivityPub §4.1)."""
    return document(request, write_collection((await site_of(request).keys.instance_account()).outbox, total=0))


def account_here(tx: Tx, number: int) -> Account:
    """An account of ours; NotFound or Gone where nobody is."""
    return _living(accounts.get(tx, number))


def _living(account: Account | None) -> Account:
    if account is None or not account.local or account.state == "suspended":
        raise NotFound
    if account.state == "deleted":
        raise Gone
    return account


def _actor(tx: Tx, urls: Urls, number: int) -> Document:
    return actor_document(tx, urls, account_here(tx, number))


def _actor_or_tombstone(tx: Tx, urls: Urls, number: int) -> tuple[Document, bool]:
    """The document of an actor, and whether anybody may have it.

    Of a deleted account only what belongs to its key: until its Deletes are delivered, their signatures are checked.
    """
    account = accounts.get(tx, number)
    if account is None or account.state != "deleted" or not account.local:
        return actor_document(tx, urls, _living(account)), True
    if not is_leaving(tx, number, account.uri, tx.now - LEAVING):
        raise Gone
    whole = actor_document(tx, urls, account)
    return {name: value for name, value in whole.items() if name in _OF_A_KEY}, False


def _actor_named(tx: Tx, urls: Urls, handle: str) -> Document:
    return actor_document(tx, urls, _living(accounts.local_by_handle(tx, handle)))


async def emoji_document(request: Request) -> Response:
    """A custom emoji by its id."""
    site = site_of(request)
    return document(request, await site.db.read(_custom_emoji, site.urls, request.path_params["name"]))


def _custom_emoji(tx: Tx, urls: Urls, name: str) -> Document:
    found = custom_emoji.by_names(tx, (name,))
    if not found:
        raise NotFound
    return in_context(write_emoji(custom_emoji.own_emoji(urls, found[0])))


# --- posts and activities ---


async def post(request: Request) -> Response:
    """A post by its id: its document, or its page."""
    site = site_of(request)
    accept = request.headers.get("accept", "")
    if "text/html" in accept and not wants_activity(accept):
        return RedirectResponse(
            await site.db.read(_page_of, site.urls, request.path_params["number"]), 303, headers={"Vary": VARY}
        )
    return await _post(request, request.path_params["number"])


async def article_page(request: Request) -> Response:
    """The article's document at the address of its page, for those who ask for ActivityPub."""
    params = request.path_params
    month = f"{params['year']}/{params['month']}"
    site = site_of(request)
    return await _post(request, await site.db.read(_by_slug, site.urls, params["handle"], month, params["slug"]))


async def _post(request: Request, number: int) -> Response:
    site = site_of(request)
    found, public = await ask(request, _post_document, site.urls, number)
    return document(request, found, status=410 if found.get("type") == "Tombstone" else 200, public=public)


def _post_document(tx: Tx, viewer: int, urls: Urls, number: int) -> tuple[Document, bool]:
    whole = posts.get(tx, number, viewer)
    if whole is None or not whole.local or whole.is_withheld:
        grave = tombstones.of_public(tx, urls.post(number))
        if grave is None:
            raise NotFound
        return in_context(tombstone(grave.uri, grave.kind, grave.at)), True
    return post_document(tx, urls, whole), _is_public(whole)


def _is_public(whole: Post) -> bool:
    return whole.visibility in OPEN


def _page_of(tx: Tx, urls: Urls, number: int) -> str:
    # A page that may be seen by some only is found by them at its own address; here it looks missing.
    whole = posts.get(tx, number)
    if whole is None or not whole.local or whole.is_withheld:
        raise Gone if tombstones.of_public(tx, urls.post(number)) else NotFound
    return whole.url


def _by_slug(tx: Tx, urls: Urls, handle: str, month: str, slug: str) -> int:
    account = _living(accounts.local_by_handle(tx, handle))
    whole = posts.by_slug(tx, account.id, month, slug) or posts.by_former_slug(tx, account.id, month, slug)
    if whole is not None:
        return whole.id
    grave = tombstones.of_page(tx, urls.page(account.handle, 0, month, slug))
    number = urls.post_number(grave.uri) if grave is not None else None
    if number is None:
        raise NotFound
    return number


async def activity(request: Request) -> Response:
    """The Create of a post, a boost or a like, by its id; all else that was sent is nobody's business any more."""
    found, public = await ask(request, _activity, site_of(request).urls, request.path_params["number"])
    return document(request, found, public=public)


def _activity(tx: Tx, viewer: int, urls: Urls, number: int) -> tuple[Document, bool]:
    whole = posts.get(tx, number, viewer)
    if whole is not None and whole.local and not whole.is_withheld:
        return create_of(urls, whole, post_document(tx, urls, whole)), _is_public(whole)
    boost = reaction_lists.boosts(tx, [number], viewer).get(number)
    if boost is not None and boost.account.local and not boost.post.is_withheld:
        announce = announce_of(boost.uri, boost.account, boost.post, boost.created, boost.visibility)
        return announce, boost.visibility in OPEN
    uri = urls.activity(number)
    liked = reactions.by_uri(tx, uri)
    actor = accounts.get(tx, liked[0]) if liked else None
    about = posts.get(tx, liked[1], viewer) if liked else None
    if actor is None or about is None or about.is_withheld or not actor.local or actor.state != "active":
        raise NotFound
    return reaction_of(tx, urls, uri, actor, about, reactions.emoji_of(tx, uri)), _is_public(about)


# --- collections of an account ---


async def outbox(request: Request) -> Response:
    """What the account posted and passed on, newest first."""
    number, before = request.path_params["number"], _cursor(request, "before")
    return document(request, await ask(request, _outbox, site_of(request).urls, number, before))


def _outbox(tx: Tx, viewer: int, urls: Urls, number: int, before: int | None) -> Document:
    account = account_here(tx, number)
    total = account_posts.total_of_account(tx, number)
    if before is None:
        return write_collection(account.outbox, total=total, first=f"{account.outbox}?before={_FAR}")
    items = account_posts.timeline(tx, number, viewer, Window(before=before, limit=PAGE))
    following = f"{account.outbox}?before={items[-1].id}" if len(items) == PAGE else ""
    shown: list[Json] = [outbox_entry(tx, urls, account, item) for item in items]
    return write_page(
        f"{account.outbox}?before={before}", part_of=account.outbox, items=shown, next=following, total=total
    )


async def followers(request: Request) -> Response:
    """Who follows the account."""
    return await _people(request, "followers")


async def following(request: Request) -> Response:
    """Whom the account follows."""
    return await _people(request, "following")


async def _people(request: Request, which: str) -> Response:
    number, after = request.path_params["number"], _cursor(request, "after")
    return document(request, await ask(request, _people_page, number, which, after))


def _people_page(tx: Tx, viewer: int, number: int, which: str, after: int | None) -> Document:
    account = account_here(tx, number)
    totals = relations.counts(tx, number)
    total, uri = (totals[0], account.followers) if which == "followers" else (totals[1], account.following)
    if after is None:
        return write_collection(uri, total=total, first=f"{uri}?after=0")
    listed = relation_lists.followers if which == "followers" else relation_lists.following
    people = listed(tx, number, Window(before=after or FAR, limit=LINKS))
    more = f"{uri}?after={people[-1].mark}" if len(people) == LINKS else ""
    items: list[Json] = [each.account.uri for each in people]
    return write_page(f"{uri}?after={after}", part_of=uri, items=items, next=more, total=total)


async def featured(request: Request) -> Response:
    """What the account pinned, whole."""
    return document(request, await ask(request, _featured, site_of(request).urls, request.path_params["number"]))


def _featured(tx: Tx, viewer: int, urls: Urls, number: int) -> Document:
    account = account_here(tx, number)
    items: list[Json] = [
        without_context(post_document(tx, urls, each)) for each in account_posts.pinned(tx, number, viewer)
    ]
    return write_collection(account.featured, total=len(items), items=items)


async def featured_tags(request: Request) -> Response:
    """The hashtags that the account shows on its profile."""
    return document(request, await ask(request, _featured_tags, site_of(request).urls, request.path_params["number"]))


def _featured_tags(tx: Tx, viewer: int, urls: Urls, number: int) -> Document:
    account = account_here(tx, number)
    items: list[Json] = [
        {"type": "Hashtag", "name": f"#{name}", "href": urls.of(account).tag(name)}
        for name in tags.featured_names(tx, number)
    ]
    return write_collection(account.featured_tags, total=len(items), items=items, ordered=False)


# --- collections of a post ---


async def replies(request: Request) -> Response:
    """The direct answers to a post, those of every server, as ids; the total is that of all comments below it."""
    return document(
        request, await ask(request, _replies, site_of(request).urls, _number(request), _cursor(request, "page"))
    )


def _replies(tx: Tx, viewer: int, urls: Urls, number: int, after: int | None) -> Document:
    whole = _visible(tx, viewer, number)
    uri = f"{urls.of(whole.account).post(number)}/replies"
    if after is None:
        return write_collection(uri, total=whole.comments, first=f"{uri}?page=1", ordered=False)
    return _links_page(uri, after, threads.reply_links(tx, number, viewer, Window(after=after, limit=LINKS)))


async def context(request: Request) -> Response:
    """All posts of a thread, as ids, oldest first (FEP-f228)."""
    return document(
        request, await ask(request, _context, site_of(request).urls, _number(request), _cursor(request, "page"))
    )


def _context(tx: Tx, viewer: int, urls: Urls, root: int, after: int | None) -> Document:
    whole = _visible(tx, viewer, root)
    uri = urls.of(whole.account).context(root)
    if after is None:
        total = threads.total(tx, root)
        return write_collection(uri, total=total, first=f"{uri}?page=1", attributed_to=whole.author)
    return _links_page(uri, after, threads.links(tx, root, viewer, Window(after=after, limit=LINKS)), ordered=True)


def _links_page(uri: str, after: int, found: Sequence[PostLink], *, ordered: bool = False) -> Document:
    more = f"{uri}?page={found[-1].id}" if len(found) == LINKS else ""
    return write_page(
        f"{uri}?page={after}", part_of=uri, items=[each.uri for each in found], next=more, ordered=ordered
    )


async def likes(request: Request) -> Response:
    """How many liked a post."""
    return document(request, await ask(request, _tally, site_of(request).urls, _number(request), "likes"))


async def shares(request: Request) -> Response:
    """How many passed a post on."""
    return document(request, await ask(request, _tally, site_of(request).urls, _number(request), "shares"))


def _tally(tx: Tx, viewer: int, urls: Urls, number: int, which: str) -> Document:
    whole = _visible(tx, viewer, number)
    listed = reaction_lists.like_uris if which == "likes" else reaction_lists.boost_uris
    items: list[Json] = list(listed(tx, number, viewer))
    total = whole.like_total if which == "likes" else whole.boost_total
    return write_collection(f"{urls.of(whole.account).post(number)}/{which}", total=total, items=items, ordered=False)


def _visible(tx: Tx, viewer: int, number: int) -> Post:
    whole = posts.get(tx, number, viewer)
    if whole is None or not whole.local or whole.is_withheld:
        raise NotFound
    return whole


_FAR = (1 << 63) - 1


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    return number


def _cursor(request: Request, name: str) -> int | None:
    """Where the page of a collection begins that the address asks for; None where it asks for the collection itself."""
    text = request.query_params.get(name, "")
    return min(int(text[:19]), _FAR) if text.isascii() and text.isdigit() else None


path_convertors.register()
ROUTES: list[BaseRoute] = [
    Route("/actor", instance_actor),
    Route("/a/{number:number}", actor),
    Route("/a/{number:number}/outbox", outbox),
    Route("/a/{number:number}/followers", followers),
    *follower_sync_route.ROUTES,
    Route("/a/{number:number}/following", following),
    Route("/a/{number:number}/featured", featured),
    Route("/a/{number:number}/tags", featured_tags),
    Route("/p/{number:number}", post),
    Route("/p/{number:number}/replies", replies),
    Route("/p/{number:number}/likes", likes),
    Route("/p/{number:number}/shares", shares),
    Route("/c/{number:number}", context),
    Route("/x/{number:number}", activity),
    *authorization_routes.ROUTES,
    Route("/actor/outbox", instance_outbox),
    Route("/emoji/{name}", emoji_document),
    ActivityRoute("/@{handle:handle}", actor_page),
    ActivityRoute("/@{handle:handle}/{number:number}", post),
    ActivityRoute("/@{handle:handle}/{year:year}/{month:month}/{slug}", article_page),
]
