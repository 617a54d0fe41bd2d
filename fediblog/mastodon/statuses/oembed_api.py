"""oEmbed: how other pages show a post of ours, as a quotation with a link and nothing that runs."""

from __future__ import annotations

from fediblog.domain.documents import OPEN
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound, Refused
from fediblog.markup.html import escape
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entity_context import EntityContext
from fediblog.protocol.previews import label, picture, words
from fediblog.store.posts import posts
from fediblog.store.tx import Tx

API = Table()
WIDTH = 400  # pixels
CACHE_AGE = 86_400  # seconds
WORDS = 500  # characters


@API.get("/api/oembed", who="anybody", gives="OEmbed", tier=3)
async def oembed(call: Call) -> Json:
    """How another page shows the public post at `url`."""
    if call.params.text("format") not in ("", "json"):  # oEmbed 2.3.2: 501 for a format that a provider has not
        raise Refused("oembed-format")
    most, height = call.params.number("maxwidth"), call.params.number("maxheight")
    return await call.read(_oembed, call.context, call.params.text("url"), most, height)


def _oembed(tx: Tx, context: EntityContext, url: str, most: int | None, height: int | None) -> Json:
    post = _public(tx, context.urls, url)
    name = post.account.shown_name
    width = max(200, min(most or WIDTH, WIDTH))
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
        **_thumbnail(post, most, height),
    }


def _thumbnail(post: Post, width: int | None, height: int | None) -> dict[str, str | int]:
    """The picture that stands for the post, if it is no larger than was asked for (oEmbed 2.3.4)."""
    found = picture(post)
    if found is None or not found.width or not found.height:
        return {}
    if found.width > (width or found.width) or found.height > (height or found.height):
        return {}
    return {"thumbnail_url": found.url, "thumbnail_width": found.width, "thumbnail_height": found.height}


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
