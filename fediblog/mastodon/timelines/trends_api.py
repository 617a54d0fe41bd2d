"""Trends: what is talked about in the posts that this server sees."""

from __future__ import annotations

from urllib.parse import urlsplit

from fediblog.domain.urls import Urls
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.base import blurhash
from fediblog.mastodon.entities.status_bytes import listed
from fediblog.mastodon.entities.tag_entity import tags
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.posts import trends
from fediblog.store.posts.tags import DAY, DAYS
from fediblog.store.posts.trends import PreviewCard, Trend
from fediblog.store.tx import Tx

API = Table()
FRESH = 600_000  # ms for which they are remembered
GREY = "00Eyb["  # a BlurHash for pictures of which none is known: Mastodon for iOS reads no list that lacks one


@API.get("/api/v1/trends/tags", "/api/v1/trends", scope="", who="anybody", gives="Tag[]", tier=1)
async def trending_tags(call: Call) -> list[Json]:
    """Hashtags that many use this week."""
    return await call.read(_tags, call.context, call.viewer, _offset(call), call.limit(10, 20))


@API.get("/api/v1/trends/statuses", scope="", who="anybody", gives="Status[]", tier=1)
async def trending_statuses(call: Call) -> Reply:
    """Public posts of this week that many favourited or boosted."""
    return Reply(await call.read(_statuses, call.context, call.viewer, _offset(call), call.limit(20, 40)))


@API.get("/api/v1/trends/links", scope="", who="anybody", gives="TrendsLink[]", tier=1)
async def trending_links(call: Call) -> list[Json]:
    """Pages that many posts of this week point to, if they are known here as posts of other servers with a picture."""
    return await call.read(_links, call.context, _offset(call), call.limit(10, 20))


def _offset(call: Call) -> int:
    return call.params.number("offset") or 0


def _tags(tx: Tx, context: EntityContext, viewer: int, offset: int, limit: int) -> list[Json]:
    found = context.trends.get("tags", tx.now - FRESH)
    if found is None:
        found = [each.word for each in trends.tags(tx)]
        context.trends.put("tags", found, tx.now)
    return tags(tx, context, found[offset : offset + limit], viewer)


def _statuses(tx: Tx, context: EntityContext, viewer: int, offset: int, limit: int) -> bytes:
    found = context.trends.get("posts", tx.now - FRESH)
    if found is None:
        found = trends.posts(tx)
        context.trends.put("posts", found, tx.now)
    return listed(tx, context, trends.rows_of(tx, viewer, found[offset : offset + limit]), viewer)


def _links(tx: Tx, context: EntityContext, offset: int, limit: int) -> list[Json]:
    found = context.trends.get("links", tx.now - FRESH)
    if found is None:
        found = _pictured(tx, context)
        context.trends.put("links", found, tx.now)
    shown: list[Json] = found[offset : offset + limit]
    return shown


def _pictured(tx: Tx, context: EntityContext) -> list[Json]:
    """No page is fetched for this: what is not known here has no picture, without which apps show an empty frame."""
    links = [each for each in trends.links(tx) if not context.urls.owns(each.word)]
    pages = trends.preview_cards(tx, [each.word for each in links])
    return [_link(context.urls, each, pages[each.word], tx.now) for each in links if each.word in pages]


def _link(urls: Urls, each: Trend, page: PreviewCard, now: int) -> Json:
    host = urlsplit(each.word).hostname or ""
    return {
        "url": each.word,
        "title": page.title or each.word.partition("://")[2].rstrip("/"),
        "description": "",
        "language": page.language or None,
        "type": "link",
        "author_name": page.author,
        "author_url": "",
        "authors": [],
        "provider_name": host,
        "provider_url": "",
        "html": "",
        "width": 0,
        "height": 0,
        "image": urls.copy(f"p{page.post}", page.picture),
        "image_description": page.alt,
        "embed_url": "",
        "blurhash": blurhash(page.blurhash) or GREY,
        "published_at": None,
        "history": _history(each, now),
    }


def _history(each: Trend, now: int) -> list[Json]:
    today = now // DAY * DAY
    days = [(at, *each.days.get(at, (0, 0))) for at in (today - back * DAY for back in range(DAYS))]
    return [{"day": str(at // 1000), "uses": str(uses), "accounts": str(people)} for at, uses, people in days]
