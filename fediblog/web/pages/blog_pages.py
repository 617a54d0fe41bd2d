"""What anybody may read: the home of the blog, tags, and the feeds of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Gone, NotFound
from fediblog.federation.site import Site
from fediblog.hashtags import SIGNS, key
from fediblog.markup.html import plain
from fediblog.messages import text
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import accounts
from fediblog.store.posts import account_posts, timelines
from fediblog.store.posts import tags as hashtags
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.posts.posts import hydrate as posts_of
from fediblog.store.posts.timelines import ListedPost, TagFilter
from fediblog.store.tx import Tx
from fediblog.web.components import page_head, paging, time_zone
from fediblog.web.components.entries import is_entry
from fediblog.web.components.page_head import NOINDEX
from fediblog.web.components.render import public, render, static
from fediblog.web.feeds import FORMATS, Feed, json_feed
from fediblog.web.languages import say
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import ask, page

SIZE = 20
FEED_SIZE = 30
MOST_TAGS = 500
LONG = 300_000  # characters of all posts of a feed


def account_named(tx: Tx, handle: str) -> Account:
    """Our account of that handle. Raises NotFound, or Gone if it was deleted."""
    found = accounts.local_by_handle(tx, handle)
    if found is None or found.login is None or found.state == "suspended":
        raise NotFound
    if found.state == "deleted":
        raise Gone
    return found


async def home(request: Request) -> Response:
    """The blog: the latest public posts of all accounts, or one kind of them; what is pinned stands first."""
    kind = request.query_params.get("show", "all")
    kind = kind if kind in timelines.BLOG_KINDS else "all"
    found = await ask(request, _home, kind, paging.window(request, SIZE))
    shown = paging.page(request, found.posts, SIZE, lambda listed: listed.id)
    at = page_head.context(request)
    head = page_head.of_home(at, found.people)
    if kind != "all":
        origin = site_of(request).urls.origin
        head = replace(head, title=say(request, f"menu.{kind}"), canonical=f"{origin}/?show={kind}")
    shown = replace(shown, items=_in_order(found.pinned, shown.items))
    head = page_head.turned(at, head, shown.number)
    option = site_of(request).settings.data_option
    return render(request, "home.html", head=head, posts=shown, people=found.people, kind=kind, data_option=option)


def _in_order(pinned: list[ListedPost], listed: Sequence[ListedPost]) -> tuple[ListedPost, ...]:
    """What is pinned, and then the rest; where nothing is, the latest article comes before notes that are newer."""
    above = {each.post.id for each in pinned}
    rest = [each for each in listed if each.post.id not in above]
    lead = next((each for each in rest if is_entry(each.post)), None) if not pinned else None
    if lead is not None:
        rest = [lead, *(each for each in rest if each is not lead)]
    return (*pinned, *rest)


class Home(Struct, frozen=True):
    """What the front page shows: posts with one more than fit, what stands above them, and who writes."""

    posts: list[ListedPost]
    pinned: list[ListedPost]
    people: list[Account]


def _home(tx: Tx, viewer: int, kind: str, window: Window) -> Home:
    posts = timelines.whole(tx, timelines.blog(tx, viewer, window, kind), viewer)
    first = kind == "all" and window.before == FAR
    pinned = timelines.whole(tx, timelines.blog_pinned(tx, viewer), viewer) if first else []
    return Home(posts, pinned, accounts.listed(tx))


def _blog(tx: Tx, viewer: int, window: Window) -> list[Post]:
    return posts_of(tx, timelines.blog(tx, viewer, window), viewer)


async def tags(request: Request) -> Response:
    """The hashtags of what everybody finds of ours."""
    found = await ask(request, lambda tx, _viewer: hashtags.totals(tx, MOST_TAGS))
    head = page_head.of_site_page(page_head.context(request), say(request, "tags.title"), "/tags")
    return render(request, "tags.html", head=head, tags=sorted(found, key=lambda each: key(each.name)))


async def tag(request: Request) -> Response:
    """Public posts with a hashtag, of everybody whom this server knows."""
    name = request.path_params["name"].lstrip(SIGNS)
    posts, followed = await ask(request, _tag_page, name, paging.window(request, SIZE))
    shown = paging.page(request, posts, SIZE, lambda post: post.id)
    at = page_head.context(request)
    head = page_head.turned(at, page_head.of_tag(at, name), shown.number)
    return render(request, "tag.html", context="public", head=head, posts=shown, name=name, followed=followed)


def _tag_page(tx: Tx, viewer: int, name: str, window: Window) -> tuple[list[Post], bool]:
    """The posts, and whether who has signed in follows the hashtag."""
    return _tagged(tx, viewer, name, window), bool(viewer and hashtags.marked(tx, viewer, [key(name)])[0])


def _tagged(tx: Tx, viewer: int, name: str, window: Window) -> list[Post]:
    # Strangers see what we wrote ourselves; a public mirror of everybody else's posts is nobody's wish.
    wanted = TagFilter(tag=key(name), side="" if viewer else "local")
    return posts_of(tx, timelines.tagged(tx, viewer, wanted, window), viewer)


async def site_feed(request: Request) -> Response:
    """The feed of the whole blog."""
    site = site_of(request)
    posts = await site.db.read(_blog, 0, Window(limit=FEED_SIZE))
    title = site.title
    feed = Feed(title=title, description="", page=f"{site.urls.origin}/", base=f"{site.urls.origin}/feed")
    return await feed_response(request, feed, posts)


async def account_feed(request: Request) -> Response:
    """The feed of one account: its posts without answers to others."""
    account, posts = await site_of(request).db.read(_account_feed, request.path_params["handle"])
    feed = Feed(
        title=account.shown_name,
        description=plain(account.summary),
        page=account.url,
        base=f"{account.url}/feed",
        author=account,
        icon=account.icon.url if account.icon else "",
    )
    return await feed_response(request, feed, posts)


def _account_feed(tx: Tx, handle: str) -> tuple[Account, list[Post]]:
    account = account_named(tx, handle)
    posts = account_posts.written(tx, account.id, 0, Window(limit=FEED_SIZE * 2), ProfileFilter(replies="none"))
    return account, [post for post in posts if post.visibility == Visibility.PUBLIC][:FEED_SIZE]


async def tag_feed(request: Request) -> Response:
    """The feed of our own public posts with a hashtag."""
    site, name = site_of(request), request.path_params["name"].lstrip(SIGNS)
    posts = await site.db.read(_tagged, 0, name, Window(limit=FEED_SIZE))
    title = text(site.settings.language, "tag.feed-title", tag=name, site=site.title)
    address = site.urls.tag(name)
    feed = Feed(title=title, description="", page=address, base=f"{address}/feed")
    return await feed_response(request, feed, posts)


async def feed_response(request: Request, feed: Feed, posts: list[Post]) -> Response:
    """The response with a feed; its posts stand in it whole, so a long one is written in a thread."""
    media_type, write = FORMATS[request.path_params["format"]]
    site = site_of(request)
    blog, language = await site.read_blog(), site.settings.language  # the same for everybody, so that it can be kept
    in_browser = write is not json_feed and "text/html" in request.headers.get("accept", "")
    style = static("feed.css") if in_browser else ""
    feed = replace(feed, language=language, hub=blog.websub_hub, style=style, sizes=_sizes(site, posts))

    time_zone.choose(blog.time_zone)

    def made() -> Response:
        response = public(request, write(feed, posts), "application/xml; charset=utf-8" if in_browser else media_type)
        response.headers["X-Robots-Tag"] = NOINDEX  # the pages are to be found, not what repeats them
        return response

    return await asyncio.to_thread(made) if sum(len(post.content) for post in posts) > LONG else made()


def _sizes(site: Site, posts: Sequence[Post]) -> dict[str, int]:
    """Bytes of our files that posts carry, by their addresses."""
    folder = site.urls.media("")
    ours = {file.url for post in posts for file in post.attachments if file.url.startswith(folder)}
    return {url: size for url in ours if (size := site.files.size(url.removeprefix(folder)))}


async def favicon(_request: Request) -> Response:
    """The icon at the address where browsers ask for it whatever the page says."""
    return RedirectResponse(static("icon.svg"), 302, headers={"Cache-Control": "max-age=86400"})


ROUTES = [
    Route("/favicon.ico", favicon),
    Route("/", page(home)),
    Route("/feed.{format:feed}", site_feed),
    Route("/tags", page(tags)),
    Route("/tags/{name}", page(tag)),
    Route("/tags/{name}/feed.{format:feed}", tag_feed),
    Route("/@{handle:handle}/feed.{format:feed}", account_feed),
]
