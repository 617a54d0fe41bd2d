"""What search engines are told: which addresses there are (sitemaps.org), and which of them may be read (RFC 9309)."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.federation.site_totals import total
from fediblog.store.people import accounts
from fediblog.store.posts import findable, free_pages
from fediblog.store.posts.findable import Listed
from fediblog.store.tx import Tx
from fediblog.web.ai_crawlers import TRAINING
from fediblog.web.components.page_elements import iso
from fediblog.web.components.render import public
from fediblog.web.negotiation import site_of

PART = 5_000  # posts: such a file is one that the page cache keeps
MOST_PARTS = 10_000
_CLOSED = (
    *("/login", "/write", "/stream", "/notices", "/people", "/search", "/settings", "/post/", "/account/", "/inbox"),
    *("/numbers", "/share", "/authorize_interaction"),
)
_XML = "application/xml; charset=utf-8"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


async def robots(request: Request) -> Response:
    """What crawlers may read: the pages, not the log-in and not the desk; and where all pages are listed."""
    site = site_of(request)
    rules = "User-agent: *\n" + "".join(f"Disallow: {path}\n" for path in _CLOSED)
    if (await site.read_blog()).ai_crawlers == "deny":
        rules += "\n" + "".join(f"User-agent: {name}\n" for name in TRAINING) + "Disallow: /\n"
    return PlainTextResponse(f"{rules}\nSitemap: {site.urls.origin}/sitemap.xml\n")


async def index(request: Request) -> Response:
    """The list of the sitemaps: one of pages, and one for each so many posts."""
    site = site_of(request)
    parts = min(await total(site, _parts), MOST_PARTS)
    names = ["sitemap-pages.xml", *(f"sitemap-{number}.xml" for number in range(1, parts + 1))]
    entries = "".join(f"<sitemap><loc>{escape(site.urls.origin)}/{name}</loc></sitemap>\n" for name in names)
    return _answer(request, f'<sitemapindex xmlns="{_SPACE}">\n{entries}</sitemapindex>\n')


def _parts(tx: Tx) -> int:
    return findable.parts(tx, PART)


async def pages(request: Request) -> Response:
    """The sitemap of what is no post: the home, pages that stand by themselves, categories, profiles, tags."""
    site = site_of(request)
    return _urls(request, await site.db.scan(_pages, site.urls))


def _pages(tx: Tx, urls: Urls) -> list[Listed]:
    people = [Listed(each.url, 0) for each in accounts.listed(tx) if each.is_findable][:PART]
    tags = [Listed(urls.tag(each.name), each.changed) for each in findable.tags(tx, PART)]
    filed = [Listed(f"{urls.origin}/category/{quote(each.name)}", each.changed) for each in findable.categories(tx)]
    own = [Listed(f"{urls.origin}/{quote(each.slug)}", 0) for each in free_pages.published(tx)]
    return [Listed(f"{urls.origin}/", 0), *own, *people, *filed, *tags]


async def posts(request: Request) -> Response:
    """The sitemap of one part of the posts."""
    number = request.path_params["n"]
    if number > MOST_PARTS:
        raise NotFound
    return _urls(request, await site_of(request).db.scan(findable.part, number, PART))


def _urls(request: Request, found: Iterable[Listed]) -> Response:
    def entry(each: Listed) -> str:
        changed = f"<lastmod>{iso(each.changed)}</lastmod>" if each.changed else ""
        return f"<url><loc>{escape(each.name)}</loc>{changed}</url>\n"

    return _answer(request, f'<urlset xmlns="{_SPACE}">\n{"".join(map(entry, found))}</urlset>\n')


def _answer(request: Request, xml: str) -> Response:
    response = public(request, (_HEAD + xml).encode(), _XML)
    response.headers["X-Robots-Tag"] = "noindex"  # the file itself
    return response


ROUTES: list[BaseRoute] = [
    Route("/robots.txt", robots),
    Route("/sitemap.xml", index),
    Route("/sitemap-pages.xml", pages),
    Route("/sitemap-{n:number}.xml", posts),
]
