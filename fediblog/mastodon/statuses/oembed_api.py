"""oEmbed: how other pages show a post of ours, as a quotation with a link and nothing that runs."""

from __future__ import annotations

from fediblog.domain.documents import OPEN
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.markup.html import escape
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entity_context import EntityContext
from fediblog.protocol.previews import label, words
from fediblog.store.posts import posts
from fediblog.store.tx import Tx

API = Table()
WIDTH = 400  # pixels
CACHE_AGE = 86_400  # seconds
WORDS = 500  # characters


@API.get("/api/oembed", who="anybody", gives="OEmbed", tier=3)
async def oembed(call: Call) -> Json:
    """How another page shows the public post at `url`."""
    width = max(200, min(call.params.number("maxwidth") or WIDTH, WIDTH))
    height = call.params.number("maxheight")
    return await call.read(_oembed, call.context, call.params.text("url"), width, height)


def _oembed(tx: Tx, context: EntityContext, url: str, width: int, height: int | None) -> Json:
    post = _public(tx, context.urls, url)
    name = post.account.shown_name
    return {
        "type": "rich",
        "version": "1.0",
        "title": label(post, 80) or name,
        "author_name": name,
        "author_url": post.account.url,
        "provider_name": context.title,
        "provider_url": context.urls.origin,
        "cache_age": CACHE_AGE,
        "html": _html(post, name),
        "width": width,
        "height": height,
    }


def _html(post: Post, name: str) -> str:
    title = f'<p dir="auto"><strong>{escape(post.title)}</strong></p>' if post.title else ""
    link = escape(post.url)
    return (
        f'<blockquote cite="{link}">{title}<p dir="auto">{escape(words(post, WORDS))}</p>'
        f'<p>— <a href="{link}"><bdi>{escape(name)}</bdi> (@{escape(post.account.acct)})</a></p></blockquote>'
    )


def _public(tx: Tx, urls: Urls, url: str) -> Post:
    """Our post of that page or id, if it is for everybody. Raises NotFound."""
    plain = url.partition("#")[0].partition("?")[0]
    number = urls.post_number(plain)
    found = posts.get(tx, number) if number is not None else posts.by_link(tx, plain) if urls.owns(plain) else None
    if found is None or not found.local or found.state != "published" or found.visibility not in OPEN:
        raise NotFound()
    if found.account.state != "active":
        raise NotFound()
    return found
